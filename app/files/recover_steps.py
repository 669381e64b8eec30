"""Acting on the decision for one unfinished file, with the same steps as a move that was never cut off."""

from __future__ import annotations

import dataclasses
import os

from sqlalchemy import Connection

from app.db import assets, journal, moves
from app.db.connection import Database
from app.db.moves import Ending, MoveRow
from app.errors import RootUnavailable, printable
from app.files import faults, publish
from app.files.directory import Folders, look, signature_of, split
from app.files.finish import finish
from app.files.moving import COPY, Group, Move, OpenMove
from app.files.prepare import sync_file
from app.files.recover_decide import Act, Decision, decide
from app.files.recover_facts import Facts, Places, gather, places_of
from app.files.trash import TAKEN_AWAY, take_sources
from app.model import ASSET_CHANGES, Asset, AssetStatus, MoveState, Place, Root, Signature

#: More acts than this on one row mean that someone keeps changing the facts.
ACTS_AT_MOST = 6

ENDS = {Act.ABORT: MoveState.ABORTED, Act.QUARANTINE: MoveState.QUARANTINE}


class RowInRecovery:
    """One unfinished move of a file, being finished or undone."""

    def __init__(
        self, db: Database, folders: Folders, row: MoveRow, known: dict[int, Root], trash_roots: dict[int, Root]
    ) -> None:
        self._db, self._folders, self._row, self._trash_roots = db, folders, row, trash_roots
        self._places: Places = places_of(row, known)

    def recover(self) -> MoveState:
        """Act until the row is closed. Raises RootUnavailable when the system gives no certain answer."""
        for _ in range(ACTS_AT_MOST):
            facts = gather(self._folders, self._row, self._places)
            decision = decide(self._row, facts)
            try:
                end = self._act(decision, facts)
            except FileExistsError:
                end = self._end(Decision(Act.QUARANTINE, f"{decision.why}, but that name was taken", True))
            except OSError as error:
                raise faults.of_root(error, self._places.target.root) from error
            if end is not None:
                return end
        return self._end(Decision(Act.QUARANTINE, "what is on disk kept changing", True))

    def _act(self, decision: Decision, facts: Facts) -> MoveState | None:
        places = self._places
        match decision.act:
            case Act.DROP_TEMP if places.temp is not None:
                self._remove(places.temp)
            case Act.DROP_PLACEHOLDER:
                folder, name = self._open(places.target)
                publish.remove_placeholder(folder, name, facts.target.inode)
                self._folders.changed(places.target.root, split(places.target)[0])
            case Act.PUT_TARGET_BACK:
                self._put_back(places.target)
            case Act.PUT_TRASH_BACK if places.trash is not None:
                self._put_back(places.trash)
            case Act.TAKE | Act.ACCEPT:
                return self._complete(decision, facts)
            case _:
                return self._end(decision)
        self._folders.flush()
        return None

    def _open(self, place: Place) -> tuple[int, bytes]:
        folder, name = split(place)
        return self._folders.open(place.root, folder), name

    def _remove(self, own: Place) -> None:
        folder, name = self._open(own)
        os.unlink(name, dir_fd=folder)
        self._folders.changed(own.root, split(own)[0])

    def _put_back(self, place: Place) -> None:
        source = self._places.source
        to = self._folders.make(source.root, split(source)[0])
        folder, name = self._open(place)
        publish.put_back(folder, name, to, split(source)[1])
        self._folders.changed(place.root, split(place)[0])
        self._folders.changed(source.root, split(source)[0])

    def _complete(self, decision: Decision, facts: Facts) -> MoveState:
        with self._db.reading() as conn:
            asset = assets.find(conn, self._row.asset_id) if self._row.asset_id is not None else None
            held = moves.holders(conn, self._row.dst_root_id, [self._row.dst_path])
        if asset is None:
            return self._end(Decision(Act.QUARANTINE, "its asset has no row", True))
        holder = held.get(self._row.dst_path, asset.id)
        if self._row.places_asset and holder != asset.id:
            act = Act.ABORT if facts.source.right and self._row.state is MoveState.PLANNED else Act.QUARANTINE
            return self._end(Decision(act, f"the target is the place of asset {holder}", act is Act.QUARANTINE))
        begun = self._open_move(asset, facts)
        if decision.act is Act.TAKE and begun.method not in TAKEN_AWAY:
            begun.method = COPY
        group = Group(self._db, self._folders, self._row.run_id, self._row.batch_id, self._trash_roots, set(), [begun])
        self._make_target_durable(group, begun)
        if decision.act is Act.TAKE:
            take_sources(group)
        begun.note = begun.note or f"recovered: {decision.why}"
        finish(group, lambda conn, _done: self._tell_finished(conn, decision))
        return MoveState.DONE

    def _open_move(self, asset: Asset, facts: Facts) -> OpenMove:
        """The move as it was when it was cut off. The asset is taken as its row is now, the digest as planned."""
        row, places = self._row, self._places
        as_planned = dataclasses.replace(asset, digest=row.digest, digest_algorithm=row.digest_algorithm)
        move = Move(
            as_planned,
            places.source,
            places.target,
            row.purpose,
            _legal(asset, row.status_after),
            row.keep_source,
            row.places_asset,
        )
        method = row.method or (publish.RENAME if facts.source.absent else COPY)
        begun = OpenMove(move, row.tmp_name or b"", row.id, method=method)
        begun.split_paths()
        begun.trashed = facts.trash.right and not facts.trash.same_file(facts.target)
        if facts.source.right:
            begun.source = self._signature(places.source)
        if facts.trash.same_file(facts.target) and row.method == publish.LINK and places.trash is not None:
            self._remove(places.trash)
        return begun

    def _signature(self, place: Place) -> Signature | None:
        folder, name = self._open(place)
        seen = look(folder, name)
        return signature_of(seen) if seen is not None else None

    def _make_target_durable(self, group: Group, begun: OpenMove) -> None:
        folder, name = self._open(self._places.target)
        sync_file(folder, name)
        group.touched(self._places.target)
        if begun.source is not None or self._row.state is MoveState.PLANNED:
            group.touched(self._places.source)
        group.folders.flush()
        begun.placed = self._signature(self._places.target)
        if begun.placed is None:
            target = self._places.target.root
            raise RootUnavailable(target.kind.value, target.path, "a file vanished while it was being recovered")

    def _tell_finished(self, conn: Connection, decision: Decision) -> None:
        target = printable(self._places.target.absolute)
        self._record(conn, "move.recovered", f"An interrupted move to {target} was finished: {decision.why}.", "info")

    def _end(self, decision: Decision) -> MoveState:
        state = ENDS[decision.act]
        source = printable(self._places.source.absolute)
        words = f"An interrupted move of {source} was undone: {decision.why}."
        kind = "move.recovered"
        if state is MoveState.QUARANTINE:
            kind, words = "move.quarantined", f"An interrupted move of {source} needs a look: {decision.why}."
        with self._db.transaction() as conn:
            moves.close(conn, [Ending(self._row.id, state, self._row.method, self._row.dst_inode, False, decision.why)])
            self._record(conn, kind, words, "error" if decision.alarm else "info")
        return state

    def _record(self, conn: Connection, kind: str, words: str, level: str) -> None:
        row = self._row
        journal.record(
            conn,
            kind,
            words,
            level=level,
            run_id=row.run_id,
            batch_id=row.batch_id,
            asset_id=row.asset_id,
            detail={"move_id": row.id, "purpose": row.purpose},
        )


def _legal(asset: Asset, status_after: str | None) -> AssetStatus | None:
    """The planned status, unless the asset's row was changed meanwhile so that it may not become that."""
    if status_after is None:
        return None
    status = AssetStatus(status_after)
    return status if status == asset.status or status in ASSET_CHANGES[asset.status] else None
