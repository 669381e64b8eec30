"""Can these tests fail at all? Each bug below is put into a copy of the program, and a named test has to catch it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

MOVE, REFUSALS = "tests/files/test_move.py", "tests/files/test_move_refusals.py"
RECOVER, PRUNE = "tests/files/test_recover.py", "tests/files/test_prune.py"
CALLS, ADVERSARY = "tests/torture/test_system_calls.py", "tests/torture/test_adversary.py"
COPY_ORDER = f"{CALLS}::test_a_copy_is_durable_and_proven_before_the_journal_says_so_and_the_source_goes_last"
RENAME_ORDER = f"{CALLS}::test_a_rename_is_planned_before_and_its_folders_are_durable_before_it_is_done"


@dataclass(frozen=True)
class Bug:
    """A change of one line of a file in app/files, and the test that must notice."""

    name: str
    file: str
    right: str
    wrong: str
    caught_by: str


BUGS = [
    Bug(
        "a rename may replace",
        "syscalls.py",
        "target_dir, target, RENAME_NOREPLACE)",
        "target_dir, target, 0)",
        f"{MOVE}::test_a_target_with_other_content_is_never_replaced",
    ),
    Bug("copies are not flushed", "content.py", "            if durable:\n", "            if False:\n", COPY_ORDER),
    Bug(
        "copies are not read back",
        "content.py",
        "if digest_of(fd, expected[1]) != expected[0]:",
        "if False:",
        f"{ADVERSARY}::test_a_copy_that_the_disk_garbled_is_never_published",
    ),
    Bug(
        "the source goes before the journal says that the copy is in place",
        "trash.py",
        "    _commit_placed(group, taking)\n    for moving in taking:\n        _take(group, moving)\n",
        "    for moving in taking:\n        _take(group, moving)\n    _commit_placed(group, taking)\n",
        COPY_ORDER,
    ),
    Bug("the target's folder is not flushed", "move.py", "    group.folders.flush()\n", "", COPY_ORDER),
    Bug("renames are not flushed", "place.py", "        group.both_touched(moving)\n", "", RENAME_ORDER),
    Bug("fresh sources are not flushed", "move.py", "    make_sources_durable(group)\n", "", RENAME_ORDER),
    Bug(
        "equal size is taken for equal content",
        "place.py",
        "    if found is None or found[0] != moving.expected[0]:\n        raise TargetExists(",
        "    if found is None:\n        raise TargetExists(",
        f"{MOVE}::test_a_target_of_the_same_size_and_other_content_is_other_content",
    ),
    Bug(
        "a second name of the source is taken for a copy of it",
        "place.py",
        "if here is not None and (seen.st_dev",
        "if False and here is not None and (seen.st_dev",
        f"{MOVE}::test_a_target_that_is_the_source_by_another_name_is_refused_and_both_names_stay",
    ),
    Bug(
        "a changed source is moved",
        "prepare.py",
        "    return moving.source == moving.move.asset.signature\n",
        "    return True\n",
        f"{REFUSALS}::test_a_file_that_changed_after_hashing_is_not_moved",
    ),
    Bug(
        "only the modification time tells a change",
        "prepare.py",
        "    return moving.source == moving.move.asset.signature\n",
        "    return moving.source.mtime_ns == moving.move.asset.mtime_ns\n",
        f"{REFUSALS}::test_a_change_that_restores_the_modification_time_is_noticed",
    ),
    Bug(
        "what arrived is not looked at",
        "place.py",
        "    return planned is not None and facts ==",
        "    return planned is not None or facts ==",
        f"{ADVERSARY}::test_a_source_replaced_before_its_rename_gets_its_name_back",
    ),
    Bug(
        "what was taken is not looked at",
        "trash.py",
        "        if is_what_was_copied(folder, name, seen, moving):\n",
        "        if True:\n",
        f"{ADVERSARY}::test_a_source_replaced_while_it_is_copied_stays_and_the_copy_holds_the_old_content",
    ),
    Bug(
        "not knowing is taken for absent",
        "directory.py",
        "    except FileNotFoundError:\n        return None\n\n\ndef signature_of",
        "    except OSError:\n        return None\n\n\ndef signature_of",
        "tests/torture/test_fault_sweep.py::test_recovery_that_cannot_look_at_a_name_stops_and_can_be_repeated",
    ),
    Bug(
        "links are followed",
        "directory.py",
        "return os.open(part, FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=parent)",
        "return os.open(part, FOLDER_FLAGS, dir_fd=parent)",
        f"{REFUSALS}::test_a_folder_swapped_for_a_link_is_never_followed",
    ),
    Bug(
        "the marker is not looked at",
        "directory.py",
        "        _check_marker(fd, root)\n",
        "        pass\n",
        f"{REFUSALS}::test_a_root_without_its_marker_stops_all_work",
    ),
    Bug(
        "there is no lock",
        "lock.py",
        "        if not _try_patiently(fd):",
        "        if False:",
        "tests/files/test_lock.py::test_a_second_process_is_refused_at_once_and_let_in_after_a_kill",
    ),
    Bug(
        "recovery removes the only copy",
        "recover_decide.py",
        "        if facts.source.right or facts.target.right:\n",
        "        if True:\n",
        f"{RECOVER}::test_recovery_goes_by_what_is_on_disk",
    ),
    Bug(
        "recovery trusts what is in the trash",
        "recover_decide.py",
        "    if facts.trash.right:\n        return",
        "    if True:\n        return",
        f"{RECOVER}::test_recovery_goes_by_what_is_on_disk",
    ),
    Bug(
        "recovery goes by size",
        "recover_facts.py",
        "return Found.RIGHT if read is not None and read[0] == row.digest else Found.WRONG",
        "return Found.RIGHT if read is not None else Found.WRONG",
        f"{RECOVER}::test_recovery_goes_by_what_is_on_disk",
    ),
    Bug(
        "recovery does not write down that it is done",
        "recover_steps.py",
        "        finish(group, lambda conn, _done: self._tell_finished(conn, decision))\n",
        "",
        f"{RECOVER}::test_recovery_done_twice_changes_nothing_more",
    ),
    Bug(
        "trash is dropped without its copy",
        "trash_expiry.py",
        "    if row.purpose != SIDECAR and not _copy_is_certain(folders, known, asset, row, seen):\n"
        "        return False\n",
        "",
        f"{PRUNE}::test_trash_stays_when_the_copy_is_missing",
    ),
    Bug(
        "trash is dropped by size and time",
        "trash_expiry.py",
        "    if signature_of(seen) == asset.signature:\n",
        "    if (seen.st_size, seen.st_mtime_ns) == (asset.size_bytes, asset.mtime_ns):\n",
        f"{PRUNE}::test_trash_stays_when_the_copy_is_damaged_even_if_its_size_and_time_fit",
    ),
    Bug(
        "temporary files go by their pattern alone",
        "prune.py",
        "if name in ended]",
        "if True]",
        f"{PRUNE}::test_a_temporary_file_goes_only_when_the_journal_says_its_move_ended",
    ),
    Bug(
        "anything may be removed as our own",
        "own_files.py",
        "    if name not in OWN_FILE_NAMES and not DECISIONS_NAME.fullmatch(name):\n",
        "    if False:\n",
        f"{PRUNE}::test_only_manifests_and_checksums_are_removed_as_our_own",
    ),
]

#: Without the `torture` marker so many of them are tried, other ones each day.
TRIED_A_DAY = 4


@pytest.fixture(scope="module")
def copy_of_the_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mutant")
    for name in ("app", "tests"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(REPOSITORY / "pyproject.toml", folder / "pyproject.toml")
    return folder


def catches(folder: Path, bug: Bug) -> bool:
    """Whether the named test fails with the bug. It has to be there, and the line to be changed too."""
    path = folder / "app" / "files" / bug.file
    right = path.read_text()
    assert right.count(bug.right) >= 1, f"{bug.name}: the line to change is not in {bug.file}"
    path.write_text(right.replace(bug.right, bug.wrong, 1))
    try:
        return _run(folder, bug.caught_by) == 1
    finally:
        path.write_text(right)


def _run(folder: Path, test: str) -> int:
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTEST_ADDOPTS")}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.returncode


def check(folder: Path, bugs: list[Bug], capsys: pytest.CaptureFixture[str]) -> None:
    missed = [bug.name for bug in bugs if not catches(folder, bug)]
    with capsys.disabled():
        print(
            f"\nseeded bugs: {len(bugs) - len(missed)} of {len(bugs)} tried are caught, {len(BUGS)} there are", end=" "
        )
    assert not missed, f"not caught: {missed}"


def test_the_bugs_of_the_day_are_caught(copy_of_the_program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = datetime.now(UTC).date().toordinal() * TRIED_A_DAY
    check(copy_of_the_program, [BUGS[(first + n) % len(BUGS)] for n in range(TRIED_A_DAY)], capsys)


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_every_seeded_bug_is_caught(copy_of_the_program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(copy_of_the_program, BUGS, capsys)


def test_the_lines_to_change_are_all_there(copy_of_the_program: Path) -> None:
    for bug in BUGS:
        assert (copy_of_the_program / "app" / "files" / bug.file).read_text().count(bug.right) >= 1, bug.name
