"""The page Tree: the folders of the archive with counts, as they are and as another pattern would make them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request

from app.errors import ConfigError
from app.overview.tree_behind import tree_if_there
from app.web.context import services

blueprint = Blueprint("tree_page", __name__)

PATTERNS = ("folder_pattern", "name_pattern", "language")
#: No pattern is longer.
LONGEST = 1_000
DEPTHS = (1, 2, 3, 4)


@blueprint.get("/tree")
def tree() -> str:
    """The form, and the tree that it asks for: with JavaScript it is counted after the page is there."""
    is_asked = any(name in request.args for name in (*PATTERNS, "depth"))
    found = _tree() if is_asked else None
    return render_template("tree.html", given=_given(), depth=_depth(), depths=DEPTHS, tree=found, again=_again())


@blueprint.get("/partials/tree")
def live_tree() -> Response:
    """The folders with counts, or what is wrong with a pattern; 204 to a page that waits while they are counted."""
    found = _tree()
    if "again" in request.args and found.get("is_counting"):
        return make_response("", 204)
    return make_response(render_template("partials/tree.html", tree=found, again=_again()))


def _again() -> str:
    """What to ask with for the same tree."""
    return urlencode({**_given(), "depth": _depth()})


def _given() -> dict[str, str]:
    """What was typed in, else what is in force."""
    sorter = services().config.sorter
    return {name: request.args.get(name, getattr(sorter, name)).replace("\0", "")[:LONGEST] for name in PATTERNS}


def _depth() -> int:
    given = request.args.get("depth", "")
    return int(given) if given in map(str, DEPTHS) else 2


def _tree() -> dict[str, Any]:
    given = _given()
    sorter = services().config.sorter
    changed = {name: value for name, value in given.items() if value != getattr(sorter, name)}
    try:
        found = tree_if_there(services(), changed, _depth())
    except ConfigError as error:
        return {"faults": error.problems}
    return {**(found or {"is_counting": True}), "changed": changed, "faults": []}
