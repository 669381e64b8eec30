"""Names as the archive's disk can bear them: by its file system, by the setting, and through a real run and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import jobs
from app.filing.name_rules import longest_name_bytes, name_rules, needs_portable_names
from app.filing.safe_names import NameRules
from app.model import Root, RootKind, Trigger
from tests.conftest import make_jpeg, read_tree, write_tree
from tests.pipeline.running import Opener, go, the_batches, workflow

PHOTO = make_jpeg("2024:05:06 10:00:00", seed=1)


@pytest.mark.parametrize("kind", ["vfat", "exfat", "ntfs3", "fuseblk", "cifs", "smb3", "fuse.exfat"])
def test_disks_of_windows_and_shares_need_portable_names(kind: str) -> None:
    assert needs_portable_names(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "overlay", "nfs4", "fuse.mergerfs", "fuse.shfs"])
def test_disks_of_linux_take_every_name(kind: str) -> None:
    assert not needs_portable_names(kind)


def test_the_setting_wins_over_what_the_disk_would_take(tmp_path: Path) -> None:
    root = Root(1, RootKind.ARCHIVE, "", bytes(tmp_path), "")
    limit = longest_name_bytes(root.path)
    assert 100 < limit <= 255
    assert name_rules(root, "auto") == NameRules(False, limit)
    assert name_rules(root, "native") == NameRules(False, limit)
    assert name_rules(root, "portable") == NameRules(True, limit)


def test_a_folder_that_is_away_has_the_usual_limit() -> None:
    assert longest_name_bytes(b"/no/such/folder") == 255


def test_portable_names_go_to_the_archive_and_the_own_ones_come_back(open_test_services: Opener) -> None:
    services = open_test_services(sync={"target": "none"}, sorter={"safe_names": "portable"})
    source = services.config.paths.source_dir
    came = {"10:30? a.jpg": PHOTO, "10:30? a.xmp": b"<x/>", "CON.jpg": PHOTO + b"other"}
    write_tree(source, came)
    workflow(services)
    names = ("10_30_ a.jpg", "10_30_ a.xmp", "CON_.jpg")
    there = {f"2024/05/06/{name}": content for name, content in zip(names, came.values(), strict=True)}
    assert read_tree(services.root(RootKind.ARCHIVE).path) == there
    go(services, jobs.start_undo(services, the_batches(services)[0].id, Trigger.API))
    assert read_tree(source) == came
