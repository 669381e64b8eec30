"""Root folders: set up once, and afterwards never taken for what they are not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.config.store import Snapshot
from app.errors import RootUnavailable, StateError
from app.files import container
from app.files import roots as roots_module
from app.files.candidate import folder_fault
from app.files.roots import add_missing_roots, check_roots, find_roots, free_bytes, preflight, set_up_roots
from app.model import RootKind
from app.services import Services, set_up
from tests.conftest import make_config

ReadFiles = Callable[..., dict[str, bytes]]


def all_roots(services: Services) -> list[roots_module.Root]:
    return [root for kind in services.roots.values() for root in kind]


def test_a_first_start_makes_folders_and_markers(services: Services, tmp_path: Path, read_files: ReadFiles) -> None:
    markers = {name for name in read_files(tmp_path, own_names=True) if name.endswith(".media-pipeline-root")}
    assert markers == {
        f"{folder}/.media-pipeline-root" for folder in ("ingest", "batches", "archive", "duplicates", ".mp-staging")
    }
    assert services.root(RootKind.STAGING).path == os.fsencode(tmp_path / ".mp-staging")
    check_roots(services.db, all_roots(services))


def test_a_second_start_changes_nothing(services: Services, tmp_path: Path, read_files: ReadFiles) -> None:
    before = read_files(tmp_path / "archive", own_names=True)
    again = set_up(Snapshot(services.config, "again"))
    assert again.roots == services.roots
    again.close()
    assert read_files(tmp_path / "archive", own_names=True) == before


@pytest.mark.parametrize("folder", ["ingest", "batches", "archive", "duplicates", ".mp-staging"])
def test_a_missing_marker_stops_work_and_nothing_is_made_again(services: Services, tmp_path: Path, folder: str) -> None:
    (tmp_path / folder / ".media-pipeline-root").unlink()
    with pytest.raises(RootUnavailable, match=r"marker file .* is missing"):
        check_roots(services.db, all_roots(services))
    with pytest.raises(RootUnavailable, match="is missing"):
        set_up(Snapshot(services.config, "again"))
    assert os.listdir(tmp_path / folder) == []


def test_a_missing_folder_stops_work_and_is_not_made_again(services: Services, tmp_path: Path) -> None:
    (tmp_path / "archive" / ".media-pipeline-root").unlink()
    (tmp_path / "archive").rmdir()
    with pytest.raises(RootUnavailable, match="does not exist"):
        set_up(Snapshot(services.config, "again"))
    assert not (tmp_path / "archive").exists()


def test_the_marker_of_another_root_or_installation_stops_work(services: Services, tmp_path: Path) -> None:
    marker = tmp_path / "archive" / ".media-pipeline-root"
    own = marker.read_text()
    marker.write_text((tmp_path / "ingest" / ".media-pipeline-root").read_text())
    with pytest.raises(RootUnavailable, match="belongs to another folder"):
        check_roots(services.db, all_roots(services))
    marker.write_text(json.dumps({**json.loads(own), "database": "other"}))
    with pytest.raises(RootUnavailable, match="belongs to another folder"):
        check_roots(services.db, all_roots(services))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff" * 100, b'{"root": 1}'])
def test_a_damaged_marker_stops_work(services: Services, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "archive" / ".media-pipeline-root").write_bytes(content)
    with pytest.raises(RootUnavailable, match="damaged"):
        check_roots(services.db, all_roots(services))


def test_a_marker_that_is_a_link_or_a_pipe_stops_work(services: Services, tmp_path: Path) -> None:
    marker = tmp_path / "archive" / ".media-pipeline-root"
    marker.rename(tmp_path / "elsewhere")
    marker.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RootUnavailable, match="cannot be read"):
        check_roots(services.db, all_roots(services))
    marker.unlink()
    os.mkfifo(marker)
    with pytest.raises(RootUnavailable, match="damaged"):
        check_roots(services.db, all_roots(services))


def test_a_folder_that_became_a_file_stops_work(services: Services, tmp_path: Path) -> None:
    (tmp_path / "archive").rename(tmp_path / "moved away")
    (tmp_path / "archive").write_text("a file")
    with pytest.raises(RootUnavailable, match="not a folder"):
        check_roots(services.db, all_roots(services))


@pytest.fixture
def small_mount(tmp_path: Path) -> Iterator[Path]:
    mount = tmp_path / "archive"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(mount)], check=True)
    yield mount
    subprocess.run(["umount", str(mount)], check=False)


def test_an_unmounted_share_stops_work_instead_of_filling_the_disk_below(
    small_mount: Path, open_test_services: Callable[..., Services]
) -> None:
    services = open_test_services()
    subprocess.run(["umount", str(small_mount)], check=True)
    with pytest.raises(RootUnavailable, match="is the disk or share mounted"):
        check_roots(services.db, all_roots(services))
    assert os.listdir(small_mount) == []


@pytest.fixture
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An overlay that is mounted, as the own file system of a container or of some hosts."""
    base = tmp_path_factory.mktemp("overlay")
    for name in ("lower", "upper", "work", "top"):
        (base / name).mkdir()
    layers = ",".join(f"{name}dir={base / name}" for name in ("lower", "upper", "work"))
    subprocess.run(["mount", "-t", "overlay", "-o", layers, "overlay", str(base / "top")], check=True)
    yield base / "top"
    subprocess.run(["umount", str(base / "top")], check=False)


