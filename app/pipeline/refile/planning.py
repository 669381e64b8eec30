"""The plan: where each file of the archive belongs today, and which of them have to move for that.

First each group gets a folder and names; then, folder by folder, groups take turns as when they are sorted, and those
that come later give way by a suffix. What lies in its folder under its own names keeps the suffix that it got, whoever
came first. So the tree is the one that sorting the library anew would make, but for who of equals has which number;
the numbers of a name pattern are ranks, and given anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from app.db import refile_entries
from app.db.archived_groups import Scope, list_archived_groups
from app.db.connection import Database
from app.db.filed_files import FiledFile, FiledFiles
from app.db.refile_entries import PLANNED, STAYS, Entry
from app.files.walk import Looks
from app.filing.numbering import group_key
from app.model import Asset, AssetStatus, RootKind
from app.pipeline.batch_plan import capture_order
from app.pipeline.filing import Filing, Places
from app.pipeline.naming import is_suffixed
from app.pipeline.placing import Placed, Target, place_group
from app.pipeline.refile.ground import FolderGround
from app.pipeline.step import StepContext
from app.services import Services

#: Groups looked at between two questions to the database.
AT_A_TIME = 500
#: Entries written in one transaction.
WRITTEN = 5_000
#: The turns of groups.
KEEPS, MOVES = 0, 1

GONE = "it is not there any more; `media-pipeline verify` finds out more"
CHANGED = "it was changed since it was archived; `media-pipeline verify` finds it, then `findings accept` it"
UNREADABLE = "it cannot be looked at"
UNHASHED = "its content was not read yet"


@dataclass
class Planning:
    """One plan: `rows` is where it reads what is, the real database or a copy; it is written into the real one."""

    services: Services
    step: StepContext
    rows: Database
    scope: Scope

    def __post_init__(self) -> None:
        self.archive = self.services.root(RootKind.ARCHIVE)
        config = self.services.config
        # What is not filed anew keeps its name, so that no group may get one that is like it.
        self.places = Places(self.rows, self.archive, config, None if self.scope.is_narrow else config.sorter)
        self.done = 0


def make_plan(plan: Planning) -> None:
    """Write what has to move, and what cannot, as entries of this run, in place of what it had planned before."""
    run_id = plan.step.run_id
    with plan.services.db.transaction() as conn:
        refile_entries.begin(conn, run_id, plan.archive.id)
    filed = FiledFiles()
    try:
        _file_all(plan, filed)
        filed.end_adding()
        _write(plan, [_staying(file) for file in filed.list_staying()])
        _place_all(plan, filed)
    finally:
        filed.close()


# --- which folder, which names


def _file_all(plan: Planning, filed: FiledFiles) -> None:
    looks = Looks(plan.archive)
    with plan.rows.reading() as conn:
        groups = list_archived_groups(conn, plan.archive.id, plan.scope)
        while part := [sorted(group, key=capture_order) for group in islice(groups, AT_A_TIME)]:
            filings = plan.places.choose_all(part)
            with looks:
                for group, filing in zip(part, filings, strict=True):
                    filed.add(_filed(looks, group, filing, _turn(plan, group, filing)))
            plan.done += sum(map(len, part))
            plan.step.safe_point(plan.done, plan.done)


def _turn(plan: Planning, group: Sequence[Asset], filing: Filing) -> int:
    """First those that keep their names, so that nobody else gets them."""
    folders, names = zip(*(_split(asset.path) for asset in group), strict=True)
    is_here = set(folders) == {filing.folder} and not plan.places.are_ranked
    rules = plan.places.given.rules
    return KEEPS if is_here and is_suffixed(filing.names, names, rules.limit_bytes) else MOVES


def _split(path: bytes) -> tuple[bytes, bytes]:
    folder, _, name = path.rpartition(b"/")
    return folder, name


def _filed(looks: Looks, group: Sequence[Asset], filing: Filing, turn: int) -> list[FiledFile]:
    first, stays = group[0], ""
    paths = [_path(filing.folder, name) for name in filing.names]
    if turn == MOVES and paths != [asset.path for asset in group]:
        stays = next((f"{_shown(asset)}: {why}" for asset in group if (why := _hindrance(looks, asset))), "")
    return [
        FiledFile(
            asset.id, group_key(asset), turn, first.taken_local or "", first.origin_path or first.path, first.id,
            number, filing.folder, name, filing.needs_review, asset.path.rpartition(b"/")[0], asset.path,
            asset.status.value, asset.size_bytes, stays,
        )
        for number, (asset, name) in enumerate(zip(group, filing.names, strict=True))
    ]  # fmt: skip


def _hindrance(looks: Looks, asset: Asset) -> str:
    """Why a file cannot move, as far as a look tells."""
    if asset.digest is None:
        return UNHASHED
    try:
        seen = looks.signature_at(asset.path)
    except OSError:
        return UNREADABLE
    if seen is None:
        return GONE
    return CHANGED if seen.size_bytes != asset.size_bytes else ""


def _shown(asset: Asset) -> str:
    return asset.path.rpartition(b"/")[2].decode("utf-8", "replace")


# --- which suffix


def _place_all(plan: Planning, filed: FiledFiles) -> None:
    rules, entries = plan.places.given.rules, list[Entry]()
    for folder, groups in filed.list_groups():
        ground = FolderGround(folder, rules.limit_bytes, portable=rules.portable)
        with plan.rows.reading() as conn:
            ground.take_up(conn, plan.archive, filed)
        for group in groups:
            if not _keeps(ground, group):
                filing = Filing(folder, bool(group[0].needs_review), tuple(file.name for file in group))
                placed = place_group(ground, group, filing)
                entries += [_moving(one) for one in placed if one.target is not Target.OWN]
        if len(entries) >= WRITTEN:
            _write(plan, entries)
            entries = []
        plan.step.safe_point(plan.done, plan.done)
    _write(plan, entries)


def _keeps(ground: FolderGround, group: Sequence[FiledFile]) -> bool:
    """Whether a group may keep its names and does, which no other may have under the rules for names of today."""
    if group[0].turn != KEEPS or any(ground.look(file, file.now_path)[0] is not Target.OWN for file in group):
        return False
    for file in group:
        ground.claim(file, file.now_path, Target.OWN)
    return True


def _write(plan: Planning, entries: Sequence[Entry]) -> None:
    for start in range(0, len(entries), WRITTEN):
        with plan.services.db.transaction() as conn:
            refile_entries.add(conn, plan.step.run_id, entries[start : start + WRITTEN])


def _moving(placed: Placed[FiledFile]) -> Entry:
    file, path = placed.file, placed.path
    after = AssetStatus.SET_ASIDE if file.needs_review else AssetStatus.ARCHIVED
    suffixed = path != _path(file.folder, file.name)
    return Entry(file.asset_id, file.group_key, file.size_bytes, file.now_folder, file.now_path, file.folder, path,
                 suffixed, after.value, PLANNED)


def _staying(file: FiledFile) -> Entry:
    return Entry(file.asset_id, file.group_key, file.size_bytes, file.now_folder, file.now_path, file.folder, None,
                 False, None, STAYS, file.stays)


def _path(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name
