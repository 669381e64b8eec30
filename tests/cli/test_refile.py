"""`refile` with a worker of its own: the plan, the moves, and taking them back."""

from __future__ import annotations

from tests.cli.conftest import Machine
from tests.conftest import make_jpeg, read_tree, write_tree

PICTURES = {f"camera{n}/IMG_1.jpg": make_jpeg(taken=f"2024:05:0{1 + n} 07:08:09", seed=n) for n in range(3)}
YEARLY = ["2024/IMG_1.jpg", "2024/IMG_1_1.jpg", "2024/IMG_1_2.jpg"]


def test_a_template_is_changed_and_the_archive_follows_when_a_person_says_so(machine: Machine) -> None:
    write_tree(machine.base / "ingest", PICTURES)
    assert machine.call("run")[0] == 0
    before = read_tree(machine.base / "archive")
    code, out, _ = machine.call("config", "set", "sorter.folder_pattern={year}")
    assert (code, "What is in the archive (3 files) stays where it is" in out) == (0, True)
    code, out, err = machine.call("refile")
    assert (code, read_tree(machine.base / "archive")) == (0, before), err
    assert "2024/05/02/IMG_1.jpg → 2024/IMG_1_1.jpg (suffixed)" in out
    assert "3 files in 3 groups" in out and "Nothing was moved." in out and "--yes" in out
    code, told = machine.ask("refile", "--yes")
    assert (code, told["done"]["files"], told["done"]["suffixed"]) == (0, 3, 2)
    assert sorted(file["to"] for file in told["files"]) == YEARLY
    assert [*read_tree(machine.base / "archive")] == YEARLY
    run_id = str(told["run"]["id"])
    code, out, _ = machine.call("refile", "--undo", run_id)
    assert (code, [*read_tree(machine.base / "archive")]) == (0, YEARLY)
    code, out, _ = machine.call("refile", "--undo", run_id, "--yes")
    assert (code, "3 files lie again where they lay before" in out) == (0, True)
    assert read_tree(machine.base / "archive") == before


def test_a_run_that_is_taken_back_goes_with_no_choice_of_files(machine: Machine) -> None:
    code, _, err = machine.call("refile", "--undo", "1", "--file", "2")
    assert (code, "takes a whole run back" in err) == (2, True)
    code, _, err = machine.call("refile", "--undo", "99")
    assert (code, "files the archive anew" in err) == (2, True)


def test_a_decided_date_says_how_its_files_are_filed_anew(machine: Machine) -> None:
    write_tree(machine.base / "ingest", PICTURES)
    assert machine.call("run")[0] == 0
    code, out, _ = machine.call("dates", "set", "2001-02-03", "--file", "1", "--yes")
    way = next(line for line in out.splitlines() if line.startswith("To file them anew: media-pipeline "))
    assert code == 0
    assert machine.call(*way.removeprefix("To file them anew: media-pipeline ").split())[0] == 0
    assert "2001/02/03/IMG_1.jpg" in read_tree(machine.base / "archive")
