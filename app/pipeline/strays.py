"""Sidecars that come later than a file which was parted from the group of its name: they go to where it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.db import groups
from app.db.connection import Connection
from app.files.capture_time.sidecars import OF_FILMS
from app.files.kinds import MEDIA_SUFFIXES, VIDEO_SUFFIXES, group_stem, suffix
from app.files.walk import is_media
from app.filing.group_values import came_as
from app.model import Asset


def find_strays(conn: Connection, group_id: int, group: Sequence[Asset], gone_on: Sequence[Asset]) -> dict[int, int]:
    """By sidecar of a group that is called after a photo or film which is not in it, the group beside it that has
    this one; those of which no group is known stay."""
    called = {a.id: wanted for a in group if not is_media(a.path) and (wanted := _called_after(came_as(a)))}
    here = {name for asset in (*group, *gone_on) for name in _known_as(came_as(asset))} if called else set()
    missing = {asset_id: name for asset_id, name in called.items() if name not in here}
    if not missing:
        return {}
    found = groups.list_parted(conn, group_id)
    parted = dict(sorted((name, other) for other, whole in found for name in _known_as(whole)))
    return {asset_id: parted[name] for asset_id, name in missing.items() if name in parted}


def _called_after(sidecar: bytes) -> bytes:
    """The whole name of a photo or film with which a sidecar's name begins, or the stem of the film whose it is; empty
    when there is none."""
    whole = next((name for name in beginnings(sidecar) if suffix(name) in MEDIA_SUFFIXES), b"")
    return whole or (_film(group_stem(sidecar)) if suffix(sidecar) in OF_FILMS else b"")


def _known_as(name: bytes) -> tuple[bytes, ...]:
    return (name, _film(group_stem(name))) if suffix(name) in VIDEO_SUFFIXES else (name,)


def _film(stem: bytes) -> bytes:
    """What stands for any film of this stem: no file is called so."""
    return stem.lower() + b"/"


def beginnings(name: bytes) -> Iterator[bytes]:
    """The name without its last ending, without its last two, and so on."""
    while name := name.rpartition(b".")[0]:
        yield name
