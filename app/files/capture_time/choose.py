"""Which of the dates that are claimed for a file is believed: the order of sources, and how sure each is.

The local day decides the folder: a time without a zone is taken as it is written, a time in UTC is told in the
configured zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Literal

from app.files.capture_time import offsets, reset_clocks
from app.files.capture_time.file_name import claims_of_name, clock_times_of_name
from app.files.capture_time.folder_name import date_of_folder
from app.files.capture_time.judge import Candidate, Claim, judge
from app.files.kinds import VIDEO_SUFFIXES, suffix

__all__ = ["CONFIDENCE", "SOURCES", "WEAK_SOURCES", "Candidate", "CaptureTime", "Claim", "Rules", "choose"]

Confidence = Literal["sure", "likely", "weak"]

#: How sure a date of each source is, the better source first. A value that cannot be true is passed over, and the next
#: source is asked. A weak one says when a copy was made or changed rather than when a picture was taken.
CONFIDENCE: dict[str, Confidence] = {
    "person": "sure",
    "exif": "sure",
    "exif_digitized": "likely",
    "xmp": "likely",
    "xmp_sidecar": "likely",
    "gps": "likely",
    "quicktime": "sure",
    "mvhd": "likely",
    "srt": "likely",
    "takeout": "likely",
    "filename": "likely",
    "folder": "weak",
    "exif_modified": "weak",
    "mtime": "weak",
}
#: For photos, the better source first.
SOURCES = tuple(CONFIDENCE)
#: For videos: what the camera wrote into the film comes before what programs add.
VIDEO_SOURCES = ("person", "quicktime", *(s for s in SOURCES if s not in ("person", "quicktime")))
WEAK_SOURCES = frozenset(source for source, confidence in CONFIDENCE.items() if confidence == "weak")
#: What a camera itself writes: an edited copy never comes before its original that has such a date.
BY_CAMERA = frozenset(("exif", "exif_digitized", "gps", "quicktime", "mvhd"))
#: What is told of a photo or video by a file beside it, that may be about another one of its group.
TOLD_BESIDE = frozenset(("xmp_sidecar", "srt", "takeout"))
#: What `taken_from` says of a date that was taken over from the lead of a group.
SIBLING = "sibling"

RANKS = {source: rank for rank, source in enumerate(SOURCES)}
VIDEO_RANKS = {source: rank for rank, source in enumerate(VIDEO_SOURCES)}

DOUBTS = {
    "folder": "only its folder tells a date",
    "exif_modified": "it tells only when it was changed last",
    "mtime": "it holds no capture time",
    "clock": "it tells the day on which clocks begin that were reset",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say of dates. `local_makes`: cameras whose films tell local time where UTC is meant;
    `name_patterns`: more kinds of file names with dates in them."""

    video_time: Literal["auto", "utc", "local"] = "auto"
    local_makes: tuple[str, ...] = ()
    name_patterns: tuple[str, ...] = ()

    def is_local_make(self, make: str | None) -> bool:
        """Whether films of this make tell local time."""
        folded = (make or "").casefold()
        return any(one and folded.startswith(one.casefold()) for one in self.local_makes)


DEFAULT_RULES = Rules()


@dataclass(frozen=True, slots=True)
class CaptureTime:
    """The verdict: local wall time (no zone), the instant in UTC, where it comes from, how sure that is, and every
    candidate in the order in which they were asked. `note`: what is wrong with the file, or why the date is weak."""

    taken_local: datetime
    taken_at: datetime
    source: str
    confidence: Confidence
    candidates: tuple[Candidate, ...] = ()
    content_identifier: str | None = None
    note: str = ""

    @property
    def weak(self) -> bool:
        """Whether the date is doubtful."""
        return self.confidence == "weak"


def choose(
    claims: Sequence[Claim],
    path: bytes,
    mtime_ns: int,
    zone: tzinfo,
    now: datetime,
    note: str = "",
    *,
    rules: Rules = DEFAULT_RULES,
    camera_make: str | None = None,
) -> CaptureTime:
    """The capture time of a file from the claims for it, its path and its mtime; there always is one."""
    folder, _, name = path.rpartition(b"/")
    named = [Claim("filename", text, where) for text, where in claims_of_name(name, rules.name_patterns)]
    told = claims
    if any(claim.source == "mvhd" for claim in claims):
        is_local = rules.is_local_make(camera_make)
        shown = [*(claim for claim in claims if claim.source == "srt"), *named]
        told = [offsets.of_film(claim, rules.video_time, is_local, shown, zone) for claim in claims]
    ranks = VIDEO_RANKS if suffix(name) in VIDEO_SUFFIXES else RANKS
    mtime = _of_mtime(mtime_ns, zone)
    candidates = [judge(claim, zone, now) for claim in (*told, *named)]
    candidates += [*(_of_folder(folder, mtime, zone, now) if folder else ()), mtime]
    candidates.sort(key=lambda candidate: ranks[candidate.claim.source])
    if _needs_name(candidates):
        shown = [Claim("filename", text) for text in clock_times_of_name(name, rules.name_patterns)]
        candidates = reset_clocks.pass_over(candidates, bool(shown))
        candidates = _named_first(candidates, shown, zone, now) if rules.video_time == "auto" else candidates
    return _verdict(candidates, note)


