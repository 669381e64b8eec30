"""Why no row knows a file: what its place and its name say, and what the last scan noted about it.

Looks at no more than the one name and only under our own root folders; what lies elsewhere is not looked at.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator

from app.db import left_in_place
from app.db.connection import Connection
from app.errors import printable
from app.files.kinds import file_kind, folder_reason, ignored_by, is_own
from app.files.lone_sidecars import since_of
from app.model import Root, RootKind
from app.overview.lone_sidecars import way_on
from app.overview.why.sentences import KINDS, Sentence
from app.services import Services

Place = tuple[Root, bytes]


def explain(services: Services, named: bytes, places: list[Place], folder: bytes | None) -> list[Sentence]:
    """Sentences about a file that no row knows."""
    seen = [(place, status) for place in places if (status := _look(place)) is not None]
    if seen:
        place, status = seen[0]
        return [Sentence("where", text) for text in _of_file(services, place, status)]
    shown = printable(named)
    if places and os.path.isabs(named):
        kind = KINDS.get(places[0][0].kind, "a folder")
        return [Sentence("where", f"There is no file at {shown} in {kind}, and none is remembered there.")]
    if os.path.isabs(named) or (folder is not None and _is_there(os.path.join(folder, named))):
        return [Sentence("where", f"{shown} lies outside every folder of this installation: {_folders(services)}.")]
    return [Sentence("where", f"No file is known as {shown}.")]


def lies_there(places: list[Place]) -> bool:
    """Whether something lies at one of these places."""
    return any(_look(place) is not None for place in places)


def _folders(services: Services) -> str:
    roots = [root for of_kind in services.roots.values() for root in of_kind if root.kind is not RootKind.STAGING]
    return ", ".join(printable(root.path) for root in sorted(roots, key=lambda root: root.id))


def _look(place: Place) -> os.stat_result | None:
    root, path = place
    return _status(os.path.join(root.path, path))


def _is_there(path: bytes) -> bool:
    return _status(path) is not None


def _status(path: bytes) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (OSError, ValueError):  # the latter for a NUL, which a person may spell and no path holds
        return None


def _of_file(services: Services, place: Place, status: os.stat_result) -> Iterator[str]:
    root, path = place
    shown = printable(os.path.join(root.path, path))
    if stat.S_ISDIR(status.st_mode):
        yield f"{shown} is a folder. Files in it: media-pipeline assets find '{printable(path)}/'"
        return
    if is_own(path.rpartition(b"/")[2]) or any(is_own(part) for part in path.split(b"/")):
        yield f"{shown} belongs to Media Pipeline itself and is no photo or video."
        return
    yield f"{shown} is there, in {KINDS.get(root.kind, root.kind)}, and no row knows it."
    if root.kind is RootKind.INGEST:
        yield _why_not_taken(services, place, status)
    else:
        yield "It was not put there by Media Pipeline. Nothing moves, changes or counts it."


def _why_not_taken(services: Services, place: Place, status: os.stat_result) -> str:
    root, path = place
    with services.db.reading() as conn:
        noted = _noted(conn, root, path)
    reason = noted or _by_name(path, services.config.scan.ignore_patterns) or _special(status)
    if reason is not None:
        return f"It is left in place: {reason}.{_way_on(services, reason)}"
    age = time.time() - status.st_mtime
    settle = services.config.scan.settle_seconds
    if age < settle:
        return f"It changed {max(age, 0):.0f} s ago and counts once it has not changed for {settle} s."
    if file_kind(path.rpartition(b"/")[2])[0] == "sidecar":
        return "No scan has seen it yet; the next run takes it in with its photo or video: media-pipeline run"
    return "No scan has seen it yet; the next run takes it in: media-pipeline run"


def _way_on(services: Services, reason: str) -> str:
    """What a person can do about a sidecar that waits for its photo; nothing for any other reason."""
    if since_of(reason) is None:
        return ""
    return f" {way_on(services.config.scan.lone_sidecars == 'archive')}"


def _noted(conn: Connection, root: Root, path: bytes) -> str | None:
    """What the last scan noted about the file, or about a folder above it."""
    parts = path.split(b"/")
    above = [b"/".join(parts[: n + 1]) for n in range(len(parts))]
    found = left_in_place.reasons_at(conn, root.id, above)
    return next((found[name] for name in above if name in found), None)


def _by_name(path: bytes, patterns: tuple[str, ...]) -> str | None:
    ignored = tuple(os.fsencode(pattern) for pattern in patterns)
    parts = path.split(b"/")
    for depth, name in enumerate(parts[:-1], 1):
        reason = folder_reason(name) or ignored_by(name, b"/".join(parts[:depth]), ignored)
        if reason is not None:
            return f"its folder {printable(b'/'.join(parts[:depth]))} is left in place: {reason}"
    return ignored_by(parts[-1], path, ignored) or file_kind(parts[-1])[1] or None


def _special(status: os.stat_result) -> str | None:
    return None if stat.S_ISREG(status.st_mode) else "it is not a regular file"
