"""`dates` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Machine
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.stages import rows, take_stock


@pytest.fixture
def filled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Machine:
    machine = Machine(tmp_path, capsys, sync={"target": "none"})
    tree = {"a/scan.jpg": make_jpeg(seed=1), "b.jpg": make_jpeg("2024:05:06 07:08:09"), "b.xmp": b"<x/>"}
    write_tree(machine.services.config.paths.source_dir, tree)
    take_stock(machine.services)
    return machine


def test_doubtful_dates_are_listed_and_counted(filled: Machine) -> None:
    code, out, _ = filled.call("dates")
    assert (code, "a/scan.jpg" in out, "b.jpg" in out) == (0, True, False)
    code, out, _ = filled.call("dates", "list", "--counts")
    assert (code, "1 file has" in out, "(none known)" in out) == (0, True, True)
    assert filled.ask("dates", "list", "--folder", "x")[1]["files"] == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("set", "1985-06-01"), "1985-06-01T12:00:00"),
        (("zone", "+09:00"), "2024-05-06T07:08:09"),
        (("shift", "-1"), "2024-05-06T06:08:09"),
        (("shift", "5.5"), "2024-05-06T12:38:09"),
        (("accept",), "2024-05-06T07:08:09"),
    ],
)
def test_a_decision_is_shown_first_and_made_with_yes(
    filled: Machine, arguments: tuple[str, ...], expected: str
) -> None:
    asset_id = str(rows(filled.services)[b"b.jpg"].id)
    code, out, _ = filled.call("dates", *arguments, "--file", asset_id, "--dry-run")
    assert (code, expected in out, "and with it b.xmp" in out) == (0, True, True)
    assert rows(filled.services)[b"b.jpg"].taken_from == "exif"
    code, _, _ = filled.call("dates", *arguments, "--file", asset_id, "--yes")
    found = rows(filled.services)[b"b.jpg"]
    assert (code, found.taken_local, found.taken_from) == (0, expected, "person")


def test_a_zone_that_moves_no_clock_is_told_with_both_zones_and_instants(filled: Machine) -> None:
    asset_id = str(rows(filled.services)[b"b.jpg"].id)
    with filled.services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE assets SET taken_at = '2024-05-06T05:08:09+00:00' WHERE id = ?", (asset_id,))
    out = filled.call("dates", "zone", "Asia/Tokyo", "--file", asset_id, "--dry-run")[1]
    assert "(2024-05-06 05:08:09 UTC, told at +02:00, becomes 2024-05-05 22:08:09 UTC, told at +09:00)" in out


def test_without_yes_or_without_files_nothing_is_decided(filled: Machine) -> None:
    code, out, err = filled.call("dates", "accept", "--json", "--folder", "a")
    assert (code, "--yes" in out + err) == (2, True)
    code, _, _ = filled.call("dates", "accept", "--folder", "nowhere")
    assert code == 2
    code, _, err = filled.call("dates", "set", "soon", "--folder", "a")
    assert (code, "is no date" in err) == (2, True)
    assert rows(filled.services)[b"a/scan.jpg"].taken_from == "mtime"


def test_what_was_decided_is_listed_and_taken_back(filled: Machine) -> None:
    assert filled.call("dates", "decided")[:2] == (0, "Nobody has decided about a date.\n")
    filled.call("dates", "set", "1985-06-01", "--folder", "a", "--yes")
    code, out, _ = filled.call("dates", "decided")
    assert (code, "cli: set 1985-06-01, 1 file, the first a/scan.jpg" in out) == (0, True)
    (act,) = filled.ask("dates", "decided")[1]["acts"]
    code, out, _ = filled.call("dates", "undo", "--at", act["decided_at"], "--dry-run")
    assert (code, "1985-06-01T12:00:00 becomes 20" in out) == (0, True)
    assert rows(filled.services)[b"a/scan.jpg"].taken_from == "person"
    code, out, _ = filled.call("dates", "undo", "--at", act["decided_at"], "--yes")
    assert (code, "1 file got the date back that it tells by itself." in out) == (0, True)
    assert rows(filled.services)[b"a/scan.jpg"].taken_from == "mtime"
    assert filled.call("dates", "undo", "--folder", "a", "--yes")[0] == 2
    code, _, err = filled.call("dates", "undo")
    assert (code, "Say which files" in err) == (2, True)
