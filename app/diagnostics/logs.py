"""Reading the logs: the last lines of all processes in the order of their times, and what comes after a place."""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from app.diagnostics.log_files import Place, end_of, parts_of, read_on
from app.errors import BadRequest

PROCESSES = ("api", "worker", "dbui", "cli")
LEVELS = ("debug", "info", "warning", "error", "critical")
#: So many lines of one process are looked at for the last ones that are wanted.
LOOKED_AT = 50_000
#: One process's place in a cursor.
PLACE = re.compile(r"(api|worker|dbui|cli)\.([0-9a-f]{8}|-)\.([0-9]{1,15})")

Record = dict[str, Any]
Places = Mapping[str, Place]


@dataclass(frozen=True)
class Wanted:
    """Which records: of these processes, of at least this level; of one stage, run or batch alone."""

    processes: Sequence[str] = PROCESSES
    level: str = "debug"
    stage: str | None = None
    run_id: int | None = None
    batch_id: int | None = None

    def fits(self, record: Record) -> bool:
        """Whether a record is wanted; one without a known level has every level."""
        level = record.get("level")
        if level in LEVELS and LEVELS.index(level) < LEVELS.index(self.level):
            return False
        asked = {"stage": self.stage, "run_id": self.run_id, "batch_id": self.batch_id}
        return all(value is None or record.get(name) == value for name, value in asked.items())


@dataclass(frozen=True)
class Look:
    """What has come: each record with the places behind it, and those behind everything that was looked at.

    `is_passed_over` says that lines before these were left out: too much has come, or their files are gone.
    """

    found: list[tuple[Record, Places]]
    places: Places
    is_passed_over: bool


def read_last(log_dir: str, wanted: Wanted, limit: int) -> tuple[list[Record], Places]:
    """The last `limit` records that are wanted, the oldest first, and the places behind them."""
    found: list[Record] = []
    places = {}
    for process in wanted.processes:
        with ExitStack() as opened:
            parts = parts_of(log_dir, process, opened)
            newest = list(islice(parts, 1))
            places[process] = Place(newest[0].mark, newest[0].end()) if newest else Place()
            lines = (line for part in chain(newest, parts) for line in part.lines_back())
            records = (parse(line, process) for line in islice(lines, LOOKED_AT))
            found += reversed([*islice(filter(wanted.fits, records), limit)])
    found.sort(key=_moment)
    return found[-limit:] if limit else [], places


def ends(log_dir: str, processes: Sequence[str]) -> Places:
    """The places behind everything that these processes have written."""
    return {process: end_of(log_dir, process) for process in processes}


def look(log_dir: str, wanted: Wanted, places: Places) -> Look:
    """What was written after these places and is wanted, in the order of times."""
    behind: Places = {process: places.get(process) or end_of(log_dir, process) for process in wanted.processes}
    written, is_passed_over = [], False
    for process in wanted.processes:
        lines, was_passed_over = read_on(log_dir, process, behind[process])
        written.append([(parse(line, process), process, place) for line, place in lines if line])
        is_passed_over |= was_passed_over
    found: list[tuple[Record, Places]] = []
    # Merged, not sorted: a clock that was set back must not turn the lines of one process around.
    for record, process, place in heapq.merge(*written, key=lambda entry: _moment(entry[0])):
        behind = {**behind, process: place}
        if wanted.fits(record):
            found.append((record, behind))
    return Look(found, behind, is_passed_over)


def parse(line: bytes, process: str) -> Record:
    """A line as a record; a line that is no JSON object becomes one with the line as its event."""
    text = line.decode("utf-8", "backslashreplace")
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        record = None
    if isinstance(record, dict):
        return {"process": process, **record}
    return {"process": process, "event": text, "level": "info", "at": ""}


def cursor_of(places: Places) -> str:
    """Places as a word that an address and a header can carry."""
    return "~".join(f"{process}.{place.mark or '-'}.{place.offset}" for process, place in places.items())


def places_of(cursor: str) -> Places:
    """The places in a cursor. Raises BadRequest for one that was not given out."""
    found = [PLACE.fullmatch(part) for part in cursor.split("~")]
    if not all(found) or len(found) > len(PROCESSES):
        raise BadRequest("The cursor is none that was given out; begin again without it.")
    return {part[1]: Place(part[2].strip("-"), int(part[3])) for part in found if part}


def _moment(record: Record) -> str:
    return str(record.get("at", ""))
