"""Archived files that a batch took along go back to where they lay in the archive, with the date that they had."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from app.db import assets, capture_records, date_decisions
from app.db.connection import Connection
from app.errors import printable
from app.files.drawn_back import look_at_drawn
from app.files.move import Move
from app.filing.redating import redate
from app.model import Asset, Batch, Failure, Root
from app.model.counting import counted
from app.model.undo import Drawn
from app.pipeline.failing import failure, raise_when_full, reason_of
from app.pipeline.new_folders import note_new_folders
from app.pipeline.undo.taking_back import PURPOSE, TakingBack


def bring_drawn_back(work: TakingBack) -> list[Failure]:
    """Move them, by the same protocol as the files of the batch; returns what failed. Raises NoSpace."""
    moves = [Move(d.asset, d.place, d.before, PURPOSE, None) for d in work.look.drawn if d.goes_back]
    if not moves:
        return []
    work.tell_progress(())
    note_new_folders(work.services, (move.target for move in moves), set())
    moved = work.services.disk.move_files(
        work.services.db, moves, run_id=work.step.run_id, batch_id=work.batch.id
    )
    raise_when_full(moved)
    return [failure(m.move.asset, reason_of(m.error)) for m in moved if m.outcome == "failed"]


def settle_drawn(conn: Connection, work: TakingBack, roots: dict[int, Root]) -> str:
    """Date those that are back as they were before, and say in words what is back and what stays.

    It is found out anew from where they lie, so that what a cut off undo moved is dated as well.
    """
    drawn = look_at_drawn(conn, work.batch, roots)
    back = [one.asset for one in drawn if one.is_back]
    groups: dict[int, list[Asset]] = {}
    for asset in back:
        groups.setdefault(asset.group_id or -asset.id, []).append(asset)
    for members in groups.values():
        _date_alone(conn, work, members)
    return drawn_in_words(work.batch, drawn)


def _date_alone(conn: Connection, work: TakingBack, members: Sequence[Asset]) -> None:
    """By what was recorded of these files alone; what a person decided about them stands."""
    ids = [asset.id for asset in members]
    if date_decisions.list_of(conn, ids):
        return
    found = redate(members, capture_records.list_of(conn, ids), work.services.config.zone, datetime.now(UTC))
    if found is None:
        return
    names = ("taken_local", "taken_at", "taken_from")
    rows = [(asset_id, {name: row[name] for name in names}) for asset_id, row in found.columns.items()]
    assets.set_columns(conn, rows)
    capture_records.write(conn, found.records)


def drawn_in_words(batch: Batch, drawn: Sequence[Drawn]) -> str:
    """What became of them, the first that stays by its name and with its reason; nothing when there are none."""
    back, stay = [d for d in drawn if d.is_back], [d for d in drawn if not d.is_back]
    words = ""
    if back:
        files = counted(len(back), "archived file of other batches, taken along to the day of this one, lies",
                        "archived files of other batches, taken along to the day of this one, lie")
        words += f"{files} where they lay before again. " if len(back) > 1 else f"{files} where it lay before again. "
    if stay:
        files = counted(len(stay), "archived file", "archived files")
        stays, more = ("stays" if len(stay) == 1 else "stay"), " and others" if len(stay) > 1 else ""
        first = f"{printable(stay[0].asset.path)}{more}"
        why = f" ({stay[0].stays_because})" if stay[0].stays_because else ""
        words += f"{files} of other batches, taken along to the day of this one, {stays} there: {first}{why}. "
    return words
