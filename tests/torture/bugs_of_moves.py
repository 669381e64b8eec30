"""Bugs in moving, recovering and removing files; see test_seeded_bugs.py."""

from __future__ import annotations

from tests.torture.bug import Bug

MOVE, REFUSALS = "tests/files/test_move.py", "tests/files/test_move_refusals.py"
RECOVER, PRUNE = "tests/files/test_recover.py", "tests/files/test_prune.py"
CALLS, ADVERSARY = "tests/torture/test_system_calls.py", "tests/torture/test_adversary.py"
COPY_ORDER = f"{CALLS}::test_a_copy_is_durable_and_proven_before_the_journal_says_so_and_the_source_goes_last"
RENAME_ORDER = f"{CALLS}::test_a_rename_is_planned_before_and_its_folders_are_durable_before_it_is_done"


BUGS_OF_MOVES = [
    Bug(
        "a rename may replace",
        "files/syscalls.py",
        "target_dir, target, RENAME_NOREPLACE)",
        "target_dir, target, 0)",
        f"{MOVE}::test_a_target_with_other_content_is_never_replaced",
    ),
    Bug(
        "copies are not flushed",
        "files/content.py",
        "            if durable:\n",
        "            if False:\n",
        COPY_ORDER,
    ),
    Bug(
        "copies are not read back",
        "files/content.py",
        "if digest_of(fd, expected[1]) != expected[0]:",
        "if False:",
        f"{ADVERSARY}::test_a_copy_that_the_disk_garbled_is_never_published",
    ),
    Bug(
        "the source goes before the journal says that the copy is in place",
        "files/trash.py",
        "    _commit_placed(group, taking)\n    for moving in taking:\n        _take(group, moving)\n",
        "    for moving in taking:\n        _take(group, moving)\n    _commit_placed(group, taking)\n",
        COPY_ORDER,
    ),
    Bug("the target's folder is not flushed", "files/move.py", "    group.folders.flush()\n", "", COPY_ORDER),
    Bug("renames are not flushed", "files/place.py", "        group.both_touched(moving)\n", "", RENAME_ORDER),
    Bug("fresh sources are not flushed", "files/move.py", "    make_sources_durable(group)\n", "", RENAME_ORDER),
    Bug(
        "equal size is taken for equal content",
        "files/place.py",
        "    if found is None or found[0] != moving.expected[0]:\n        raise TargetExists(",
        "    if found is None:\n        raise TargetExists(",
        f"{MOVE}::test_a_target_of_the_same_size_and_other_content_is_other_content",
    ),
    Bug(
        "a second name of the source is taken for a copy of it",
        "files/place.py",
        "if here is not None and (seen.st_dev",
        "if False and here is not None and (seen.st_dev",
        f"{MOVE}::test_a_target_that_is_the_source_by_another_name_is_refused_and_both_names_stay",
    ),
    Bug(
        "a changed source is moved",
        "files/prepare.py",
        "    return moving.source == moving.move.asset.signature\n",
        "    return True\n",
        f"{REFUSALS}::test_a_file_that_changed_after_hashing_is_not_moved",
    ),
    Bug(
        "only the modification time tells a change",
        "files/prepare.py",
        "    return moving.source == moving.move.asset.signature\n",
        "    return moving.source.mtime_ns == moving.move.asset.mtime_ns\n",
        f"{REFUSALS}::test_a_change_that_restores_the_modification_time_is_noticed",
    ),
    Bug(
        "what arrived is not looked at",
        "files/place.py",
        "    return planned is not None and facts ==",
        "    return planned is not None or facts ==",
        f"{ADVERSARY}::test_a_source_replaced_before_its_rename_gets_its_name_back",
    ),
    Bug(
        "what was taken is not looked at",
        "files/trash.py",
        "        if is_what_was_copied(folder, name, seen, moving):\n",
        "        if True:\n",
        f"{ADVERSARY}::test_a_source_replaced_while_it_is_copied_stays_and_the_copy_holds_the_old_content",
    ),
    Bug(
        "not knowing is taken for absent",
        "files/directory.py",
        "    except FileNotFoundError:\n        return None\n\n\ndef signature_of",
        "    except OSError:\n        return None\n\n\ndef signature_of",
        "tests/torture/test_fault_sweep.py::test_recovery_that_cannot_look_at_a_name_stops_and_can_be_repeated",
    ),
    Bug(
        "links are followed",
        "files/directory.py",
        "return os.open(part, FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=parent)",
        "return os.open(part, FOLDER_FLAGS, dir_fd=parent)",
        f"{REFUSALS}::test_a_folder_swapped_for_a_link_is_never_followed",
    ),
    Bug(
        "the marker is not looked at",
        "files/directory.py",
        "        _check_marker(fd, root)\n",
        "        pass\n",
        f"{REFUSALS}::test_a_root_without_its_marker_stops_all_work",
    ),
    Bug(
        "there is no lock",
        "files/lock.py",
        "        if not _try_patiently(fd):",
        "        if False:",
        "tests/files/test_lock.py::test_a_second_process_is_refused_at_once_and_let_in_after_a_kill",
    ),
    Bug(
        "recovery removes the only copy",
        "files/recover_decide.py",
        "        if facts.source.right or facts.target.right:\n",
        "        if True:\n",
        f"{RECOVER}::test_recovery_goes_by_what_is_on_disk",
    ),
    Bug(
        "recovery trusts what is in the trash",
        "files/recover_decide.py",
        "    if facts.trash.right:\n        return",
        "    if True:\n        return",
        f"{RECOVER}::test_recovery_goes_by_what_is_on_disk",
    ),
    Bug(
        "recovery goes by size",
        "files/recover_facts.py",
        "return Found.RIGHT if read is not None and read[0] == row.digest else Found.WRONG",
        "return Found.RIGHT if read is not None else Found.WRONG",
        f"{RECOVER}::test_recovery_goes_by_what_is_on_disk",
    ),
    Bug(
        "recovery does not write down that it is done",
        "files/recover_steps.py",
        "        finish(group, lambda conn, _done: self._tell_finished(conn, decision))\n",
        "",
        f"{RECOVER}::test_recovery_done_twice_changes_nothing_more",
    ),
    Bug(
        "trash is dropped without its copy",
        "files/trash_expiry.py",
        "    if row.purpose != SIDECAR and not _copy_is_certain(folders, known, asset, row, seen):\n"
        "        return False\n",
        "",
        f"{PRUNE}::test_trash_stays_when_the_copy_is_missing",
    ),
    Bug(
        "trash is dropped by size and time",
        "files/trash_expiry.py",
        "    if signature_of(seen) == asset.signature:\n",
        "    if (seen.st_size, seen.st_mtime_ns) == (asset.size_bytes, asset.mtime_ns):\n",
        f"{PRUNE}::test_trash_stays_when_the_copy_is_damaged_even_if_its_size_and_time_fit",
    ),
    Bug(
        "temporary files go by their pattern alone",
        "files/prune.py",
        "if name in ended]",
        "if True]",
        f"{PRUNE}::test_a_temporary_file_goes_only_when_the_journal_says_its_move_ended",
    ),
    Bug(
        "anything may be removed as our own",
        "files/own_files.py",
        "    if name not in OWN_FILE_NAMES and not DECISIONS_NAME.fullmatch(name):\n",
        "    if False:\n",
        f"{PRUNE}::test_only_manifests_and_checksums_are_removed_as_our_own",
    ),
    Bug(
        "trash is dropped whatever its age",
        "files/trash_expiry.py",
        "before = later(-days * SECONDS_PER_DAY)",
        "before = later(SECONDS_PER_DAY)",
        f"{PRUNE}::test_trash_is_dropped_once_its_days_are_over",
    ),
    Bug(
        "trash that is the archived file itself is dropped as its copy",
        "files/trash_expiry.py",
        "if (seen.st_dev, seen.st_ino) == (trashed.st_dev, trashed.st_ino):",
        "if False:",
        f"{PRUNE}::test_trash_that_is_the_archived_file_by_another_name_stays",
    ),
    Bug(
        "a hold goes although the file is nowhere else",
        "files/holds.py",
        "if not is_regular(seen) or not _is_at_home(hold, signature_of(seen)):",
        "if not is_regular(seen):",
        "tests/files/test_holds.py::test_a_hold_stays_while_other_content_or_nothing_is_at_its_files_place",
    ),
    Bug(
        "recovery finishes a move whose target is not proven",
        "files/recover_decide.py",
        "    if target.right:\n        return _planned_and_there",
        "    if not target.absent:\n        return _planned_and_there",
        f"{RECOVER}::test_recovery_goes_by_what_is_on_disk",
    ),
    Bug(
        "a file is taken while it grows",
        "files/settle.py",
        "    return (before.size_bytes, before.mtime_ns, before.ctime_ns) == (after",
        "    return True or (before.size_bytes, before.mtime_ns, before.ctime_ns) == (after",
        "tests/files/test_settle.py::test_any_change_of_size_mtime_or_ctime_starts_the_wait_again",
    ),
]
