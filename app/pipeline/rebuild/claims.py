"""Who may be the owner of a content: a line of a manifest, a row from before, or both; and which file each gets.

Every content is decided by itself. Its owners pick their files in a fixed order of ways, the surest first; what is
left over are copies that were kept, duplicates, or files that nobody knew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.db.rebuild_entries import Entry
from app.db.rebuild_files import Sighting
from app.files.kinds import group_stem
from app.model import Asset, BatchStatus, RootKind
from app.pipeline.rebuild.areas import ARCHIVED, IN_BATCH, Area
from app.pipeline.rebuild.batch_verdicts import BatchVerdict


@dataclass(frozen=True, slots=True)
class Claim:
    """One owner of a content. `row_kind` is the kind of root that the row's place lies under."""

    entry: Entry | None = None
    batch: BatchVerdict | None = None
    row: Asset | None = None
    row_kind: RootKind | None = None

    @property
    def origin(self) -> bytes:
        """Where the file came from, below ingest; empty when nobody knows."""
        if self.entry is not None:
            return self.entry.origin
        return (self.row.origin_path or b"") if self.row is not None else b""

    @property
    def batch_path(self) -> bytes:
        """Where the file lies while it is in its batch; empty when it is in none."""
        if self.entry is None or self.batch is None:
            return b""
        return self.batch.name.encode("utf-8", "surrogateescape") + b"/" + self.entry.path

    @property
    def is_taken_back(self) -> bool:
        """Whether its file went back to where it came from, or never left."""
        return self.batch is not None and self.batch.status is BatchStatus.CANCELLED

    @property
    def has_gone_on(self) -> bool:
        """Whether the file ever left ingest, as far as is known."""
        return self.entry is not None or self.row_kind in (RootKind.ARCHIVE, RootKind.BATCH, RootKind.STAGING)


@dataclass(frozen=True, slots=True)
class Modes:
    """How files are passed on: by moving them, or by copying them and keeping what was copied."""

    batch_copies: bool = False
    sort_copies: bool = False


