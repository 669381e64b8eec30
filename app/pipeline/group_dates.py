"""The dates of whole groups, by one configuration and at one time. Nothing is read and nothing written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from app.config.schema import Config
from app.db.capture_records import CaptureRecord
from app.files.capture_time import Claim, Reading, choose
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
    ) -> list[Row]:
        """What is written for each of a group: `gone_on` are members that a batch has taken before, `decided` what
        people said."""
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

    def _dated(self, asset: Asset, reading: Reading, claims: Sequence[Claim]) -> Dated:
        path = asset.origin_path or asset.path
        make, model = reading.camera_make, reading.camera_model
        taken = choose(
            claims, path, asset.mtime_ns, self._zone, self._present, reading.note, rules=self._rules, camera_make=make
        )
        if reading.content_identifier is not None:
            taken = replace(taken, content_identifier=reading.content_identifier)
        return Dated(asset, taken, make, model)
