"""What a stage counts while it works, and what becomes of a file that it cannot handle."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from app.db import assets, journal
from app.db.connection import Connection
from app.errors import MediaPipelineError, SourceChanged, printable
from app.model import Asset, AssetStatus, Failure
from app.model.counting import counted

#: After so many runs in which a file could not be read, it is `failed` and waits for a person.
MAX_ATTEMPTS = 3


@dataclass
class Tally:
    """Counts by name, bytes, and the files that could not be handled."""

    counts: Counter[str] = field(default_factory=Counter)
    size_bytes: int = 0
    failures: list[Failure] = field(default_factory=list)

    def leave_alone(self, failure: Failure) -> None:
        """A file to which nothing was done after it was judged, and why."""
        self.failures.append(failure)
        self.counts["left_alone"] += 1

    def note_failure(self, conn: Connection, asset: Asset, error: MediaPipelineError, run_id: int) -> None:
        """A file that only moved under us is left for the next scan; one that cannot be read is tried three times."""
        self.failures.append(Failure(printable(asset.path), str(error), asset.id))
        if isinstance(error, SourceChanged):
            assets.set_columns(conn, [(asset.id, {"reason": str(error)})])
            return
        attempts = asset.attempts + 1
        if attempts < MAX_ATTEMPTS:
            assets.set_columns(conn, [(asset.id, {"reason": str(error), "attempts": attempts})])
            return
        assets.mark(conn, [asset], AssetStatus.FAILED, reason=str(error), attempts=attempts)
        self.counts["failed"] += 1
        message = f"Given up after {counted(attempts, 'run', 'runs')}: {error}"
        journal.record(conn, "asset.failed", message, level="error", run_id=run_id, asset_id=asset.id)
