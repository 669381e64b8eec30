"""What deciding about dates has led to, or would: how many files, from which date and folder to which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from app.db.capture_records import CaptureRecord
from app.errors import printable
from app.filing.choose import choose_filing
from app.filing.group_values import Circumstances
from app.filing.places import Places
from app.model import Asset, RootKind
from app.model.counting import counted
from app.services import Services

#: So many changes are shown, so many refused files are named.
SHOWN = 10


@dataclass
class Decided:
    """What was decided, or would be: how many files have another date now, and where they are. `elsewhere` are those in
    the archive that lie in another folder than the one that their date leads to now, `sidecars` those beside which an
    XMP file is to lie."""

    action: str
    value: str
    dry_run: bool
    files: int = 0
    waiting: int = 0
    in_archive: int = 0
    elsewhere: int = 0
    refused: int = 0
    sidecars: int = 0
    decided_at: str | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)

    def in_words(self) -> str:
        """A sentence or two."""
        words = f"{counted(self.files, 'file', 'files')} {self._what_happens()}"
        if self.elsewhere:
            lie = "would then lie" if self.dry_run else "lie" if self.elsewhere != 1 else "lies"
            words += f"; {self.elsewhere:,} of them {lie} in the archive under the date of before"
        return words + (f"; {self.refused:,} refused." if self.refused else ".") + self._who_tells_others()

    def _who_tells_others(self) -> str:
        if not self.sidecars:
            return ""
        beside = "it" if self.sidecars == self.files == 1 else f"{self.sidecars:,} of them"
        writes = "would write" if self.dry_run else "writes"
        return f" The service {writes} an XMP file beside {beside}, as soon as that is in the archive."

    def _what_happens(self) -> str:
        if self.action == "undo":
            told = "it tells by itself" if self.files == 1 else "they tell by themselves"
            return f"{'would get' if self.dry_run else 'got'} the date back that {told}"
        have = "would have" if self.dry_run else "has" if self.files == 1 else "have"
        return f"{have} the date that was decided"


@dataclass(frozen=True)
class Dating:
    """One group before and after; `target` is the member that is shown, `was_weak` and `is_weak` whether its date was
    and is doubtful."""

    target: Asset
    before: Sequence[Asset]
    after: Sequence[Asset]
    was_weak: bool
    is_weak: bool = False


def is_weak(members: Sequence[Asset], records: Mapping[int, CaptureRecord]) -> bool:
    """Whether the date of a group is doubtful by what was recorded of its members."""
    return any(asset.id in records and records[asset.id].confidence == "weak" for asset in members)


def tell(services: Services, told: Decided, datings: Sequence[Dating], refused: Sequence[tuple[Asset, str]]) -> Decided:
    """Fill in what became of these groups, and of the files about which nothing could be decided."""
    folders = _Folders(services, [asset for dating in datings for asset in dating.before])
    told.files = sum(len(dating.before) for dating in datings)
    told.in_archive = sum(folders.is_archived(asset) for dating in datings for asset in dating.before)
    told.waiting = told.files - told.in_archive
    told.elsewhere = sum(1 for dating in datings for _ in folders.left_behind(dating))
    told.changes = [_change(folders, dating) for dating in datings[:SHOWN]]
    told.refused = len(refused)
    told.refusals = [{"id": a.id, "path": printable(a.path), "reason": reason} for a, reason in refused[:SHOWN]]
    return told


class _Folders:
    """The folders of groups in the archive, by the settings in force."""

    def __init__(self, services: Services, assets: Sequence[Asset]) -> None:
        # Names, which take more looking, change no folder.
        self._settings = services.config.sorter.model_copy(update={"name_pattern": ""})
        archive = services.root(RootKind.ARCHIVE)
        places = Places(services.db, archive, services.config, self._settings)
        self._archive_id = archive.id
        with services.db.reading() as conn:
            self._given = places.circumstances(conn, assets)

    def is_archived(self, asset: Asset) -> bool:
        return asset.root_id == self._archive_id

    def before(self, dating: Dating) -> bytes:
        """Where the target lies in the archive; of one that is not there, where it would have gone."""
        if self.is_archived(dating.target):
            return dating.target.path.rpartition(b"/")[0]
        return choose_filing(dating.before, self._settings, self._of(dating.before, dating.was_weak)).folder

    def after(self, dating: Dating) -> bytes:
        return choose_filing(dating.after, self._settings, self._of(dating.after, dating.is_weak)).folder

    def left_behind(self, dating: Dating) -> Iterator[Asset]:
        """Those in the archive that lie elsewhere than where their date leads to now."""
        archived = [asset for asset in dating.before if self.is_archived(asset)]
        if archived:
            folder = self.after(dating)
            yield from (asset for asset in archived if asset.path.rpartition(b"/")[0] != folder)

    def _of(self, members: Sequence[Asset], weak: bool) -> Circumstances:
        return replace(self._given, weak_ids={asset.id for asset in members} if weak else frozenset())


def _change(folders: _Folders, dating: Dating) -> dict[str, Any]:
    target = dating.target
    after = next(asset for asset in dating.after if asset.id == target.id)
    return {
        "id": target.id,
        "path": printable(target.path),
        "before": target.taken_local,
        "after": after.taken_local,
        "zone_before": _offset(target),
        "zone_after": _offset(after),
        "instant_before": target.taken_at,
        "instant_after": after.taken_at,
        "folder_before": printable(folders.before(dating)),
        "folder_after": printable(folders.after(dating)) if after.taken_local else None,
        "with": [printable(one.path) for one in dating.before if one.id != target.id][:SHOWN],
    }


def _offset(asset: Asset) -> str | None:
    """How far the clock by which the date is told is ahead of UTC, as in +09:00."""
    if asset.taken_local is None or asset.taken_at is None:
        return None
    local = datetime.fromisoformat(asset.taken_local).replace(tzinfo=UTC)
    minutes = round((local - datetime.fromisoformat(asset.taken_at)).total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
