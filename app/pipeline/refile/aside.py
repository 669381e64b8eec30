"""Names under which groups wait in their folders for their places: ordinary ones, with a number that nobody has."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from app.db import refile_entries
from app.db.members import list_names_in
from app.db.refile_entries import Entry
from app.errors import FileError
from app.filing.name_rules import longest_name_bytes
from app.model import Root
from app.pipeline.naming import sameness_key, suffixed_paths
from app.pipeline.refile.ground import names_on_disk
from app.services import Services

#: So many numbers are tried.
MOST = 100_000


def paths_aside(services: Services, archive: Root, run_id: int, entries: Sequence[Entry]) -> dict[int, bytes]:
    """By asset id, another path in the same folder for each file of these groups, one number for a group; no file lies
    there, and none is to get it."""
    taken: dict[bytes, set[str]] = {}
    paths: dict[int, bytes] = {}
    limit_bytes = longest_name_bytes(archive.path)
    for _, group in groupby(entries, key=lambda entry: entry.group_key):
        now = {entry.asset_id: entry.from_path for entry in group}
        for folder in {path.rpartition(b"/")[0] for path in now.values()} - taken.keys():
            taken[folder] = _names_in(services, archive, folder)
        free = _first_free(services, run_id, now, taken, limit_bytes)
        paths |= free
        for folder, _, name in (path.rpartition(b"/") for path in free.values()):
            taken[folder].add(sameness_key(name))
    return paths


def _names_in(services: Services, archive: Root, folder: bytes) -> set[str]:
    with services.db.reading() as conn:
        known = list_names_in(conn, archive.id, folder)
    return {sameness_key(name) for name in (*known, *names_on_disk(archive, folder))}


def _first_free(
    services: Services, run_id: int, now: dict[int, bytes], taken: dict[bytes, set[str]], limit_bytes: int
) -> dict[int, bytes]:
    for number in range(1, MOST):
        paths = suffixed_paths(now, number, limit_bytes)
        if len(set(paths.values())) < len(paths) or any(_is_in(taken, path) for path in paths.values()):
            continue
        with services.db.reading() as conn:
            if not refile_entries.list_targets(conn, run_id, list(paths.values())):
                return paths
    raise FileError("rename", next(iter(now.values())), "no number was found that keeps its name apart")


def _is_in(taken: dict[bytes, set[str]], path: bytes) -> bool:
    folder, _, name = path.rpartition(b"/")
    return sameness_key(name) in taken[folder]
