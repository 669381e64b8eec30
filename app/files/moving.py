"""The values of a move: what is asked for, what came of it, and what is known while it is under way."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Literal

from app.db.connection import Database
from app.errors import MediaPipelineError
from app.files.directory import Folders, split
from app.model import Asset, AssetStatus, MoveState, Place, Root, RootKind, Signature

Outcome = Literal["moved", "already_there", "failed"]

TRASH_FOLDER = b".mp-trash"
#: In staging: where holds lie, a folder for each batch.
HOLDS_FOLDER = b".mp-holds"
TEMP_PREFIX, TEMP_SUFFIX = b".mp-", b".part"

#: Words in moves.method, beside those of publish.py.
COPY, SAME_CONTENT, SECOND_NAME = "copy", "same_content", "second_name"

#: The purpose of moves that give a file a second name where nobody else reaches it; see holds.py.
HOLD = "hold"
#: The purpose of moves that take a sidecar which we wrote to our trash.
SIDECAR = "sidecar"


@dataclass(frozen=True)
class Move:
    """One file to bring from one place to another.

    `asset` must carry its digest, and the signature under which that was computed. With `keep_source` the file
    is copied. With `places_asset` off the asset's own place and status stay as they are (a delivered copy).
    """

    asset: Asset
    source: Place
    target: Place
    purpose: str
    status_after: AssetStatus | None
    keep_source: bool = False
    places_asset: bool = True

    @property
    def is_hold(self) -> bool:
        """Whether the target becomes a second name of the source, which stays as it is."""
        return self.purpose == HOLD


@dataclass(frozen=True)
class Moved:
    """What came of a move. `signature` is that of the file at its target; `error` says why one failed."""

    move: Move
    outcome: Outcome
    signature: Signature | None = None
    error: MediaPipelineError | None = None


@dataclass
class OpenMove:
    """A move under way: everything the steps find out about it."""

    move: Move
    temp: bytes
    row_id: int = 0
    source: Signature | None = None
    method: str | None = None
    placed: Signature | None = None
    state: MoveState = MoveState.PLANNED
    outcome: Outcome = "moved"
    error: MediaPipelineError | None = None
    note: str | None = None
    trash: Place | None = None
    trashed: bool = False
    source_kept: bool = False
    source_folder: bytes = b""
    source_name: bytes = b""
    target_folder: bytes = b""
    target_name: bytes = b""

    @property
    def expected(self) -> tuple[str, str]:
        """(digest, algorithm) of the content."""
        asset = self.move.asset
        return asset.digest or "", asset.digest_algorithm or "blake3"

    def split_paths(self) -> None:
        """Take both paths apart. Raises OutsideRoot."""
        self.source_folder, self.source_name = split(self.move.source)
        self.target_folder, self.target_name = split(self.move.target)

    def fail(self, error: MediaPipelineError, state: MoveState = MoveState.ABORTED) -> None:
        """End this move here; the others go on."""
        self.error, self.outcome, self.state, self.note = error, "failed", state, str(error)

    @property
    def failed(self) -> bool:
        """Whether it ended without reaching its target."""
        return self.outcome == "failed"

    def result(self) -> Moved:
        """What the caller is told."""
        return Moved(self.move, self.outcome, None if self.failed else self.placed, self.error)


@dataclass
class Group:
    """A few dozen moves that share their commits, and what they are done with.

    `flushed` has the devices that were flushed since the first of all these files was asked for.
    """

    db: Database
    folders: Folders
    run_id: int | None
    batch_id: int | None
    trash_roots: dict[int, Root]
    flushed: set[int]
    moves: list[OpenMove] = field(default_factory=list)

    def going_on(self) -> list[OpenMove]:
        """The moves that have not failed."""
        return [m for m in self.moves if not m.failed]

    def source_dir(self, moving: OpenMove) -> int:
        """The source's folder, open."""
        return self.folders.open(moving.move.source.root, moving.source_folder)

    def target_dir(self, moving: OpenMove) -> int:
        """The target's folder, open, made when it was missing."""
        return self.folders.make(moving.move.target.root, moving.target_folder)

    def both_touched(self, moving: OpenMove) -> None:
        """Note that the folders of source and target have to be flushed."""
        self.folders.changed(moving.move.target.root, moving.target_folder)
        self.folders.changed(moving.move.source.root, moving.source_folder)

    def touched(self, place: Place) -> None:
        """Note that the folder of this place has to be flushed."""
        self.folders.changed(place.root, split(place)[0])


def temp_names(count: int) -> list[bytes]:
    """Short private names for files that are not complete yet, different for all time."""
    start = secrets.token_hex(12)
    return [TEMP_PREFIX + f"{start}{n:08x}".encode() + TEMP_SUFFIX for n in range(count)]


def choose_trash_roots(roots: list[Root]) -> dict[int, Root]:
    """Which root keeps the trash of which: its own, but staging keeps that of the batch folder beside or around it.

    So nothing of ours lies inside a folder that Syncthing watches.
    """
    chosen = {root.id: root for root in roots}
    for batch in (r for r in roots if r.kind == RootKind.BATCH):
        base = batch.path.rstrip(b"/")
        homes = (base.rpartition(b"/")[0] + b"/.mp-staging", base + b"/.mp-staging")
        for staging in (r for r in roots if r.kind == RootKind.STAGING and r.path.rstrip(b"/") in homes):
            chosen[batch.id] = staging
    return chosen


def trash_place(root: Root, row_id: int) -> Place:
    """Where a source is kept for some days after it was copied; another place at every call."""
    return Place(root, TRASH_FOLDER + b"/" + _trash_name(row_id))


def trash_beside(source: Place, row_id: int) -> Place:
    """The trash of a source whose root's trash lies on another mount."""
    folder = split(source)[0]
    return Place(source.root, (folder + b"/" if folder else b"") + b".mp-trash-" + _trash_name(row_id))


def _trash_name(row_id: int) -> bytes:
    """Different for all time: ids begin anew with a database, and a former one may have left trash under each."""
    return b"%d-%s" % (row_id, secrets.token_hex(8).encode())
