"""`preview` on the command line: with a worker of its own, for people and for programs."""

from __future__ import annotations

import json
import os

from tests.cli.conftest import Machine
from tests.conftest import make_jpeg, read_tree, write_tree


def fill(machine: Machine) -> dict[str, bytes]:
    picture = make_jpeg(taken="2024:05:06 07:08:09", seed=1)
    write_tree(machine.base / "ingest", {"a.jpg": picture, "again.jpg": picture, "[bold]undated.jpg": b"no picture"})
    return read_tree(machine.base / "ingest")


def test_a_preview_is_shown_in_tables_and_touches_nothing(machine: Machine) -> None:
    tree = fill(machine)
    code, out, _ = machine.call("preview", "--files")
    assert code == 0, out
    text = " ".join(out.split())
    for part in (
        "2 files in 1 batch would go to the archive", "batch_001", "2024/05/06", "Doubtful dates", "Room",
        "[bold]undated.jpg", "Nothing is delivered; the files go straight to the archive.",
        "EXIF DateTimeOriginal says 2024-05-06 07:08", "At its end a run says: Everything is done.",
    ):  # fmt: skip
        assert part in text, part
    assert (read_tree(machine.base / "ingest"), read_tree(machine.base / "archive")) == (tree, {})


def test_a_preview_as_json_is_one_document_with_its_lists(machine: Machine) -> None:
    fill(machine)
    code, out, _ = machine.call("preview", "--json", "--files")
    found = json.loads(out)
    assert (code, found["is_current"], found["summary"]["counts"]["archived"]["files"]) == (0, True, 2)
    assert {os.path.basename(file["path"]) for file in found["files"]} == set(read_tree(machine.base / "ingest"))
    assert [batch["name"] for batch in found["batches"]] == ["batch_001"]
    assert [os.path.basename(d["duplicate_of"]["path"]) for d in found["duplicates"]] == ["a.jpg"]
    code, out, _ = machine.call("preview", "--last", "--json")
    assert json.loads(out)["run"]["id"] == found["run"]["id"]
    machine.call("run")
    _, out, _ = machine.call("preview", "--last")
    assert "Something has changed since; ask for a new preview." in out


def test_what_is_cut_is_counted_and_with_files_nothing_is_cut(machine: Machine) -> None:
    days = {f"d{n:02d}.jpg": make_jpeg(taken=f"2024:05:{n:02d} 07:08:09", seed=n) for n in range(1, 25)}
    write_tree(machine.base / "ingest", days)
    code, out, _ = machine.call("preview")
    assert (code, out.count("2024/05/")) == (0, 20)
    assert out.count("4 more; `media-pipeline preview --last --files` shows them all.") == 1
    code, out, _ = machine.call("preview", "--last", "--files")
    in_table = [line for line in out.splitlines() if "2024/05/" in line and "│" in line]
    assert (code, len(in_table), "more;" in out) == (0, 24, False)
    assert len(machine.ask("preview", "--last")[1]["folders"]) == 24


def test_without_a_library_the_preview_says_so_and_the_last_one_is_not_found(machine: Machine) -> None:
    code, _, err = machine.call("preview", "--last")
    assert (code, "There is no preview yet" in err) == (2, True)
    (machine.base / "ingest").rename(machine.base / "unplugged")
    code, out, _ = machine.call("preview")
    assert code == 1
    assert "ingest folder" in out
