"""The first steps of a group: is each source the file that was hashed, is it durable, may its intent be written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from sqlalchemy import Connection

from app.db import moves
from app.db.moves import Intent
from app.errors import FileError, RootUnavailable, SourceChanged, TargetExists
from app.files import content, faults, syscalls
from app.files.directory import READ_FLAGS, is_regular, look, signature_of
from app.files.moving import Group, OpenMove
from app.model import ASSET_CHANGES, Place, RootKind, Signature

#: Files under these roots were placed, and made durable, by us.
DURABLE_ROOTS = (RootKind.STAGING, RootKind.BATCH)

#: More sources than this are made durable by one syncfs instead of an fsync each.
FSYNC_SINGLY_AT_MOST = 2

try:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as _file:
        BOOT_ID = _file.read().strip()
except OSError:
    BOOT_ID = ""


def attempt(moving: OpenMove, verb: str, target: Place | None, step: Callable[..., None], *arguments: object) -> None:
    """Do one step for one file: what concerns only this file ends this move, all else is raised."""
    try:
        step(*arguments)
    except FileError as error:
        moving.fail(error)
    except OSError as error:
        told = faults.of_file(error, verb, moving.move.source, target)
        if isinstance(told, RootUnavailable):
            raise told from error
        moving.fail(told)


def check_sources(group: Group) -> None:
    """Every source must be a plain file that still holds what was hashed; every target folder is made."""
    for moving in group.moves:
        attempt(moving, "move", None, _check_source, group, moving)
    for moving in group.going_on():
        attempt(moving, "move", moving.move.target, _check_target, group, moving)


def _check_source(group: Group, moving: OpenMove) -> None:
    refuse_impossible(moving)
    if not accept_source(moving, look(group.source_dir(moving), moving.source_name)):
        _hash_again(group, moving)


def refuse_impossible(moving: OpenMove) -> None:
    """End a move that cannot be made, whatever is on disk. Raises FileError, OutsideRoot among them."""
    source = moving.move.source
    moving.split_paths()
    if moving.move.asset.digest is None:
        raise FileError("move", source.absolute, "its content was not hashed yet")
    if source == moving.move.target:
        raise FileError("move", source.absolute, "it is there already")


def accept_source(moving: OpenMove, seen: os.stat_result | None) -> bool:
    """Note what is at the source; False when its content has to be read before it is believed to be what was hashed.

    Raises SourceChanged when there is nothing, FileError when it is no plain file.
    """
    source = moving.move.source
    if seen is None:
        raise SourceChanged("move", source.absolute, "it is no longer there")
    if not is_regular(seen):
        raise FileError("move", source.absolute, "it is not a plain file but a link, folder, pipe, socket or device")
    moving.source = signature_of(seen)
    return moving.source == moving.move.asset.signature


def _hash_again(group: Group, moving: OpenMove) -> None:
    algorithm = moving.expected[1]
    accept_content(moving, lambda: content.read_digest(group.source_dir(moving), moving.source_name, algorithm))
    sync_file(group.source_dir(moving), moving.source_name)


def accept_content(moving: OpenMove, read: Callable[[], tuple[str, Signature] | None]) -> None:
    """Another signature may only mean a remount, a new mode or one more hard link: the content decides."""
    found = None
    if moving.source is not None and moving.source.size_bytes == moving.move.asset.size_bytes:
        found = read()
    if found is None or found[0] != moving.expected[0]:
        raise SourceChanged("move", moving.move.source.absolute, "it changed after it was hashed")
    moving.source = found[1]


def _check_target(group: Group, moving: OpenMove) -> None:
    group.target_dir(moving)


def make_sources_durable(group: Group) -> None:
    """A file that arrived a moment ago may be in memory only; a crash after our rename must not empty it.

    One flush of a file system covers all files that still have the signature with which they were asked for.
    """
    fresh = [m for m in group.going_on() if not m.move.keep_source and m.move.source.root.kind not in DURABLE_ROOTS]
    few = len(fresh) <= FSYNC_SINGLY_AT_MOST
    for moving in fresh:
        attempt(moving, "read", None, _sync_once, group, moving, few)


def _sync_once(group: Group, moving: OpenMove, few: bool) -> None:
    device = moving.source.device if moving.source else 0
    if device in group.flushed:
        return
    fd = group.source_dir(moving)
    if not few and syscalls.one_flush_is_enough(fd):
        syscalls.flush_file_system(fd)
        group.flushed.add(device)
    else:
        _sync_one(group, moving)


def _sync_one(group: Group, moving: OpenMove) -> None:
    sync_file(group.source_dir(moving), moving.source_name)


def sync_file(folder: int, name: bytes) -> None:
    """Make one file's content durable."""
    fd = os.open(name, READ_FLAGS, dir_fd=folder)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_intents(group: Group) -> None:
    """One commit: a PLANNED row for every move that may begin."""
    with group.db.transaction() as conn:
        refuse_conflicts(conn, group.going_on())
        going = group.going_on()
        ids = moves.plan(conn, [_intent(group, m) for m in going], BOOT_ID)
    for moving, row_id in zip(going, ids, strict=True):
        moving.row_id = row_id


def _intent(group: Group, moving: OpenMove) -> Intent:
    move, source = moving.move, moving.source
    assert source is not None
    digest, algorithm = moving.expected
    return Intent(
        purpose=move.purpose,
        run_id=group.run_id,
        batch_id=group.batch_id,
        asset_id=move.asset.id,
        is_directory=False,
        keep_source=move.keep_source,
        places_asset=move.places_asset,
        src_root_id=move.source.root.id,
        src_path=move.source.path,
        dst_root_id=move.target.root.id,
        dst_path=move.target.path,
        tmp_name=moving.temp,
        digest=digest,
        digest_algorithm=algorithm,
        size_bytes=source.size_bytes,
        src_device=source.device,
        src_inode=source.inode,
        src_mtime_ns=source.mtime_ns,
        method=None,
        status_after=move.status_after.value if move.status_after else None,
    )


def refuse_conflicts(conn: Connection, begun: Iterable[OpenMove]) -> None:
    """End moves whose asset was changed meanwhile, or whose target place belongs to another asset's row."""
    placing = [m for m in begun if m.move.places_asset]
    now = moves.standing(conn, [m.move.asset.id for m in placing])
    for moving in placing:
        asset, after = moving.move.asset, moving.move.status_after
        status = now[asset.id][0] if asset.id in now else None
        legal = after is None or after == asset.status or after in ASSET_CHANGES[asset.status]
        if status != asset.status or not legal:
            moving.fail(SourceChanged("move", moving.move.source.absolute, f"its asset is {status} meanwhile"))
    for root_id in {m.move.target.root.id for m in placing}:
        _refuse_held(conn, [m for m in placing if m.move.target.root.id == root_id], root_id)


def _refuse_held(conn: Connection, placing: list[OpenMove], root_id: int) -> None:
    held = moves.holders(conn, root_id, [m.move.target.path for m in placing])
    for moving in placing:
        holder = held.get(moving.move.target.path)
        if holder is not None and holder != moving.move.asset.id:
            source, target = moving.move.source.absolute, moving.move.target.absolute
            moving.fail(TargetExists("move", source, f"the target is the place of asset {holder}", target))