def choose_again(told: Sequence[tuple[Claim, str]], mtime_ns: int, zone: tzinfo, now: datetime) -> CaptureTime:
    """The capture time of a file from what was found before: each claim with the reason why it was rejected, empty when
    it was not, in the order in which they were asked."""
    candidates = [_again(claim, rejected, zone, now) for claim, rejected in told if claim.source != "mtime"]
    return _verdict([*candidates, _of_mtime(mtime_ns, zone)], "")


def _again(claim: Claim, rejected: str, zone: tzinfo, now: datetime) -> Candidate:
    if rejected:
        return Candidate(claim, rejected=rejected)
    return replace(judge(replace(claim, text=_whole_day(claim)), zone, now), claim=claim)


def _whole_day(claim: Claim) -> str:
    """Of a month or a year that a folder names it is the first day."""
    return claim.text + "-01-01"[3 * claim.text.count("-") :] if claim.source == "folder" else claim.text


def _needs_name(candidates: Sequence[Candidate]) -> bool:
    """Whether the best of them may know less than what a name tells of the clock that the camera showed."""
    best = next(candidate for candidate in candidates if not candidate.rejected)
    return best.claim.source in offsets.PLACELESS or reset_clocks.is_suspect(best)


def _named_first(
    candidates: list[Candidate], shown: Sequence[Claim], zone: tzinfo, now: datetime
) -> list[Candidate]:
    """A name that shows the clock of the place comes before the same moment told without a place."""
    at = next(i for i, candidate in enumerate(candidates) if not candidate.rejected)
    claim = offsets.of_place(candidates[at], shown, zone)
    named = judge(claim, zone, now) if claim is not None else None
    if named is None or named.rejected:
        return candidates
    after = [c for c in candidates[at:] if (c.claim.source, c.claim.text) != (named.claim.source, named.claim.text)]
    return [*candidates[:at], named, *after]


def _verdict(candidates: list[Candidate], note: str) -> CaptureTime:
    """The first that stands wins."""
    at = next(i for i, candidate in enumerate(candidates) if not candidate.rejected)
    best = candidates[at]
    local, instant = best.taken_local, offsets.sharpened(best, candidates)
    assert local is not None
    assert instant is not None
    candidates[at] = Candidate(best.claim, local, instant, won=True)
    source = best.claim.source
    is_reset = reset_clocks.is_doubtful(best, candidates)
    why = note or (DOUBTS["clock"] if is_reset else _doubt(source, candidates) if source in WEAK_SOURCES else "")
    confidence = "weak" if is_reset else CONFIDENCE[source]
    return CaptureTime(local, instant, source, confidence, tuple(candidates), note=why)


def _of_mtime(mtime_ns: int, zone: tzinfo) -> Candidate:
    at = offsets.instant(mtime_ns)
    local = at.astimezone(zone).replace(tzinfo=None)
    return Candidate(Claim("mtime", at.isoformat(" ", "seconds")[:19], "utc"), local, at)


def _of_folder(folder: bytes, mtime: Candidate, zone: tzinfo, now: datetime) -> list[Candidate]:
    """The date that the folder tells. Of a month or a year it is the first day, unless the mtime lies within."""
    told = date_of_folder(folder)
    if not told:
        return []
    claim = Claim("folder", told)
    is_whole = told.count("-") == 2
    if not is_whole and str(mtime.taken_local).startswith(told):
        return [Candidate(claim, rejected=f"names no day ({told}), and the modification time lies within it")]
    return [replace(judge(replace(claim, text=_whole_day(claim)), zone, now), claim=claim)]


def _doubt(source: str, candidates: Sequence[Candidate]) -> str:
    """Why a date is weak: the first date inside that cannot be, or what the source is."""
    if source == "mtime":
        inside = (c for c in candidates if c.rejected and c.claim.source != "folder")
        return next((f"its {c.claim.source} date {c.rejected}" for c in inside), DOUBTS[source])
    return DOUBTS[source]
