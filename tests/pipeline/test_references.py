"""Reference folders: what lies there counts as an original, is read only where it must be, and is never touched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.config.store import Snapshot
from app.errors import RootUnavailable
from app.model import RootKind
from app.overview.duplicates import duplicate_sets, reference_sets
from app.overview.why import explain
from app.services import Services, set_up
from tests.conftest import make_config, write_tree
from tests.pipeline.stages import events, ingest, rows, run_dedup, run_scan, states
from tests.pipeline.test_dedup import archive

Open = Callable[..., Services]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library of before: outside every folder of ours."""
    folder = tmp_path / "before"
    write_tree(folder, {"2019/IMG_1.jpg": b"summer", "2019/IMG_2.jpg": b"winter", "2019/long.jpg": b"another size"})
    return folder


def as_found(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every file with content, time of change and of its status; a folder's times too."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        found[str(path)] = (path.read_bytes() if path.is_file() else b"", status.st_mtime_ns, status.st_ctime_ns)
    return found


def read_of(services: Services) -> dict[bytes, tuple[bool, bool]]:
    """By path in the reference folders, whether its ends and all of it were read."""
    with services.db.reading() as conn:
        found = conn.exec_driver_sql("SELECT path, head_digest IS NOT NULL, sha256 IS NOT NULL FROM reference_files")
        return {row[0]: (bool(row[1]), bool(row[2])) for row in found}


def take_in(services: Services, tree: dict[str, bytes]) -> Any:
    write_tree(ingest(services), tree)
    run_scan(services)
    return run_dedup(services)


def with_settings(services: Services, tmp_path: Path, **changes: Any) -> Services:
    """The same installation under other settings."""
    services.close()
    return set_up(Snapshot(make_config(tmp_path, **changes), revision="other"))


def test_what_lies_in_a_reference_folder_is_the_original(open_test_services: Open, library: Path) -> None:
    services = open_test_services(dedup={"reference_dirs": [str(library)]})
    take_in(services, {"a.jpg": b"summer", "b.jpg": b"autumn"})
    assert states(services) == {b"a.jpg": "duplicate", b"b.jpg": "unique"}
    told = " ".join(part["text"] for part in explain(services, "a.jpg")["told"])
    assert f"{library}/2019/IMG_1.jpg, which lies in a reference folder" in told
    assert "no row knows it any more" not in told


def test_nothing_in_a_reference_folder_is_touched(open_test_services: Open, library: Path) -> None:
    before = as_found(library)
    services = open_test_services(dedup={"reference_dirs": [str(library)], "duplicate_policy": "quarantine"})
    report = take_in(services, {"a.jpg": b"summer", "b.jpg": b"autumn"})
    assert report.detail["quarantined"] == 1
    assert as_found(library) == before
    assert not (library / ".media-pipeline-root").exists()


def test_only_files_that_look_like_something_new_are_read(open_test_services: Open, library: Path) -> None:
    services = open_test_services(dedup={"reference_dirs": [str(library)]})
    take_in(services, {"a.jpg": b"summer"})
    assert read_of(services) == {
        b"2019/IMG_1.jpg": (True, True), b"2019/IMG_2.jpg": (True, False), b"2019/long.jpg": (False, False),
    }  # fmt: skip


def test_what_differs_in_the_middle_alone_is_no_duplicate(open_test_services: Open, tmp_path: Path) -> None:
    content = bytes(300_000)
    write_tree(tmp_path / "before", {"a.jpg": content})
    services = open_test_services(dedup={"reference_dirs": [str(tmp_path / "before")]})
    take_in(services, {"b.jpg": content[:150_000] + b"x" + content[150_001:]})
    assert states(services) == {b"b.jpg": "unique"}
    assert read_of(services) == {b"a.jpg": (True, True)}


def test_a_group_is_a_duplicate_of_one_group_there_and_stays_with_anything_new(
    open_test_services: Open, tmp_path: Path
) -> None:
    write_tree(tmp_path / "before", {"x/IMG_1.heic": b"still", "x/IMG_1.mov": b"film", "x/IMG_2.heic": b"other still"})
    services = open_test_services(dedup={"reference_dirs": [str(tmp_path / "before")]})
    take_in(services, {"A.heic": b"still", "A.mov": b"film", "B.heic": b"other still", "B.mov": b"a film of its own"})
    assert states(services) == {
        b"A.heic": "duplicate", b"A.mov": "duplicate", b"B.heic": "unique", b"B.mov": "unique",
    }  # fmt: skip


def test_what_this_program_keeps_itself_is_the_better_original(open_test_services: Open, library: Path) -> None:
    services = open_test_services(dedup={"reference_dirs": [str(library)]})
    take_in(services, {"old.jpg": b"not there"})
    archived = rows(services)[b"old.jpg"]
    write_tree(library, {"now.jpg": b"not there"})
    archive(services, b"old.jpg")
    take_in(services, {"again.jpg": b"not there"})
    assert rows(services)[b"again.jpg"].original_id == archived.id


def test_a_file_that_has_left_its_reference_folder_is_no_original(open_test_services: Open, library: Path) -> None:
    services = open_test_services(dedup={"reference_dirs": [str(library)]})
    take_in(services, {"a.jpg": b"summer"})
    (library / "2019/IMG_1.jpg").unlink()
    take_in(services, {"b.jpg": b"something else"})
    assert states(services) == {b"a.jpg": "unique", b"b.jpg": "unique"}


def test_a_file_that_was_changed_there_is_no_original(open_test_services: Open, library: Path) -> None:
    services = open_test_services(dedup={"reference_dirs": [str(library)]})
    take_in(services, {"a.jpg": b"summer"})
    (library / "2019/IMG_1.jpg").write_bytes(b"SUMMER")
    take_in(services, {"b.jpg": b"something else"})
    assert states(services) == {b"a.jpg": "unique", b"b.jpg": "unique"}


def test_a_file_that_was_only_touched_there_stays_the_original(open_test_services: Open, library: Path) -> None:
    services = open_test_services(dedup={"reference_dirs": [str(library)]})
    take_in(services, {"a.jpg": b"summer"})
    os.utime(library / "2019/IMG_1.jpg", (5, 5))
    take_in(services, {"b.jpg": b"something else"})
    assert states(services) == {b"a.jpg": "duplicate", b"b.jpg": "unique"}


@pytest.mark.parametrize("away", ["missing", "empty", "a file"])
def test_a_reference_folder_that_is_away_stops_dedup_before_anything_is_judged(
    open_test_services: Open, library: Path, away: str
) -> None:
    services = open_test_services(dedup={"reference_dirs": [str(library)]})
    take_in(services, {"a.jpg": b"summer"})
    shutil.rmtree(library)
    if away == "empty":
        library.mkdir()
    elif away == "a file":
        library.write_bytes(b"")
    write_tree(ingest(services), {"b.jpg": b"winter"})
    run_scan(services)
    with pytest.raises(RootUnavailable, match="reference"):
        run_dedup(services)
    assert states(services) == {b"a.jpg": "duplicate", b"b.jpg": "discovered"}


def test_an_empty_folder_of_which_nothing_is_known_is_a_reference_folder_too(
    open_test_services: Open, tmp_path: Path
) -> None:
    (tmp_path / "before").mkdir()
    services = open_test_services(dedup={"reference_dirs": [str(tmp_path / "before")]})
    take_in(services, {"a.jpg": b"summer"})
    assert states(services) == {b"a.jpg": "unique"}


def test_a_folder_that_is_taken_out_of_the_setting_counts_no_more(
    open_test_services: Open, library: Path, tmp_path: Path
) -> None:
    first = open_test_services(dedup={"reference_dirs": [str(library)]})
    take_in(first, {"a.jpg": b"summer"})
    services = with_settings(first, tmp_path)
    try:
        run_dedup(services)
        assert states(services) == {b"a.jpg": "unique"}
        assert read_of(services) == {}
    finally:
        services.close()


def test_a_hard_link_of_a_file_there_is_set_aside_as_another_name(open_test_services: Open, library: Path) -> None:
    services = open_test_services(dedup={"reference_dirs": [str(library)]})
    os.link(library / "2019/IMG_1.jpg", os.path.join(os.fsdecode(ingest(services)), "link.jpg"))
    run_scan(services)
    run_dedup(services)
    assert states(services) == {b"link.jpg": "set_aside"}
    assert len(events(services, "asset.set_aside")) == 1


def test_empty_files_there_are_originals_of_nothing(open_test_services: Open, tmp_path: Path) -> None:
    write_tree(tmp_path / "before", {"a.jpg": b""})
    services = open_test_services(dedup={"reference_dirs": [str(tmp_path / "before")]})
    take_in(services, {"b.jpg": b""})
    assert states(services) == {b"b.jpg": "unique"}


def test_links_there_are_not_followed(open_test_services: Open, tmp_path: Path) -> None:
    write_tree(tmp_path / "elsewhere", {"a.jpg": b"summer"})
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "before" / "a.jpg").symlink_to(tmp_path / "elsewhere" / "a.jpg")
    services = open_test_services(dedup={"reference_dirs": [str(tmp_path / "before")]})
    take_in(services, {"b.jpg": b"summer"})
    assert states(services) == {b"b.jpg": "unique"}


