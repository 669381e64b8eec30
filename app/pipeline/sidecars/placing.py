"""Writing one sidecar, and taking one away: the file first, then the row; never over a file of somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.db import accepted, assets, date_sidecars, made_folders, moves, present_names
from app.db.connection import Connection
from app.db.names import name_key
from app.errors import printable
from app.files import faults
from app.files.capture_time.choose import SIBLING
from app.files.capture_time.sidecar_writer import ENDING, names_of_others
from app.files.digest import Digests
from app.files.move import Move, Moved
from app.files.moving import SIDECAR, trash_place
from app.files.prune import remove_empty_folders
from app.files.walk import list_names
from app.model import Asset, AssetStatus, Place, Root
from app.pipeline.sidecars.wanted import Look, Wanted
from app.pipeline.step import StepContext
from app.services import Services

REMOVED = "It was a sidecar that this program wrote; it was replaced, or taken away with the decision that it told."
EDITED = "somebody has changed the one that lies there since it was written"


@dataclass(frozen=True)
class Done:
    """What came of it: sidecars written and taken away, and what stood in the way."""

    written: int = 0
    removed: int = 0
    obstacle: str = ""


class Placing:
    """Works in one archive, for one step."""

    def __init__(self, services: Services, step: StepContext, archive: Root) -> None:
        self.services, self.step, self.archive = services, step, archive
        self._names: dict[bytes, list[bytes]] = {}
        self._left: set[bytes] = set()

    def bring_about(self, look: Look) -> Done:
        """Take away what is not wanted, and write what is. Raises FileError (NoSpace among them), RootUnavailable."""
        removed = 0
        lying = look.lying if look.lying is not None else self._unknown_to_rows(look)
        if lying is not None and look.wanted is not None and _is_it(lying, look.wanted):
            return Done(written=1)
        if lying is not None and lying.sha256 not in (look.row.sha256, None):
            return Done(obstacle=EDITED)
        if lying is not None:
            self._take_away(look, lying)
            removed = 1
        if look.wanted is None:
            return Done(removed=removed)
        obstacle = self._in_the_way(look)
        if obstacle:
            return Done(removed=removed, obstacle=obstacle)
        self._write(look, look.wanted)
        return Done(written=1, removed=removed)

    def make_up(self, look: Look) -> None:
        """Write down what recovery did not know of a sidecar that was being taken away when the program stopped."""
        if look.gone is not None:
            with self.services.db.transaction() as conn:
                _note_taken(conn, look, look.gone)

    def prune_folders(self) -> None:
        """Folders of the archive that were made for files, and that the last sidecar has left."""
        if not self._left:
            return
        with self.services.db.reading() as conn:
            made = made_folders.choose(conn, self.archive.id, self._left)
        removed = remove_empty_folders(self.archive, made)
        with self.services.db.transaction() as conn:
            made_folders.forget(conn, self.archive.id, removed)

    # --- what is there

    def _unknown_to_rows(self, look: Look) -> Asset | None:
        """What was written before a crash, with a row made for it now; None when there is no such file."""
        row, wanted = look.row, look.wanted
        path = wanted.path if wanted is not None else look.subject.path + ENDING
        place = Place(self.archive, path)
        if row.sha256 is None or self.services.disk.signature_at(place) is None:
            return None
        with self.services.db.reading() as conn:
            if assets.find_at(conn, self.archive.id, path) is not None:
                return None
        found = self._digest(place)
        if found.sha256 not in (row.sha256, wanted.sha256 if wanted is not None else row.sha256):
            return None
        with self.services.db.transaction() as conn:
            return self._insert(conn, look.subject, path, found)

    def _in_the_way(self, look: Look) -> str:
        folder, _, name = look.subject.path.rpartition(b"/")
        if folder not in self._names:
            self._names[folder] = self._list_names(look.subject)
        others = names_of_others(name)
        found = next((other for other in self._names[folder] if other.lower() in others), None)
        return f"it has a sidecar already: {printable(found)}" if found is not None else ""

    def _list_names(self, subject: Asset) -> list[bytes]:
        try:
            return list_names(self.archive, subject.path.rpartition(b"/")[0])
        except OSError as error:
            raise faults.of_file(error, "look beside", Place(self.archive, subject.path)) from error

    def _digest(self, place: Place) -> Digests:
        return self.services.disk.full_digest(place, self.services.config.dedup.hash_algorithm)

    # --- writing

    def _write(self, look: Look, wanted: Wanted) -> None:
        with self.services.db.transaction() as conn:
            date_sidecars.intend(conn, look.subject.id, wanted.sha256)
        place = Place(self.archive, wanted.path)
        self.services.disk.write_new_file(place, wanted.data)
        found = self._digest(place)
        with self.services.db.transaction() as conn:
            self._insert(conn, look.subject, wanted.path, found)
        self._names.pop(wanted.path.rpartition(b"/")[0], None)

    def _insert(self, conn: Connection, subject: Asset, path: bytes, found: Digests) -> Asset:
        """An archived file of the same group. It comes from beside its photo, so that it is called like that."""
        asset_id = accepted.insert_archived(
            conn, (self.archive.id, path), found.signature, subject.group_id, digest=found.digest,
            algorithm=self.services.config.dedup.hash_algorithm, sha256=found.sha256,
        )  # fmt: skip
        origin = (subject.origin_path or subject.path) + ENDING
        columns = {
            "origin_root_id": subject.origin_root_id or self.archive.id, "origin_path": origin,
            "name": name_key(origin), "taken_at": subject.taken_at, "taken_local": subject.taken_local,
            "taken_from": SIBLING, "inspected_at": subject.inspected_at,
        }  # fmt: skip
        assets.set_columns(conn, [(asset_id, columns)])
        present_names.note(conn, [(asset_id, origin, path)])
        date_sidecars.adopt(conn, subject.id, asset_id, found.sha256)
        return assets.get(conn, asset_id)

    # --- taking away

    def _take_away(self, look: Look, lying: Asset) -> None:
        """Into our trash, if it still is what we wrote. Raises SourceChanged when it is not."""
        move = Move(lying, Place(self.archive, lying.path), trash_place(self.archive, lying.id), SIDECAR,
                    AssetStatus.GONE)  # fmt: skip

        def settle(conn: Connection, done: Sequence[Moved]) -> None:
            for one in done:
                _note_taken(conn, look, one.move.asset)

        moved = self.services.disk.move_files(
            self.services.db, [move], run_id=self.step.run_id, settle=settle
        )[0]
        if moved.error is not None:
            raise moved.error
        folder = lying.path.rpartition(b"/")[0]
        self._names.pop(folder, None)
        while folder:
            self._left.add(folder)
            folder = folder.rpartition(b"/")[0]


def _note_taken(conn: Connection, look: Look, taken: Asset) -> None:
    """It lies in our trash, where it is kept for some days; one that went another way is only forgotten."""
    if moves.note_in_trash(conn, [taken.id], SIDECAR):
        assets.set_columns(conn, [(taken.id, {"reason": REMOVED})])
    date_sidecars.forget(conn, look.subject.id)


def _is_it(lying: Asset, wanted: Wanted) -> bool:
    return (lying.path, lying.sha256) == (wanted.path, wanted.sha256)
