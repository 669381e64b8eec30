"""Which groups of manifests have one name and were parted by days or cameras: they stay what they are (parting.py).

Manifests of other databases may number a group otherwise, and none names cameras. So groups of one name are the same
unless what was written into files of both tells dates that lie apart; photos that were not edited are of one shot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from app.db import rebuild_entries
from app.db.connection import Connection
from app.db.rebuild_entries import Shot
from app.files.belonging import group_key
from app.files.kinds import group_stem
from app.files.walk import is_media
from app.filing.dating import APART
from app.filing.group_values import kind_rank
from app.pipeline.parting import OF_ITS_OWN, WRITTEN
from app.pipeline.spans import ONE_SHOT

#: Folder, key and number of a group.
Numbered = tuple[bytes, bytes, int]


def days_of_parted(conn: Connection) -> dict[Numbered, str]:
    """The day in the key of each group that is not the one which its name alone leads to."""
    found: dict[Numbered, str] = {}
    # What begins alike up to the first dot lies side by side.
    for _, alike in groupby(rebuild_entries.list_shots(conn), key=_beginning):
        by_key: dict[tuple[bytes, bytes], list[Shot]] = {}
        for shot in alike:
            if is_media(shot.origin):
                by_key.setdefault(_key(shot), []).append(shot)
        for key, shots in by_key.items():
            found |= {(*key, number): day for number, day in plan_days(shots)}
    return found


def _beginning(shot: Shot) -> tuple[bytes, bytes]:
    folder, _, name = shot.origin.rpartition(b"/")
    return folder, name[:1] + name[1:].partition(b".")[0]


def _key(shot: Shot) -> tuple[bytes, bytes]:
    folder, _, name = shot.origin.rpartition(b"/")
    return folder, group_key(name)


def plan_days(shots: Sequence[Shot]) -> Iterator[tuple[int, str]]:
    """(group number, what tells it from the first) of those groups of these photos and films of one name that are not
    the first: its day, with the time where the first of another is of that day."""
    if len({shot.group_key for shot in shots}) < 2:
        return
    spans: list[set[_Written]] = []
    days: set[str] = set()
    names: dict[int, str] = {}
    for number, dates in sorted(_dates(shots).items(), key=lambda one: _turn(one[0], shots, one[1])):
        at = next((at for at, span in enumerate(spans) if any(a.is_near(b) for a in dates for b in span)), len(spans))
        if at == len(spans):
            spans.append(set())
            first = min(dates).at
            day = first.date().isoformat()
            names[at] = day if day not in days else f"{day} {first.time().isoformat()}"
            days.add(day)
        spans[at] |= dates
        if at:
            yield number, names[at]


class _Written(NamedTuple):
    at: datetime
    is_plain_photo: bool

    def is_near(self, other: _Written) -> bool:
        """Whether both can be of one group."""
        limit = ONE_SHOT if self.is_plain_photo and other.is_plain_photo else APART
        return abs(self.at - other.at) <= limit


def _dates(shots: Sequence[Shot]) -> Mapping[int, set[_Written]]:
    """What is written in files, by group; those in which nothing is are left out."""
    found: dict[int, set[_Written]] = {}
    for shot in shots:
        rank = kind_rank(shot.origin)
        if shot.taken_local is not None and shot.taken_from in (*WRITTEN[rank], *OF_ITS_OWN):
            name = shot.origin.rpartition(b"/")[2]
            is_plain = rank == 0 and group_key(name) == group_stem(name)
            found.setdefault(shot.group_key, set()).add(_Written(datetime.fromisoformat(shot.taken_local), is_plain))
    return found


def _turn(number: int, shots: Sequence[Shot], dates: set[_Written]) -> tuple[int, int, _Written]:
    """What came first, photos before films, by time: as an inspection parts them."""
    mine = [shot for shot in shots if shot.group_key == number]
    return min(shot.batch_id for shot in mine), min(kind_rank(shot.origin) for shot in mine), min(dates)
