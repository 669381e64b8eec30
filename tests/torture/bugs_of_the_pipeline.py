"""Bugs in claims, dedup, the proof of a delivery and what leans on them; see test_seeded_bugs.py."""

from __future__ import annotations

from tests.torture.bug import Bug

ROWS, DEDUP, PROOF = "tests/db/test_rows.py", "tests/pipeline/test_dedup.py", "tests/syncthing/test_proof.py"
STALE = f"{ROWS}::test_who_has_read_an_older_status_claims_nothing"

BUGS_OF_THE_PIPELINE = [
    Bug(
        "a run is claimed whatever has become of it",
        "db/runs.py",
        "where(runs.c.id == run.id, runs.c.status == run.status.value)",
        "where(runs.c.id == run.id)",
        STALE,
    ),
    Bug(
        "a batch is claimed whatever has become of it",
        "db/batches.py",
        "where(batches.c.id == batch.id, batches.c.status == batch.status.value)",
        "where(batches.c.id == batch.id)",
        STALE,
    ),
    Bug(
        "a file is marked whatever has become of it",
        "db/assets.py",
        "WHERE id = ? AND status = ?",
        "WHERE id = ? AND ? <> ''",
        STALE,
    ),
    Bug(
        "a run that begins gives its slot away",
        "db/runs.py",
        '"slot": 1 if status in IN_FLIGHT else None',
        '"slot": None',
        f"{ROWS}::test_a_waiting_run_frees_the_slot_and_takes_it_back_only_when_it_is_free",
    ),
    Bug(
        "the database does not flush what it commits",
        "db/connection.py",
        "PRAGMA synchronous=FULL",
        "PRAGMA synchronous=NORMAL",
        "tests/db/test_migrate.py::test_an_open_database_is_durable_and_strict",
    ),
    Bug(
        "files move before a rebuild is confirmed",
        "db/confirmation.py",
        "    if awaited is not None:\n        raise Conflict(awaited)",
        "    if False:\n        raise Conflict(awaited or '')",
        "tests/pipeline/test_rebuild.py::test_nothing_moves_before_a_person_agrees",
    ),
    Bug(
        "files are told apart by their beginnings alone",
        "files/hash_reader.py",
        "        while count := os.preadv(descriptor, [view], offset):\n            offset += count\n",
        "        for count in (os.preadv(descriptor, [view[:65_536]], offset),):\n",
        f"{DEDUP}::test_files_of_one_size_with_the_same_ends_are_read_whole",
    ),
    Bug(
        "the newest file is the original",
        "model/original_order.py",
        '"earliest_mtime": lambda asset: (asset.mtime_ns,),',
        '"earliest_mtime": lambda asset: (-asset.mtime_ns,),',
        "tests/pipeline/test_original_order.py::test_the_first_rule_that_tells_two_files_apart_decides",
    ),
    Bug(
        "an original that is not there any more counts",
        "pipeline/originals.py",
        "        if seen is None:\n            return None\n",
        "        if seen is None:\n            return Original(asset, None)\n",
        f"{DEDUP}::test_a_file_whose_original_was_deleted_from_the_archive_is_kept",
    ),
    Bug(
        "an original that was edited counts",
        "pipeline/originals.py",
        "            if digests.sha256 != asset.sha256:\n",
        "            if False:\n",
        f"{DEDUP}::test_a_file_whose_original_was_edited_in_the_archive_is_kept",
    ),
    Bug(
        "what is gone counts as an original though no peer keeps it",
        "pipeline/originals.py",
        "if is_remembered or asset.id in self._kept_by_peer else None",
        "if True else None",
        f"{DEDUP}::test_nothing_is_a_duplicate_of_a_gone_file_that_no_peer_keeps",
    ),
    Bug(
        "a second name of a file is its duplicate",
        "pipeline/verdicts.py",
        "    return seen is not None and (seen.device, seen.inode)",
        "    return False and seen is not None and (seen.device, seen.inode)",
        f"{DEDUP}::test_two_names_of_one_file_are_both_kept_and_the_second_is_set_aside",
    ),
    Bug(
        "the comparison byte by byte is skipped",
        "pipeline/paranoid.py",
        "        services.disk.compare_bytes(original, Place(root, asset.path))\n",
        "        pass\n",
        "tests/pipeline/test_duplicate_policies.py::test_under_paranoid_what_differs_stays_and_is_taken_in",
    ),
    Bug(
        "a peer that needs nothing is believed to have it",
        "syncthing/proof.py",
        "    if device_id in view.holders:",
        "    if device_id in view.holders or not is_lacking:",
        f"{PROOF}::test_a_file_that_a_peer_neither_holds_nor_lacks_is_not_taken_there",
    ),
    Bug(
        "any version at the peer counts",
        "syncthing/proof.py",
        "    if view.version != view.global_version or view.global_deleted:",
        "    if view.global_deleted:",
        f"{PROOF}::test_only_our_version_whole_at_the_peer_is_confirmed",
    ),
    Bug(
        "a part of a file at the peer counts",
        "syncthing/answers.py",
        'holders=frozenset(_text(a, "id") for a in available if not _flag(a, "fromTemporary"))',
        'holders=frozenset(_text(a, "id") for a in available)',
        f"{PROOF}::test_only_our_version_whole_at_the_peer_is_confirmed",
    ),
    Bug(
        "the size in the index is not looked at",
        "syncthing/proof.py",
        "    return None if view.size_bytes == expected.size_bytes else Verdict.CHANGED_HERE",
        "    return None",
        f"{PROOF}::test_only_our_version_whole_at_the_peer_is_confirmed",
    ),
    Bug(
        "anybody's deletion is a release",
        "syncthing/proof.py",
        "    return view.global_modified_by == device_id[:7] and ours",
        "    return ours",
        f"{PROOF}::test_a_release_is_the_peers_own_delete_of_our_version",
    ),
    Bug(
        "one peer's proof counts for every peer",
        "db/deliveries.py",
        "having(func.count() == wanted)",
        "having(func.count() >= 1)",
        "tests/db/test_proofs.py::test_a_file_is_proven_when_every_required_device_has_it",
    ),
    Bug(
        "a batch is delivered though files are not proven",
        "pipeline/delivered.py",
        "        if unproven:\n",
        "        if False:\n",
        "tests/pipeline/test_sync.py::test_a_batch_with_a_file_that_is_not_proven_is_looked_at_again",
    ),
]