def test_a_folder_inside_the_container_is_refused(
    overlay: Path, monkeypatch: pytest.MonkeyPatch, open_test_services: Callable[..., Services]
) -> None:
    archive = overlay / "archive"
    monkeypatch.setattr(container, "TOP", os.fsencode(overlay))
    assert folder_fault(str(archive)) is None
    monkeypatch.setenv("MEDIA_PIPELINE_CONTAINER", "1")
    assert "vanish with it" in (folder_fault(str(archive)) or "")
    with pytest.raises(RootUnavailable, match="vanish with it; mount a volume"):
        open_test_services(paths={"sorted_dir": str(archive)})


def test_a_volume_of_a_host_whose_own_root_is_an_overlay_is_a_volume(
    overlay: Path, monkeypatch: pytest.MonkeyPatch, open_test_services: Callable[..., Services]
) -> None:
    archive = overlay / "archive"
    monkeypatch.setenv("MEDIA_PIPELINE_CONTAINER", "1")
    assert folder_fault(str(archive)) is None
    services = open_test_services(paths={"sorted_dir": str(archive)})
    assert services.root(RootKind.ARCHIVE).path == os.fsencode(archive)


def test_our_image_says_that_it_is_a_container() -> None:
    image = (Path(__file__).parents[2] / "Dockerfile").read_text()
    assert f"{container.VARIABLE}=1" in image[image.index("\nENV ") :]


def test_a_new_path_needs_an_explicit_act(services: Services, tmp_path: Path) -> None:
    changed = make_config(tmp_path, paths={"sorted_dir": str(tmp_path / "second archive")})
    opened = set_up(Snapshot(changed, "changed"))
    with pytest.raises(RootUnavailable, match=r"paths\.sorted_dir was not set up yet"):
        opened.root(RootKind.ARCHIVE)
    opened.close()
    assert not (tmp_path / "second archive").exists()
    made = add_missing_roots(services.db, changed)
    check_roots(services.db, made)
    assert (tmp_path / "second archive" / ".media-pipeline-root").exists()
    assert {root.path for root in find_roots(services.db, changed)} == {root.path for root in made}


def test_the_explicit_act_does_not_bring_a_lost_marker_back(services: Services, tmp_path: Path) -> None:
    (tmp_path / "archive" / ".media-pipeline-root").unlink()
    with pytest.raises(RootUnavailable, match="is missing"):
        add_missing_roots(services.db, services.config)
    assert os.listdir(tmp_path / "archive") == []


def test_a_delivery_folder_is_a_root_under_that_target(
    tmp_path: Path, open_test_services: Callable[..., Services]
) -> None:
    services = open_test_services(sync={"target": "folder", "folder_dir": str(tmp_path / "usb")})
    assert services.root(RootKind.DELIVERY).path == os.fsencode(tmp_path / "usb")


def test_staging_lies_inside_the_batch_folder_when_that_is_a_mount_of_its_own(
    tmp_path: Path, open_test_services: Callable[..., Services]
) -> None:
    (tmp_path / "batches").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(tmp_path / "batches")], check=True)
    try:
        staging = open_test_services().root(RootKind.STAGING).path
        assert staging == os.fsencode(tmp_path / "batches" / ".mp-staging")
        assert not [name for name in os.listdir(tmp_path) if name.startswith(".mp-") and name != ".mp-staging"]
    finally:
        subprocess.run(["umount", "-l", str(tmp_path / "batches")], check=True)