def test_a_reference_folder_is_no_folder_that_work_is_done_in(open_test_services: Open, library: Path) -> None:
    services = open_test_services(dedup={"reference_dirs": [str(library)]})
    take_in(services, {"a.jpg": b"summer"})
    assert RootKind.REFERENCE not in services.roots


def test_a_second_look_reads_nothing_of_what_was_read(open_test_services: Open, library: Path) -> None:
    services = open_test_services(dedup={"reference_dirs": [str(library)]})
    take_in(services, {"a.jpg": b"summer"})
    with services.db.reading() as conn:
        before = conn.exec_driver_sql("SELECT * FROM reference_files ORDER BY id").all()
    take_in(services, {"b.jpg": b"summer"})
    with services.db.reading() as conn:
        assert conn.exec_driver_sql("SELECT * FROM reference_files ORDER BY id").all() == before
    assert states(services) == {b"a.jpg": "duplicate", b"b.jpg": "duplicate"}


def test_duplicates_of_reference_files_are_listed_apart_page_by_page(open_test_services: Open, library: Path) -> None:
    services = open_test_services(dedup={"reference_dirs": [str(library)]})
    take_in(services, {"a.jpg": b"summer", "b.jpg": b"summer", "c.jpg": b"winter", "d.jpg": b"winter"})
    with services.db.reading() as conn:
        (first,), after = reference_sets(conn, 0, 1)["sets"], reference_sets(conn, 0, 1)["next_after_id"]
        (second,), last = reference_sets(conn, after, 1)["sets"], reference_sets(conn, after, 1)["next_after_id"]
        assert duplicate_sets(conn, 0, 10)["sets"] == []
    assert [one["original"]["place"].rpartition("/")[2] for one in (first, second)] == ["IMG_1.jpg", "IMG_2.jpg"]
    assert {one["path"] for one in first["duplicates"]} == {"a.jpg", "b.jpg"}
    assert (first["duplicate_count"], second["duplicate_bytes"], last) == (2, 12, None)
    assert first["original"]["in_reference"] is True