#: What an owner looks for, and what a file answers to; None is no answer. Equal keys find each other.
Key = tuple[object, ...] | None


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which owners and files find each other."""

    of_claim: Callable[[Claim], Key]
    of_file: Callable[[Sighting], Key]
    #: By content alone; not good enough for files without content.
    is_loose: bool = False


def _in(areas: Iterable[Area], key: Callable[[Sighting], Key]) -> Callable[[Sighting], Key]:
    wanted = frozenset(areas)
    return lambda file: key(file) if file.area in wanted else None


def _place_in_open_batch(claim: Claim) -> Key:
    is_open = claim.batch is not None and claim.batch.is_open
    return (claim.batch_path,) if is_open and claim.batch_path else None


def _row_place(claim: Claim) -> Key:
    return (claim.row.root_id, claim.row.path) if claim.row is not None else None


def _row_place_when_back(claim: Claim) -> Key:
    return _row_place(claim) if claim.is_taken_back else None


def _origin_when_back(claim: Claim) -> Key:
    return (claim.origin,) if claim.is_taken_back and claim.origin else None


def _row_place_in_archive(claim: Claim) -> Key:
    return _row_place(claim) if claim.row_kind is RootKind.ARCHIVE else None


def _stem(name: bytes) -> bytes:
    """The stem without the number that an archive puts behind it when the name is taken."""
    stem, ending = group_stem(name), name[len(group_stem(name)) :]
    head, _, tail = stem.rpartition(b"_")
    return (head if head and tail.isdigit() else stem).lower() + b"\0" + ending.lower()


def _base(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]


def _anything(gone_on_only: bool) -> Callable[[Claim], Key]:
    return lambda claim: () if claim.has_gone_on or not gone_on_only else None


#: What went back is not in the archive, even when another file there holds the same.
BY_RETURN: tuple[Way, ...] = (
    Way(_row_place_when_back, lambda file: (file.root_id, file.path)),
    Way(_origin_when_back, _in([Area.INGEST], lambda file: (file.path,))),
)
BY_FOLDER: tuple[Way, ...] = (Way(_place_in_open_batch, _in(IN_BATCH, lambda file: (file.path,))),)
BY_ARCHIVE: tuple[Way, ...] = (
    Way(_row_place_in_archive, _in(ARCHIVED, lambda file: (file.root_id, file.path))),
    Way(
        lambda claim: (_stem(_base(claim.origin)),) if claim.has_gone_on and claim.origin else None,
        _in(ARCHIVED, lambda file: (_stem(_base(file.path)),)),
    ),
    Way(_anything(gone_on_only=True), _in(ARCHIVED, lambda file: ()), is_loose=True),
)
BY_REST: tuple[Way, ...] = (
    Way(_row_place, lambda file: (file.root_id, file.path)),
    Way(lambda claim: (claim.batch_path,) if claim.batch_path else None, _in(IN_BATCH, lambda file: (file.path,))),
    Way(lambda claim: (claim.batch_path,) if claim.batch_path else None, _in([Area.DUPLICATES], lambda f: (f.path,))),
    Way(lambda claim: (claim.origin,) if claim.origin else None, _in([Area.INGEST], lambda file: (file.path,))),
    Way(lambda claim: (claim.origin,) if claim.origin else None, _in([Area.DUPLICATES], lambda file: (file.path,))),
    Way(_anything(gone_on_only=False), _in(IN_BATCH, lambda file: ()), is_loose=True),
    Way(_anything(gone_on_only=False), _in(ARCHIVED, lambda file: ()), is_loose=True),
    Way(_anything(gone_on_only=False), _in([Area.INGEST], lambda file: ()), is_loose=True),
    Way(_anything(gone_on_only=False), _in([Area.DUPLICATES], lambda file: ()), is_loose=True),
    Way(_anything(gone_on_only=False), _in([Area.TRASH], lambda file: ()), is_loose=True),
    Way(_anything(gone_on_only=False), _in([Area.TEMPORARY], lambda file: ()), is_loose=True),
)


def ways(modes: Modes) -> tuple[Way, ...]:
    """The ways in their order. A batch that is archived by moving still owns what lies in its folder, also when a
    copy of it has reached the archive: the move was cut off. One that is archived by copying is done with it."""
    first = (*BY_ARCHIVE, *BY_FOLDER) if modes.sort_copies else (*BY_FOLDER, *BY_ARCHIVE)
    return (*BY_RETURN, *first, *BY_REST)


@dataclass(frozen=True)
class Assigned:
    """Which owner got which file, the owners that got none, and the files that nobody took."""

    pairs: list[tuple[Claim, Sighting]]
    lost: list[Claim]
    spare: list[Sighting]


def assign(claims: Sequence[Claim], files: Sequence[Sighting], modes: Modes) -> Assigned:
    """Give every owner one file, the surest way first."""
    waiting, spare = list(claims), list(files)
    pairs: list[tuple[Claim, Sighting]] = []
    for way in ways(modes):
        if not waiting or not spare:
            break
        if way.is_loose and files[0].size_bytes == 0:
            continue
        found = _match(way, waiting, spare)
        taken_claims, taken_files = {id(claim) for claim, _ in found}, {file.id for _, file in found}
        waiting = [claim for claim in waiting if id(claim) not in taken_claims]
        spare = [file for file in spare if file.id not in taken_files]
        pairs += found
    return Assigned(pairs, waiting, spare)


def _match(way: Way, claims: Sequence[Claim], files: Sequence[Sighting]) -> list[tuple[Claim, Sighting]]:
    offered: dict[tuple[object, ...], list[Sighting]] = {}
    for file in reversed(files):
        key = way.of_file(file)
        if key is not None:
            offered.setdefault(key, []).append(file)
    found = []
    for claim in claims:
        key = way.of_claim(claim)
        if key is not None and offered.get(key):
            found.append((claim, offered[key].pop()))
    return found
