"""What the forms of the page Dates send: which files are meant, and what is decided about them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from app.db.doubtful_dates import REASONS, DateFilter
from app.errors import BadRequest
from app.jobs.date_changes import DateWish
from app.jobs.date_results import Decided
from app.jobs.date_undo import UndoWish, undo_decisions
from app.jobs.dates import decide_dates
from app.overview.doubtful import folder_of
from app.services import Services
from app.web.models import MAX_ID

#: A page lists fewer.
MOST_TICKED = 500
LONGEST = 4096
UNDO = "undo"

Sent = MultiDict[str, str]


@dataclass(frozen=True)
class Chosen:
    """Which dates are looked at: those that are doubtful for a reason, of a camera, of a folder; None: of any."""

    reason: str | None = None
    camera: str | None = None
    folder: str | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether anything is asked for."""
        return self != Chosen()

    @property
    def filter(self) -> DateFilter:
        """For the rows. Raises BadRequest for a folder that no path can be."""
        return DateFilter(self.reason, self.camera, folder_of(self.folder))

    def query(self, **changes: Any) -> str:
        """As the end of an address, with other values; None leaves one out."""
        values = {**self.fields, **changes}
        return urlencode({name: value for name, value in values.items() if value is not None})

    @property
    def fields(self) -> dict[str, str]:
        """As fields of a form."""
        return {name: value for name, value in vars(self).items() if value is not None}


def read_chosen(sent: Sent) -> Chosen:
    """The filter in an address or a form; what is none is passed over."""
    reason, camera, folder = (_text(sent, name) for name in ("reason", "camera", "folder"))
    return Chosen(reason if reason in REASONS else None, camera, (folder or "").strip("/") or None)


def read_ids(sent: Sent) -> list[int]:
    """The files that were ticked."""
    ids = [int(value) for value in sent.getlist("asset")[:MOST_TICKED] if value.isascii() and value.isdecimal()]
    return [asset_id for asset_id in ids if 0 < asset_id <= MAX_ID]


def read_instant(sent: Sent, name: str) -> str | None:
    """An instant as it is stored, or None."""
    text = (_text(sent, name) or "")[:40]
    return text if text and text.replace(" ", "").isprintable() else None


@dataclass(frozen=True)
class Asked:
    """What a form asks for; `fields` send it again. `sidecars`: an XMP file is to lie beside each; `alone`: the files
    ticked do not belong to the others of their name."""

    action: str
    value: str
    asset_ids: tuple[int, ...]
    chosen: Chosen
    is_for_all: bool
    decided_at: str | None
    sidecars: bool = False
    alone: bool = False

    def carry_out(self, services: Services, by: str, *, dry_run: bool) -> Decided:
        """Do it, or tell what it would do. Raises what deciding raises."""
        if self.action == UNDO:
            only = DateFilter() if self.asset_ids else self.chosen.filter
            return undo_decisions(services, UndoWish(self.asset_ids, only, self.decided_at), by, dry_run=dry_run)
        if not self.asset_ids and not self.is_for_all:
            raise BadRequest("No file is ticked. Tick some, or choose all that are listed.")
        ids, only = ((), self.chosen.filter) if self.is_for_all else (self.asset_ids, DateFilter())
        wish = DateWish(self.action, self.value, ids, only, doubtful=self.is_for_all, sidecars=self.sidecars,
                        alone=self.alone)
        return decide_dates(services, wish, by, dry_run=dry_run)

    @property
    def fields(self) -> Iterator[tuple[str, str]]:
        """Names and values that say the same."""
        yield "action", self.action
        yield "value", self.value
        yield from self.chosen.fields.items()
        if self.is_for_all:
            yield "for", "all"
        else:
            yield from (("asset", str(asset_id)) for asset_id in self.asset_ids)
        if self.decided_at is not None:
            yield "decided_at", self.decided_at
        if self.sidecars:
            yield "sidecars", "yes"
        if self.alone:
            yield "alone", "yes"


def read_asked(sent: Sent) -> Asked:
    """Out of what was sent, be it typed into the form or sent again by the preview."""
    action = _text(sent, "action") or ""
    value = _text(sent, "value")
    return Asked(
        action=action,
        value=_typed(sent, action) if value is None else value,
        asset_ids=() if sent.get("for") == "all" else tuple(read_ids(sent)),
        chosen=read_chosen(sent),
        is_for_all=sent.get("for") == "all",
        decided_at=read_instant(sent, "decided_at"),
        sidecars=sent.get("sidecars") == "yes",
        alone=sent.get("alone") == "yes",
    )


def mark_of(told: Decided) -> str:
    """A mark of what a preview shows: when it is another one, something has happened since."""
    shown = json.dumps([told.files, told.refused, told.sidecars, told.changes], sort_keys=True)
    return hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest()[:16]


def _typed(sent: Sent, action: str) -> str:
    """The value of an action, from its own inputs."""
    match action:
        case "set":
            return f"{_text(sent, 'date') or ''} {_text(sent, 'time') or ''}".strip()
        case "zone":
            return _text(sent, "zone") or ""
        case "shift":
            sign = "-" if sent.get("direction") == "back" else ""
            return f"{sign}{_text(sent, 'hours') or '0'}:{(_text(sent, 'minutes') or '0').zfill(2)}"
    return ""


def _text(sent: Sent, name: str) -> str | None:
    value = sent.get(name)
    return None if value is None else value.replace("\0", "").strip()[:LONGEST]
