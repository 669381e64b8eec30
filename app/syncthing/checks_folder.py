"""Checks of the folder in Syncthing: its state, marker, type, place, ignore patterns, errors and room."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from app.config.schema import Config
from app.errors import SyncthingRefused, printable
from app.model.counting import counted, size_in_words
from app.syncthing import ignores, place, troubles
from app.syncthing.answers import FolderView, effective_lines
from app.syncthing.client import SyncthingClient
from app.syncthing.examination import FAULT, OK, WARNING, Check, Examination, OurFiles, of_trouble
from app.syncthing.patterns import first_hit, read_patterns
from app.syncthing.place import MISPLACED_FIX, misplaced_words
from app.syncthing.proof import prefix_in_folder, sendable_name

#: So many files are named in one sentence.
NAMED = 5
#: So many files that a pattern seems to hit, and so many others, are asked of Syncthing.
ASKED = 50
UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000, "t": 1_000_000_000_000}


def check_folder(
    client: SyncthingClient, config: Config, folder: FolderView, batch_dir: bytes, ours: OurFiles, found: Examination
) -> Iterator[Check]:
    """Everything about the folder itself; of a paused one, what the configuration alone tells."""
    status = None if folder.paused else client.folder_status(folder.id)
    found.facts["folder"], found.facts["folder_status"] = asdict(folder), status
    yield from _state_checks(folder, status)
    yield type_check(folder)
    seen = place.seen_path(config, batch_dir)
    prefix = prefix_in_folder(os.path.realpath(os.fsencode(folder.path)), seen)
    if folder.paused:
        yield path_check(folder, batch_dir, None)
        return
    if ours.place_marker:
        yield _place_check(folder, place.is_same_place(client, config, folder, batch_dir, ours.place_marker))
    else:
        yield path_check(folder, batch_dir, _known_files(client, folder, prefix, ours.files[:NAMED]))
    yield _ignores_check(client, folder, prefix, ours, found)
    yield _errors_check(client, folder, found)
    yield room_check(folder, batch_dir)


def _state_checks(folder: FolderView, status: Mapping[str, Any] | None) -> Iterator[Check]:
    fault = troubles.folder_trouble(folder, status)
    is_marker = fault is not None and fault.code == "marker_missing"
    if fault is None or fault.code == "folder_type":  # which the check of the type tells
        yield Check("syncthing folder", OK, f"The folder {folder.id} is there, running, and without errors.")
    elif not is_marker:
        yield of_trouble("syncthing folder", fault)
    if fault is not None and is_marker:
        yield of_trouble("syncthing marker", fault)
    elif status is not None:
        yield Check("syncthing marker", OK, f"The marker {folder.marker_name} is in the folder.")


def type_check(folder: FolderView) -> Check:
    """Whether what the peer does can harm our files, or nothing is sent at all."""
    name = "syncthing folder type"
    if folder.type == "sendonly":
        return Check(name, OK, "The folder is Send Only: nothing that happens at the peer touches your files.")
    if folder.type == "sendreceive":
        cause = "The folder is Send & Receive: what the peer deletes or edits before a batch is archived is deleted "
        return Check(name, WARNING, f"{cause}here too.", "Make the folder Send Only in Syncthing.")
    cause = f"The folder is {folder.type or 'of no type'} in Syncthing, which sends nothing of yours."
    return Check(name, FAULT, cause, "Make the folder Send Only in Syncthing: Edit > Advanced > Folder Type.")


def path_check(folder: FolderView, batch_dir: bytes, known: bool | None) -> Check:
    """Whether Syncthing's folder is the place of batch_dir; `known`: whether it knows files of ours there."""
    name, theirs, ours = "syncthing path", folder.path, os.fsdecode(batch_dir)
    resolved = os.path.realpath(os.fsencode(theirs))
    if resolved == batch_dir or prefix_in_folder(resolved, batch_dir):
        return Check(name, OK, f"{ours} lies in Syncthing's folder {theirs}.")
    if known:
        return Check(name, OK, f"{ours} is Syncthing's folder {theirs}, seen by another path: it knows your files.")
    cause = f"Syncthing's folder is {theirs}, paths.batch_dir is {ours}."
    fix = "Right when two containers see one place under two paths; otherwise correct one of them. The pairing test "
    return Check(name, WARNING, cause, f"{fix}or the first delivery tells: Syncthing must know its files.")


def _place_check(folder: FolderView, is_same: bool) -> Check:
    if is_same:
        return Check("syncthing path", OK, f"Syncthing sees the batch folder in its folder {folder.path}.")
    return Check("syncthing path", FAULT, misplaced_words(folder), MISPLACED_FIX)


def _known_files(client: SyncthingClient, folder: FolderView, prefix: bytes, files: Sequence[bytes]) -> bool | None:
    names = [name for name in (sendable_name(prefix + path) for path in files) if name is not None]
    return any(client.file(folder.id, name) is not None for name in names) if names else None


