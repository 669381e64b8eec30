"""`dedup --dry-run` and `duplicates --plain`: sets of files with the same content, as fdupes lists them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from tests.cli.conftest import Machine
from tests.conftest import read_tree, write_tree

TREE = {"a/one.jpg": b"same", "b/two.jpg": b"same", "three.jpg": b"other", "c/four.jpg": b"pair", "five.jpg": b"pair"}


def sets_in(out: str) -> set[frozenset[str]]:
    return {frozenset(block.strip().split("\n")) for block in out.split("\n\n") if block.strip()}


def expected(machine: Machine) -> set[frozenset[str]]:
    folder = f"{machine.base}/ingest"
    return {
        frozenset({f"{folder}/a/one.jpg", f"{folder}/b/two.jpg"}),
        frozenset({f"{folder}/c/four.jpg", f"{folder}/five.jpg"}),
    }


def known(machine: Machine) -> list[tuple[bytes, str]]:
    with closing(sqlite3.connect(machine.base / "state" / "db.sqlite")) as conn:
        return conn.execute("SELECT path, status FROM assets").fetchall()


def test_a_dry_run_lists_the_sets_and_changes_nothing(machine: Machine) -> None:
    write_tree(machine.base / "ingest", TREE)
    before = read_tree(machine.base / "ingest")
    code, out, err = machine.call("dedup", "--dry-run")
    assert (code, sets_in(out)) == (0, expected(machine)), err
    assert "2 files are duplicates" in err
    assert read_tree(machine.base / "ingest") == before
    assert known(machine) == []


def test_a_dry_run_as_json_is_one_document(machine: Machine) -> None:
    write_tree(machine.base / "ingest", TREE)
    code, out, _ = machine.call("dedup", "--dry-run", "--json")
    found = json.loads(out)
    assert (code, {frozenset(one["files"]) for one in found["sets"]}) == (0, expected(machine))
    assert {(one["size_bytes"], one["is_reference"]) for one in found["sets"]} == {(4, False)}
    assert found["run"]["status"] == "done"
    assert found["totals"] == {"sets": 2, "duplicates": 2, "duplicate_bytes": 8}


def test_a_dry_run_is_no_preview_of_a_whole_run(machine: Machine) -> None:
    write_tree(machine.base / "ingest", TREE)
    machine.call("dedup", "--dry-run")
    code, _, err = machine.call("preview", "--last")
    assert code != 0
    assert "preview" in err


def test_a_dry_run_tells_where_files_lie_now_and_finds_what_the_run_finds(machine: Machine) -> None:
    write_tree(machine.base / "ingest", TREE)
    machine.call("config", "set", "dedup.duplicate_policy=quarantine")
    code, out, _ = machine.call("dedup", "--dry-run")
    assert (code, sets_in(out)) == (0, expected(machine))
    machine.call("config", "set", "dedup.duplicate_policy=label")
    assert machine.call("dedup")[0] == 0
    code, out, _ = machine.call("duplicates", "--plain")
    assert (code, sets_in(out)) == (0, expected(machine))


def test_the_plain_list_has_originals_in_reference_folders(machine: Machine) -> None:
    write_tree(machine.base / "before", {"x.jpg": b"same"})
    machine.call("config", "set", f'dedup.reference_dirs=["{machine.base}/before"]')
    write_tree(machine.base / "ingest", {"y.jpg": b"same"})
    assert machine.call("dedup")[0] == 0
    code, out, _ = machine.call("duplicates", "--plain")
    assert (code, out) == (0, f"{machine.base}/before/x.jpg\n{machine.base}/ingest/y.jpg\n")
    found = json.loads(machine.call("duplicates", "--plain", "--json")[1])
    assert found["sets"][0]["is_reference"] is True


def test_without_duplicates_the_plain_list_is_empty(machine: Machine) -> None:
    assert machine.call("duplicates", "--plain")[:2] == (0, "")
