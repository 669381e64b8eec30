"""The dates of whole groups, by one configuration and at one time. Nothing is read and nothing written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from app.config.schema import Config
from app.db.capture_records import CaptureRecord
from app.files.capture_time import CaptureTime, Claim, Reading, choose
from app.files.capture_time.choose import SIBLING, WEAK_SOURCES
from app.files.walk import is_media
from app.filing.dating import (
    Dated,
    choose_lead,
    claims_of,
    columns,
    disagreement,
    lead_gone_on,
    record,
    rules_of,
    taken_over,
)
from app.filing.recorded import claims_recorded, date_by_claims
from app.model import Asset


class Row(NamedTuple):
    """What is written for one file: columns of its row, and what it said when it is a photo or video."""

    asset_id: int
    columns: dict[str, str | None]
    record: CaptureRecord | None


class GroupDates:
    """Gives each member of a group its date."""

    def __init__(self, config: Config, present: datetime) -> None:
        self._zone, self._rules, self._present = config.zone, rules_of(config.sorter), present

    def rows(
        self,
        group: Sequence[Asset],
        gone_on: Sequence[Asset],
        readings: Mapping[int, Reading],
        decided: Mapping[int, Claim],
        records: Mapping[int, CaptureRecord],
    ) -> list[Row]:
        """What is written for each of a group: `gone_on` are members that a batch has taken before, with the `records`
        of those that are photos and videos; `decided` is what people said."""
        told = self._told_late(group, gone_on, readings, decided, records)
        if told is not None:
            return [Row(a.id, told_late(a, told, readings), None) for a in group]
        claims = claims_of(group, readings)
        for asset in group:
            if asset.id in decided:
                claims[asset.id].append(decided[asset.id])
        dated = [self._dated(a, readings.get(a.id, Reading(a.id)), claims[a.id]) for a in group]
        lead = choose_lead(dated)
        differ = disagreement(dated, lead)
        before = None if lead.taken.source == "person" else lead_gone_on(group, gone_on)
        return [
            Row(
                m.asset.id,
                taken_over(m, before) if before is not None else columns(m, lead, differ),
                record(m, lead, differ, before) if is_media(m.asset.path) else None,
            )
            for m in dated
        ]

    def _told_late(
        self,
        group: Sequence[Asset],
        gone_on: Sequence[Asset],
        readings: Mapping[int, Reading],
        decided: Mapping[int, Claim],
        records: Mapping[int, CaptureRecord],
    ) -> CaptureTime | None:
        """The date that sidecars give to photos and videos which have gone on before them; None when it is no other
        one than these had, that is not the one they tell by themselves, or a person has decided."""
        before = [replace(a, path=a.origin_path or a.path) for a in gone_on if is_media(a.origin_path or a.path)]
        is_known = all(a.id in records or a.taken_from in WEAK_SOURCES for a in before)
        if not before or not is_known or not late_tellers(group, gone_on, readings, decided):
            return None
        saying = claims_of([*before, *group], readings)
        alone, heard = (
            choose_lead([self._recorded(a, records.get(a.id), told.get(a.id, ())) for a in before])
            for told in ({}, saying)
        )
        is_of_record = alone.asset.taken_local == alone.taken.taken_local.isoformat()
        is_other = heard.taken.taken_local != alone.taken.taken_local and not heard.taken.weak
        return heard.taken if is_of_record and is_other else None

    def _recorded(self, asset: Asset, known: CaptureRecord | None, told: Sequence[Claim]) -> Dated:
        camera = (known.camera_make, known.camera_model) if known is not None else (None, None)
        claims = claims_recorded(known, told) if known is not None else told
        return date_by_claims(asset, claims, camera, self._zone, self._present, self._rules)

    def _dated(self, asset: Asset, reading: Reading, claims: Sequence[Claim]) -> Dated:
        path = asset.origin_path or asset.path
        make, model = reading.camera_make, reading.camera_model
        taken = choose(
            claims, path, asset.mtime_ns, self._zone, self._present, reading.note, rules=self._rules, camera_make=make
        )
        if reading.content_identifier is not None:
            taken = replace(taken, content_identifier=reading.content_identifier)
        return Dated(asset, taken, make, model)


def late_tellers(
    group: Sequence[Asset],
    gone_on: Sequence[Asset],
    readings: Mapping[int, Reading],
    decided: Mapping[int, Claim],
) -> bool:
    """Whether a group of which others have gone on is nothing but sidecars, one of which tells a date, and no person
    has decided about any of them."""
    is_decided = any(a.id in decided or a.taken_from == "person" for a in (*group, *gone_on))
    tells = any(a.id in readings and readings[a.id].claims for a in group)
    return tells and not is_decided and not any(is_media(a.path) for a in group)


def told_late(asset: Asset, taken: CaptureTime, readings: Mapping[int, Reading]) -> dict[str, str | None]:
    """What is written for a late sidecar. One that tells dates has the source of the date: by that sorting knows that
    the others follow it."""
    tells = asset.id in readings and readings[asset.id].claims
    return {
        "taken_local": taken.taken_local.isoformat(),
        "taken_at": taken.taken_at.isoformat(),
        "taken_from": taken.source if tells else SIBLING,
        "content_identifier": None,
        "reason": None,
    }
