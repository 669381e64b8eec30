"""The rules that join settings: folders, patterns, addresses."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.config.parse import parse
from app.config.render import render
from app.errors import ConfigError


def problems_of(**sections: dict[str, Any]) -> dict[str, str]:
    folders = {"source_dir": "/data/ingest", "batch_dir": "/data/batches", "sorted_dir": "/data/archive"}
    values = {**sections, "paths": {**folders, **sections.get("paths", {})}}
    try:
        parse(render(values), {})
    except ConfigError as error:
        return {problem.path: problem.message for problem in error.problems}
    return {}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("photos/in", "must be absolute"),
        ("../photos", "must be absolute"),
        ("~/photos", "is not expanded"),
        ("$HOME/photos", "is not expanded"),
        ("/data/../etc/x", "'..'"),
        ("/data/a\nb", "cannot be seen"),
        ("/data/a\0b", "cannot be seen"),
        ("/data/" + "x" * 5000, "longer than 4096 characters"),
        ("/data/" + "x" * 256, "longer than 255 bytes"),
        ("/", "holds other things"),
        ("/mnt", "holds other things"),
        ("/etc/photos", "belongs to the system"),
        ("/proc/self/root/data", "belongs to the system"),
        ("/usr", "belongs to the system"),
        ("/dev", "belongs to the system"),
    ],
)
def test_a_folder_that_cannot_be_meant_is_refused(path: str, words: str) -> None:
    assert words in problems_of(paths={"source_dir": path})["paths.source_dir"]


@pytest.mark.parametrize("path", ["/dev/shm/photos", "/run/media/me/disk", "/mnt/nas/ä ö", "/data/in/"])
def test_a_folder_that_people_use_is_taken(path: str) -> None:
    assert problems_of(paths={"source_dir": path}) == {}


NAMES = ("source_dir", "batch_dir", "sorted_dir", "duplicates_dir")
PAIRS = [(a, b) for i, a in enumerate(NAMES) for b in NAMES[i + 1 :]]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_no_two_folders_may_be_equal_or_nested(first: str, second: str) -> None:
    assert "is the same folder" in str(problems_of(paths={first: "/data/x", second: "/data/x/"}))
    assert "lies inside" in str(problems_of(paths={first: "/data/x", second: "/data/x/y"}))
    assert "holds" in str(problems_of(paths={first: "/data/x/y", second: "/data/x"}))
    assert problems_of(paths={first: "/data/x", second: "/data/xy"}) == {}


def test_a_link_or_another_spelling_of_a_folder_is_the_same_folder(tmp_path: Path) -> None:
    (tmp_path / "one" / "sub").mkdir(parents=True)
    (tmp_path / "two").symlink_to(tmp_path / "one")
    one = str(tmp_path / "one")
    found = problems_of(paths={"source_dir": one, "sorted_dir": str(tmp_path / "two")})
    assert "under another name" in found["paths.sorted_dir"]
    found = problems_of(paths={"source_dir": one, "sorted_dir": str(tmp_path / "two" / "sub")})
    assert "lies inside" in found["paths.sorted_dir"]
    found = problems_of(paths={"source_dir": one, "sorted_dir": str(tmp_path / "two" / "not-there-yet")})
    assert "lies inside" in found["paths.sorted_dir"]


def test_a_link_into_the_system_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    assert "belongs to the system" in problems_of(paths={"source_dir": str(tmp_path / "link")})["paths.source_dir"]


@pytest.fixture
def bind_mount(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    real, bound = tmp_path / "real", tmp_path / "bound"
    (real / "sub").mkdir(parents=True)
    bound.mkdir()
    subprocess.run(["mount", "--bind", str(real), str(bound)], check=True)
    yield real, bound
    subprocess.run(["umount", str(bound)], check=True)


def test_a_bind_mount_of_a_folder_is_the_same_folder(bind_mount: tuple[Path, Path]) -> None:
    real, bound = bind_mount
    found = problems_of(paths={"source_dir": str(real), "sorted_dir": str(bound)})
    assert "under another name" in found["paths.sorted_dir"]
    found = problems_of(paths={"source_dir": str(real), "sorted_dir": str(bound / "sub")})
    assert "lies inside" in found["paths.sorted_dir"]
    found = problems_of(paths={"source_dir": str(bound / "sub"), "sorted_dir": str(real)})
    assert "holds" in found["paths.sorted_dir"]


def test_the_programs_own_files_may_not_lie_among_media() -> None:
    found = problems_of(system={"db_path": "/data/archive/db.sqlite", "log_dir": "/data/batches/logs"})
    assert set(found) == {"system.db_path", "system.log_dir"}
    assert "apart from media" in found["system.db_path"]
    assert problems_of(system={"db_path": "/data/state/db.sqlite"}) == {}
    assert "belongs to the system" in problems_of(system={"log_dir": "/etc/cron.d"})["system.log_dir"]


@pytest.mark.parametrize(
    "pattern",
    [
        "batch",
        "{}",
        "{0}",
        "{index",
        "{index.__class__}",
        "{index[0]}",
        "{index!r}",
        "{index:0999999999d}",
        "{index:>{index}}",
        "{index:x}",
        "{other}_{index}",
        "a/{index}",
        "../{index}",
        ".b{index}",
        "{index}.",
        "{index} ",
        "a:{index}",
        "a\\{index}",
        "a\n{index}",
        "~syncthing~{index}",
        "x" * 130 + "{index}",
    ],
)
def test_a_naming_pattern_that_gives_no_safe_name_is_refused(pattern: str) -> None:
    assert set(problems_of(batch={"naming_pattern": pattern})) == {"batch.naming_pattern"}


@pytest.mark.parametrize("pattern", ["batch_{index:03d}", "{index}", "Fotos {index:d}", "{{x}}{index:5d}é"])
def test_a_naming_pattern_that_gives_a_safe_name_is_taken(pattern: str) -> None:
    assert problems_of(batch={"naming_pattern": pattern}) == {}


@pytest.mark.parametrize(
    "pattern", ["", "/{year}", "{year}/", "{year}//{day}", "../{year}", "{year}/..", "{hours}", "{year.real}", "{year"]
)
def test_a_folder_pattern_that_leaves_the_archive_is_refused(pattern: str) -> None:
    assert set(problems_of(sorter={"folder_pattern": pattern})) == {"sorter.folder_pattern"}


@pytest.mark.parametrize("pattern", ["{year}/{month:02d}/{day:02d}", "{year}-{month:02d}", "all", "{year:04d}/x"])
def test_a_folder_pattern_of_plain_names_is_taken(pattern: str) -> None:
    assert problems_of(sorter={"folder_pattern": pattern}) == {}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nas:8384",
        "file:///etc/passwd",
        "gopher://nas/",
        "http://",
        "http://me:secret@nas:8384",
        "http://nas:8384/?x=1",
        "http://nas:99999",
        "http://169.254.169.254/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fe80::1%25eth0]/",
        "http://2852039166/",
        "http://nas 1/",
    ],
)
def test_an_address_that_is_none_or_leads_elsewhere_is_refused(url: str) -> None:
    assert set(problems_of(syncthing={"api_url": url})) == {"syncthing.api_url"}


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8384", "https://nas.local", "http://[::1]:8384", "http://syncthing:8384/x"]
)
def test_an_address_of_syncthing_is_taken(url: str) -> None:
    assert problems_of(syncthing={"api_url": url}) == {}


def test_a_target_needs_what_it_delivers_to() -> None:
    assert set(problems_of(sync={"target": "folder"})) == {"sync.folder_dir"}
    assert problems_of(sync={"target": "syncthing"}) == {}, "the folder is found by its path"
    assert problems_of(sync={"target": "folder", "folder_dir": "/mnt/usb/photos"}) == {}
    assert "lies inside" in str(problems_of(sync={"target": "folder", "folder_dir": "/data/archive/usb"}))


def test_other_single_settings_are_checked() -> None:
    found = problems_of(
        system={"port_api": 8080, "port_dbui": 8080, "bind_host": "every where", "allowed_hosts": ["http://x"]},
        auth={"header_name": "X Key\r\nEvil: 1", "api_key": " padded "},
        sorter={"timezone": "../../etc/passwd"},
        scan={"ignore_patterns": ["*.tmp", ""]},
    )
    assert set(found) == {
        "system.port_dbui",
        "system.bind_host",
        "system.allowed_hosts",
        "auth.header_name",
        "auth.api_key",
        "sorter.timezone",
        "scan.ignore_patterns",
    }


def test_checks_leave_no_trace_on_disk(tmp_path: Path) -> None:
    problems_of(paths={"source_dir": str(tmp_path / "a" / "b")})
    assert os.listdir(tmp_path) == []
