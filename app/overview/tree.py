"""The tree of the archive as a pattern makes it: how many files in which folder, of those that wait and those there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from app.config.filing_fields import FOLDER_FIELDS
from app.config.pattern_parts import read_pattern
from app.config.patterns import pattern_problems
from app.config.schema import Config, Sorter
from app.db.connection import Connection
from app.db.dated_groups import Dated, count_undated, list_dates, list_first, list_in_tree
from app.errors import ConfigError, Problem, printable
from app.filing.choose import EARLIEST_YEAR, choose_filing
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
#: So much of a capture time makes the folder, when the pattern has no field for a time of day: its day.
DAY, SECOND = 10, 19
TIMES_OF_DAY = frozenset({"hour", "minute", "second"})
#: Groups looked at between two questions to the database.
AT_A_TIME = 500
#: Moments whose folders are remembered.
MOMENTS = 100_000
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


class _Tree:
    """The folders counted so far, cut at a depth."""

    def __init__(self, archive_id: int, depth: int) -> None:
        self.folders: dict[bytes, Counts] = {}
        self._archive_id, self._depth = archive_id, depth
        self._shown: dict[bytes, Counts] = {}

    @property
    def all(self) -> Counts:
        """All folders together."""
        total = Counts()
        for counts in self.folders.values():
            for name, value in vars(counts).items():
                setattr(total, name, getattr(total, name) + value)
        return total

    def add(self, folder: bytes, file: Asset | Dated) -> None:
        """Count a file that goes to a folder."""
        counts = self._shown.get(folder)
        if counts is None:
            shown = b"/".join(folder.split(b"/")[: self._depth])
            counts = self._shown[folder] = self.folders.setdefault(shown, Counts())
        counts.size_bytes += file.size_bytes
        if file.status != AssetStatus.ARCHIVED:
            counts.waiting += 1
            return
        counts.archived += 1
        if file.root_id != self._archive_id or file.path.rpartition(b"/")[0] != folder:
            counts.elsewhere += 1


def archive_tree(
    services: Services, *, patterns: Mapping[str, str] | None = None, which: Which = "all", depth: int = 2
) -> dict[str, Any]:
    """The folders of the archive to a depth, with counts, by the settings in force or with others in their place.

    `patterns` may hold folder_pattern, name_pattern, language and safe_names. Nothing is written, nor looked for on
    disk: this is what the rows say. Raises ConfigError for patterns with faults.
    """
    settings = settings_with(services.config, patterns or {})
    archive = services.root(RootKind.ARCHIVE)
    places = Places(services.db, archive, services.config, settings)
    tree = _Tree(archive.id, depth)
    count = _count_by_date if places.are_by_date else _count_by_group
    with services.db.reading() as conn:
        count(tree, conn, places, STATUSES[which])
        shown = list_first(conn, STATUSES[which], EXAMPLES)
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


def settings_with(config: Config, patterns: Mapping[str, str]) -> Sorter:
    """The settings in force with other patterns in their place. Raises ConfigError for patterns with faults."""
    changed = config.sorter.model_copy(update=dict(patterns))
    problems = [p for p in pattern_problems(config.model_copy(update={"sorter": changed})) if _is_of(p, patterns)]
    if problems:
        raise ConfigError(problems)
    return changed


def _is_of(problem: Problem, patterns: Mapping[str, str]) -> bool:
    return problem.path.removeprefix("sorter.") in patterns


def _count_by_date(tree: _Tree, conn: Connection, places: Places, statuses: Sequence[AssetStatus]) -> None:
    """A folder for each day or moment, chosen once; what no camera can have taken is looked at file by file."""
    today = places.given.today.isoformat()
    known: dict[tuple[str, str | None], bytes] = {}
    used = read_pattern(places.settings.folder_pattern, FOLDER_FIELDS).fields
    length = SECOND if used & TIMES_OF_DAY else DAY
    for page in list_dates(conn, statuses):
        for row in page:
            key = (row.taken_local[:length], row.taken_from)
            folder = known.get(key)
            if folder is None:
                folder = _folder_by_date(places, row)
                if str(EARLIEST_YEAR) <= row.taken_local[:10] <= today and len(known) < MOMENTS:
                    known[key] = folder
            tree.add(folder, row)


def _folder_by_date(places: Places, row: Dated) -> bytes:
    asset = Asset(0, row.root_id, row.path, AssetStatus(row.status), row.size_bytes, row.mtime_ns, 0, 0, 0,
                  taken_local=row.taken_local, taken_from=row.taken_from)  # fmt: skip
    return choose_filing([asset], places.settings, places.given).folder


def _count_by_group(tree: _Tree, conn: Connection, places: Places, statuses: Sequence[AssetStatus]) -> None:
    """Folders alone are asked for: names, which take more looking, change none of them."""
    settings = places.settings.model_copy(update={"name_pattern": ""})
    groups = list_in_tree(conn, statuses)
    while part := list(islice(groups, AT_A_TIME)):
        circumstances = places.circumstances(conn, [asset for group in part for asset in group])
        for group in part:
            folder = choose_filing(group, settings, circumstances).folder
            for asset in group:
                tree.add(folder, asset)


def _examples(places: Places, shown: Sequence[Asset]) -> Iterator[dict[str, str]]:
    for asset, filing in zip(shown, places.choose_all([[asset] for asset in shown]), strict=True):
        target = filing.folder + b"/" + filing.names[0] if filing.folder else filing.names[0]
        yield {"came_as": printable(asset.origin_path or asset.path), "goes_to": printable(target)}


def _as_json(counts: Counts) -> dict[str, int]:
    return {
        "files": counts.waiting + counts.archived,
        "waiting": counts.waiting,
        "archived": counts.archived,
        "elsewhere": counts.elsewhere,
        "size_bytes": counts.size_bytes,
    }
