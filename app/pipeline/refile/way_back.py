"""The plan for taking a run back that filed the archive anew: each file to where it lay before that run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.db import moves, refile_entries
from app.db.archived_groups import list_by_id
from app.db.dated_groups import list_others
from app.db.refile_entries import PLANNED, STAYS, Entry
from app.errors import Conflict, printable
from app.files.walk import Looks
from app.filing.numbering import group_key
from app.model import Asset, AssetStatus, Root, RootKind
from app.pipeline.filing import REVIEW_FOLDER
from app.pipeline.naming import name_beside
from app.pipeline.refile.refiling import PURPOSE
from app.pipeline.step import StepContext
from app.services import Services

SLICE = 500
IN_ARCHIVE = (AssetStatus.ARCHIVED, AssetStatus.SET_ASIDE)
#: By asset id, where a run found a file and where it left it.
Ways = Mapping[int, tuple[bytes, bytes]]

ELSEWHERE = "it was moved again since that run, or is no longer in the archive"
TAKEN = "another file lies where it came from"


def plan_way_back(services: Services, step: StepContext, undone_run_id: int) -> None:
    """Write what goes back as entries of this run; what has gone elsewhere since stays, with its group.

    Raises Conflict when that run moved nothing.
    """
    archive = services.root(RootKind.ARCHIVE)
    with services.db.reading() as conn:
        ways = moves.list_ways(conn, undone_run_id, PURPOSE, archive.id)
        mine = moves.list_ways(conn, step.run_id, PURPOSE, archive.id)
    if not ways:
        raise Conflict(f"Run {undone_run_id} has filed nothing anew: there is nothing to take back.")
    at = {asset_id: (first, mine.get(asset_id, (last, last))[1]) for asset_id, (first, last) in ways.items()}
    with services.db.transaction() as conn:
        refile_entries.begin(conn, step.run_id, archive.id)
    ids = sorted(at)
    parted: dict[int, str] = {}
    entries: list[Entry] = []
    for start in range(0, len(ids), SLICE):
        with services.db.reading() as conn:
            found = list_by_id(conn, ids[start : start + SLICE])
            late = list_others(conn, list(found.values()))
        entries += _entries(archive, found.values(), at, parted)
        entries += _entries_of_late(archive, found.values(), (ways, mine), late)
        step.safe_point(start, len(ids))
    _hold_back_taken(services, archive, entries, parted)
    with services.db.transaction() as conn:
        refile_entries.add(conn, step.run_id, [_as_one(entry, parted) for entry in entries])


def _entries(
    archive: Root, found: Iterable[Asset], at: Ways, parted: dict[int, str]
) -> Iterator[Entry]:
    """What is not back yet, of what there still is; a file that is not where the run left it keeps its group there."""
    for asset in found:
        first, last = at[asset.id]
        if asset.status is AssetStatus.GONE or (asset.root_id == archive.id and asset.path == first):
            continue
        if (asset.root_id, asset.path) != (archive.id, last) or asset.status not in IN_ARCHIVE:
            parted.setdefault(group_key(asset), f"{printable(last)}: {ELSEWHERE}")
        yield _entry(asset, first)


def _entries_of_late(
    archive: Root, found: Iterable[Asset], both: tuple[Ways, Ways], late: Mapping[int, Sequence[Asset]]
) -> Iterator[Entry]:
    """What has come to a group since the run, and lies where the run left that, goes along under the group's names.

    `both`: the ways of that run, and of this one when it was cut off before."""
    ways, mine = both
    leads: dict[tuple[int, bytes], Asset] = {}
    for asset in sorted(found, key=lambda asset: (len(asset.path), asset.path)):
        if asset.status in IN_ARCHIVE and asset.root_id == archive.id:
            leads.setdefault((group_key(asset), ways[asset.id][1].rpartition(b"/")[0]), asset)
    for member in (member for members in late.values() for member in members if member.id not in ways):
        folder, _, name = mine.get(member.id, (member.path, b""))[0].rpartition(b"/")
        lead = leads.get((group_key(member), folder))
        if lead is None or member.root_id != archive.id or member.status not in IN_ARCHIVE:
            continue
        first, left_at = ways[lead.id]
        home, slash, first_name = first.rpartition(b"/")
        target = home + slash + name_beside(left_at.rpartition(b"/")[2], first_name, name)
        if target != member.path:
            yield _entry(member, target)


def _entry(asset: Asset, target: bytes) -> Entry:
    is_review = target.startswith(REVIEW_FOLDER + b"/")
    after = AssetStatus.SET_ASIDE if is_review else AssetStatus.ARCHIVED
    now_folder, folder = asset.path.rpartition(b"/")[0], target.rpartition(b"/")[0]
    return Entry(asset.id, group_key(asset), asset.size_bytes, now_folder, asset.path, folder, target, False,
                 after.value, PLANNED)


def _hold_back_taken(
    services: Services, archive: Root, entries: Sequence[Entry], parted: dict[int, str]
) -> None:
    """Groups stay of which another file has a place by now, unless that goes away itself."""
    going = {entry.from_path for entry in entries if entry.group_key not in parted}
    looks = Looks(archive)
    with looks:
        for entry in sorted(entries, key=lambda entry: entry.to_folder or b""):
            target = entry.to_path or b""
            if target not in going and _is_taken(looks, target):
                parted.setdefault(entry.group_key, f"{printable(target)}: {TAKEN}")


def _is_taken(looks: Looks, path: bytes) -> bool:
    try:
        return looks.signature_at(path) is not None
    except OSError:
        return False


def _as_one(entry: Entry, parted: Mapping[int, str]) -> Entry:
    if entry.group_key not in parted:
        return entry
    return entry._replace(to_path=None, status_after=None, state=STAYS, reason=parted[entry.group_key])
