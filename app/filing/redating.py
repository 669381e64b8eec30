"""Which date a group gets from what was recorded of its members, when no decision of a person stands any more. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from app.db.capture_records import CaptureRecord
from app.files.capture_time import Claim
from app.files.capture_time.choose import SIBLING, choose_again
from app.files.capture_time.decision import PERSON
from app.files.walk import is_media
from app.filing.dating import Dated, choose_lead, columns, disagreement, record
from app.model import Asset


@dataclass(frozen=True)
class Redated:
    """What is to be written of a group: `taken_local`, `taken_at`, `taken_from` and `reason` by asset id, and the
    records of its photos and videos."""

    columns: Mapping[int, Mapping[str, str | None]]
    records: Sequence[CaptureRecord]


def redate(
    members: Sequence[Asset], records: Mapping[int, CaptureRecord], zone: tzinfo, present: datetime
) -> Redated | None:
    """The date that files tell by themselves; None when it was not recorded of each photo and video what it tells. One
    of which no date was recorded has that of its modification."""
    media = [asset for asset in members if is_media(asset.path)]
    if not media or any(asset.id not in records for asset in media):
        return None
    dated = [_dated(asset, records[asset.id], zone, present) for asset in media]
    lead = choose_lead(dated)
    differ = disagreement(dated, lead)
    written = {one.asset.id: _columns(columns(one, lead, differ)) for one in dated}
    beside = {**written[lead.asset.id], "taken_from": lead.taken.source if lead.taken.weak else SIBLING}
    written |= {asset.id: beside for asset in members if asset.id not in written}
    return Redated(written, [record(one, lead, differ) for one in dated])


def as_decided(decided: Asset, members: Sequence[Asset], records: Mapping[int, CaptureRecord]) -> Redated:
    """The date that a person decided of another one of their group."""
    date = {"taken_local": decided.taken_local, "taken_at": decided.taken_at, "taken_from": SIBLING, "reason": None}
    known = [records[asset.id] for asset in members if asset.id in records]
    told = [tuple(one for one in record.candidates if one.source != PERSON) for record in known]
    kept = [record._replace(candidates=own, confidence="sure") for record, own in zip(known, told, strict=True)]
    return Redated({asset.id: date for asset in members}, kept)


def _dated(asset: Asset, known: CaptureRecord, zone: tzinfo, present: datetime) -> Dated:
    told = [(Claim(*one[:3]), one.rejected) for one in known.candidates if one.source != PERSON]
    taken = choose_again(told, asset.mtime_ns, zone, present)
    came_as = replace(asset, path=asset.origin_path or asset.path)
    return Dated(came_as, taken, known.camera_make, known.camera_model)


def _columns(written: Mapping[str, str | None]) -> dict[str, str | None]:
    """What a decision changes."""
    return {name: written[name] for name in ("taken_local", "taken_at", "taken_from", "reason")}
