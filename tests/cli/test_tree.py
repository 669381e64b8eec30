"""`tree` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Machine
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.running import workflow


@pytest.fixture
def filled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Machine:
    """A machine with two files in its archive."""
    machine = Machine(tmp_path, capsys, sync={"target": "none"})
    tree = {f"{n}.jpg": make_jpeg(f"202{n}:05:06 10:00:00", seed=n) for n in (3, 4)}
    write_tree(machine.services.config.paths.source_dir, tree)
    workflow(machine.services)
    return machine


def test_the_tree_is_shown_as_a_table_or_as_json(filled: Machine) -> None:
    code, out, _ = filled.call("tree", "--depth", "1")
    assert code == 0
    assert "The archive by {year}/{month:02d}/{day:02d}" in out
    code, found = filled.ask("tree", "--depth", "1")
    assert (code, [folder["folder"] for folder in found["folders"]]) == (0, ["2023", "2024"])


def test_another_pattern_is_tried_without_moving_a_file(filled: Machine) -> None:
    other = ("--pattern", "{month_name} {year}", "--language", "it", "--name-pattern", "{counter}")
    code, out, _ = filled.call("tree", *other)
    assert code == 0
    assert "maggio 2023" in out
    assert "3.jpg goes to maggio 2023/1.jpg" in out
    _, found = filled.ask("tree")
    assert found["elsewhere"] == 0


def test_a_fault_in_a_pattern_is_refused_with_its_place(filled: Machine) -> None:
    code, out, err = filled.call("tree", "--pattern", "{year}/{daye}", "--json")
    assert code == 2
    detail = json.loads(out or err)["error"]["detail"]
    assert "at character 8: {daye} cannot be used here; did you mean {day}?" in detail


def test_a_sidecar_is_counted_with_its_photo_also_on_a_day_before_digital_cameras(filled: Machine) -> None:
    write_tree(filled.services.config.paths.source_dir, {"old.jpg": make_jpeg(seed=9), "old.jpg.xmp": b"<x/>"})
    workflow(filled.services)
    assert filled.call("dates", "set", "1966-05-01", "--reason", "mtime", "--yes")[0] == 0
    assert filled.call("refile", "--yes")[0] == 0
    _, found = filled.ask("tree")
    counts = {folder["folder"]: (folder["files"], folder["elsewhere"]) for folder in found["folders"]}
    assert counts == {"1966/05": (2, 0), "2023/05": (1, 0), "2024/05": (1, 0)}
