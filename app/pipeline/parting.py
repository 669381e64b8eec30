"""Photos and films of one name that were taken on different days, or by different cameras, are different ones: each
goes to its own day.

Cameras number alike. A raw file and a JPEG of one name that say themselves that days lie between them are no pair,
nor are a photo and a film: that of a Live Photo differs by seconds; nor photos that name two cameras, unless it is of
one minute. No photo takes an archived one along to another day than its own. Only what was written into files as they
were made counts here, and a JSON or subtitles beside them that tell of this one alone; what has no such date stays
with the photo that was first, as a film with a doubtful clock does with its still, and so does what was edited, at
whatever time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from app.db import capture_records, groups
from app.db.capture_records import CaptureRecord
from app.db.connection import Connection
from app.files.belonging import group_key
from app.files.capture_time import Claim
from app.files.capture_time.choose import choose_again
from app.files.capture_time.sidecars import OF_FILMS, TAKEOUT
from app.files.kinds import group_stem, suffix
from app.files.walk import is_media
from app.filing.group_values import came_as, kind_rank
from app.model import Asset
from app.pipeline.spans import Moment, Span, camera_of, find_spans
from app.pipeline.strays import beginnings, find_strays

#: What is written into a photo, and into a film, as it is made. A film's header is of no use only as long as a clock
#: was never set, and such a date is none.
WRITTEN = (("exif", "exif_digitized", "xmp"), ("quicktime", "mvhd", "exif"))
#: What a file beside a photo or film tells of this one alone: a JSON that is called after its whole name, and the
#: subtitles of a film.
OF_ITS_OWN = ("takeout", "srt")

#: When each was taken, and by which camera; None where something else decides its date.
Taken = Mapping[int, Moment | None]


def list_candidates(group: Sequence[Asset], gone_on: Sequence[Asset]) -> list[Asset]:
    """The photos and films of a group, without films that have the identifier of a photo, if there are several and one
    of them waits; else nothing is to be parted."""
    media = [asset for asset in (*group, *gone_on) if is_media(asset.path)]
    known = {a.content_identifier for a in media if kind_rank(came_as(a)) == 0} - {None}
    found = [a for a in media if kind_rank(came_as(a)) == 0 or a.content_identifier not in known]
    return found if len(found) > 1 and any(asset in found for asset in group) else []


def list_taken(
    media: Sequence[Asset],
    records: Mapping[int, CaptureRecord],
    zone: tzinfo,
    present: datetime,
    beside: Iterable[Asset] = (),
) -> dict[int, Moment | None]:
    """When each of these was taken by what is written in it, or in a file of its own `beside` it; None when something
    else decides its date."""
    described = {name for asset in beside for name in beginnings(came_as(asset)) if suffix(came_as(asset)) == TAKEOUT}
    found: dict[int, Moment | None] = {}
    for asset in media:
        told_beside = OF_ITS_OWN if came_as(asset) in described else OF_ITS_OWN[1:]
        sources = (*WRITTEN[kind_rank(came_as(asset))], *told_beside)
        found[asset.id] = _told(asset, records.get(asset.id), sources, zone, present)
    return found


def _told(
    asset: Asset, record: CaptureRecord | None, sources: Sequence[str], zone: tzinfo, present: datetime
) -> Moment | None:
    if record is None:
        # A rebuild knows of archived files what their manifests say.
        is_known = asset.taken_from in sources and asset.taken_local is not None
        return Moment(datetime.fromisoformat(asset.taken_local or ""), asset.id) if is_known else None
    if record.winner is None or record.winner.source not in sources:
        return None
    told = [(Claim(*one[:3]), one.rejected) for one in record.candidates]
    taken = choose_again(told, asset.mtime_ns, zone, present)
    camera = camera_of(record.camera_make, record.camera_model)
    return None if taken.weak else Moment(taken.taken_local, asset.id, camera)


def plan_parts(group: Sequence[Asset], gone_on: Sequence[Asset], taken: Taken) -> dict[str, list[Asset]]:
    """The waiting members that leave their group, by the day that they are of, and the camera; empty when all stay."""
    media = list_candidates(group, gone_on)
    stays = {asset.id for asset in gone_on}
    spans = _spans(media, taken)
    home = _home(media, stays, spans)
    parts: dict[str, list[Asset]] = {}
    for span in spans:
        if home is not None and span is not home:
            leaving = {one.asset_id for one in span.moments} - stays
            parts.setdefault(span.name, []).extend(_with_companions(group, gone_on, leaving))
    return {day: members for day, members in parts.items() if members}


def _home(media: Sequence[Asset], stays: set[int], spans: Sequence[Span]) -> Span | None:
    """What the group is left to: that which has gone on, else the first photos, else the first films. None when it
    is not known when what has gone on was taken: then all stay with it."""
    home = next((span for span in spans if any(one.asset_id in stays for one in span.moments)), None)
    first = min((kind_rank(came_as(asset)) for asset in media), default=0)
    if home is None and not any(a.id in stays and kind_rank(came_as(a)) == first for a in media):
        return spans[0] if spans else None
    return home


def _spans(media: Sequence[Asset], taken: Taken) -> list[Span]:
    """None when there are photos, and it is not known of any when it was taken."""
    photos = [one for a in media if kind_rank(came_as(a)) == 0 and (one := taken.get(a.id)) is not None]
    films = [one for a in media if kind_rank(came_as(a)) != 0 and (one := taken.get(a.id)) is not None]
    if not photos and any(kind_rank(came_as(a)) == 0 for a in media):
        return []
    return find_spans(photos, films, {a.id for a in media if group_key(came_as(a)) != group_stem(came_as(a))})


def _with_companions(group: Sequence[Asset], gone_on: Sequence[Asset], leaving: set[int]) -> list[Asset]:
    """Sidecars that are called after a whole file name go with that file, those that only films have with the one film
    of their stem, and films with their photo's identifier."""
    films = [asset for asset in (*group, *gone_on) if kind_rank(came_as(asset)) == 1]
    stems = [{group_stem(came_as(a)).lower() for a in films if (a.id in leaving) is leaves} for leaves in (True, False)]
    names = tuple(came_as(asset) + b"." for asset in group if asset.id in leaving)
    known = {a.content_identifier for a in group if a.id in leaving and a.content_identifier is not None}
    return [a for a in group if a.id in leaving
            or (not is_media(a.path) and came_as(a).startswith(names))
            or (suffix(came_as(a)) in OF_FILMS and group_stem(came_as(a)).lower() in stems[0] - stems[1])
            or (a.content_identifier is not None and a.content_identifier in known)]  # fmt: skip


