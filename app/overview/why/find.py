"""Which asset a person means: by id, by where it is, by where it was, by its bare name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from app.db import assets, kept_copies, past_places, roots
from app.db.names import name_key
from app.model import Asset, AssetStatus, Root

#: So many files of one name are told of.
TWINS = 10

IS_HERE = ""
IS_COPY = "{path} is the copy that stayed when the file was copied on; this is the story of that file."
WAS_HERE = "The file that was at {path} is meant; this is its story."
CAME_SO = "{path} is the name that it came with; it is called otherwise now."

#: Of several files, people mean the one that their library has, then what becomes part of it; what only repeats
#: another one, or is gone, they hardly ever mean.
STANDINGS = (
    (AssetStatus.ARCHIVED,),
    (AssetStatus.BATCHED, AssetStatus.DELIVERED),
    (AssetStatus.DISCOVERED, AssetStatus.UNIQUE),
    (AssetStatus.FAILED, AssetStatus.SET_ASIDE),
    (AssetStatus.DUPLICATE, AssetStatus.GONE),
)

#: An asset, and how what was said leads to it.
Found = tuple[Asset, str]


class Match(NamedTuple):
    """An asset that is meant, how what was said leads to it (empty when it is simply that file), what was said, and
    whether that can be no other file: its id, or where it lies."""

    asset: Asset
    relation: str
    named: bytes
    is_exact: bool = False

    @property
    def is_past(self) -> bool:
        """Whether it was only once what it was called here."""
        return self.relation in (WAS_HERE, CAME_SO)

    @property
    def rank(self) -> tuple[bool, bool, bool, int]:
        """The likelier it is meant, the smaller."""
        standing = next(n for n, alike in enumerate(STANDINGS) if self.asset.status in alike)
        is_spelled_so = os.path.basename(self.asset.path) == os.path.basename(self.named)
        return not self.is_exact, standing == len(STANDINGS) - 1, self.is_past or not is_spelled_so, standing


def find_matches(conn: Connection, meant: Sequence[bytes], folder: bytes | None) -> list[Match]:
    """The assets that are meant by one of these names, the likeliest first, none twice: what lies just there, then what
    is archived, on its way, or waits, what is called so now before what once was, and duplicates last."""
    found: dict[int, Match] = {}
    every = [match for named in meant for match in _matches(conn, named, folder)]
    for match in sorted(every, key=lambda match: match.rank):
        found.setdefault(match.asset.id, match)
    return list(found.values())


def _matches(conn: Connection, named: bytes, folder: bytes | None) -> list[Match]:
    exact = _here(roots.list_all(conn), named, folder)
    by_id = [Match(asset, relation, named, is_exact=True) for asset, relation in _by_id(conn, named)]
    found = [*_by_place(conn, named, folder), *_by_name(conn, named)]
    return by_id + [
        Match(asset, relation, named, (asset.root_id, asset.path) in exact)
        for asset, relation in found
    ]


def _here(known: list[Root], named: bytes, folder: bytes | None) -> set[tuple[int, bytes]]:
    """The places that a path means when it does not leave open in which folder it begins."""
    if not os.path.isabs(named) and folder is None:
        return set()
    path = os.path.normpath(os.path.join(folder or b"", named))
    return {(root.id, inside) for root, inside in _inside(known, path)}


def places_of(conn: Connection, named: bytes, folder: bytes | None) -> list[tuple[Root, bytes]]:
    """(root, path in it) of every place that a path may mean."""
    known = roots.list_all(conn)
    if os.path.isabs(named):
        spelled = os.path.normpath(named)
        resolved = os.path.join(os.path.realpath(os.path.dirname(spelled)), os.path.basename(spelled))
        return _inside(known, spelled) or _inside(known, resolved)
    here = _inside(known, os.path.normpath(os.path.join(folder, named))) if folder is not None else []
    relative = os.path.normpath(named)
    anywhere = [] if relative == b".." or relative.startswith(b"../") else [(root, relative) for root in known]
    return here + [place for place in anywhere if place not in here]


def name_twins(conn: Connection, named: bytes) -> list[Asset]:
    """Assets whose file has the same name, wherever they are."""
    name = os.path.basename(os.path.normpath(named))
    return [asset for asset, _ in _named(conn, name)]


def _inside(known: list[Root], path: bytes) -> list[tuple[Root, bytes]]:
    """Deepest root first: staging may lie in the batch folder."""
    held = [root for root in known if path.startswith(root.path.rstrip(b"/") + b"/")]
    return [(root, path[len(root.path.rstrip(b"/")) + 1 :]) for root in sorted(held, key=lambda r: -len(r.path))]


def _by_id(conn: Connection, named: bytes) -> list[Found]:
    if not named.isdigit() or len(named) > 18:
        return []
    asset = assets.find(conn, int(named))
    return [(asset, IS_HERE)] if asset else []


def _by_place(conn: Connection, named: bytes, folder: bytes | None) -> list[Found]:
    places = places_of(conn, named, folder)
    now: list[Found] = [(asset, IS_HERE) for root, path in places if (asset := assets.find_at(conn, root.id, path))]
    copies = [(asset, IS_COPY) for root, path in places for asset in _copied(conn, root.id, path)]
    if now or copies:
        return now + copies
    return [(asset, WAS_HERE) for root, path in places for asset in _once_at(conn, root.id, path)]


def _copied(conn: Connection, root_id: int, path: bytes) -> list[Asset]:
    return [assets.get(conn, asset_id) for _, asset_id, _ in kept_copies.list_at(conn, root_id, [path]).values()]


def _once_at(conn: Connection, root_id: int, path: bytes) -> list[Asset]:
    """Assets that came from a place, vanished from it, or were moved from or to it; the newest first."""
    return [assets.get(conn, asset_id) for asset_id in past_places.list_once_at(conn, root_id, path)]


def _by_name(conn: Connection, named: bytes) -> list[Found]:
    return [] if b"/" in named or named.isdigit() else _named(conn, named)


def _named(conn: Connection, name: bytes) -> list[Found]:
    """By the name that it has now, exactly, then with letter case put aside; then by the one that it came with."""
    found = [assets.get(conn, asset_id) for asset_id in past_places.list_called(conn, name, TWINS)]
    return [(asset, IS_HERE if name_key(asset.path) == name_key(name) else CAME_SO) for asset in found]
