"""Which photos and films of one name were taken together: by their times, and by the cameras that they name. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from typing import NamedTuple

from app.filing.dating import APART

#: Zones and clocks alone never part a film from its photo.
FILM_APART = timedelta(days=2)
#: What several cameras took with more between is several shots; a phone may write one shot by two programs.
ONE_SHOT = timedelta(minutes=1)


class Camera(NamedTuple):
    """Maker and model in small letters, empty where they are not known; the model without its maker."""

    maker: str = ""
    model: str = ""

    def differs(self, other: Camera) -> bool:
        """Whether both are known to be different ones."""
        if self.model and other.model:
            return self.model != other.model
        return bool(self.maker and other.maker) and self.maker != other.maker


UNKNOWN = Camera()


def camera_of(make: str | None, model: str | None) -> Camera:
    """A camera as files name it: NIKON CORPORATION and Nikon are one maker, NIKON D70 and D70 one model."""
    maker = (make or "").casefold().partition(" ")[0].rstrip(".,")
    named = (model or "").casefold()
    return Camera(maker, named.removeprefix(f"{maker} ") if maker else named)


class Moment(NamedTuple):
    """When a file was taken, and by what."""

    at: datetime
    asset_id: int
    camera: Camera = UNKNOWN


@dataclass
class Span:
    """What was taken together, by time; its name is its first day, and its camera where another one took something on
    the days around it."""

    moments: list[Moment]
    name: str = ""

    def gap(self, at: datetime) -> timedelta:
        """How far that is from the nearest of its moments."""
        return min(abs(at - one.at) for one in self.moments)


def find_spans(photos: Sequence[Moment], films: Sequence[Moment], edited: set[int]) -> list[Span]:
    """Photos parted where more than a day lies between one and the next, or where another camera took them; and films
    that are days away from all photos, likewise. What was edited has a span only with what it was made from."""
    spans = _spans_of(photos, edited)
    near: list[Moment] = []
    alone: list[Moment] = []
    for film in films:
        (near if any(span.gap(film.at) <= FILM_APART for span in spans) else alone).append(film)
    is_plain = any(film.asset_id not in edited for film in alone)
    found = _spans_of(alone, edited) if is_plain or not spans else []
    _attach(spans, near, FILM_APART)
    return spans + found


def _spans_of(moments: Sequence[Moment], edited: set[int]) -> list[Span]:
    plain = [one for one in moments if one.asset_id not in edited] or list(moments)
    spans = sorted((Span(days) for taken in _by_camera(plain) for days in _by_days(taken)), key=lambda s: s.moments[0])
    for span in spans:
        has_others = any(other.gap(one.at) <= APART for other in spans if other is not span for one in span.moments)
        span.name = f"{span.moments[0].at.date().isoformat()} {_called(span) if has_others else ''}".rstrip()
    made = {one.asset_id for one in plain}
    _attach(spans, [one for one in moments if one.asset_id not in made], APART)
    return spans


def _by_days(moments: Iterable[Moment]) -> list[list[Moment]]:
    days: list[list[Moment]] = []
    for one in sorted(moments):
        if not days or one.at - days[-1][-1].at > APART:
            days.append([])
        days[-1].append(one)
    return days


def _by_camera(moments: Sequence[Moment]) -> list[list[Moment]]:
    """What different cameras took, unless it is of one shot; what names no camera is with the nearest in time."""
    known = sorted(one for one in moments if one.camera != UNKNOWN)
    cameras = {one.camera for one in known}
    if not any(one.differs(other) for one, other in combinations(cameras, 2)):
        return [list(moments)]
    same = {camera: {camera} for camera in cameras}
    pairs = [pair for pair in combinations(cameras, 2) if not pair[0].differs(pair[1])]
    pairs += [(a.camera, b.camera) for a, b in pairwise(known) if b.at - a.at <= ONE_SHOT]
    for one, other in pairs:
        both = same[one] | same[other]
        same |= dict.fromkeys(both, both)
    parts: dict[Camera, list[Moment]] = {}
    for moment in known:
        parts.setdefault(min(same[moment.camera]), []).append(moment)
    spans = [Span(part) for part in parts.values()]
    _attach(spans, [one for one in moments if one.camera == UNKNOWN], None)
    return [span.moments for span in spans]


def _attach(spans: Sequence[Span], moments: Iterable[Moment], at_most: timedelta | None) -> None:
    """Add each of these to the span that it is nearest to, of its own camera where that is known, if there is one that
    is near enough."""
    added = [(span, one) for one in moments if (span := _nearest(spans, one, at_most)) is not None]
    for span, one in added:
        span.moments.append(one)
    for span in spans:
        span.moments.sort()


def _nearest(spans: Sequence[Span], one: Moment, at_most: timedelta | None) -> Span | None:
    near = [(span.gap(one.at), span) for span in spans]
    near = [found for found in near if at_most is None or found[0] <= at_most]
    own = [found for found in near if not any(one.camera.differs(m.camera) for m in found[1].moments)]
    return min(own or near, key=lambda found: found[0])[1] if near else None


def _called(span: Span) -> str:
    return " ".join(min(one.camera for one in span.moments)).strip()
