"""The pages' own files carry a mark of their content in their address, so that browsers may keep them for good."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request

YEAR_SECONDS = 365 * 24 * 3600


def install(app: Flask) -> None:
    """Mark the addresses of static files, and let browsers keep what they asked for by its mark."""
    app.url_defaults(_mark)
    app.after_request(_keep)


def _mark(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static" and "v" not in values and current_app.static_folder:
        version = _version(str(Path(current_app.static_folder, values["filename"])))
        if version:
            values["v"] = version


@lru_cache(maxsize=256)
def _version(path: str) -> str:
    """Of the content as it was at the first request; an update of the program starts it anew."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:10]
    except OSError:
        return ""


def _keep(answer: Response) -> Response:
    given = request.args.get("v") if request.endpoint == "static" else None
    if given and request.view_args and answer.status_code in (200, 304):
        asked = str(Path(current_app.static_folder or "", request.view_args["filename"]))
        if given == _version(asked):
            answer.cache_control.public = True
            answer.cache_control.max_age = YEAR_SECONDS
            answer.cache_control.immutable = True
    return answer
