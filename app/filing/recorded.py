"""The date that a file has by what was recorded of it, and by what was read since. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from app.db.capture_records import CaptureRecord
from app.files.capture_time import Claim, Rules, choose
from app.filing.dating import Dated
from app.model import Asset

#: What is found in names, folders and the file's own time is found there again; what a person said stands elsewhere.
FOUND_AGAIN = ("person", "filename", "folder", "mtime")


def claims_recorded(record: CaptureRecord, read: Sequence[Claim]) -> list[Claim]:
    """What the file told when it was inspected, and what of these it did not."""
    before = [_as_told(one[:3]) for one in record.candidates if one.source not in FOUND_AGAIN]
    return [*before, *(claim for claim in read if claim not in before)]


def date_by_claims(
    asset: Asset,
    claims: Sequence[Claim],
    camera: tuple[str | None, str | None],
    zone: tzinfo,
    now: datetime,
    rules: Rules,
) -> Dated:
    """The date of a file, whose path is the one that it came by, from all that is claimed for it."""
    taken = choose(claims, asset.path, asset.mtime_ns, zone, now, rules=rules, camera_make=camera[0])
    return Dated(asset, replace(taken, content_identifier=asset.content_identifier), *camera)


def _as_told(candidate: tuple[str, str, str]) -> Claim:
    """As the file told it: whether a film's header is in local time is found out anew."""
    source, text, zone = candidate
    return Claim(source, text, "utc" if source == "mvhd" else zone)
