"""Whatever is put in: one clear sentence where the user looks (API, page, command line, journal), and nothing lost."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.model import AssetStatus
from app.overview import roots as root_looks
from app.services import ServiceContainer
from app.web import create_app
from tests.conftest import make_jpeg, write_tree
from tests.worker.installation import PROGRAM, Installation

TAKEN = "2024:05:06 07:08:09"
DAY = "2024/05/06"
#: 255 bytes, the longest name that common file systems take.
LONG = b"L" * 251 + b".jpg"
NO_MORE_THAN = 300


@dataclass
class Said:
    """What one run over the ingest folder was told at each door."""

    exit_code: int
    command_line: str
    overview: dict[str, Any]
    page: str
    journal: list[str]

    def everywhere(self, sentence: str) -> None:
        """Assert that API, page, command line and journal all have the sentence."""
        api = str([self.overview["warnings"], self.overview["last_run"]])
        places = {"api": api, "page": self.page, "cli": self.command_line, "journal": "\n".join(self.journal)}
        assert [name for name, text in places.items() if sentence not in text] == [], places
        assert len(sentence) < NO_MORE_THAN


class House(Installation):
    """An installation that is worked by the command line and looked at through every door."""

    @property
    def ingest(self) -> Path:
        return self.folder("ingest")

    def call(self, *arguments: str, under: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """The command line in a process of its own, `under` another command if need be."""
        environment = {**os.environ, "PYTHONPATH": str(PROGRAM), "COLUMNS": "10000"}
        command = [*under, sys.executable, "-m", "app.cli", "--config", str(self.config_path), *arguments]
        return subprocess.run(
            command, cwd=PROGRAM, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def client(self) -> FlaskClient:
        root_looks.forget()
        return create_app(container=ServiceContainer(str(self.config_path))).test_client()

    def work(self, under: Sequence[str] = ()) -> Said:
        """Run everything by the command line, with the worker that it starts, and look at what is said of it."""
        before = self.census()
        done = self.call("run", under=under)
        assert "Traceback" not in done.stdout + done.stderr
        assert not before - self.census(), "a content is gone"
        assert (self.leftovers(), self.open_moves()) == ([], 0)
        client = self.client()
        overview = client.get("/api/workflow/overview").get_json()
        assert overview["balance"]["adds_up"]
        page = client.get("/dashboard", headers={"Accept": "text/html"})
        assert page.status_code == 200
        events = client.get("/api/journal?limit=500").get_json()["events"]
        said = done.stdout + done.stderr
        return Said(done.returncode, said, overview, page.get_data(as_text=True), [e["message"] for e in events])


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with House(tmp_path) as made:
        yield made


def archived(house: House) -> set[bytes]:
    """Paths in the archive, our own files left out."""
    top = os.fsencode(house.folder("archive"))
    found = {os.path.join(folder, name) for folder, _folders, names in os.walk(top) for name in names}
    return {os.path.relpath(path, top) for path in found if b"/.m" not in path}


def test_a_missing_ingest_folder(house: House) -> None:
    house.ingest.rename(house.base / "away")
    said = house.work()
    assert said.exit_code == 1
    said.everywhere(
        f"The ingest folder {house.ingest} cannot be used: it does not exist; is the disk or share mounted."
    )
    assert not house.ingest.exists()


def test_an_empty_ingest_folder(house: House) -> None:
    said = house.work()
    assert said.exit_code == 0
    said.everywhere(f"The ingest folder {house.ingest} is empty.")
    assert house.counts() == {}


@pytest.fixture
def as_plain_user() -> list[str]:
    """What to put before a command so that permissions bind it; root is above them otherwise."""
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


def test_unreadable_files_and_folders(house: House, as_plain_user: list[str]) -> None:
    tree = {name: make_jpeg(TAKEN, seed) for seed, name in enumerate(("open.jpg", "closed.jpg", "locked/in.jpg"))}
    write_tree(house.ingest, tree)
    (house.ingest / "closed.jpg").chmod(0)
    (house.ingest / "locked").chmod(0)
    before = house.census() if os.geteuid() == 0 else None
    for attempt in (1, 2, 3):
        said = house.work(as_plain_user)
        assert said.exit_code == 0
        reason = f"Could not read {house.ingest}/closed.jpg: Permission denied."
        assert reason in said.command_line
        if attempt < 3:
            said.everywhere(reason)
            assert f"Inspect went on without closed.jpg: {reason}" in said.page
    assert f"Given up after 3 runs: {reason}" in said.journal
    assert "1 file has failed and stays where it is." in said.page
    assert said.overview["left_in_place"]["by_reason"] == {"folder cannot be read: Permission denied": 1}
    said.everywhere("folder cannot be read: Permission denied")
    assert "Scan went on without locked: folder cannot be read: Permission denied" in said.page
    assert house.counts() == {AssetStatus.ARCHIVED: 1, AssetStatus.FAILED: 1}
    assert archived(house) == {f"{DAY}/open.jpg".encode()}
    assert stat.S_IMODE((house.ingest / "closed.jpg").stat().st_mode) == 0
    assert before is None or house.census() == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str, str], None]]:
    """`small_disk("archive", "size=300k")` mounts a disk there, or makes the one that is there another size."""
    mounted: list[Path] = []

    def mount(name: str, options: str) -> None:
        folder = tmp_path / name
        again = folder in mounted
        if not again:
            folder.mkdir()
            mounted.append(folder)
        command = ["mount", "-t", "tmpfs", "-o", f"remount,{options}" if again else options, "tmpfs", str(folder)]
        subprocess.run(command, check=True)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(
    ("name", "stage", "verb", "after"),
    [
        ("batches", "batch", "build a batch in", AssetStatus.UNIQUE),
        ("archive", "sort", "sort a batch into", AssetStatus.DELIVERED),
    ],
)
def test_a_disk_without_room(
    name: str, stage: str, verb: str, after: AssetStatus, small_disk: Callable[[str, str], None], tmp_path: Path
) -> None:
    small_disk(name, "size=300k")
    with House(tmp_path) as house:
        house.fill_ingest(5, size=200_000)
        said = house.work()
        assert said.exit_code == 1
        failed = next(step for step in said.overview["last_run"]["steps"] if step["status"] == "error")
        assert failed["name"] == stage
        assert failed["message"].startswith(f"Could not {verb} {tmp_path}")
        assert failed["message"].endswith("it needs 980.9 KiB and has 292.0 KiB free.")
        said.everywhere(failed["message"])
        assert house.counts() == {after: 5}
        assert [b.status for b in house.batches()] == ([] if stage == "batch" else ["ERROR"])

        small_disk(name, "size=8m")
        for batch in house.batches():
            assert house.client().post(f"/api/batches/{batch.id}/retry").status_code == 202
            house.start_worker("--run", "2", wait=False).wait(60)
        assert house.work().exit_code == 0
        assert house.counts() == {AssetStatus.ARCHIVED: 5}


def test_names_that_are_not_utf8_or_as_long_as_names_can_be(house: House) -> None:
    deep = b"/".join([b"d" * 200] * 15)
    paths = [b"caf\xe9 \n\x1b[31m.jpg", LONG, deep + b"/" + LONG, b"other/" + LONG]
    write_tree(house.ingest, {path: make_jpeg(TAKEN, seed) for seed, path in enumerate(paths)})
    said = house.work()
    assert said.exit_code == 0
    assert house.counts() == {AssetStatus.ARCHIVED: 4}
    names = {os.path.basename(path) for path in archived(house)}
    assert paths[0] in names
    assert LONG in names
    assert len(names) == 4
    assert all(len(name) <= 255 and name.endswith(b".jpg") for name in names)
    assert "\x1b" not in said.command_line + said.page + str(said.overview)
    listed = house.client().get("/api/assets?status=archived").get_json()["assets"]
    assert "caf\\xe9 \\n\\x1b[31m.jpg" in {os.path.basename(asset["path"]) for asset in listed}


def test_a_tree_deeper_than_any_path_may_be_long(house: House) -> None:
    folder = os.open(house.ingest, os.O_RDONLY)
    for _ in range(20):
        os.mkdir(b"d" * 250, dir_fd=folder)
        deeper = os.open(b"d" * 250, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = deeper
    content = make_jpeg(TAKEN)
    with open(os.open(b"x.jpg", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=folder), "wb") as file:
        file.write(content)
    os.close(folder)
    assert house.call("run").returncode == 0
    assert (house.folder("archive") / DAY / "x.jpg").read_bytes() == content
    assert house.counts() == {AssetStatus.ARCHIVED: 1}


def make_png(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


def test_files_without_content_cut_off_and_with_a_picture_too_large_to_open(house: House) -> None:
    whole = make_jpeg(TAKEN, seed=1, size=(64, 64))
    tree = {
        "empty.jpg": b"", "also empty.jpg": b"", "cut in the picture.jpg": whole[:-200],
        "cut in the dates.jpg": whole[:30], "bomb.png": make_png(60_000, 60_000),
    }  # fmt: skip
    write_tree(house.ingest, tree)
    for name in tree:
        os.utime(house.ingest / name, (1_715_000_000, 1_715_000_000))
    said = house.work()
    assert said.exit_code == 0
    said_by_inspect = "5 files dated, 4 of them with a doubtful date."
    assert said_by_inspect in said.command_line
    assert said_by_inspect in str(said.overview["last_run"])
    journal = "\n".join(said.journal)
    assert said_by_inspect in journal
    named = sorted(m.partition(" may be damaged: ")[::2] for m in said.journal if " may be damaged: " in m)
    assert [name for name, _ in named] == ["also empty.jpg", "cut in the dates.jpg", "empty.jpg"]
    assert named[0][1] == "the file is empty."
    assert named[1][1].startswith("it is damaged or too large to open")
    assert "may be damaged, the first is" in said.command_line
    assert {os.path.basename(path).decode() for path in archived(house)} == set(tree)
    assert house.counts() == {AssetStatus.ARCHIVED: 5}
    listed = house.client().get("/api/assets?status=archived").get_json()["assets"]
    dated = {os.path.basename(asset["path"]): asset["taken_from"] for asset in listed}
    assert dated.pop("cut in the picture.jpg") == "exif"
    assert set(dated.values()) == {"mtime"}
