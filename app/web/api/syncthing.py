"""Setting Syncthing up: how far it is, the one act that makes what is missing, and the requests of peers."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from flask import Response, abort, jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.request_body import RequestBody
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.web.answers import done
from app.web.context import actor, container, services
from app.web.errors import answer_validation
from app.web.models import SetUpDone, responses

api = APIBlueprint(
    "syncthing",
    __name__,
    url_prefix="/api/syncthing",
    abp_tags=[Tag(name="syncthing", description="Setting Syncthing up, and its peers")],
)

Body = TypeVar("Body", bound=BaseModel)


class SetUpBody(BaseModel):
    """What set-up may change although a person may have wanted it as it is."""

    model_config = ConfigDict(extra="forbid")

    change: list[Literal["type", "paused", "target"]] = Field(
        default=[],
        max_length=3,
        description="`type`: make the folder Send Only; `paused`: resume it; `target`: set sync.target to syncthing.",
    )


class DeviceBody(BaseModel):
    """A device that is to become a peer."""

    model_config = ConfigDict(extra="forbid")

    device_id: str = Field(max_length=200, description="Its ID, as its Syncthing shows it.")
    name: str = Field(default="", max_length=100, description="What to call it; empty: what it calls itself.")


class KnockBody(BaseModel):
    """A device that has knocked."""

    model_config = ConfigDict(extra="forbid")

    device_id: str = Field(max_length=200, description="Its ID.")


class OfferBody(BaseModel):
    """A folder that a known device offers."""

    model_config = ConfigDict(extra="forbid")

    folder_id: str = Field(max_length=200, description="The folder's ID.")
    device_id: str = Field(max_length=200, description="The ID of the device that offers it.")


def _described(model: type[BaseModel], example: dict[str, Any], *, required: bool = True) -> RequestBody:
    content = {"application/json": {"schema": model.model_json_schema(), "example": example}}
    return RequestBody.model_validate({"content": content, "required": required})


EXAMPLE_ID = "MFZWI3D-BONSGYC-YLTMRWG-C43ENR5-QXGZDMM-FZWI3DP-BONSGYY-LTMRWAD"
OFFER = {"folder_id": "from-phone", "device_id": EXAMPLE_ID}
STATUSES = (400, 409, 502, 503)


@api.get("", responses=responses(), summary="How far the set-up of Syncthing is")
def index() -> Response:
    """Each step with its state, its cause and what to do; the key's source, the folder, the peers, what waits."""
    from app.overview.peer import peer_state

    return jsonify(peer_state(services()))


@api.post(
    "/setup",
    responses=responses(*STATUSES, ok=SetUpDone),
    request_body=_described(SetUpBody, {}, required=False),
    summary="Set Syncthing up",
)
def set_up() -> Response:
    """Makes what is missing: the send-only folder at the batch folder's place, our ignore lines, its share with the
    peer that the settings name. What is right stays as it is; what is wrong is changed only when `change` names it."""
    from app.jobs import peer

    body = _read(SetUpBody)
    return _answer(peer.set_up_syncthing(container(), actor(), body.change))


@api.get("/pending", responses=responses(), summary="Devices and folders that wait for a word")
def pending() -> Response:
    """Devices that knocked and are not known, folders that known devices offer; `fault` says why nothing can be
    told."""
    from app.overview.peer import pending_requests

    return jsonify(pending_requests(services()))


@api.post(
    "/devices",
    responses=responses(*STATUSES, ok=SetUpDone),
    request_body=_described(DeviceBody, {"device_id": EXAMPLE_ID, "name": "phone"}),
    summary="Accept or add a device",
)
def add_device() -> Response:
    """Makes the device known and shares the folder with it, after setting up what is missing. When no peer is named in
    the settings, it becomes the one that must have every file. 400 for an ID that is mistyped."""
    from app.jobs import peer

    body = _read(DeviceBody)
    return _answer(peer.accept_device(container(), actor(), body.device_id, body.name))


@api.post(
    "/devices/dismiss",
    responses=responses(404, *STATUSES, ok=SetUpDone),
    request_body=_described(KnockBody, {"device_id": EXAMPLE_ID}),
    summary="Dismiss a device that knocked",
)
def dismiss_device() -> Response:
    """Forgets that it knocked; it is told of again when it tries again."""
    from app.jobs import peer

    return _answer(peer.dismiss_request(container(), actor(), _read(KnockBody).device_id))


@api.post(
    "/folders/accept",
    responses=responses(404, *STATUSES, ok=SetUpDone),
    request_body=_described(OfferBody, OFFER),
    summary="Accept a folder that a peer offers",
)
def accept_folder() -> Response:
    """Shares our folder with the peer when it has this ID; makes ours under this ID when there is none yet. 409 when
    batches are delivered through another folder."""
    from app.jobs import peer

    body = _read(OfferBody)
    return _answer(peer.accept_folder(container(), actor(), body.folder_id, body.device_id))


@api.post(
    "/folders/dismiss",
    responses=responses(404, *STATUSES, ok=SetUpDone),
    request_body=_described(OfferBody, OFFER),
    summary="Dismiss a folder that a peer offers",
)
def dismiss_folder() -> Response:
    """Forgets the offer; it is told of again when the device connects again."""
    from app.jobs import peer

    body = _read(OfferBody)
    return _answer(peer.dismiss_request(container(), actor(), body.device_id, body.folder_id))


@api.get("/device/qr.svg", responses=responses(502), summary="The device ID as a QR code")
def qr() -> Response:
    """An SVG that the peer's Syncthing can scan; dark on light whatever the page's colours."""
    from app.overview.peer import own_device_id
    from app.syncthing.qr import svg_of

    return Response(svg_of(own_device_id(services())), content_type="image/svg+xml")


def _read(model: type[Body]) -> Body:
    """What was sent, as JSON or by the form of a page; a request with faults is answered here."""
    try:
        return _parse(model)
    except ValidationError as error:
        abort(answer_validation(error))


def _parse(model: type[Body]) -> Body:
    if request.mimetype == "application/x-www-form-urlencoded":
        sent: dict[str, Any] = {name: request.form[name] for name in request.form if name != "change"}
        if "change" in request.form:
            sent["change"] = request.form.getlist("change")
        return model.model_validate(sent)
    text = request.get_data(cache=False) if request.is_json else b""
    return model.model_validate_json(text) if text.strip() else model.model_validate({})


def _answer(sentences: list[str]) -> Response:
    words = " ".join(sentences) or "Nothing had to be changed."
    return done({"done": sentences}, words)
