"""Losing the database and rebuilding it, and asking whether every file on disk is known again."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from app import jobs
from app.backup.lost_database import prepare_rebuild
from app.config.schema import Config
from app.config.store import Snapshot
from app.files.census import Census, take_census
from app.model import Run, RunStatus, Trigger
from app.services import Services, set_up
from tests.pipeline.running import go

OWN = (b".media-pipeline-root", b"manifest.json", b"SHA256SUMS")


def media_folders(config: Config) -> list[bytes]:
    """The folders of the configuration, and staging beside the batch folder."""
    paths = config.paths
    named = [paths.source_dir, paths.batch_dir, paths.sorted_dir, paths.duplicates_dir]
    staging = os.path.join(os.path.dirname(paths.batch_dir), ".mp-staging")
    return [os.fsencode(path) for path in [*named, staging] if path and os.path.isdir(path)]


def census(config: Config) -> Census:
    """Every file in those folders, hidden ones, trash and temporary files too, without the few that are ours."""
    found = take_census(media_folders(config), leave_out=OWN)
    ours = [path for path in found.names if b"/.media-pipeline/" in path]
    for path in ours:
        found.contents[found.names.pop(path)] -= 1
    found.contents = +found.contents
    return found


def lose_database(config: Config) -> None:
    """The whole state folder is gone, but for its logs."""
    folder = Path(config.system.db_path).parent
    for path in folder.iterdir():
        if path.is_file():
            path.unlink()


def rebuild(config: Config, **how: bool) -> tuple[Services, Run]:
    """Prepare and run a rebuild in this process; the services over the database that it filled."""
    prepare_rebuild(config, **how)
    services = set_up(Snapshot(config, revision="test"))
    run = go(services, jobs.start_rebuild(services, Trigger.CLI))
    assert run.status is RunStatus.DONE, run.error
    return services, run


@dataclass(frozen=True)
class KnownFiles:
    """What the rows say: absolute paths that have a row of some kind, and contents that an asset stands for."""

    places: set[bytes]
    contents: set[str]


def known_files(services: Services) -> KnownFiles:
    """Every place and content that the rows know."""
    places: set[bytes] = set()
    queries = (
        "SELECT r.path, t.path FROM assets t JOIN roots r ON r.id = t.root_id WHERE t.status != 'gone'",
        "SELECT r.path, t.path FROM kept_copies t JOIN roots r ON r.id = t.root_id",
        "SELECT r.path, t.path FROM left_in_place t JOIN roots r ON r.id = t.root_id",
        "SELECT r.path, t.trash_path FROM moves t JOIN roots r ON r.id = t.trash_root_id "
        "WHERE t.trashed_at IS NOT NULL AND t.trash_dropped_at IS NULL",
        "SELECT r.path, t.path FROM rebuild_files t JOIN roots r ON r.id = t.root_id WHERE t.finding IS NOT NULL",
    )
    with services.db.reading() as conn:
        for query in queries:
            places |= {root.rstrip(b"/") + b"/" + path for root, path in conn.exec_driver_sql(query)}
        contents = {row[0] for row in conn.exec_driver_sql("SELECT sha256 FROM assets WHERE status != 'gone'")}
    return KnownFiles(places, contents)


def assert_all_known(services: Services) -> int:
    """Every file on disk has a row, and every photo and video an asset with its content; returns how many files."""
    on_disk, known = census(services.config), known_files(services)
    assert sorted(set(on_disk.names) - known.places) == []
    others = {*on_disk.leftovers, *(path for path in on_disk.names if path.endswith(b".txt"))}
    whole = {digest for path, digest in on_disk.names.items() if path not in others}
    assert whole - known.contents == set()
    return len(on_disk.names)


def archived(config: Config) -> Counter[str]:
    """How often each content lies in the archive."""
    found = take_census([os.fsencode(config.paths.sorted_dir)], leave_out=OWN)
    return Counter(
        digest for path, digest in found.names.items() if b"/.media-pipeline/" not in path and b"/.mp-" not in path
    )
