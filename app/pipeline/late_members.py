"""Where files go that come to a group of which others are in the archive already.

They go beside those, under their stem, also when a pattern was changed meanwhile. Only when the late ones change the
date of the group, as a still does that comes after its film, or a JSON file after a photo without a date, the archived
ones go with them to the day of the group: so the archive is the same as if all had come at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.db.connection import Connection
from app.db.members import list_archived_of_groups, list_drawn_along
from app.files.capture_time.choose import CONFIDENCE, SIBLING, WEAK_SOURCES, Confidence
from app.files.capture_time.decision import PERSON
from app.files.kinds import VIDEO_SUFFIXES, suffix
from app.files.walk import is_media
from app.filing.choose import choose_lead
from app.model import Asset, AssetStatus, Batch, Root
from app.pipeline.filing import Filing, Places, archive_name, choose_filing
from app.pipeline.naming import name_beside

#: By group, the members in the archive that came there with another batch.
Archived = Mapping[int, Sequence[Asset]]


@dataclass(frozen=True)
class Filed:
    """Files of one group, which ones go where, and what is written of those whose date is another one now."""

    members: Sequence[Asset]
    filing: Filing
    dates: Sequence[tuple[int, dict[str, str | None]]] = ()
    confidence: Confidence = "likely"
    #: Archived files that stay where they are although what came late tells another day of them.
    stay: Sequence[int] = ()


def list_archived_before(
    conn: Connection, archive: Root, batch: Batch, groups: Sequence[Sequence[Asset]]
) -> dict[int, list[Asset]]:
    """The archived members of these groups that did not come with this batch."""
    group_ids = list({asset.group_id for group in groups for asset in group if asset.group_id is not None})
    found: dict[int, list[Asset]] = {}
    for asset in list_archived_of_groups(conn, group_ids, archive.id):
        if asset.batch_id != batch.id:
            found.setdefault(asset.group_id or 0, []).append(asset)
    return found


def file_all(conn: Connection, places: Places, groups: Sequence[Sequence[Asset]], archived: Archived) -> list[Filed]:
    """The filing of every group; `archived` are members that are in the archive with other batches."""
    filed = []
    for group, filing in zip(groups, places.choose_all(groups), strict=True):
        there = archived.get(group[0].group_id or 0, ())
        teller = find_teller(group, there)
        together = _told(places, [*there, *group], there, teller) if teller is not None else None
        if there and _is_drawn_along(conn, places, there, together.filing if together is not None else filing):
            filed.append(together or _together(conn, places, group, there))
        else:
            stay = [a.id for a in there if together is not None and _folder(a) != together.filing.folder]
            filed.append(Filed(group, beside_archived(filing, group, there), stay=stay))
    return filed


def find_teller(late: Sequence[Asset], there: Sequence[Asset]) -> Asset | None:
    """The sidecar that gives photos and videos in the archive another date than they had, as an inspection found."""
    if any(is_media(archive_name(a)) for a in late) or any(a.taken_from == PERSON for a in there):
        return None
    if not any(is_media(archive_name(a)) for a in there):
        return None
    return next((a for a in late if a.taken_from not in (None, SIBLING, *WEAK_SOURCES)), None)


def _told(places: Places, whole: Sequence[Asset], there: Sequence[Asset], teller: Asset) -> Filed:
    """What the sidecar tells holds for all; a photo is who leads the group, as if it had been told in time."""
    lead = min((a for a in there if is_media(archive_name(a))), key=_rank)
    taken: dict[str, str | None] = {"taken_local": teller.taken_local, "taken_at": teller.taken_at, "reason": None}
    dates = {a.id: {**taken, "taken_from": teller.taken_from if a.id == lead.id else SIBLING} for a in there}
    dated = [
        replace(a, taken_local=teller.taken_local, taken_at=teller.taken_at,
                taken_from=teller.taken_from if a.id == lead.id else SIBLING)
        for a in whole
    ]  # fmt: skip
    filing = places.choose(dated, undoubted=dates.keys())
    return Filed(whole, filing, list(dates.items()), CONFIDENCE.get(teller.taken_from or "", "likely"))


def _is_drawn_along(conn: Connection, places: Places, there: Sequence[Asset], filing: Filing) -> bool:
    """Whether archived files lie where they belong by themselves, and the late ones make that another folder."""
    if filing.needs_review or any(asset.status is not AssetStatus.ARCHIVED for asset in there):
        return False
    by_themselves = choose_filing(there, places.settings, places.circumstances(conn, there))
    folders = {_folder(asset) for asset in there}
    return folders == {by_themselves.folder} and filing.folder != by_themselves.folder


def _together(conn: Connection, places: Places, group: Sequence[Asset], there: Sequence[Asset]) -> Filed:
    """What is archived goes first: cut off, the late ones find it where they go."""
    whole = [*there, *group]
    return _dated(conn, places, whole, there, places.choose(whole))


def _dated(
    conn: Connection, places: Places, whole: Sequence[Asset], there: Sequence[Asset], filing: Filing
) -> Filed:
    """The date of the whole group for those that were there."""
    lead = choose_lead(whole, places.circumstances(conn, whole))
    taken: dict[str, str | None] = {"taken_local": lead.taken_local, "taken_at": lead.taken_at, "taken_from": SIBLING}
    dates = [(a.id, dict(taken)) for a in there if a.id != lead.id and a.taken_from != "person"]
    return Filed(whole, filing, dates, CONFIDENCE.get(lead.taken_from or "", "likely"))


def list_undated(conn: Connection, places: Places, archive: Root, batch: Batch) -> list[Filed]:
    """Groups of which this batch took files along by moves that recovery finished: without the date that led there."""
    drawn: dict[int, set[bytes]] = {}
    for path, group_id in list_drawn_along(conn, batch.id):
        drawn.setdefault(group_id, set()).add(path)
    wholes: dict[int, list[Asset]] = {}
    for asset in list_archived_of_groups(conn, list(drawn), archive.id):
        wholes.setdefault(asset.group_id or 0, []).append(asset)
    found = []
    for group_id, whole in wholes.items():
        there = [a for a in whole if a.batch_id != batch.id]
        teller = find_teller([a for a in whole if a.batch_id == batch.id], there)
        undated = [a for a in whole if a.path in drawn[group_id] and a.taken_from != SIBLING]
        if teller is not None:
            late = {a.id for a in there if a.path in drawn[group_id] and a.taken_local != teller.taken_local}
            told = _told(places, whole, there, teller)
            found.append(replace(told, dates=[date for date in told.dates if date[0] in late]))
        elif undated:
            found.append(_dated(conn, places, whole, undated, places.choose(whole)))
    return found


def beside_archived(filing: Filing, members: Sequence[Asset], there: Sequence[Asset]) -> Filing:
    """The filing of members that come late; that of a group of which no photo or video is archived is as it was."""
    media = [asset for asset in there if is_media(archive_name(asset))]
    if not media:
        return filing
    lead = min(media, key=_rank)
    name = lead.path.rpartition(b"/")[2]
    names = tuple(name_beside(archive_name(lead), name, archive_name(member)) for member in members)
    return replace(filing, folder=_folder(lead), names=names, needs_review=lead.status is AssetStatus.SET_ASIDE)


def _folder(asset: Asset) -> bytes:
    return asset.path.rpartition(b"/")[0]


def _rank(asset: Asset) -> tuple[bool, int, bytes]:
    name = archive_name(asset)
    return suffix(name) in VIDEO_SUFFIXES, len(name), name
