"""Mending what is wrong with the program's own state. No media file is touched here; cleanup is only asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from app.db import journal, totals
from app.errors import RunInProgress
from app.jobs.requests import start_cleanup
from app.model import AssetStatus, Trigger
from app.services import Services


@dataclass(frozen=True)
class Repair:
    """One thing that was mended, and what was done, in a sentence."""

    name: str
    done: str

    def as_json(self) -> dict[str, str]:
        """As JSON-ready values."""
        return asdict(self)


def repair(services: Services, trigger: Trigger) -> list[Repair]:
    """Count the totals anew where they differ, and ask for a cleanup run.

    Each repair is in the journal. Cleanup waits for another time while a run is in flight.
    """
    return [*_totals(services), *_cleanup(services, trigger)]


def _totals(services: Services) -> Iterator[Repair]:
    with services.db.transaction() as conn:
        kept, counted = totals.read(conn), totals.count(conn)
        differing = [status for status in AssetStatus if kept[status] != counted[status]]
        if not differing:
            return
        totals.recount(conn)
        words = ", ".join(f"{s} from {kept[s][0]:,} to {counted[s][0]:,}" for s in differing)
        message = f"The totals were counted anew from the rows: {words}."
        detail = {status.value: {"kept": kept[status][0], "counted": counted[status][0]} for status in differing}
        journal.record(conn, "totals.recounted", message, level="warning", detail=detail)
    yield Repair("totals", message)


def _cleanup(services: Services, trigger: Trigger) -> Iterator[Repair]:
    """Stale temporary files and expired trash go by cleanup's own rules, in the worker."""
    try:
        run = start_cleanup(services, trigger)
    except RunInProgress as error:
        yield Repair("cleanup", f"Not asked for: {error}")
        return
    yield Repair("cleanup", f"Run {run.id} was asked for; it removes stale temporary files and expired trash.")
