"""The disk as stages see it: the one way by which they change media, and the looks that decide where files go.

There are two. `MEDIA` is the real one. A preview plays the same stages on an imagined one (imagined.py), which reads
media and changes nothing. A stage that changed media past `Services.disk` would change it in a preview as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.db.connection import Database
from app.errors import NoSpace
from app.files import move, move_directory, own_files, roots, twins
from app.files.digest import Digests, full_digest
from app.files.finish import Settle
from app.files.move import AfterGroup, Move, Moved
from app.files.move_directory import SettleFolder
from app.files.walk import Looks, signature_at
from app.model import Place, Root, Signature


class Disk(Protocol):
    """What a stage may do with files. Each promises what the function of the same name promises."""

    def move_files(
        self,
        db: Database,
        moves: Sequence[Move],
        *,
        run_id: int | None,
        batch_id: int | None = None,
        settle: Settle | None = None,
        after_group: AfterGroup | None = None,
    ) -> list[Moved]:
        """As app/files/move.py."""

    def move_directory(
        self,
        db: Database,
        source: Place,
        target: Place,
        *,
        run_id: int | None,
        batch_id: int,
        purpose: str,
        settle: SettleFolder,
    ) -> None:
        """As app/files/move_directory.py."""

    def write_new_file(self, place: Place, data: bytes) -> None:
        """As app/files/own_files.py."""

    def remove_own_file(self, place: Place) -> None:
        """As app/files/own_files.py."""

    def signature_at(self, place: Place) -> Signature | None:
        """As app/files/walk.py."""

    def looks(self, root: Root) -> Looks:
        """Many `signature_at` under one root."""

    def readable_at(self, place: Place) -> Place:
        """Where a reader finds what lies at a place: there, or where the content of an imagined disk lies really."""

    def full_digest(self, place: Place, algorithm: str) -> Digests:
        """As app/files/digest.py."""

    def compare_bytes(self, original: Place, duplicate: Place) -> None:
        """As app/files/twins.py."""

    def share_room(self, original: Place, duplicate: Place) -> int:
        """As app/files/twins.py."""

    def free_bytes(self, root: Root) -> int:
        """As app/files/roots.py."""

    def refuse(self, error: NoSpace) -> None:
        """There is too little room for a whole batch: raises the error; an imagined disk notes it and goes on."""


class MediaDisk:
    """The real disk."""

    move_files = staticmethod(move.move_files)
    write_new_file = staticmethod(own_files.write_new_file)
    looks = staticmethod(Looks)
    full_digest = staticmethod(full_digest)
    compare_bytes = staticmethod(twins.compare_bytes)
    share_room = staticmethod(twins.share_room)
    free_bytes = staticmethod(roots.free_bytes)

    def move_directory(
        self,
        db: Database,
        source: Place,
        target: Place,
        *,
        run_id: int | None,
        batch_id: int,
        purpose: str,
        settle: SettleFolder,
    ) -> None:
        """Rename a folder that we made."""
        move_directory.move_directory(
            db, source, target, run_id=run_id, batch_id=batch_id, purpose=purpose, settle=settle
        )

    def remove_own_file(self, place: Place) -> None:
        """Remove a small file of ours."""
        own_files.remove_own_file(place)

    def signature_at(self, place: Place) -> Signature | None:
        """The signature of the file at a place."""
        return signature_at(place.root, place.path)

    def readable_at(self, place: Place) -> Place:
        """The place itself."""
        return place

    def refuse(self, error: NoSpace) -> None:
        """Raise it."""
        raise error


MEDIA: Disk = MediaDisk()
