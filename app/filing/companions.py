"""The sidecars that are those of one photo or film of a group, and of none beside it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from app.files.kinds import suffix
from app.files.walk import is_media
from app.filing.group_values import came_as, kind_rank
from app.model import Asset

#: What cameras write beside their films, under the stem alone.
OF_FILMS = frozenset((b"thm", b"lrv", b"srt"))


def companions_of(asset: Asset, group: Sequence[Asset]) -> list[Asset]:
    """Those that are called after its whole name; with the only film of a group what cameras write beside films."""
    name, films = came_as(asset), [a for a in group if kind_rank(came_as(a)) == 1]
    is_only_film = [a.id for a in films] == [asset.id]
    return [
        a for a in group if not is_media(came_as(a))
        and (came_as(a).startswith(name + b".") or (is_only_film and suffix(came_as(a)) in OF_FILMS))
    ]  # fmt: skip
