"""The page Journal: everything that happened, newest first, in words; what is new appears by itself."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, render_template, request
from werkzeug.datastructures import MultiDict

from app.db import journal as journal_rows
from app.db import runs
from app.db.connection import Connection
from app.overview.events import EventSearch, find_events
from app.web.context import services
from app.web.live import BUSY_SECONDS, QUIET_SECONDS
from app.web.models import MAX_ID

blueprint = Blueprint("journal_page", __name__)

SHOWN = 50
LEVELS = {"warning": "warnings", "error": "errors", "info": "what went as it should"}
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
LONGEST_TEXT = 200
#: What the noun of a kind of event is called, where another word tells people more.
NOUNS = {"asset": "files", "file": "files nobody knew", "config": "settings", "orphan": "left-over folders"}


@dataclass(frozen=True)
class Chosen:
    """What the reader wants to see, as it stands in the address; empty means everything."""

    kind: str = ""
    level: str = ""
    text: str = ""
    since: str = ""
    until: str = ""
    run_id: str = ""
    batch_id: str = ""
    asset_id: str = ""

    def query(self, **more: Any) -> str:
        """The same as the query of an address; an empty value leaves a name out."""
        given = {field.name: getattr(self, field.name) for field in fields(self)} | more
        return urlencode({name: value for name, value in given.items() if value})

    def search(self, zone: ZoneInfo, **more: Any) -> EventSearch:
        """The same for the search; days are those of the zone that decides the days of photos."""
        ids = {name: int(value) for name in ("run_id", "batch_id", "asset_id") if (value := getattr(self, name))}
        since, until = _midnight(self.since, 0, zone), _midnight(self.until, 1, zone)
        return EventSearch(self.kind, self.level, self.text, since, until, **ids, limit=SHOWN, **more)


@blueprint.get("/journal")
def journal() -> str:
    """Events, fifty at a time."""
    chosen = read_chosen(request.args)
    kinds = sorted({f"{kind.partition('.')[0]}." for kind in journal_rows.KINDS} | ({chosen.kind} - {""}))
    return render_template("journal.html", **_context(chosen), kinds=kinds, levels=LEVELS)


@blueprint.get("/partials/journal")
def live_journal() -> Response:
    """The newest events; 204 when none has come since the one that the page holds."""
    chosen = read_chosen(request.args)
    held = _number(request.args.get("mark", ""))
    with services().db.reading() as conn:
        wanted = replace(chosen.search(services().config.zone), after_id=int(held or 0), limit=1)
        if held and not find_events(conn, wanted)["events"]:
            return make_response("", 204)
    return make_response(render_template("partials/journal.html", **_context(chosen)))


def read_chosen(args: MultiDict[str, str]) -> Chosen:
    """What an address asks for; a value that means nothing is left out."""
    text = args.get("text", "").replace("\0", "").strip()[:LONGEST_TEXT]
    kind = args.get("kind", "")
    level = args.get("level", "")
    days = {name: _day(args.get(name, "")) for name in ("since", "until")}
    ids = {name: _number(args.get(name, "")) for name in ("run_id", "batch_id", "asset_id")}
    known = any(each.startswith(kind) for each in journal_rows.KINDS)
    return Chosen(kind if known else "", level if level in LEVELS else "", text, **days, **ids)


def _context(chosen: Chosen) -> dict[str, Any]:
    before = _number(request.args.get("before_id", ""))
    zone = services().config.zone
    with services().db.reading() as conn:
        newest = _newest_id(conn)
        found = find_events(conn, chosen.search(zone, before_id=int(before) if before else None))
        is_busy = runs.find_in_flight(conn) is not None
    return {
        "chosen": chosen,
        "events": [{**event, "exact": _exact(event)} for event in found["events"]],
        "older": chosen.query(before_id=found["next_before_id"]) if found["has_more"] else None,
        "is_first": not before,
        "mark": newest,
        "every": BUSY_SECONDS if is_busy else QUIET_SECONDS,
        "zone": zone.key,
        "nouns": NOUNS,
    }


def _newest_id(conn: Connection) -> int:
    newest = journal_rows.list_events(conn, limit=1)
    return newest[0].id if newest else 0


def _exact(event: dict[str, Any]) -> str:
    return json.dumps(event, indent=1, ensure_ascii=False)


def _number(text: str) -> str:
    return text if text.isascii() and text.isdecimal() and 0 < int(text[:20]) <= MAX_ID else ""


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if DAY.fullmatch(text) else ""
    except ValueError:
        return ""


def _midnight(day: str, days_later: int, zone: ZoneInfo) -> str:
    """The instant at which a day, or one so many days later, begins in a zone, in UTC; empty for no day."""
    if not day:
        return ""
    try:
        begins = date.fromisoformat(day) + timedelta(days=days_later)
        return datetime.combine(begins, time(), zone).astimezone(ZoneInfo("UTC")).isoformat()
    except OverflowError:
        return ""
