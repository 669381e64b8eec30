"""The kept revisions of the settings: who saved them, what changed, and the way back to one."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request

from app.config.history import changes_by
from app.web.context import actor, container
from app.web.settings_page import live_part
from app.web.settings_telling import may_change, of_verdict, told_changes, told_history, who

blueprint = Blueprint("settings_history", __name__)


@blueprint.get("/settings/history")
def index() -> str:
    """Every kept revision, newest first."""
    return render_template("settings_history.html", revisions=told_history(), **live_part())


@blueprint.get("/settings/history/<revision>")
def show(revision: str) -> str:
    """One revision: what it changed then, what going back to it would change now, and its text."""
    store = container().store
    kept = store.find_revision(revision)
    seen = store.file_revision()
    then = changes_by(store, kept.revision)
    return render_template(
        "settings_revision.html",
        kept={"revision": kept.revision, "at": kept.at, "who": who(kept.actor)},
        is_in_force=kept.revision == store.current().revision,
        is_in_file=kept.revision == seen,
        then=told_changes(then) if then is not None else None,
        told=of_verdict(store.check_revision(revision), seen),
        text=store.revision_text(revision),
        may_change=may_change(),
        **live_part(),
    )


@blueprint.post("/settings/history/<revision>")
def roll_back(revision: str) -> Response:
    """Save the text of a revision again, unless the file is another one than the page was made from."""
    seen = request.form.get("revision", "")
    snapshot = container().store.roll_back(revision, actor(), expected_revision=seen)
    return make_response(redirect(f"/settings?saved={snapshot.revision}", 303))
