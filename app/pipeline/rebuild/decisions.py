"""What people decided about dates, read back from beside the archive when the rows do not know it any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from app.db import alone, assets, capture_records, date_decisions, rebuild_rows
from app.db.connection import Connection
from app.db.date_decisions import DateDecision
from app.db.dated_groups import list_others
from app.db.decision_notes import DecisionNote
from app.errors import FileError
from app.files import decision_log
from app.files.capture_time.choose import SIBLING
from app.files.capture_time.decision import PERSON
from app.files.capture_time.judge import Candidate, Claim, judge
from app.filing.companions import companions_of
from app.model import Asset, AssetStatus, Failure, RootKind
from app.pipeline.rebuild import own_sidecars
from app.pipeline.step import StepContext
from app.services import Services

#: Files that a decision may be about, those first that stand for their content.
HOLDING = (
    AssetStatus.ARCHIVED,
    AssetStatus.DELIVERED,
    AssetStatus.BATCHED,
    AssetStatus.UNIQUE,
    AssetStatus.SET_ASIDE,
    AssetStatus.DISCOVERED,
)
#: Decisions that are written in one transaction.
SLICE = 500


def settle_decisions(services: Services, step: StepContext) -> tuple[int, list[Failure]]:
    """Let every decision that is newer than what the rows say take effect; returns of how many files the date is
    decided by that, and what could not be read."""
    try:
        noted, faulty = decision_log.read(services.root(RootKind.ARCHIVE))
    except FileError as error:
        return 0, [Failure(decision_log.FOLDER.decode(), str(error))]
    decided = 0
    # First who is parted from whom: then what is decided of the others is not about those.
    notes = sorted(noted.values(), key=lambda note: (not note.alone, note.sha256))
    first = sum(note.alone for note in notes)
    for start in [*range(0, first, SLICE), *range(first, len(notes), SLICE)]:
        end = start + SLICE if start >= first else min(start + SLICE, first)
        step.safe_point(0, 0)
        with services.db.transaction() as conn:
            decided += _settle(conn, notes[start:end], services.config.zone)
    words = f"{faulty} of its lines are damaged; all others were read"
    return decided, [Failure(decision_log.FOLDER.decode(), words)] if faulty else []


def _settle(conn: Connection, noted: Sequence[DecisionNote], zone: tzinfo) -> int:
    held = _holders(conn, [note.sha256 for note in noted])
    others = list_others(conn, list(held.values()))
    groups = {note.sha256: _group(held[note.sha256], others, note.alone) for note in noted if note.sha256 in held}
    known = date_decisions.list_of(conn, [asset.id for members in groups.values() for asset in members])
    present, decided = datetime.now(UTC), 0
    for note in noted:
        members = groups.get(note.sha256, [])
        taken = judge(Claim(PERSON, note.text, note.zone), zone, present)
        is_newer = all(known[a.id].decided_at < note.decided_at for a in members if a.id in known)
        if members and is_newer and taken.taken_at is not None:
            _part(conn, note, members)
            _write(conn, note, members, taken)
            decided += len(members)
    return decided


def _holders(conn: Connection, contents: Sequence[str]) -> dict[str, Asset]:
    """By content, the file that a decision about it is written of."""
    found = [a for a in rebuild_rows.list_by_content(conn, contents) if a.status in HOLDING]
    return {a.sha256 or "": a for a in sorted(found, key=lambda a: (HOLDING.index(a.status), a.id), reverse=True)}


def _group(asset: Asset, others: dict[int, list[Asset]], alone: bool) -> list[Asset]:
    """The file that was decided about, and what belongs to it."""
    beside = others.get(asset.group_id or 0, [])
    return [asset, *(companions_of(asset, [asset, *beside]) if alone else beside)]


def _part(conn: Connection, note: DecisionNote, members: Sequence[Asset]) -> None:
    group_id = members[0].group_id
    if note.alone and group_id is not None and group_id not in alone.list_left(conn, [group_id]):
        parted = alone.part(conn, group_id, members[0].id)
        assets.set_columns(conn, [(asset.id, {"group_id": parted}) for asset in members])


def _write(conn: Connection, note: DecisionNote, members: Sequence[Asset], taken: Candidate) -> None:
    assert taken.taken_local is not None and taken.taken_at is not None
    target = members[0]
    local, at = taken.taken_local.isoformat(), taken.taken_at.isoformat()
    date_decisions.drop(conn, [asset.id for asset in members])
    date_decisions.write(
        conn, [DateDecision(target.id, note.action, note.text, note.zone, note.decided_by, note.decided_at, note.alone)]
    )
    # What was not inspected yet gets the date when it is.
    dated = [a for a in members if a.status is not AssetStatus.DISCOVERED]
    columns = {"taken_local": local, "taken_at": at}
    assets.set_columns(conn, [(a.id, {**columns, "taken_from": PERSON if a is target else SIBLING}) for a in dated])
    capture_records.set_confidence(conn, [asset.id for asset in members], "sure")
    own_sidecars.adopt(conn, members, local, at)
