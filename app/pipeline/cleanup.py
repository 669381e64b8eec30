"""The cleanup stage: what is ours and done with goes; what is not ours stays and is listed.

Finished batch folders, expired trash, stale temporary files and old logs. Photos are never removed: folders go by
rmdir, which an unexpected file stops, and our two files in a batch folder only while they are what we wrote.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.db import facts, journal, known_digests, sync_samples
from app.db.clock import later, now
from app.errors import RootUnavailable
from app.files.prune import drop_expired_trash, expire_logs, remove_stale_temps
from app.model import Report, Root, RootKind
from app.model.counting import counted
from app.pipeline.finished_folders import clean_finished
from app.pipeline.left_behind import tell_left_behind
from app.pipeline.orphans import settle_orphans
from app.pipeline.pairing import remove_left_over
from app.pipeline.room import in_words
from app.pipeline.step import StepContext
from app.services import Services

#: A cleanup that follows one batch looks through everything else at most this often.
FULL_INTERVAL_SECONDS = 3600
LAST_FULL = "cleaned_up_at"
#: What a preview has read is remembered this long, unless a run uses it before.
KNOWN_DIGEST_DAYS = 30
#: Samples of deliveries are kept this long for charts.
SYNC_SAMPLE_DAYS = 90
SECONDS_PER_DAY = 86_400

BYTES_PER_MB = 1_000_000

#: What each count is called when it is told.
TOLD = (
    ("temps", "temporary file", "temporary files", "removed"),
    ("logs", "log file", "log files", "rotated"),
    ("tests", "pairing test", "pairing tests", "removed"),
    ("adopted", "file", "files", "found again"),
    ("orphans", "file", "files", "without a row"),
    ("missing", "row", "rows", "without a file"),
)
#: The counts that mean that something was changed; the others only tell how things are.
CHANGES = ("batches", "folders", "trash", "temps", "logs", "tests", "adopted")


@dataclass
class Done:
    """What a cleanup has done, by name."""

    counts: dict[str, int] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def add(self, **counts: int) -> None:
        """Count further things."""
        for name, number in counts.items():
            self.counts[name] = self.counts.get(name, 0) + number

    def as_detail(self) -> dict[str, Any]:
        """For the report and the journal."""
        return {**self.counts, "left": self.left[:100]}


def run(services: Services, step: StepContext) -> Report:
    """Clean up after batches; then trash, temps, logs and orphans, after a single batch only when that is due."""
    done = Done()
    cleaned = clean_finished(services, step)
    done.add(batches=len(cleaned.batches), folders=cleaned.folders)
    done.left += cleaned.left
    tell_left_behind(services, step.run_id)
    if step.batch_id is None or _is_due(services):
        _clean_everything(services, step, done)
    words = _in_words(done)
    if any(done.counts.get(name) for name in CHANGES):
        with services.db.transaction() as conn:
            journal.record(conn, "cleanup.finished", words, run_id=step.run_id, batch_id=step.batch_id,
                           detail=done.as_detail())
    return Report("done", words, len(cleaned.batches), len(cleaned.left), done.counts.get("trash_bytes", 0),
                  step.batch_id, detail=done.as_detail())


def _is_due(services: Services) -> bool:
    with services.db.reading() as conn:
        last = facts.find(conn, LAST_FULL)
    return last is None or last < later(-FULL_INTERVAL_SECONDS)


def _clean_everything(services: Services, step: StepContext, done: Done) -> None:
    settings = services.config.cleanup
    trash = drop_expired_trash(services.db, settings.trash_days)
    done.add(trash=trash.dropped, trash_bytes=trash.dropped_bytes, trash_kept=trash.kept)
    for root in (root for kind in services.roots.values() for root in kind):
        step.safe_point(0, 0)
        done.add(temps=_remove_temps(services, root))
    done.add(logs=len(_expire_logs(services)), tests=int(remove_left_over(services)))
    done.add(**settle_orphans(services, step))
    with services.db.transaction() as conn:
        known_digests.drop_before(conn, later(-KNOWN_DIGEST_DAYS * SECONDS_PER_DAY))
        sync_samples.drop_before(conn, later(-SYNC_SAMPLE_DAYS * SECONDS_PER_DAY))
        facts.put(conn, LAST_FULL, now())


def _remove_temps(services: Services, root: Root) -> int:
    try:
        return len(remove_stale_temps(services.db, root, services.config.cleanup.temp_days))
    except RootUnavailable:
        if root.kind is not RootKind.DELIVERY:
            raise
        return 0  # a disk for deliveries may well be unplugged between two deliveries


def _expire_logs(services: Services) -> list[str]:
    system = services.config.system
    if not system.log_dir:
        return []
    return expire_logs(system.log_dir, max_bytes=system.log_max_mb * BYTES_PER_MB, keep=system.log_keep)


def _in_words(done: Done) -> str:
    counts = done.counts
    words = [f"{counted(counts['batches'], 'batch folder', 'batch folders')} cleaned"]
    for name, one, many, what in TOLD:
        if counts.get(name):
            words.append(f"{counted(counts[name], one, many)} {what}")
    if counts.get("trash"):
        words.append(f"{in_words(counts['trash_bytes'])} dropped from the trash")
    if done.left:
        words.append(f"{counted(len(done.left), 'name', 'names')} left that Media Pipeline did not make")
    return ", ".join(words) + "."
