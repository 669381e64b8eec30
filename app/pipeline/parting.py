"""Photos and films of one name that were taken on different days are different ones: each goes to its own day.

Cameras number alike. A raw file and a JPEG of one name that say themselves that days lie between them are no pair, nor
are a photo and a film: that of a Live Photo differs by seconds. No photo takes an archived one along to another day
than its own. Only what a camera wrote into files counts here; what has no such date stays with the photo that was
first, as a film with a doubtful clock does with its still, and so does what was edited, at whatever time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from app.db import capture_records, groups
from app.db.capture_records import CaptureRecord
from app.db.connection import Connection
from app.files.belonging import group_key
from app.files.capture_time import Claim
from app.files.capture_time.choose import choose_again
from app.files.kinds import group_stem
from app.files.walk import is_media
from app.filing.dating import APART
from app.filing.group_values import came_as, kind_rank
from app.model import Asset
from app.pipeline.strays import find_strays

#: What a camera writes into a photo, and into a film.
WRITTEN = (("exif",), ("quicktime", "mvhd", "exif"))
#: What is believed of a film beside a photo: programs write the time in its header anew.
BESIDE_PHOTOS = (WRITTEN[0], ("quicktime", "exif"))
#: Zones and clocks alone never part a film from its photo.
FILM_APART = timedelta(days=2)

Taken = Mapping[int, datetime | None]
Span = list[tuple[datetime, int]]


def list_candidates(group: Sequence[Asset], gone_on: Sequence[Asset]) -> list[Asset]:
    """The photos and films of a group, without films that have the identifier of a photo, if there are several and one
    of them waits; else nothing is to be parted."""
    media = [asset for asset in (*group, *gone_on) if is_media(asset.path)]
    known = {a.content_identifier for a in media if kind_rank(came_as(a)) == 0} - {None}
    found = [a for a in media if kind_rank(came_as(a)) == 0 or a.content_identifier not in known]
    return found if len(found) > 1 and any(asset in found for asset in group) else []


def list_taken(
    media: Sequence[Asset], records: Mapping[int, CaptureRecord], zone: tzinfo, present: datetime
) -> dict[int, datetime | None]:
    """When each of these was taken by what its camera says; None when something else decides its date."""
    sources = sources_beside(min(kind_rank(came_as(asset)) for asset in media))
    return {a.id: _told(a, records.get(a.id), sources[kind_rank(came_as(a))], zone, present) for a in media}


def sources_beside(first: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is believed of photos and of films, where the first of a group is of this kind."""
    return WRITTEN if first else BESIDE_PHOTOS


def _told(
    asset: Asset, record: CaptureRecord | None, sources: Sequence[str], zone: tzinfo, present: datetime
) -> datetime | None:
    if record is None:
        # A rebuild knows of archived files what their manifests say.
        is_known = asset.taken_from in sources and asset.taken_local is not None
        return datetime.fromisoformat(asset.taken_local or "") if is_known else None
    if record.winner is None or record.winner.source not in sources:
        return None
    told = [(Claim(*one[:3]), one.rejected) for one in record.candidates]
    return choose_again(told, asset.mtime_ns, zone, present).taken_local


def plan_parts(group: Sequence[Asset], gone_on: Sequence[Asset], taken: Taken) -> dict[str, list[Asset]]:
    """The waiting members that leave their group, by the day that they are of; empty when all stay."""
    media = list_candidates(group, gone_on)
    stays = {asset.id for asset in gone_on}
    spans = _spans(media, taken)
    home = _home(media, stays, spans)
    parts: dict[str, list[Asset]] = {}
    for span in spans:
        if home is not None and span is not home:
            leaving = {i for _, i in span} - stays
            parts.setdefault(span[0][0].date().isoformat(), []).extend(_with_companions(group, leaving))
    return {day: members for day, members in parts.items() if members}


def _home(media: Sequence[Asset], stays: set[int], spans: Sequence[Span]) -> Span | None:
    """What the group is left to: that which has gone on, else the first photos, else the first films. None when it
    is not known when what has gone on was taken: then all stay with it."""
    home = next((span for span in spans if stays & {i for _, i in span}), None)
    first = min((kind_rank(came_as(asset)) for asset in media), default=0)
    if home is None and not any(a.id in stays and kind_rank(came_as(a)) == first for a in media):
        return spans[0] if spans else None
    return home


def _spans(media: Sequence[Asset], taken: Taken) -> list[Span]:
    """Photos by time, parted where more than a day lies between one and the next; and films that are days away from all
    photos, likewise. What was edited has a span only with what it was made from."""
    photos = [a for a in media if kind_rank(came_as(a)) == 0]
    films = [a for a in media if kind_rank(came_as(a)) != 0]
    spans = _spans_of(photos, taken)
    if photos and not spans:
        return []
    alone = []
    for film in films:
        at = taken.get(film.id)
        if at is None:
            continue
        near = min(spans, key=lambda span: _gap(span, at), default=None)
        if near is not None and _gap(near, at) <= FILM_APART:
            near.append((at, film.id))
        else:
            alone.append(film)
    return [sorted(span) for span in spans] + _spans_of(alone, taken)


def _spans_of(media: Sequence[Asset], taken: Taken) -> list[Span]:
    dated = {asset.id: at for asset in media if (at := taken.get(asset.id)) is not None}
    edited = {a.id for a in media if a.id in dated and group_key(came_as(a)) != group_stem(came_as(a))}
    plain = dated.keys() - edited or dated.keys()
    spans: list[Span] = []
    for at, asset_id in sorted((dated[i], i) for i in plain):
        if not spans or at - spans[-1][-1][0] > APART:
            spans.append([])
        spans[-1].append((at, asset_id))
    for asset_id in sorted(dated.keys() - plain):
        near = min(spans, key=lambda span: _gap(span, dated[asset_id]))
        if _gap(near, dated[asset_id]) <= APART:
            near.append((dated[asset_id], asset_id))
    return spans


def _gap(span: Span, at: datetime) -> timedelta:
    return min(abs(at - one) for one, _ in span)


def _with_companions(group: Sequence[Asset], leaving: set[int]) -> list[Asset]:
    """Sidecars that are called after a whole file name go with that file, and films with their photo's identifier."""
    names = tuple(came_as(asset) + b"." for asset in group if asset.id in leaving)
    known = {a.content_identifier for a in group if a.id in leaving and a.content_identifier is not None}
    return [a for a in group if a.id in leaving
            or (not is_media(a.path) and came_as(a).startswith(names))
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
        parts = plan_parts(group, before, list_taken(leads[group_id], records, zone, present))
        parted: dict[int, int] = {}
        for day, members in parts.items():
            parted |= dict.fromkeys([a.id for a in members], groups.of_day(conn, group_id, day))
        if parted:
            again |= {**{a.id: group_id for a in group if a.id not in again}, **parted}
    return again


def _identified(group: Sequence[Asset], identifiers: Mapping[int, str | None]) -> Sequence[Asset]:
    """A group with what was read of its files just now."""
    if not any(identifiers.get(asset.id) for asset in group):
        return group
    return [replace(asset, content_identifier=identifiers.get(asset.id)) for asset in group]