def test_a_lost_database_is_never_replaced_by_an_empty_one(services: Services, tmp_path: Path) -> None:
    services.close()
    for file in (tmp_path / "state").glob("db.sqlite*"):
        file.unlink()
    ways_out = r"is missing or empty.*pipeline restore.*pipeline rebuild.*start over on purpose"
    with pytest.raises(StateError, match=ways_out):
        set_up(Snapshot(services.config, "again"))
    assert not (tmp_path / "state" / "db.sqlite").exists()


def test_a_database_cut_to_nothing_is_never_replaced_by_an_empty_one(services: Services, tmp_path: Path) -> None:
    services.close()
    os.truncate(tmp_path / "state" / "db.sqlite", 0)
    with pytest.raises(StateError, match="is missing or empty"):
        set_up(Snapshot(services.config, "again"))
    assert os.path.getsize(tmp_path / "state" / "db.sqlite") == 0


def test_a_second_installation_cannot_take_the_folders_over(services: Services, tmp_path: Path) -> None:
    other = make_config(tmp_path, system={"db_path": str(tmp_path / "other" / "db.sqlite")})
    with pytest.raises(StateError, match="belongs to the database"):
        set_up(Snapshot(other, "other"))
    assert not (tmp_path / "other" / "db.sqlite").exists()


KILLED = """
import os, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from app.files import roots
from app.services import set_up
from app.config.store import Snapshot
from tests.conftest import make_config
left = [{calls}]
def counted(function):
    def call(*args, **kwargs):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), 9)
        return function(*args, **kwargs)
    return call
for name in ("mkdir", "rename", "fsync", "open", "rmdir"):
    setattr(os, name, counted(getattr(os, name)))
set_up(Snapshot(make_config(Path({base!r})), "x"))
"""


def test_a_first_start_that_is_killed_anywhere_can_be_done_again(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    for calls in range(3, 60, 7):
        base = tmp_path / str(calls)
        code = KILLED.format(root=root, calls=calls, base=str(base))
        subprocess.run([sys.executable, "-c", code], check=False)
        services = set_up(Snapshot(make_config(base), "x"))
        check_roots(services.db, all_roots(services))
        services.close()


def test_preflight_finds_nothing_wrong_with_a_good_folder_and_leaves_nothing(
    services: Services, tmp_path: Path, read_files: ReadFiles
) -> None:
    before = read_files(tmp_path, own_names=True)
    assert preflight(services.root(RootKind.ARCHIVE)) == []
    assert read_files(tmp_path, own_names=True) == before


def test_preflight_tells_of_a_full_and_of_a_read_only_folder(
    small_mount: Path, open_test_services: Callable[..., Services]
) -> None:
    archive = open_test_services().root(RootKind.ARCHIVE)
    assert free_bytes(archive) < 5_000_000
    assert [p.message for p in preflight(archive)] == ["only 4 MB are free; at least 100 MB are needed"]
    subprocess.run(["mount", "-o", "remount,ro", str(small_mount)], check=True)
    with pytest.raises(RootUnavailable, match="nothing can be written to it: Read-only file system"):
        preflight(archive)


def test_free_bytes_of_a_missing_folder_is_told(services: Services, tmp_path: Path) -> None:
    archive = services.root(RootKind.ARCHIVE)
    (tmp_path / "archive").rename(tmp_path / "gone")
    with pytest.raises(RootUnavailable, match="No such file"):
        free_bytes(archive)


def test_two_first_starts_at_the_same_time_agree(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    code = KILLED.format(root=root, calls=10**6, base=str(tmp_path / "both"))
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    services = set_up(Snapshot(make_config(tmp_path / "both"), "x"))
    check_roots(services.db, all_roots(services))
    services.close()


def test_a_path_is_the_same_root_however_it_is_spelled(services: Services, tmp_path: Path) -> None:
    spelled = make_config(tmp_path, paths={"sorted_dir": f"{tmp_path}/./archive//"})
    assert set_up_roots(services.db, spelled) == set_up_roots(services.db, services.config)