def _ignores_check(
    client: SyncthingClient, folder: FolderView, prefix: bytes, ours: OurFiles, found: Examination
) -> Check:
    name = "syncthing ignore patterns"
    try:
        lines = [line.strip() for line in client.ignores(folder.id)]
    except SyncthingRefused as error:
        return Check(name, FAULT, str(error), "Correct the folder's ignore patterns in Syncthing.")
    hiding = [batch for batch in ours.undelivered if ignores.line_for(prefix, batch) in lines]
    if hiding:
        line = ignores.line_for(prefix, hiding[0])
        return of_trouble(name, troubles.left_over_line(folder.id, line))
    own = {*ignores.own_lines(prefix), *(ignores.line_for(prefix, batch) for batch in ours.batch_names)}
    foreign = [line for line in lines if line and line not in own and not line.startswith("//")]
    if not foreign:
        return Check(name, OK, "No ignore pattern of yours is in the way.")
    hits = _hits(client, folder, prefix, ours.files, own)
    found.facts["ignored_files"] = hits
    return _hit_check(hits) if hits else _harmless_check(foreign)


def _hit_check(hits: Sequence[Mapping[str, str | None]]) -> Check:
    lines = sorted({str(hit["pattern"]) for hit in hits if hit["pattern"]})
    named = ", ".join(str(hit["path"]) for hit in hits[:NAMED])
    by = f" by {', '.join(lines[:NAMED])}, as it seems" if lines else ""
    many = counted(len(hits), "file", "files")
    cause = f"Syncthing ignores {many} of a batch that is being delivered{by}: {named}."
    return Check("syncthing ignore patterns", FAULT, cause, "Change the pattern in Syncthing: Edit > Ignore Patterns.")


def _harmless_check(foreign: Sequence[str]) -> Check:
    many = counted(len(foreign), "ignore pattern", "ignore patterns")
    cause = f"The folder has {many} of yours; a file that one of them hits is never delivered."
    return Check("syncthing ignore patterns", WARNING, cause, "Look them through in Syncthing: Edit > Ignore Patterns.")


def _hits(
    client: SyncthingClient, folder: FolderView, prefix: bytes, files: Sequence[bytes], own: set[str]
) -> list[dict[str, str | None]]:
    """Files of ours that Syncthing ignores: what it says itself, or does not know and a pattern seems to hide."""
    expanded = client.ask("db/ignores", effective_lines, {"folder": folder.id})
    patterns = read_patterns(line for line in expanded if line.removesuffix("/**") not in own)
    named = {path: name for path in files if (name := sendable_name(prefix + path)) is not None}
    suspects = [path for path, name in named.items() if first_hit(patterns, name)]
    others = [path for path in named if path not in set(suspects)]
    hits = []
    for path in [*suspects[:ASKED], *others[:ASKED]]:
        view, line = client.file(folder.id, named[path]), first_hit(patterns, named[path])
        if (view is None and line) or (view is not None and view.ignored):
            hits.append({"path": printable(path), "pattern": line})
    return hits


def _errors_check(client: SyncthingClient, folder: FolderView, found: Examination) -> Check:
    errors = client.folder_errors(folder.id)
    found.facts["folder_errors"] = [{"path": path, "reason": reason} for path, reason in sorted(errors.items())[:ASKED]]
    if not errors:
        return Check("syncthing folder errors", OK, "Syncthing could read every file.")
    named = "; ".join(f"{path}: {reason}" for path, reason in sorted(errors.items())[:NAMED])
    many = counted(len(errors), "file", "files")
    cause = f"Syncthing could not handle {many}: {named}."
    return Check("syncthing folder errors", WARNING, cause, "Correct the permissions or names of these files.")


def room_check(folder: FolderView, batch_dir: bytes) -> Check:
    """The room where the batches lie, beside what Syncthing wants to be left free there."""
    name = "syncthing room"
    try:
        disk = os.statvfs(batch_dir)
    except OSError as error:
        cause = f"The free space of {os.fsdecode(batch_dir)} cannot be read: {error.strerror}."
        return Check(name, WARNING, cause, "Mount the folder again.")
    free, size = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    wanted = wanted_free_bytes(folder.min_disk_free, folder.min_disk_free_unit, size)
    cause = f"{size_in_words(free)} are free at {os.fsdecode(batch_dir)}; Syncthing wants {size_in_words(int(wanted))}."
    if free < wanted:
        return Check(name, WARNING, cause, "Make room, or lower the folder's Minimum Free Disk Space in Syncthing.")
    return Check(name, OK, cause)


def wanted_free_bytes(value: float, unit: str, disk_bytes: int) -> float:
    """Syncthing's `minDiskFree` in bytes: a share of the disk, or a size in units of a thousand."""
    if unit.strip() == "%":
        return disk_bytes * value / 100
    return value * UNITS.get(unit.strip().lower()[:1], 1)
