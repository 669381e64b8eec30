"""What `sha256sum -c SHA256SUMS` says at the peer when files failed before they were delivered."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from app.model import BatchStatus, RootKind
from app.pipeline.manifest import parse
from tests.syncthing.carrying import drive, events_of, ingest, is_now, newest, pictures, start
from tests.syncthing.pair import Pair
from tests.syncthing.staging import services_for

pytestmark = pytest.mark.syncthing


def test_a_peer_that_checks_its_copies_is_told_of_no_file_that_was_never_delivered(module_pair: Pair) -> None:
    services = services_for(
        module_pair, syncthing={"auto_sort_after_sync": False}, batch={"allow_parallel": True}
    )
    module_pair.peer.change_folder(paused=True)
    files = pictures("sums", 3)
    ingest(services, files)
    start(services)
    batch = newest(services)
    lost, changed, fine = sorted(files)
    staging = Path(os.fsdecode(services.root(RootKind.STAGING).path))
    for name in (lost, changed):
        (module_pair.ours.folder / batch.name / name).unlink()
    for hold in staging.rglob("*.jpg"):
        hold.unlink()
    (module_pair.ours.folder / batch.name / changed).write_bytes(b"something else")

    drive(services, lambda: bool(events_of(services, "batch.sums_corrected", batch)), "both files are written anew")
    module_pair.peer.change_folder(paused=False)
    drive(services, is_now(services, BatchStatus.SYNCED), "the rest is delivered")

    there = module_pair.peer.folder / batch.name
    checked = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=there, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, f"{fine}: OK\n"), checked.stderr
    manifest = parse((there / "manifest.json").read_bytes())
    assert {file.path.decode() for file in manifest.files if file.asset_id in manifest.left_out} == {lost, changed}
    (told,) = events_of(services, "batch.sums_corrected", batch)
    assert "leave out 2 files that failed" in told.message
    services.close()


def test_what_a_peer_made_of_our_sha256sums_is_not_overwritten(module_pair: Pair) -> None:
    services = services_for(
        module_pair, syncthing={"auto_sort_after_sync": False}, batch={"allow_parallel": True}
    )
    files = pictures("others", 2)
    ingest(services, files)
    module_pair.peer.change_folder(paused=True)
    start(services)
    batch = newest(services)
    ours = module_pair.ours.folder / batch.name
    (ours / sorted(files)[0]).unlink()
    for hold in Path(os.fsdecode(services.root(RootKind.STAGING).path)).rglob("*.jpg"):
        hold.unlink()
    (ours / "SHA256SUMS").write_bytes(b"edited by a person")

    drive(services, lambda: bool(events_of(services, "batch.sums_corrected", batch)), "the manifest is written anew")
    module_pair.peer.change_folder(paused=False)
    drive(services, is_now(services, BatchStatus.SYNCED), "the rest is delivered")

    assert (ours / "SHA256SUMS").read_bytes() == b"edited by a person"
    services.close()