def part_by_days(
    conn: Connection,
    waiting: Iterable[Sequence[Asset]],
    gone_on: Mapping[int, Sequence[Asset]],
    identifiers: Mapping[int, str | None],
    zone: tzinfo,
    present: datetime,
) -> dict[int, int]:
    """Part what is of another day from these groups, whose members have these content identifiers; by file that is to
    be inspected anew for it, its group."""
    grouped = {g[0].group_id: _identified(g, identifiers) for g in waiting if g[0].group_id is not None}
    leads = {group_id: list_candidates(g, gone_on.get(group_id, ())) for group_id, g in grouped.items()}
    records = capture_records.list_of(conn, [asset.id for found in leads.values() for asset in found])
    again: dict[int, int] = {}
    for group_id, group in grouped.items():
        before = gone_on.get(group_id, ())
        again |= find_strays(conn, group_id, group, before)
        if not leads[group_id]:
            continue
        parts = plan_parts(group, before, list_taken(leads[group_id], records, zone, present, (*group, *before)))
        parted: dict[int, int] = {}
        for name, members in parts.items():
            other_id = groups.of_day(conn, group_id, name)
            parted |= dict.fromkeys([a.id for a in members if other_id != group_id], other_id)
        if parted:
            again |= {**{a.id: group_id for a in group if a.id not in again}, **parted}
    return again


def _identified(group: Sequence[Asset], identifiers: Mapping[int, str | None]) -> Sequence[Asset]:
    """A group with what was read of its files just now."""
    if not any(identifiers.get(asset.id) for asset in group):
        return group
    return [replace(asset, content_identifier=identifiers.get(asset.id)) for asset in group]
