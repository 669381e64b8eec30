"""Which date the members of a group get, and what is recorded of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.config.schema import Sorter
from app.db.capture_records import CaptureRecord, Told
from app.errors import printable
from app.files.belonging import group_key, is_edited
from app.files.capture_time import CaptureTime, Claim, Reading, Rules
from app.files.capture_time.choose import BY_CAMERA, CONFIDENCE, SIBLING, TOLD_BESIDE, WEAK_SOURCES
from app.files.capture_time.reset_clocks import is_of_reset_clock
from app.files.capture_time.sidecars import Sidecars, tells_dates, told_elsewhere
from app.files.kinds import STILL_SUFFIXES, group_stem, suffix
from app.files.walk import is_media
from app.filing.group_values import SIDECAR, came_as, kind_rank
from app.model import Asset

#: Zones alone never make members of a group differ by more than this.
APART = timedelta(days=1)


@dataclass(frozen=True)
class Dated:
    """A file with its own capture time, and the camera that it names."""

    asset: Asset
    taken: CaptureTime
    camera_make: str | None = None
    camera_model: str | None = None


def rules_of(settings: Sorter) -> Rules:
    """What the settings say of dates."""
    return Rules(settings.video_time, settings.local_video_makes, settings.filename_dates)


def is_read(asset: Asset) -> bool:
    """Whether a file may tell a date: photos, videos, and some of their sidecars."""
    return is_media(asset.path) or tells_dates(asset.path)


def claims_of(group: Sequence[Asset], readings: Mapping[int, Reading]) -> dict[int, list[Claim]]:
    """What each member of a group says of its date, and what the sidecars beside a photo or video say of it."""
    claims = {a.id: list(readings[a.id].claims) if a.id in readings else [] for a in group}
    if len(group) == 1:
        return claims
    by_folder: dict[bytes, list[Asset]] = {}
    for asset in group:
        by_folder.setdefault(asset.path.rpartition(b"/")[0], []).append(asset)
    all_media = {a.id: _name(a) for a in group if is_media(a.path)}
    for beside in by_folder.values():
        media = {a.id: _name(a) for a in beside if a.id in all_media}
        saying = {_name(a): readings[a.id].claims for a in beside if a.id in readings and a.id not in media}
        if saying and media:
            sidecars = Sidecars(media.values(), saying)
            for asset_id, name in media.items():
                claims[asset_id] += [claim for sidecar in sidecars.of(name) for claim in saying[sidecar]]
        elif saying:
            for asset_id, sidecar in told_elsewhere(all_media, saying):
                claims[asset_id] += saying[sidecar]
    return claims


def _name(asset: Asset) -> bytes:
    return asset.path.rpartition(b"/")[2]


def choose_lead(members: Sequence[Dated]) -> Dated:
    """The member whose date the group takes: what a person decided, else a photo or video if there is any; of these no
    weak date, stills before videos, the camera's own before what was edited, and what a camera wrote before what others
    tell."""
    return members[0] if len(members) == 1 else min(members, key=_rank)


def _rank(member: Dated) -> tuple[object, ...]:
    taken, path = member.taken, _came_as(member.asset)
    kind, edited = kind_rank(path), is_edited(path.rpartition(b"/")[2])
    is_own = taken.source in BY_CAMERA and not edited
    # What was edited is called as what it was made from, and longer.
    return (taken.source != "person", kind == SIDECAR, taken.weak, kind, not is_own, taken.confidence != "sure", edited,
            not _tells_offset(taken), taken.taken_at, len(path), path)  # fmt: skip


def _tells_offset(taken: CaptureTime) -> bool:
    """Whether it is told how far the clock was from UTC: then the day is that of the place."""
    return any(one.won and one.claim.zone not in ("local", "utc", "Z") for one in taken.candidates)


def disagreement(members: Sequence[Dated], lead: Dated) -> str:
    """What is to be told when another photo or video of the group has a date of its own that is not that of its lead;
    nothing when all agree, or a person has decided. What a camera is sure of is not doubtful for what files beside
    its photos tell: they may be about others."""
    if len(members) == 1 or lead.taken.weak or lead.taken.source == "person":
        return ""
    passed_over = TOLD_BESIDE if lead.taken.confidence == "sure" else frozenset()
    for member in members:
        taken = member.taken
        if taken.source in passed_over:
            continue
        if not taken.weak and is_media(member.asset.path) and abs(taken.taken_at - lead.taken.taken_at) > APART:
            name, day = printable(member.asset.path.rpartition(b"/")[2]), taken.taken_local.date().isoformat()
            other = f"{printable(lead.asset.path.rpartition(b'/')[2])} {lead.taken.taken_local.date().isoformat()}"
            return f"the dates of its group disagree: {other}, {name} {day}"
    return ""


def doubt_beside(member: Dated, lead: Dated) -> str:
    """Why the date of its lead is a guess for a photo: it tells none itself, and is called like that other photo but is
    no version of it that a camera or a program makes; nothing for all others."""
    if not member.taken.weak or lead.taken.weak or lead.taken.source == "person":
        return ""
    identifier = member.taken.content_identifier
    if identifier is not None and identifier == lead.taken.content_identifier:
        return ""
    name, other = (came_as(one.asset) for one in (member, lead))
    if not is_only_called_like(name, other):
        return ""
    return f"it tells no capture date; it has that of {printable(other)}, with which it may share no more than the name"


def is_only_called_like(name: bytes, other: bytes) -> bool:
    """Whether two names are those of different photos with one stem, neither of them a raw file or an edited one."""
    stems = group_stem(name), group_stem(other)
    are_photos = {suffix(name), suffix(other)} <= STILL_SUFFIXES
    return name != other and are_photos and stems[0] == stems[1] == group_key(name)


def columns(member: Dated, lead: Dated, disagree: str = "") -> dict[str, str | None]:
    """What is written for a member of a group whose date comes from `lead`; a weak date stays weak for all."""
    taken = lead.taken
    return {
        "taken_local": taken.taken_local.isoformat(),
        "taken_at": taken.taken_at.isoformat(),
        "taken_from": taken.source if member is lead or taken.weak else SIBLING,
        "content_identifier": member.taken.content_identifier,
        "reason": (taken.note if taken.weak else disagree or doubt_beside(member, lead)) or None,
    }


def record(member: Dated, lead: Dated, disagree: str = "", before: Asset | None = None) -> CaptureRecord:
    """What is kept of a photo or video: the dates found for it, its camera, and how sure the date is that it got, be it
    that of a member that has gone on `before`."""
    told = tuple(
        Told(c.claim.source, c.claim.text, c.claim.zone, c.rejected)
        for c in member.taken.candidates
        if c.won or c.claim.source != "mtime"
    )
    confidence = "weak" if disagree or doubt_beside(member, lead) else lead.taken.confidence
    if before is not None:
        confidence = "weak" if _is_guess(before) else CONFIDENCE.get(before.taken_from or "", "likely")
    return CaptureRecord(member.asset.id, told, member.camera_make, member.camera_model, confidence)


def is_weak(row: Mapping[str, str | None], kept: CaptureRecord | None) -> bool:
    """Whether a date is doubtful, by what is written of it."""
    return row["taken_from"] in WEAK_SOURCES or (kept is not None and kept.confidence == "weak")


def lead_gone_on(group: Sequence[Asset], gone_on: Sequence[Asset]) -> Asset | None:
    """The member that has gone on before and whose date these, which come late, take over: a photo for its film or its
    sidecars, a film for its sidecars. A film keeps its own date when that of its photo is doubtful."""
    if not gone_on:
        return None
    best = min(kind_rank(a.path) for a in group)
    before = [a for a in gone_on if a.taken_local is not None and kind_rank(_came_as(a)) < best]
    lead = min(before, key=lambda a: (kind_rank(_came_as(a)), _came_as(a)), default=None)
    return None if lead is not None and best < SIDECAR and _is_guess(lead) else lead


def taken_over(member: Dated, lead: Asset) -> dict[str, str | None]:
    """What is written for a member that takes over the date of one that has gone on before."""
    came_from = lead.taken_from if _is_guess(lead) else SIBLING
    taken = {"taken_local": lead.taken_local, "taken_at": lead.taken_at, "taken_from": came_from}
    return {**taken, "content_identifier": member.taken.content_identifier, "reason": None}


def _is_guess(asset: Asset) -> bool:
    return asset.taken_from in WEAK_SOURCES or is_of_reset_clock(asset.taken_from, asset.taken_local)


def _came_as(asset: Asset) -> bytes:
    return asset.origin_path or asset.path
