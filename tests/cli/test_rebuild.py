"""`rebuild`, `backup` and `restore` on the command line, with real workers, from loss to the end of the next run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli import run
from app.config.store import ConfigStore
from app.overview.rebuild import WORTH_A_LOOK
from app.services import set_up
from tests.conftest import make_jpeg, read_tree, write_tree
from tests.web.conftest import write_config

FILES = 5


class Machine:
    """A configuration file, folders, and a way to call the command line on them."""

    def __init__(self, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.base, self.capsys = base, capsys
        self.config_path = write_config(base)
        set_up(ConfigStore(str(self.config_path)).load()).close()

    def call(self, *arguments: str) -> tuple[int, str, str]:
        """(exit code, stdout, stderr)."""
        self.capsys.readouterr()
        code = run(["--config", str(self.config_path), *arguments])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def lose_database(self) -> None:
        for path in (self.base / "state").iterdir():
            if path.name.startswith(("db.sqlite", "queue.sqlite")):
                path.unlink()

    def archived(self) -> int:
        return len([name for name in read_tree(self.base / "archive") if name.endswith(".jpg")])


@pytest.fixture
def machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Machine]:
    found = Machine(tmp_path, capsys)
    pictures = {f"p{n}.jpg": make_jpeg(taken=f"2024:05:06 07:08:0{n}", seed=n) for n in range(FILES)}
    write_tree(tmp_path / "ingest", pictures)
    assert found.call("run", "--json")[0] == 0
    yield found


def test_a_lost_database_is_rebuilt_looked_at_and_confirmed(machine: Machine) -> None:
    machine.lose_database()
    code, _, err = machine.call("run")
    assert (code, "media-pipeline rebuild" in err or "no database" in err) == (1, True)
    code, out, err = machine.call("rebuild")
    assert code == 0, err
    assert f"{FILES} archived" in out
    assert "batch batch_001 (id 1): SORTED, 5 files" in out
    assert "media-pipeline rebuild --confirm" in out
    code, _, err = machine.call("run")
    assert (code, "until then nothing moves" in err) == (2, True)
    report = json.loads(machine.call("rebuild", "--report", "--json")[1])
    assert (report["state"], report["report"]["statuses"]["archived"]) == ("unconfirmed", FILES)
    assert machine.call("rebuild", "--confirm")[0] == 0
    write_tree(machine.base / "ingest", {"new.jpg": make_jpeg(taken="2024:06:06 07:08:09", seed=99)})
    assert machine.call("run", "--json")[0] == 0
    assert machine.archived() == FILES + 1


def test_a_healthy_database_is_not_rebuilt_but_compared_when_asked(machine: Machine) -> None:
    code, _, err = machine.call("rebuild")
    assert (code, "Nothing needs to be rebuilt" in err) == (2, True)
    assert machine.call("rebuild", "--confirm")[0] == 2
    assert machine.call("rebuild", "--report", "--compare")[0] == 2
    code, out, _ = machine.call("rebuild", "--compare", "--json")
    answer = json.loads(out)
    assert (code, answer["state"], answer["cause"]) == (0, "unconfirmed", "compared")
    assert answer["worth_a_look"] == []


def test_the_files_of_each_line_are_listed_by_name_without_the_service(machine: Machine) -> None:
    assert json.loads(machine.call("rebuild", "--files", "--json")[1])["lines"] == []
    assert machine.call("rebuild", "--files")[1] == "No rebuild was made.\n"
    old, note = machine.base / "archive" / "old.jpg", machine.base / "ingest" / "note.txt"
    old.write_bytes(make_jpeg(seed=50))
    note.write_text("mine")
    victim = next((machine.base / "archive").rglob("p3.jpg"))
    victim.unlink()
    assert machine.call("rebuild", "--compare")[0] == 0
    code, out, _ = machine.call("rebuild", "--report")
    assert (code, f"{FILES + 1} files were seen" in out, "1 other files, which are left" in out) == (0, True, True)
    listed = json.loads(machine.call("rebuild", "--files", "--json")[1])
    names = {line["name"]: [file["path"] for file in line["files"]] for line in listed["lines"]}
    assert (len(names["archived"]), str(old) in names["archived"], names["left_in_place"]) == (FILES, True, [str(note)])
    assert [one["path"] for one in listed["missing"]["missing"]] == ["p3.jpg"]
    code, out, _ = machine.call("rebuild", "--files")
    assert code == 0
    assert f"5 archived:\n  {machine.base}" in out
    assert f"other files, which are left in place:\n  {note} (" in out
    assert "p3.jpg of batch 1 (file " in out


def test_one_line_is_listed_page_by_page(machine: Machine) -> None:
    assert machine.call("rebuild", "--compare")[0] == 0
    names: list[str] = []
    after = 0
    while True:
        asked = ["rebuild", "--files", "--line", "archived", "-n", "2", "--after", str(after), "--json"]
        (line,) = json.loads(machine.call(*asked)[1])["lines"]
        names += [os.path.basename(file["path"]) for file in line["files"]]
        if line["next_after_id"] is None:
            break
        after = line["next_after_id"]
    assert sorted(names) == [f"p{n}.jpg" for n in range(FILES)]
    assert "--line archived --after" in machine.call("rebuild", "--files", "--line", "archived", "-n", "2")[1]
    assert machine.call("rebuild", "--files", "--line", "missing")[:2] == (0, "")
    code, _, err = machine.call("rebuild", "--files", "--line", "lost")
    assert (code, "there are: archived, missing" in err) == (2, True)
    assert machine.call("rebuild", "--files", "--report")[0] == 2


def test_a_new_database_is_forced_and_the_old_one_kept(machine: Machine) -> None:
    code, out, _ = machine.call("rebuild", "--force-new")
    assert (code, "The old database is kept as" in out) == (0, True)
    kept = [name for name in os.listdir(machine.base / "state") if ".kept-" in name]
    assert len(kept) == 1


def test_a_backup_is_made_and_restored_after_everything_was_lost(machine: Machine) -> None:
    code, out, _ = machine.call("backup", str(machine.base / "safe.tar.gz"), "--json")
    made = json.loads(out)
    assert (code, made["name"], made["size_bytes"]) == (0, "safe.tar.gz", (machine.base / "safe.tar.gz").stat().st_size)
    machine.lose_database()
    machine.config_path.unlink()
    code, out, err = machine.call("restore", str(machine.base / "safe.tar.gz"), "--yes")
    assert code == 0, err
    assert "A whole backup" in out
    assert f"{FILES} archived" in out
    assert machine.call("rebuild", "--confirm")[0] == 0
    assert machine.call("run", "--json")[0] == 0
    assert machine.archived() == FILES


def damaged(machine: Machine) -> tuple[Path, Path, Path]:
    """The archive with one file flipped, one missing and one foreign."""
    archive = machine.base / "archive"
    flipped, missing = (next(archive.rglob(name)) for name in ("p1.jpg", "p3.jpg"))
    stat, held = flipped.stat(), bytearray(flipped.read_bytes())
    held[-1] ^= 1
    flipped.write_bytes(held)
    os.utime(flipped, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    missing.unlink()
    foreign = archive / "albums" / "theirs.jpg"
    write_tree(archive, {"albums/theirs.jpg": make_jpeg(seed=77)})
    return flipped, missing, foreign


def test_a_restore_over_a_damaged_archive_names_what_is_wrong_and_moves_nothing(machine: Machine) -> None:
    backup = json.loads(machine.call("backup", "--json")[1])["path"]
    flipped, missing, foreign = damaged(machine)
    write_tree(machine.base / "ingest", {"new.jpg": make_jpeg(taken="2024:06:06 07:08:09", seed=99)})
    before = media(machine)
    code, out, err = machine.call("restore", backup, "--yes")
    assert code == 0, err
    assert f"{FILES + 1} files were seen" in out
    for count in ("altered", "entries_without_file", "no_manifest"):
        assert f"        1 {WORTH_A_LOOK[count]}\n" in out
    listed = json.loads(machine.call("rebuild", "--files", "--json")[1])
    assert found_by_name(listed) == {"altered": [str(flipped)], "no_manifest": [str(foreign)]}
    (lost,) = listed["missing"]["missing"]
    assert (lost["origin"], lost["batch_id"]) == (missing.name, 1)
    counted = {line["name"]: line["files_seen"] for line in listed["lines"]}
    assert counted == {"archived": FILES, "discovered": 1}
    code, _, err = machine.call("run")
    assert (code, "until then nothing moves" in err) == (2, True)
    assert media(machine) == before
    assert machine.call("rebuild", "--confirm")[0] == 0
    assert media(machine) == before
    code, out, _ = machine.call("findings", "--json")
    assert [(one["kind"], one["place"]) for one in json.loads(out)["findings"]] == [("altered", str(flipped))]
    assert machine.call("run", "--json")[0] == 0
    assert machine.archived() == FILES + 1
    assert {name: content for name, content in media(machine).items() if name in before} == {
        name: content for name, content in before.items() if name != "ingest/new.jpg"
    }


def media(machine: Machine) -> dict[str, bytes]:
    """Every file of every folder but that of the state and the settings."""
    names = ("archive", "batches", "ingest", "duplicates")
    found = {name: read_tree(machine.base / name, own_names=True) for name in names if (machine.base / name).is_dir()}
    return {f"{folder}/{name}": content for folder, files in found.items() for name, content in files.items()}


def found_by_name(listed: dict[str, Any]) -> dict[str, list[str]]:
    """The files about which there is something to say, by what that is."""
    found: dict[str, list[str]] = {}
    for line in listed["lines"]:
        for file in line["files"]:
            if file["finding"] is not None:
                found.setdefault(file["finding"], []).append(file["path"])
    return found


def test_a_restore_is_looked_at_before_it_is_done(machine: Machine) -> None:
    path = json.loads(machine.call("backup", "--json")[1])["path"]
    before = (machine.base / "state" / "db.sqlite").stat().st_ino
    code, out, _ = machine.call("restore", path, "--dry-run", "--json")
    planned = json.loads(out)
    assert (code, planned["is_dry"], planned["manifests"], planned["changed_keys"]) == (0, True, 1, [])
    assert machine.call("restore", path, "--json")[0] == 2
    assert machine.call("restore", str(machine.config_path))[0] == 2
    assert (machine.base / "state" / "db.sqlite").stat().st_ino == before


def test_no_folder_is_made_for_a_backup_that_was_named(machine: Machine) -> None:
    (machine.base / "file").write_text("no folder")
    before = sorted(os.listdir(machine.base))
    for folder in ("nowhere", "nowhere/below", "file"):
        code, _, err = machine.call("backup", str(machine.base / folder / "safe.tar.gz"))
        assert (code, f"There is no folder {machine.base / folder}." in err) == (2, True), err
    assert sorted(os.listdir(machine.base)) == before
    assert machine.call("backup")[0] == 0


def test_backups_beyond_the_number_to_keep_go(machine: Machine) -> None:
    for _ in range(3):
        assert machine.call("backup", "--keep", "2")[0] == 0
    assert len(os.listdir(machine.base / "state" / "backups")) == 2
