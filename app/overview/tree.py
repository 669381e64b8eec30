"""The tree of the archive as a pattern makes it: how many files in which folder, of those that wait and those there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from app.config.patterns import pattern_problems
from app.config.schema import Config, Sorter
from app.db.connection import Connection
from app.db.dated_groups import count_undated, list_in_tree
from app.errors import ConfigError, Problem, printable
from app.filing.choose import choose_filing
from app.filing.places import Places
from app.model import Asset, AssetStatus, RootKind
from app.services import Services

Which = Literal["all", "waiting", "archived"]

WAITING = (AssetStatus.UNIQUE, AssetStatus.BATCHED, AssetStatus.DELIVERED)
STATUSES: Mapping[Which, tuple[AssetStatus, ...]] = {
    "all": (*WAITING, AssetStatus.ARCHIVED),
    "waiting": WAITING,
    "archived": (AssetStatus.ARCHIVED,),
}
#: Groups looked at between two questions to the database.
AT_A_TIME = 500
#: So many folders are listed; all are counted.
FOLDERS_SHOWN = 1_000
#: So many files are named with the path that they would get.
EXAMPLES = 5


@dataclass
class Counts:
    """What is in one folder of the tree and below it."""

    waiting: int = 0
    archived: int = 0
    #: Of those that are archived: how many lie in another folder now.
    elsewhere: int = 0
    size_bytes: int = 0


@dataclass
class _Tree:
    """The folders counted so far, cut at a depth, and those files of them that are shown."""

    archive_id: int
    depth: int
    folders: dict[bytes, Counts] = field(default_factory=dict)
    all: Counts = field(default_factory=Counts)

    def add(self, members: Sequence[Asset], folder: bytes) -> None:
        """Count a group in its folder."""
        shown = b"/".join(folder.split(b"/")[: self.depth])
        for counts in (self.folders.setdefault(shown, Counts()), self.all):
            for asset in members:
                self._count(counts, asset, folder)

    def _count(self, counts: Counts, asset: Asset, folder: bytes) -> None:
        counts.size_bytes += asset.size_bytes
        if asset.status is not AssetStatus.ARCHIVED:
            counts.waiting += 1
            return
        counts.archived += 1
        is_there = asset.root_id == self.archive_id and asset.path.rpartition(b"/")[0] == folder
        counts.elsewhere += not is_there


def archive_tree(
    services: Services, *, patterns: Mapping[str, str] | None = None, which: Which = "all", depth: int = 2
) -> dict[str, Any]:
    """The folders of the archive to a depth, with counts, by the settings in force or with others in their place.

    `patterns` may hold folder_pattern, name_pattern, language and safe_names. Nothing is written, nor looked for on
    disk: this is what the rows say. Raises ConfigError for patterns with faults.
    """
    settings = _settings(services.config, patterns or {})
    archive = services.root(RootKind.ARCHIVE)
    places = Places(services.db, archive, services.config, settings)
    tree = _Tree(archive.id, depth)
    shown: list[list[Asset]] = []
    with services.db.reading() as conn:
        for part in _parts(list_in_tree(conn, STATUSES[which])):
            _add(tree, conn, places, part)
            shown += part[: EXAMPLES - len(shown)]
        undated = count_undated(conn) if which != "archived" else 0
    return {
        "which": which,
        "depth": depth,
        **{name: getattr(settings, name) for name in ("folder_pattern", "name_pattern", "language", "safe_names")},
        **_as_json(tree.all),
        "undated": undated,
        "folder_count": len(tree.folders),
        "folders": [
            {"folder": printable(folder), **_as_json(counts)}
            for folder, counts in islice(sorted(tree.folders.items()), FOLDERS_SHOWN)
        ],
        "examples": list(_examples(places, shown)),
    }


def _settings(config: Config, patterns: Mapping[str, str]) -> Sorter:
    changed = config.sorter.model_copy(update=dict(patterns))
    problems = [p for p in pattern_problems(config.model_copy(update={"sorter": changed})) if _is_of(p, patterns)]
    if problems:
        raise ConfigError(problems)
    return changed


def _is_of(problem: Problem, patterns: Mapping[str, str]) -> bool:
    return problem.path.removeprefix("sorter.") in patterns


def _parts(groups: Iterable[list[Asset]]) -> Iterator[list[list[Asset]]]:
    iterator = iter(groups)
    while part := list(islice(iterator, AT_A_TIME)):
        yield part


def _add(tree: _Tree, conn: Connection, places: Places, groups: Sequence[list[Asset]]) -> None:
    """Folders alone are asked for: names, which take more looking, change none of them."""
    settings = places.settings.model_copy(update={"name_pattern": ""})
    circumstances = places.circumstances(conn, [asset for group in groups for asset in group])
    for group in groups:
        tree.add(group, choose_filing(group, settings, circumstances).folder)


def _examples(places: Places, groups: Sequence[list[Asset]]) -> Iterator[dict[str, str]]:
    for group, filing in zip(groups, places.choose_all(groups), strict=True):
        asset, name = group[0], filing.names[0]
        target = filing.folder + b"/" + name if filing.folder else name
        yield {"came_as": printable(asset.origin_path or asset.path), "goes_to": printable(target)}


def _as_json(counts: Counts) -> dict[str, int]:
    return {
        "files": counts.waiting + counts.archived,
        "waiting": counts.waiting,
        "archived": counts.archived,
        "elsewhere": counts.elsewhere,
        "size_bytes": counts.size_bytes,
    }
