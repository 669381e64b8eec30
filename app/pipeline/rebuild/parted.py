"""Which groups of manifests have one name and were parted by their days: they stay what they are (parting.py).

Manifests of other databases may number a group otherwise. So groups of one name are the same unless cameras told dates
of both that lie apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from app.db import rebuild_entries
from app.db.connection import Connection
from app.db.rebuild_entries import Shot
from app.files.belonging import group_key
from app.files.walk import is_media
from app.filing.dating import APART
from app.filing.group_values import kind_rank
from app.pipeline.parting import sources_beside

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
    """(group number, day) of those groups of these photos and films of one name that are not the first."""
    if len({shot.group_key for shot in shots}) < 2:
        return
    spans: list[set[datetime]] = []
    for number, dates in sorted(_dates(shots).items(), key=lambda one: _turn(one[0], shots, one[1])):
        near = next((span for span in spans if any(abs(at - one) <= APART for at in dates for one in span)), None)
        if near is None:
            spans.append(near := set())
        near |= dates
        if near is not spans[0]:
            yield number, min(near).date().isoformat()


def _dates(shots: Sequence[Shot]) -> Mapping[int, set[datetime]]:
    """What cameras told, by group; those of which they told nothing are left out."""
    sources = sources_beside(min(kind_rank(shot.origin) for shot in shots))
    found: dict[int, set[datetime]] = {}
    for shot in shots:
        if shot.taken_local is not None and shot.taken_from in sources[kind_rank(shot.origin)]:
            found.setdefault(shot.group_key, set()).add(datetime.fromisoformat(shot.taken_local))
    return found


def _turn(number: int, shots: Sequence[Shot], dates: set[datetime]) -> tuple[int, int, datetime]:
    """What came first, photos before films, by time: as an inspection parts them."""
    mine = [shot for shot in shots if shot.group_key == number]
    return min(shot.batch_id for shot in mine), min(kind_rank(shot.origin) for shot in mine), min(dates)
