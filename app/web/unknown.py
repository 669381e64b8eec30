"""What a request carries that its address does not know: refused by name, because ignored it would mislead.

Which parameters and keys an address knows is what the OpenAPI document says of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl

from flask import Flask, Response, abort, current_app, request
from flask_openapi.openapi import OpenAPI
from pydantic import BaseModel, ValidationError

from app.web.context import wants_page
from app.web.errors import answer_validation, problem

M = TypeVar("M", bound=BaseModel)

FORM = "application/x-www-form-urlencoded"
EXTENSION = "media_pipeline_known_parameters"
#: So many unknown names are listed.
LISTED = 20


def install(app: Flask) -> None:
    """Look at each request to the API that a route has taken."""
    app.before_request(refuse_unknown)


def refuse_unknown() -> Response | None:
    """Let the request pass (None), or answer 422 with the unknown names and with those that are known."""
    if request.url_rule is None or not request.path.startswith("/api/"):
        return None
    operation = _operation()
    if operation is None:
        return None
    known = [found["name"] for found in operation.get("parameters", ()) if found["in"] == "query"]
    unknown = [name for name in request.args if name not in known]
    if unknown:
        return _refuse(unknown, known, "parameter")
    if "requestBody" in operation or request.method in ("GET", "HEAD") or wants_page():
        return None
    keys = _keys_sent()
    return _refuse(keys, [], "key") if keys else None


def read_body(model: type[M]) -> M:
    """What the body says, whatever media type it is sent as; without a body every default. Answers 422 for faults."""
    sent = request.get_data(cache=True, parse_form_data=False)
    if not wants_page():
        refuse_keys(_keys_sent(), list(model.model_fields))
        if sent.strip() and _is_form():
            abort(problem(422, "This address takes a JSON object, not a form; nothing was done."))
    try:
        return model.model_validate_json(sent) if sent.strip() and not _is_form() else model()
    except ValidationError as error:
        abort(answer_validation(error))


def refuse_keys(sent: Iterable[str], known: Collection[str]) -> None:
    """Answer 422 when one of the keys that were sent is none of the known ones."""
    unknown = [key for key in sent if key not in known]
    if unknown:
        abort(_refuse(unknown, known, "key"))


def _operation() -> dict[str, Any] | None:
    """What the document says of this address and method; read once, as it never changes."""
    paths = current_app.extensions.get(EXTENSION)
    if paths is None:
        paths = current_app.extensions[EXTENSION] = cast(OpenAPI, current_app).api_doc["paths"]
    rule = re.sub(r"<(?:[^<>:]+:)?([^<>]+)>", r"{\1}", str(request.url_rule))
    method = "get" if request.method == "HEAD" else request.method.lower()
    found: dict[str, Any] | None = paths.get(rule, {}).get(method)
    return found


def _keys_sent() -> list[str]:
    """The names in the body, be it a JSON object or a form; a body that is neither has none."""
    sent = request.get_data(cache=True, parse_form_data=False)
    try:
        found = json.loads(sent) if sent.strip() else {}
    except (ValueError, RecursionError):
        found = dict(parse_qsl(sent.decode("utf-8", "replace"), keep_blank_values=True)) if _is_form() else {}
    return list(found) if isinstance(found, dict) else []


def _is_form() -> bool:
    """A JSON document that a program sends without saying so, as `curl -d` does, is none."""
    sent = request.get_data(cache=True, parse_form_data=False)
    return request.mimetype == FORM and not sent.lstrip().startswith(b"{")


def _refuse(unknown: list[str], known: Iterable[str], what: str) -> Response:
    """The names are repeated, never what they were given; `path` is the name."""
    names = sorted(known)
    knows = f"it knows {', '.join(names)}" if names else f"it knows no {what} at all"
    shown = ["".join(c if c.isprintable() else "?" for c in name[:60]) for name in unknown[:LISTED]]
    some = f"the {what} {shown[0]}" if len(shown) == 1 else f"the {what}s {', '.join(shown)}"
    sentence = f"This address does not know {some}; {knows}."
    errors = [{"path": name, "message": f"is unknown here; {knows}"} for name in shown]
    return problem(422, sentence, errors=errors, known=names)
