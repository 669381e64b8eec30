"""Photos of one name that were taken on different days are different photos: each goes to its own day.

Cameras number alike. A raw file and a JPEG of one name that say themselves that days lie between them are no pair, and
no photo takes an archived one along to another day than its own. Only what a camera wrote into files counts here; what
has no such date stays with the photo that was first, as a film with a doubtful clock does with its still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from app.db import capture_records, groups
from app.db.capture_records import CaptureRecord
from app.db.connection import Connection
from app.files.capture_time import Claim
from app.files.capture_time.choose import choose_again
from app.files.walk import is_media
from app.filing.dating import APART
from app.filing.group_values import came_as, kind_rank
from app.model import Asset

#: What a camera writes into a photo, and into a film.
WRITTEN = (("exif",), ("quicktime", "mvhd", "exif"))


def list_candidates(group: Sequence[Asset], gone_on: Sequence[Asset]) -> list[Asset]:
    """The photos of a group, or its films when it has no photo, if there are several; else nothing is to be parted."""
    media = [asset for asset in (*group, *gone_on) if is_media(asset.path)]
    first = min((kind_rank(came_as(asset)) for asset in media), default=0)
    leads = [asset for asset in media if kind_rank(came_as(asset)) == first]
    return leads if len(leads) > 1 and any(asset in group for asset in leads) else []


def taken_by_camera(asset: Asset, record: CaptureRecord | None, zone: tzinfo, present: datetime) -> datetime | None:
    """When the camera says that it took a photo or film; None when something else decides its date."""
    winner = record.winner if record is not None else None
    if record is None or winner is None or winner.source not in WRITTEN[kind_rank(came_as(asset))]:
        return None
    told = [(Claim(*one[:3]), one.rejected) for one in record.candidates]
    return choose_again(told, asset.mtime_ns, zone, present).taken_local


def plan_parts(
    group: Sequence[Asset], gone_on: Sequence[Asset], taken: Mapping[int, datetime | None]
) -> dict[str, list[Asset]]:
    """The waiting members that leave their group, by the day that they are of; empty when all stay."""
    stays = {asset.id for asset in gone_on}
    spans = _spans([(at, asset_id) for asset_id, at in taken.items() if at is not None])
    home = next((span for span in spans if stays & {i for _, i in span}), None)
    if home is None and not any(asset_id in stays for asset_id in taken):
        home = spans[0] if spans else None
    parts: dict[str, list[Asset]] = {}
    for span in spans:
        if home is not None and span is not home:
            leaving = {i for _, i in span} - stays
            parts[span[0][0].date().isoformat()] = _with_sidecars(group, leaving)
    return {day: members for day, members in parts.items() if members}


def _spans(dated: Sequence[tuple[datetime, int]]) -> list[list[tuple[datetime, int]]]:
    """By time, parted where more than a day lies between one and the next."""
    spans: list[list[tuple[datetime, int]]] = []
    for at, asset_id in sorted(dated):
        if not spans or at - spans[-1][-1][0] > APART:
            spans.append([])
        spans[-1].append((at, asset_id))
    return spans


def _with_sidecars(group: Sequence[Asset], leaving: set[int]) -> list[Asset]:
    """Sidecars that are called after a whole file name go with that file, and films with their photo's identifier."""
    names = tuple(came_as(asset) + b"." for asset in group if asset.id in leaving)
    known = {a.content_identifier for a in group if a.id in leaving and a.content_identifier is not None}
    return [a for a in group if a.id in leaving
            or (not is_media(a.path) and came_as(a).startswith(names))
            or (a.content_identifier is not None and a.content_identifier in known)]  # fmt: skip


def part_by_days(
    conn: Connection,
    waiting: Sequence[Sequence[Asset]],
    gone_on: Mapping[int, Sequence[Asset]],
    zone: tzinfo,
    present: datetime,
) -> dict[int, int]:
    """Part what is of another day from these groups; by file that is to be inspected anew for it, its group."""
    leads = {g[0].group_id: list_candidates(g, gone_on.get(g[0].group_id or 0, ())) for g in waiting if g[0].group_id}
    records = capture_records.list_of(conn, [asset.id for found in leads.values() for asset in found])
    again: dict[int, int] = {}
    for group in waiting:
        group_id = group[0].group_id
        if group_id is None or not leads[group_id]:
            continue
        taken = {a.id: taken_by_camera(a, records.get(a.id), zone, present) for a in leads[group_id]}
        parts = plan_parts(group, gone_on.get(group_id, ()), taken)
        for day, members in parts.items():
            again |= dict.fromkeys([a.id for a in members], groups.of_day(conn, group_id, day))
        if parts:
            again |= {a.id: group_id for a in group if a.id not in again}
    return again
