"""Sidecars that came with a later batch than their photo, maybe from beside a copy of it: in manifests only the number
of their group says whose they are, where the photo came from another folder or the sidecar is called otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from app.db import rebuild_entries
from app.db.connection import Connection
from app.db.rebuild_entries import Shot
from app.files.belonging import group_key
from app.files.capture_time.sidecars import TAKEOUT
from app.files.kinds import suffix
from app.files.media_names import MediaNames
from app.files.takeout import takeout_partner
from app.files.walk import is_media


def homes_of_sidecars(conn: Connection) -> dict[tuple[int, int], tuple[bytes, bytes]]:
    """By (batch id, group number), the folder and key of the photo to which sidecars without one belong."""
    found: dict[tuple[int, int], tuple[bytes, bytes]] = {}
    for number, shots in groupby(rebuild_entries.list_shots_of_several_batches(conn), key=lambda shot: shot.group_key):
        found |= {(batch_id, number): home for batch_id, home in plan_homes(list(shots))}
    return found


def plan_homes(shots: Sequence[Shot]) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    """(batch id, folder and key) for the batches that have only sidecars of a group. Manifests of other databases may
    number groups otherwise: the names must agree, too, and what came from the folder of the sidecars comes first."""
    media: dict[bytes, set[bytes]] = {}
    for shot in shots:
        if is_media(shot.origin):
            media.setdefault(_split(shot)[0], set()).add(_split(shot)[1])
    names = {folder: MediaNames(found) for folder, found in sorted(media.items())}
    with_media = {shot.batch_id for shot in shots if is_media(shot.origin)}
    for shot in shots:
        if shot.batch_id in with_media:
            continue
        own, sidecar = _split(shot)
        found = ((folder, _partner(sidecar, names[folder])) for folder in sorted(names, key=lambda one: one != own))
        home = next(((folder, group_key(photo)) for folder, photo in found if photo is not None), None)
        if home is not None:
            yield shot.batch_id, home


def _partner(sidecar: bytes, media: MediaNames) -> bytes | None:
    if suffix(sidecar) == TAKEOUT:
        return takeout_partner(sidecar, media)
    return next(iter(media.of_group(group_key(sidecar))), None)


def _split(shot: Shot) -> tuple[bytes, bytes]:
    folder, _, name = shot.origin.rpartition(b"/")
    return folder, name
