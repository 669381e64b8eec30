"""Checks of the work itself: what is in doubt, what stands still, what waits for a person."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from app.db import batches, left_in_place, moves, totals
from app.db.clock import later
from app.db.tables import assets, findings
from app.db.tables import moves as moves_table
from app.errors import printable
from app.model import OPEN_BATCH, AssetStatus, Batch, BatchStatus, RootKind
from app.model.counting import counted, size_in_words
from app.services import Services
from app.syncthing.checks import FAULT, OK, WARNING, Check

#: A batch that is open for longer than this has been forgotten by someone.
STALE_DAYS = 7
DAY_SECONDS = 86_400
#: So many stopped or stale batches are named each by itself.
NAMED = 5


def check_moves(services: Services) -> Iterator[Check]:
    """Moves that were begun and not ended, and those whose facts fit no plan."""
    with services.db.reading() as conn:
        unclear, is_open = moves.list_quarantined(conn), moves.has_open(conn)
    if unclear:
        name, many = printable(unclear[0].src_path), counted(len(unclear), "move is", "moves are")
        yield Check(
            "moves",
            FAULT,
            f"{many} in quarantine, such as {name}: what lies on the disk does not fit the journal.",
            "Look at `media-pipeline journal --kind move.quarantined`; no file of these moves is touched until a "
            "person has decided.",
        )
    elif is_open:
        yield Check("moves", OK, "Files are being moved; what is cut off is finished or undone at the next start.")
    else:
        yield Check("moves", OK, "No move is in doubt.")


def check_trash(services: Services) -> Iterator[Check]:
    """What lies in the trash: the sources of verified copies."""
    m = moves_table.c
    lying = (m.trashed_at.is_not(None), m.trash_dropped_at.is_(None))
    query = select(func.count(), func.coalesce(func.sum(m.size_bytes), 0), func.min(m.trashed_at)).where(*lying)
    with services.db.reading() as conn:
        files, size, oldest = conn.execute(query).one()
    days = services.config.cleanup.trash_days
    if not files:
        yield Check("trash", OK, "The trash is empty.")
    elif oldest < later(-(days + STALE_DAYS) * DAY_SECONDS):
        what = f"{counted(files, 'file', 'files')} ({size_in_words(size)}) in the trash"
        cause = f"{what}, the oldest since {oldest[:10]}."
        yield Check("trash", WARNING, cause, "`media-pipeline cleanup` drops what is due.")
    else:
        kept = counted(days, "day", "days")
        cause = f"{counted(files, 'file', 'files')} ({size_in_words(size)}) in the trash; each goes after {kept}."
        yield Check("trash", OK, cause)


def check_batches(services: Services) -> Iterator[Check]:
    """Batches that stopped, and those that have been open for long."""
    with services.db.reading() as conn:
        found = batches.list_by_status(conn, OPEN_BATCH)
    stopped = [batch for batch in found if batch.status is BatchStatus.ERROR]
    long_ago = later(-STALE_DAYS * DAY_SECONDS)
    stale = [batch for batch in found if batch.status is not BatchStatus.ERROR and batch.created_at < long_ago]
    for batch in stopped[:NAMED]:
        fix = f"Remove the cause, then: media-pipeline batch retry {batch.id}"
        yield Check("batch", FAULT, f"Batch {batch.name} (id {batch.id}) stopped: {batch.error}", fix)
    for batch in stale[:NAMED]:
        yield Check("batch", WARNING, _age_in_words(batch), f"See: media-pipeline batch show {batch.id}")
    more = len(stopped[NAMED:]) + len(stale[NAMED:])
    if more:
        yield Check("batches", WARNING, f"{more:,} more batches stand still.", "See: media-pipeline batch list")
    if not stopped and not stale:
        yield Check("batches", OK, f"No batch stands still; {len(found):,} are open.")


def _age_in_words(batch: Batch) -> str:
    return f"Batch {batch.name} (id {batch.id}) is {batch.status} since it was made on {batch.created_at[:10]}."


def check_files(services: Services) -> Iterator[Check]:
    """Files that failed or were set aside: each waits for a person."""
    with services.db.reading() as conn:
        kept = totals.read(conn)
    failed, aside = kept[AssetStatus.FAILED][0], kept[AssetStatus.SET_ASIDE][0]
    if failed:
        fix = _way_on_for_failed(services, failed)
        cause = f"{counted(failed, 'file has', 'files have')} failed; nothing moves them."
        yield Check("failed files", WARNING, cause, fix)
    if aside:
        fix = "See why: media-pipeline assets find --status set_aside"
        cause = f"{counted(aside, 'file has', 'files have')} been set aside; nothing moves them."
        yield Check("files set aside", WARNING, cause, fix)
    if not failed and not aside:
        yield Check("files", OK, "No file has failed or was set aside.")


def _way_on_for_failed(services: Services, failed: int) -> str:
    """No run takes a file from the archive, so a retry would refuse those that failed there."""
    a = assets.c
    archive = [root.id for root in services.roots.get(RootKind.ARCHIVE, ())]
    query = select(func.count()).where(a.status == AssetStatus.FAILED.value, a.root_id.in_(archive))
    with services.db.reading() as conn:
        in_archive = conn.execute(query).scalar_one()
    see = "See why: media-pipeline assets find --status failed"
    there = (
        f"{counted(in_archive, 'lies', 'lie')} in the archive, from where no run takes files: put what is to be "
        "taken in anew into the ingest folder, from your backup if it is damaged."
    )
    if not in_archive:
        return f"{see}; then: media-pipeline assets retry --failed"
    others = "" if in_archive == failed else " The others: media-pipeline assets retry --failed"
    return f"{see}. Of them {there}{others}"


def check_findings(services: Services) -> Iterator[Check]:
    """What the last verification found and nobody has settled."""
    query = select(findings.c.kind, func.count()).where(findings.c.kind != "ignored").group_by(findings.c.kind)
    with services.db.reading() as conn:
        found = {row[0]: row[1] for row in conn.execute(query)}
    if not found:
        yield Check("findings", OK, "No verification has found anything wrong.")
        return
    words = ", ".join(f"{count:,} {kind}" for kind, count in sorted(found.items()))
    state = WARNING if set(found) <= {"foreign", "moved"} else FAULT
    fix = (
        "See the page Findings, or `media-pipeline findings`; put damaged files back from your backup, or accept what "
        "is right."
    )
    yield Check("findings", state, f"Verification found files that are not as they should be: {words}.", fix)


def check_leftovers(services: Services) -> Iterator[Check]:
    """Files in staging and the batch folder that no row knows."""
    ids = [root.id for kind in (RootKind.STAGING, RootKind.BATCH) for root in services.roots.get(kind, ())]
    with services.db.reading() as conn:
        files, first = left_in_place.count_under(conn, ids), left_in_place.list_under(conn, ids, NAMED)
    fix = "Look at it; take out what is yours. Nothing removes it."
    for path, reason in first:
        yield Check("leftovers", WARNING, f"{printable(path)} in the batch folder: {reason}.", fix)
    if files > len(first):
        more = counted(files - len(first), "more file", "more files")
        fix = "See: media-pipeline journal --kind orphan.found"
        yield Check("leftovers", WARNING, f"{more} known to no row in the batch folder.", fix)
    if not files:
        yield Check("leftovers", OK, "Nothing unknown lies in the batch folder.")
