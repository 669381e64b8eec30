"""The page Dates: what is doubtful, what a decision would change, and what people have decided."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request

from app.db import doubtful_dates
from app.db.connection import Connection
from app.errors import BadRequest, Conflict
from app.files.capture_time.choose import DOUBTS
from app.jobs.date_results import Decided
from app.jobs.refile import RefileWish, start_refile
from app.overview.decided import list_acts, list_decided
from app.overview.doubtful import count_doubtful, list_doubtful, list_named, what_was_not_read
from app.overview.doubts import IN_GROUP
from app.web.answers import answer_start
from app.web.context import actor, htmx, services, trigger
from app.web.date_forms import UNDO, Asked, Chosen, mark_of, read_asked, read_chosen, read_ids, read_instant
from app.web.models import MAX_ID
from app.web.zones import zone_names

blueprint = Blueprint("date_pages", __name__)

LISTED, ACTS = 50, 20
#: Seconds for which a filter that finds little is followed; then the page offers to look further.
LOOKED_SECONDS = 0.1
#: Up to so many are counted by reason, camera and folder as the page is made; more are counted after it.
COUNTED_AT_ONCE = 2_000
#: At most so many are counted so.
COUNTED = 100_000
ACTIONS = ("accept", "set", "zone", "shift", UNDO)
#: What pages tell of a decision that was made, in their address.
TOLD = ("files", "elsewhere", "refused", "sidecars")


@blueprint.get("/dates")
def dates() -> str:
    """Files with a doubtful date, page by page, with the form to decide about them."""
    chosen, ids = read_chosen(request.args), read_ids(request.args)
    with services().db.reading() as conn:
        total = doubtful_dates.count(conn)
        page = list_named(conn, ids) if ids else _page(conn, chosen)
        counts = count_doubtful(conn) if total <= COUNTED_AT_ONCE or "counts" in request.args else None
        unread = what_was_not_read(conn)
    return render_template(
        "dates.html",
        **page,
        chosen=chosen,
        chosen_words=_in_words(chosen),
        ids=ids,
        total=total,
        counts=counts,
        unread=unread,
        zones=zone_names(),
        always_beside=services().config.sorter.date_sidecars == "decided",
        done=_done(),
    )


@blueprint.get("/dates/preview")
def preview() -> str:
    """What a decision would change; it is made by the button below."""
    asked = read_asked(request.args)
    told = asked.carry_out(services(), actor(), dry_run=True)
    template = "partials/dates_preview.html" if htmx else "dates_preview.html"
    return render_template(template, told=told, asked=asked, mark=mark_of(told), back=_way_back(asked))


@blueprint.post("/dates/decide")
def decide() -> Response:
    """Carry out what was previewed, unless it would change something else by now."""
    asked, found = read_asked(request.form), services()
    if mark_of(asked.carry_out(found, actor(), dry_run=True)) != request.form.get("mark"):
        raise Conflict("These dates have changed since the preview, so nothing was decided. Look at it again.")
    told = asked.carry_out(found, actor(), dry_run=False)
    address = _after(asked, told)
    if htmx:
        answer = make_response("", 200)
        answer.headers["HX-Redirect"] = address
        return answer
    return make_response(redirect(address, 303))


@blueprint.get("/dates/decided")
def decided() -> str:
    """What people have decided, newest first; or the files of what was decided in one go."""
    at = read_instant(request.args, "decided_at")
    with services().db.reading() as conn:
        if at is not None:
            listed = list_decided(conn, Chosen().filter, at, _after_id(), LISTED)
            return render_template("dates_decided.html", listed=listed, decided_at=at, acts=None, done=_done())
        acts = list_acts(conn, read_instant(request.args, "before"), ACTS)
    return render_template("dates_decided.html", acts=acts, listed=None, decided_at=None, done=_done())


@blueprint.post("/dates/refile")
def refile() -> Response:
    """Let the files of what was just decided go to where they belong now."""
    since = read_instant(request.form, "decided_since")
    if since is None:
        raise BadRequest("Say since when: the instant of the decision.")
    wish = RefileWish(decided_since=since)
    return answer_start(lambda: start_refile(services(), wish, trigger()), "Filing anew was started")


@blueprint.get("/partials/dates/counts")
def counts() -> str:
    """How many dates are doubtful by reason, camera and folder."""
    chosen = read_chosen(request.args)
    with services().db.reading() as conn:
        total = doubtful_dates.count(conn)
        found = count_doubtful(conn, COUNTED)
    return render_template("partials/dates_counts.html", counts=found, chosen=chosen, total=total)


# --- the list


def _page(conn: Connection, chosen: Chosen) -> dict[str, Any]:
    """A page of the list. What a filter finds may be far apart: it is followed for a while."""
    until = time.monotonic() + LOOKED_SECONDS
    found = list_doubtful(conn, chosen.filter, _after_id(), LISTED)
    while not found["files"] and found["next_after_id"] and time.monotonic() < until:
        found = list_doubtful(conn, chosen.filter, found["next_after_id"], LISTED)
    return found


def _after_id() -> int:
    given = request.args.get("after_id", "")
    return min(int(given), MAX_ID) if given.isascii() and given.isdecimal() and len(given) < 20 else 0


def _in_words(chosen: Chosen) -> list[tuple[str, str]]:
    """Each part of the filter in words, with the address of the page without it."""
    words = []
    if chosen.reason is not None:
        words.append((DOUBTS.get(chosen.reason, IN_GROUP), chosen.query(reason=None)))
    if chosen.camera is not None:
        words.append((f"camera {chosen.camera}" if chosen.camera else "no camera known", chosen.query(camera=None)))
    if chosen.folder is not None:
        words.append((f"folder {chosen.folder}", chosen.query(folder=None)))
    return words


# --- before and after a decision


def _way_back(asked: Asked) -> str:
    return "/dates/decided" if asked.action == UNDO else f"/dates?{asked.chosen.query()}"


def _after(asked: Asked, told: Decided) -> str:
    facts = {"done": asked.action, **{name: getattr(told, name) for name in TOLD}}
    if told.decided_at is not None:
        facts["decided_at"] = told.decided_at
    return f"/dates/decided?{urlencode(facts)}" if asked.action == UNDO else f"/dates?{asked.chosen.query(**facts)}"


def _done() -> dict[str, Any] | None:
    """What the address says of a decision that was just made."""
    action = request.args.get("done", "")
    files, elsewhere, refused, sidecars = counts = [request.args.get(name, "") for name in TOLD]
    if action not in ACTIONS or not all(_is_count(value) for value in counts):
        return None
    told = Decided(action, "", False, files=int(files), elsewhere=int(elsewhere), refused=int(refused),
                   sidecars=int(sidecars))
    at = read_instant(request.args, "decided_at")
    return {"words": told.in_words(), "elsewhere": told.elsewhere, "decided_at": at}


def _is_count(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) < 10
