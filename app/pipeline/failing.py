"""What becomes of a file that could not be moved: another try, `failed` after three, or out of the batch."""

from __future__ import annotations

from app.db import assets, journal, moves
from app.db.connection import Connection, Database
from app.errors import FileError, MediaPipelineError, NoSpace, printable
from app.files.disk import MEDIA, Disk
from app.files.move import Moved, recover
from app.model import Asset, AssetStatus, Failure, Place

#: A file that fails this often becomes `failed`; a person may try it again.
MAX_ATTEMPTS = 3


#: Why files of a batch are given up when no other copy of their content is found.
LOST = "Its file is not in the batch folder any more, and no other copy of it was found."
CHANGED_IN_FOLDER = "It was changed in the batch folder after it was checked."


def finish_interrupted_moves(db: Database) -> None:
    """Finish or undo what an earlier step left half-way, so that the rows say what the disk says."""
    with db.reading() as conn:
        is_unfinished = moves.has_open(conn)
    if is_unfinished:
        recover(db)


def reason_of(error: MediaPipelineError | None) -> str:
    """The sentence to show."""
    return str(error) if error is not None else "The file could not be moved."


def failure(asset: Asset, reason: str) -> Failure:
    """The line for the step's report."""
    return Failure(printable(asset.path), reason, asset.id)


def is_missing(place: Place, disk: Disk = MEDIA) -> bool:
    """Whether there certainly is no file at a place; when the file system cannot tell, it is not missing."""
    try:
        return disk.signature_at(place) is None
    except OSError:
        return False


def holds(place: Place, asset: Asset, disk: Disk = MEDIA) -> bool:
    """Whether the file at a place, read now, has the asset's content."""
    if asset.digest is None or asset.digest_algorithm is None:
        return False
    try:
        return disk.full_digest(place, asset.digest_algorithm).digest == asset.digest
    except FileError:
        return False


def raise_when_full(moved: list[Moved]) -> None:
    """Raise the NoSpace among these results, if there is one: it concerns the batch, not one file."""
    for result in moved:
        if isinstance(result.error, NoSpace):
            raise result.error


def note_attempt(conn: Connection, asset: Asset, reason: str, run_id: int | None) -> bool:
    """Count a failed try; True when it was the last one and the asset is `failed` now."""
    attempts = asset.attempts + 1
    if attempts < MAX_ATTEMPTS:
        assets.set_columns(conn, [(asset.id, {"attempts": attempts, "reason": reason})])
        return False
    give_up(conn, asset, reason, run_id, attempts=attempts)
    return True


def give_up(conn: Connection, asset: Asset, reason: str, run_id: int | None, *, attempts: int = MAX_ATTEMPTS) -> None:
    """Mark the asset `failed`, where it is, and say so in the journal."""
    assets.mark(conn, [asset], AssetStatus.FAILED, reason=reason, attempts=attempts)
    journal.record(
        conn,
        "asset.failed",
        f"{printable(asset.path)} failed: {reason}",
        level="error",
        run_id=run_id,
        batch_id=asset.batch_id,
        asset_id=asset.id,
        detail={"path": printable(asset.path), "reason": reason, "attempts": attempts},
    )
