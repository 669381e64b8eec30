"""What one verification looks through: folders, files since when, how fast. Fixed for the whole run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db import runs
from app.db.clock import now
from app.model import VERIFIABLE, VERIFIED_BY_DEFAULT, Root, RootKind
from app.pipeline.step import StepContext
from app.services import Services

MB = 1_000_000


@dataclass(frozen=True)
class Scope:
    """`roots` are looked through. Files not found intact since `before` are read; of the others, only what their
    folder says. What was found intact at `began_at` or later was read by this very run; before `stint_at`, that was
    before it was cut off, and its folder is asked once more.
    """

    run_id: int
    roots: tuple[Root, ...]
    began_at: str
    stint_at: str
    before: str
    bytes_per_second: float
    max_minutes: float

    @property
    def root_ids(self) -> list[int]:
        """The ids of the roots."""
        return [root.id for root in self.roots]

    @property
    def walked(self) -> list[Root]:
        """The roots in which a file without a row is foreign; in ingest it is only new."""
        return [root for root in self.roots if root.kind is not RootKind.INGEST]


def scope_of(services: Services, step: StepContext) -> Scope:
    """The scope that the run's arguments ask for. The same for every stint of a run that was cut off."""
    with services.db.reading() as conn:
        run = runs.get(conn, step.run_id)
    began_at = run.started_at or run.requested_at
    wanted = step.arguments
    settings = services.config.verify
    rate, minutes = wanted.get("max_mb_per_second"), wanted.get("max_minutes")
    return Scope(
        run_id=step.run_id,
        roots=_roots(services, wanted.get("roots") or VERIFIED_BY_DEFAULT),
        began_at=began_at,
        stint_at=max(now(), began_at),
        before=days_before(began_at, wanted.get("older_than_days") or 0),
        bytes_per_second=float(settings.max_mb_per_second if rate is None else rate) * MB,
        max_minutes=float(settings.max_minutes if minutes is None else minutes),
    )


def _roots(services: Services, names: Sequence[str]) -> tuple[Root, ...]:
    kinds = [kind for name in VERIFIABLE if name in names for kind in VERIFIABLE[name]]
    return tuple(root for kind in kinds for root in services.roots.get(kind, ()))


def days_before(instant: str, days: int) -> str:
    """The instant so many days earlier, in the same spelling."""
    return (datetime.fromisoformat(instant) - timedelta(days=days)).isoformat(timespec="microseconds")
