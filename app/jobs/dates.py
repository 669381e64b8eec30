"""Deciding about dates: accept, set, put into a zone or shift the dates of one file, of many, or of a camera.

A decision is about a group, whose members share one date; it is kept as a claim that wins over all that files tell.
Nothing is written into files. Those that wait are filed by it; those in the archive stay where they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.db import capture_records, date_decisions
from app.db.doubtful_dates import DateFilter
from app.errors import BadRequest
from app.files.capture_time.choose import SIBLING
from app.files.capture_time.decision import Decision, read_decision
from app.files.walk import is_media
from app.filing.group_values import came_as, kind_rank
from app.filing.numbering import group_key
from app.jobs.date_changes import Change, DateWish, change_of, tells_instant, write
from app.jobs.date_files import is_dated, list_groups, list_named, why_refused
from app.jobs.date_parting import date_rest, part
from app.jobs.date_results import Dating, Decided, is_weak, tell
from app.jobs.sidecars import want_beside
from app.jobs.unread_contents import read_contents
from app.model import Asset
from app.services import Services


def decide_dates(services: Services, wish: DateWish, by: str, *, dry_run: bool = False) -> Decided:
    """Decide about the dates of files and of all that belong to them; all of it at once, or nothing.

    Raises BadRequest for a value that is none, or a date that cannot be; NotFound; Conflict when too many are meant.
    """
    decision = _read(wish)
    if not dry_run:
        with services.db.reading() as conn:
            named = list_named(conn, wish)
        read_contents(services, [asset for asset in named if is_dated(asset)])
    with services.db.reading() if dry_run else services.db.transaction() as conn:
        named = list_named(conn, wish)
        meant = [asset for asset in named if is_dated(asset)]
        groups = list_groups(conn, meant)
        ids = [asset.id for members in groups.values() for asset in members]
        decided, records = date_decisions.list_of(conn, ids), capture_records.list_of(conn, ids)
        parted = part(groups, _targets(meant), meant if wish.alone else ())
        changes = []
        for key, members in parted.groups.items():
            target, whole = parted.chosen[key], groups[group_key(parted.chosen[key])]
            is_instant = tells_instant(target, whole, decided, records)
            change = change_of(services.config.zone, target, members, decision, is_instant)
            changes.append(replace(change, leaves=key != group_key(target)))
        decided_at = None if dry_run or not changes else write(conn, wish, changes, records, by)
        if decided_at is not None:
            date_rest(conn, parted.rests, decided, records, services.config.zone, by)
        beside = _told_to_others(services, wish, changes)
        if decided_at is not None:
            want_beside(conn, beside)
    refused = [(asset, why_refused(asset)) for asset in named if not is_dated(asset)]
    datings = [Dating(c.target, c.members, c.after, is_weak(c.members, records)) for c in changes]
    told = Decided(wish.action, wish.value, dry_run, sidecars=len(beside), decided_at=decided_at)
    return tell(services, told, datings, refused)


def _told_to_others(services: Services, wish: DateWish, changes: Sequence[Change]) -> list[Asset]:
    """The photos and videos beside which an XMP file is to lie."""
    if not wish.sidecars and services.config.sorter.date_sidecars != "decided":
        return []
    return [asset for change in changes for asset in change.members if is_media(asset.path)]


def _read(wish: DateWish) -> Decision:
    if not wish.asset_ids and wish.only == DateFilter() and not wish.doubtful:
        raise BadRequest("Say which files: by id, or by camera, folder or reason.")
    if wish.alone and not wish.asset_ids:
        raise BadRequest("Say by their ids which files do not belong to the others of their name.")
    try:
        return read_decision(wish.action, wish.value)
    except ValueError as error:
        raise BadRequest(f"{error}.") from None


def _targets(meant: Sequence[Asset]) -> dict[int, Asset]:
    """By group, the member that the decision is written of."""
    ranked = sorted(meant, key=lambda a: (kind_rank(came_as(a)), a.taken_from == SIBLING, came_as(a), a.id))
    return {group_key(asset): asset for asset in reversed(ranked)}
