"""Checks of the root folders: mounted, ours, writable, with room; and whether moves between them are renames."""

from __future__ import annotations

import os
from collections.abc import Iterator

from app.config.folders import lies_inside
from app.db import reference_files
from app.db import roots as root_rows
from app.errors import Problem, RootUnavailable, printable
from app.files.mounts import find_mount
from app.files.reference_roots import check_reference
from app.files.roots import check_roots, configured_roots, free_bytes, normal_path, preflight
from app.files.twins import can_share
from app.model import Root, RootKind
from app.model.counting import counted, size_in_words
from app.services import Services
from app.syncthing.checks import FAULT, OK, WARNING, Check

#: A root with less room than this deserves a warning; with a tenth of it nothing useful can be done.
LOW_ROOM_BYTES = 1_000_000_000

#: What a folder cannot do without; anything else that it cannot do has a slower or weaker way around it.
NEEDED = ("files cannot be written", "files cannot be renamed", "files cannot be removed", "only ")


def check_folders(services: Services) -> Iterator[Check]:
    """Every root folder, and those that the configuration names and nobody has set up."""
    roots = [root for of_kind in services.roots.values() for root in of_kind]
    for root in roots:
        yield from _root(services, root)
    yield from _nested(roots)
    yield from _references(services)
    yield from _sharing(services)
    known = {(root.kind, root.path) for root in roots}
    for kind, path in configured_roots(services.config):
        if (kind, path) not in known:
            cause = f"{printable(path)} is configured and not set up yet."
            yield Check(f"{kind} folder", FAULT, cause, "`media-pipeline setup --roots` makes its folder and marker.")


def _references(services: Services) -> Iterator[Check]:
    """Folders that are only compared with: there, and not empty all of a sudden."""
    with services.db.reading() as conn:
        counts = {root.path: reference_files.count(conn, root.id) for root in root_rows.list_all(conn)
                  if root.kind is RootKind.REFERENCE}  # fmt: skip
    for path in map(normal_path, services.config.dedup.reference_dirs):
        name, known = "reference folder", counts.get(path, 0)
        try:
            check_reference(path, is_known=known > 0)
        except RootUnavailable as error:
            yield Check(name, FAULT, str(error), "Mount the disk or share; no duplicates are looked for meanwhile.")
            continue
        yield Check(name, OK, f"{printable(path)} is there; {counted(known, 'file', 'files')} of it known.")


def _sharing(services: Services) -> Iterator[Check]:
    """Whether dedup.duplicate_policy: reflink can do anything in the ingest folder."""
    if services.config.dedup.duplicate_policy != "reflink":
        return
    for root in services.roots.get(RootKind.INGEST, ()):
        name, path = "duplicates share room", printable(root.path)
        if can_share(root):
            yield Check(name, OK, f"{path} is on a file system where files can share their room.")
        else:
            cause = f"{path} is on a file system where files cannot share their room: reflink gains nothing there."
            yield Check(name, WARNING, cause, "Set dedup.duplicate_policy to label; Btrfs and XFS can do it.")


def _root(services: Services, root: Root) -> Iterator[Check]:
    name, path = f"{root.kind} folder", printable(root.path)
    try:
        check_roots(services.db, [root])
        free = free_bytes(root)
    except RootUnavailable as error:
        yield Check(name, FAULT, str(error), "Mount the disk or share again; nothing is moved meanwhile.")
        return
    mount = find_mount(root.path)
    where = f" on {mount.type}" if mount is not None else ""
    if free < LOW_ROOM_BYTES:
        state = FAULT if free < LOW_ROOM_BYTES // 10 else WARNING
        yield Check(name, state, f"{path} has only {size_in_words(free)} left.", "Make room on that disk.")
    else:
        yield Check(name, OK, f"{path} is mounted{where} and ours, with {size_in_words(free)} free.")
    yield from _abilities(services, root)


def _abilities(services: Services, root: Root) -> Iterator[Check]:
    """What the folder cannot do, tried out in a folder of our own that is removed again."""
    name = f"{root.kind} folder abilities"
    try:
        lacking = preflight(root)
    except RootUnavailable as error:
        only_read = root.kind is RootKind.INGEST and services.config.batch.transfer_mode == "copy"
        cause = f"{error} It runs as user {os.geteuid()}, group {os.getegid()}."
        fix = "Give that user the right to write there (PUID and PGID in a container), or mount it writable."
        yield Check(name, WARNING if only_read else FAULT, cause, fix)
        return
    for problem in lacking:
        if not problem.message.startswith("only "):
            yield _lacking(name, root, problem)


def _lacking(name: str, root: Root, problem: Problem) -> Check:
    cause = f"In {printable(root.path)} {problem.message}."
    if problem.message.startswith(NEEDED):
        return Check(name, FAULT, cause, "Give the service's user the right to write there, or mount it writable.")
    return Check(name, WARNING, cause, "Nothing has to be done; a file system of this disk's own would be faster.")


def _nested(roots: list[Root]) -> Iterator[Check]:
    """A folder that came to lie in another one since the settings were checked, by a mount or a link."""
    apart = [root for root in roots if root.kind is not RootKind.STAGING]
    for inner in apart:
        for outer in apart:
            if inner.id != outer.id and lies_inside(os.fsdecode(inner.path), os.fsdecode(outer.path)):
                cause = f"The {inner.kind} folder {printable(inner.path)} lies inside the {outer.kind} folder."
                yield Check("folders apart", FAULT, cause, "Choose folders that lie apart from each other.")


def check_ways(services: Services) -> Iterator[Check]:
    """Whether a move on each part of a file's way is a rename or a copy."""
    for source, target in _ways(services):
        first, second = find_mount(source.path), find_mount(target.path)
        if first is None or second is None:
            continue
        name, way = f"{source.kind} to {target.kind}", f"from {printable(source.path)} to {printable(target.path)}"
        if first.id == second.id:
            yield Check(name, OK, f"A move {way} is a rename: it takes no time and no room.")
        else:
            mounts = f"{printable(first.point)} and {printable(second.point)}"
            fix = "Put both into one mount if you can (docs/operations.md, One mount); a copy is as safe, but slow."
            yield Check(name, WARNING, f"A move {way} is a verified copy: they are two mounts, {mounts}.", fix)


def _ways(services: Services) -> Iterator[tuple[Root, Root]]:
    """The parts of a file's way on which it is moved; where it is to be copied anyway, mounts make no difference."""
    config, roots = services.config, services.roots
    pairs = [(RootKind.INGEST, RootKind.STAGING, config.batch.transfer_mode == "move")]
    pairs.append((RootKind.BATCH, RootKind.ARCHIVE, config.sorter.transfer_mode == "move"))
    pairs.append((RootKind.INGEST, RootKind.DUPLICATES, config.dedup.duplicate_policy == "quarantine"))
    for source, target, is_moved in pairs:
        if is_moved and roots.get(source) and roots.get(target):
            yield roots[source][0], roots[target][0]
