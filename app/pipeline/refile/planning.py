"""The plan: where each file of the archive belongs today, and which of them have to move for that.

First each group gets a folder and names; then, folder by folder, groups take turns as when they are sorted, and those
that come later give way by a suffix. So the tree is the one that sorting the library anew would make.
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
from app.pipeline.placing import Placed, Target, place_group
from app.pipeline.refile.ground import FolderGround
from app.pipeline.step import StepContext
from app.services import Services

#: Groups looked at between two questions to the database.
AT_A_TIME = 500
#: Entries written in one transaction.
WRITTEN = 5_000

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
                    filed.add(_filed(looks, group, filing))
            plan.done += sum(map(len, part))
            plan.step.safe_point(plan.done, plan.done)


def _filed(looks: Looks, group: Sequence[Asset], filing: Filing) -> list[FiledFile]:
    first, stays = group[0], ""
    if any(_path(filing.folder, name) != asset.path for asset, name in zip(group, filing.names, strict=True)):
        stays = next((f"{_shown(asset)}: {why}" for asset in group if (why := _hindrance(looks, asset))), "")
    return [
        FiledFile(
            asset.id, group_key(asset), first.taken_local or "", first.origin_path or first.path, first.id, number,
            filing.folder, name, filing.needs_review, asset.path.rpartition(b"/")[0], asset.path, asset.status.value,
            asset.size_bytes, stays,
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
            filing = Filing(folder, bool(group[0].needs_review), tuple(file.name for file in group))
            placed = place_group(ground, group, filing)
            entries += [_moving(one) for one in placed if one.target is not Target.OWN]
        if len(entries) >= WRITTEN:
            _write(plan, entries)
            entries = []
        plan.step.safe_point(plan.done, plan.done)
    _write(plan, entries)


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
