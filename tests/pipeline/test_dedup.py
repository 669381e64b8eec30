"""Dedup: what is a duplicate of what, what is not, and that an original never suffers from it."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from app.db import assets, deliveries
from app.files.hash_reader import END_BYTES
from app.model import Asset, AssetStatus, RootKind, Stage
from app.pipeline.digesting import Digesting
from app.pipeline.tally import MAX_ATTEMPTS, Tally
from app.services import Services
from tests.conftest import make_services, read_tree, write_tree
from tests.pipeline.library import a_step
from tests.pipeline.stages import change, events, ingest, rows, run_dedup, run_scan, states, take_stock


def file_at(services: Services, name: str) -> Path:
    return Path(os.fsdecode(ingest(services))) / name


def take_in(services: Services, tree: dict[str, bytes]) -> None:
    write_tree(ingest(services), tree)
    run_scan(services)
    run_dedup(services)


def archive(services: Services, name: bytes, status: AssetStatus = AssetStatus.ARCHIVED) -> Asset:
    """Bring a unique file to the archive, as batch, sync and sort do."""
    asset = rows(services)[name]
    if asset.sha256 is None:
        Digesting(services, a_step(services, Stage.BATCH), Tally()).read_whole([asset])
    root = services.root(RootKind.ARCHIVE)
    target = os.path.join(root.path, name)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.move(os.fsdecode(asset_path(services, asset)), os.fsdecode(target))
    seen = signature(target)
    with services.db.transaction() as conn:
        assets.place(conn, asset.id, root.id, name, seen, AssetStatus.BATCHED)
        if status is not AssetStatus.BATCHED:
            assets.mark(conn, [assets.get(conn, asset.id)], status)
        return assets.get(conn, asset.id)


def asset_path(services: Services, asset: Asset) -> bytes:
    roots = {root.id: root for kind in services.roots.values() for root in kind}
    return roots[asset.root_id].path + b"/" + asset.path


def signature(path: bytes):  # type: ignore[no-untyped-def]
    from app.files.directory import signature_of

    return signature_of(os.lstat(path))


def test_the_oldest_of_equal_files_is_the_original(services: Services) -> None:
    write_tree(ingest(services), {"copy/a.jpg": b"same", "a.jpg": b"same", "old.jpg": b"same", "b.jpg": b"other"})
    os.utime(file_at(services, "old.jpg"), (1_500_000_000, 1_500_000_000))
    run_scan(services)
    report = run_dedup(services)
    found = rows(services)
    assert states(services) == {
        b"copy/a.jpg": "duplicate", b"a.jpg": "duplicate", b"old.jpg": "unique", b"b.jpg": "unique",
    }  # fmt: skip
    assert found[b"a.jpg"].original_id == found[b"copy/a.jpg"].original_id == found[b"old.jpg"].id
    assert (report.detail["unique"], report.detail["duplicate"]) == (2, 2)


def test_with_equal_times_the_shorter_path_is_the_original(services: Services) -> None:
    write_tree(ingest(services), {"a/b/c.jpg": b"same", "z.jpg": b"same"})
    for name in ("a/b/c.jpg", "z.jpg"):
        os.utime(file_at(services, name), (1_500_000_000, 1_500_000_000))
    run_scan(services)
    run_dedup(services)
    assert states(services) == {b"a/b/c.jpg": "duplicate", b"z.jpg": "unique"}


def test_a_file_of_a_size_that_no_other_has_is_not_read(services: Services) -> None:
    take_in(services, {"a.jpg": b"one", "b.jpg": b"three"})
    found = rows(services)
    assert states(services) == {b"a.jpg": "unique", b"b.jpg": "unique"}
    assert [(a.head_digest, a.digest, a.sha256) for a in found.values()] == [(None, None, None)] * 2


def test_files_of_one_size_are_told_apart_by_their_ends(services: Services) -> None:
    take_in(services, {"a.jpg": b"one", "b.jpg": b"two"})
    found = rows(services)
    assert states(services) == {b"a.jpg": "unique", b"b.jpg": "unique"}
    assert len({a.head_digest for a in found.values() if a.head_digest}) == 2
    assert [a.digest for a in found.values()] == [None, None]


def test_files_of_one_size_with_the_same_ends_are_read_whole(services: Services) -> None:
    ends, middles = b"e" * END_BYTES, [b"m" * 1000, b"n" * 1000, b"m" * 1000]
    take_in(services, {f"{i}.jpg": ends + middle + ends for i, middle in enumerate(middles)})
    found = rows(services)
    assert len({a.head_digest for a in found.values()}) == 1
    assert len({a.sha256 for a in found.values() if a.sha256}) == 2
    assert sorted(states(services).values()) == ["duplicate", "unique", "unique"]
    assert all(a.digest_algorithm == "blake3" and a.digest != a.sha256 for a in found.values())


def test_a_unique_file_is_read_when_another_one_looks_like_it_and_stays_the_original(services: Services) -> None:
    take_in(services, {"a.jpg": b"same"})
    assert rows(services)[b"a.jpg"].digest is None
    write_tree(ingest(services), {"b.jpg": b"same", "c.jpg": b"else"})
    os.utime(file_at(services, "b.jpg"), (1_000_000_000, 1_000_000_000))
    run_scan(services)
    run_dedup(services)
    found = rows(services)
    assert states(services) == {b"a.jpg": "unique", b"b.jpg": "duplicate", b"c.jpg": "unique"}
    assert found[b"b.jpg"].original_id == found[b"a.jpg"].id
    assert found[b"a.jpg"].sha256 == found[b"b.jpg"].sha256 is not None


def test_a_unique_file_that_is_lost_before_it_was_read_is_nobodys_original(services: Services) -> None:
    take_in(services, {"a.jpg": b"same"})
    write_tree(ingest(services), {"b.jpg": b"same"})
    run_scan(services)
    os.unlink(file_at(services, "a.jpg"))
    run_dedup(services)
    assert states(services) == {b"a.jpg": "discovered", b"b.jpg": "unique"}


def test_what_was_archived_before_head_digests_were_kept_is_compared_as_a_whole(services: Services) -> None:
    take_in(services, {"a.jpg": b"same"})
    original = archive(services, b"a.jpg")
    with services.db.transaction() as conn:
        assets.set_columns(conn, [(original.id, {"head_digest": None})])
    take_in(services, {"again.jpg": b"same", "other.jpg": b"else"})
    assert (states(services)[b"again.jpg"], states(services)[b"other.jpg"]) == ("duplicate", "unique")


@pytest.mark.parametrize("status", [AssetStatus.BATCHED, AssetStatus.DELIVERED, AssetStatus.ARCHIVED])
def test_a_late_duplicate_never_changes_its_original(services: Services, status: AssetStatus) -> None:
    take_in(services, {"a.jpg": b"same"})
    original = archive(services, b"a.jpg", status)
    write_tree(ingest(services), {"older.jpg": b"same"})
    os.utime(file_at(services, "older.jpg"), (1_000_000_000, 1_000_000_000))
    run_scan(services)
    run_dedup(services)
    with services.db.reading() as conn:
        assert assets.get(conn, original.id) == original
    late = rows(services)[b"older.jpg"]
    assert (late.status, late.original_id) == ("duplicate", original.id)


def test_a_file_whose_original_was_deleted_from_the_archive_is_kept(services: Services) -> None:
    take_in(services, {"a.jpg": b"same"})
    original = archive(services, b"a.jpg")
    os.unlink(asset_path(services, original))
    take_in(services, {"again.jpg": b"same"})
    assert states(services)[b"again.jpg"] == "unique"


def test_a_file_whose_original_was_edited_in_the_archive_is_kept(services: Services) -> None:
    take_in(services, {"a.jpg": b"same"})
    original = archive(services, b"a.jpg")
    Path(os.fsdecode(asset_path(services, original))).write_bytes(b"edit")
    take_in(services, {"again.jpg": b"same"})
    assert states(services)[b"again.jpg"] == "unique"


def test_an_original_that_was_only_touched_is_read_again_and_counts(services: Services) -> None:
    take_in(services, {"a.jpg": b"same"})
    original = archive(services, b"a.jpg")
    os.utime(asset_path(services, original), (5, 5))
    take_in(services, {"again.jpg": b"same"})
    assert states(services)[b"again.jpg"] == "duplicate"


def test_what_was_delivered_and_left_the_disk_on_purpose_is_still_an_original(services: Services) -> None:
    take_in(services, {"a.jpg": b"same", "b.jpg": b"never delivered"})
    for name in (b"a.jpg", b"b.jpg"):
        asset = archive(services, name)
        os.unlink(asset_path(services, asset))
        change(services, asset, AssetStatus.GONE)
    with services.db.transaction() as conn:
        gone = next(a for a in assets.list_by_status(conn, AssetStatus.GONE) if a.path == b"a.jpg")
        conn.exec_driver_sql(
            "INSERT INTO batches (id, name, status, target, transfer_mode, peer_policy, created_at) "
            "VALUES (1, 'b', 'SORTED', 'folder', 'move', 'keep', '2025')"
        )
        deliveries.confirm(conn, 1, "PEER", [(gone.id, None)])
    take_in(services, {"again.jpg": b"same", "again_b.jpg": b"never delivered"})
    assert states(services) == {b"again.jpg": "duplicate", b"again_b.jpg": "unique"}


@pytest.mark.parametrize("change_of_batch", ["peer_policy = 'mirror'", "released_at = '2025'"])
def test_nothing_is_a_duplicate_of_a_gone_file_that_no_peer_keeps(services: Services, change_of_batch: str) -> None:
    take_in(services, {"a.jpg": b"same"})
    asset = archive(services, b"a.jpg")
    with services.db.transaction() as conn:
        conn.exec_driver_sql(
            "INSERT INTO batches (id, name, status, target, transfer_mode, peer_policy, created_at) "
            "VALUES (1, 'b', 'SORTED', 'syncthing', 'move', 'keep', '2025')"
        )
        deliveries.confirm(conn, 1, "PEER", [(asset.id, None)])
    take_in(services, {"leaning.jpg": b"same"})
    os.unlink(asset_path(services, asset))
    change(services, asset, AssetStatus.GONE)
    take_in(services, {"again.jpg": b"same"})
    assert states(services) == {b"leaning.jpg": "duplicate", b"again.jpg": "duplicate"}
    with services.db.transaction() as conn:
        conn.exec_driver_sql(f"UPDATE batches SET {change_of_batch}")
    run_scan(services)
    run_dedup(services)
    assert sorted(states(services).values()) == ["duplicate", "unique"]


def test_a_duplicate_whose_original_vanished_is_judged_again(services: Services) -> None:
    take_in(services, {"a.jpg": b"same", "b/copy.jpg": b"same"})
    assert states(services)[b"b/copy.jpg"] == "duplicate"
    file_at(services, "a.jpg").unlink()
    run_scan(services)
    report = run_dedup(services)
    assert states(services) == {b"b/copy.jpg": "unique"}
    assert report.detail["reopened"] == 1


def test_empty_files_are_never_duplicates(services: Services) -> None:
    take_in(services, {"a.jpg": b"", "b.jpg": b"", "c/a.jpg": b""})
    assert set(states(services).values()) == {"unique"}


def test_files_alike_but_for_their_last_byte_are_told_apart(services: Services) -> None:
    take_in(services, {"a.jpg": b"x" * 300_000 + b"1", "b.jpg": b"x" * 300_000 + b"2"})
    assert set(states(services).values()) == {"unique"}


def test_two_names_of_one_file_are_both_kept_and_the_second_is_set_aside(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": b"same"})
    os.link(file_at(services, "a.jpg"), file_at(services, "second name.jpg"))
    run_scan(services)
    run_dedup(services)
    assert states(services) == {b"a.jpg": "unique", b"second name.jpg": "set_aside"}
    assert "hard link" in events(services, "asset.set_aside")[0]
    file_at(services, "a.jpg").unlink()
    run_scan(services)
    run_dedup(services)
    assert states(services) == {b"second name.jpg": "unique"}


def test_a_second_name_of_an_archived_file_is_no_duplicate(services: Services) -> None:
    take_in(services, {"a.jpg": b"same"})
    original = archive(services, b"a.jpg")
    os.link(asset_path(services, original), file_at(services, "linked.jpg"))
    run_scan(services)
    run_dedup(services)
    assert states(services)[b"linked.jpg"] == "set_aside"


def test_half_a_live_photo_is_not_taken_away_as_a_duplicate(services: Services) -> None:
    take_in(services, {"a/IMG_1.HEIC": b"still"})
    take_in(services, {"b/IMG_1.HEIC": b"still", "b/IMG_1.MOV": b"moving"})
    assert states(services) == {b"a/IMG_1.HEIC": "unique", b"b/IMG_1.HEIC": "unique", b"b/IMG_1.MOV": "unique"}


def test_a_group_whose_members_are_all_known_is_a_duplicate_as_a_whole(services: Services) -> None:
    take_in(services, {"a/IMG_1.HEIC": b"still", "a/IMG_1.MOV": b"moving", "a/IMG_1.AAE": b"edits"})
    take_in(services, {"b/IMG_7.HEIC": b"still", "b/IMG_7.MOV": b"moving", "b/IMG_7.AAE": b"edits"})
    assert {p: s for p, s in states(services).items() if p.startswith(b"b/")} == {
        b"b/IMG_7.HEIC": "duplicate", b"b/IMG_7.MOV": "duplicate", b"b/IMG_7.AAE": "duplicate",
    }  # fmt: skip


def test_equal_groups_found_together_do_not_take_each_others_halves(services: Services) -> None:
    write_tree(
        ingest(services), {"a/I.HEIC": b"still", "a/I.MOV": b"moving", "b/I.HEIC": b"still", "b/I.MOV": b"moving"}
    )
    os.utime(file_at(services, "a/I.HEIC"), (1_500_000_000, 1_500_000_000))
    os.utime(file_at(services, "b/I.MOV"), (1_400_000_000, 1_400_000_000))
    run_scan(services)
    run_dedup(services)
    assert states(services) == {
        b"a/I.HEIC": "duplicate", b"a/I.MOV": "duplicate", b"b/I.HEIC": "unique", b"b/I.MOV": "unique",
    }  # fmt: skip


def test_a_late_half_brings_its_duplicate_other_half_back(services: Services) -> None:
    take_in(services, {"a/IMG_1.HEIC": b"still"})
    take_in(services, {"b/IMG_1.HEIC": b"still"})
    assert states(services)[b"b/IMG_1.HEIC"] == "duplicate"
    take_in(services, {"b/IMG_1.MOV": b"moving"})
    assert states(services)[b"b/IMG_1.HEIC"] == "unique"
    assert rows(services)[b"b/IMG_1.HEIC"].original_id is None


def test_a_group_whose_members_are_known_from_two_groups_stays_whole(services: Services) -> None:
    take_in(services, {"a/IMG_1.HEIC": b"still", "z/IMG_9.MOV": b"moving"})
    take_in(services, {"b/IMG_1.HEIC": b"still", "b/IMG_1.MOV": b"moving"})
    assert set(states(services).values()) == {"unique"}


def test_a_late_half_that_makes_the_group_no_more_than_a_duplicate_is_one(services: Services) -> None:
    take_in(services, {"a/IMG_1.HEIC": b"still", "a/IMG_1.MOV": b"moving"})
    take_in(services, {"b/IMG_1.HEIC": b"still"})
    take_in(services, {"b/IMG_1.MOV": b"moving"})
    assert {states(services)[path] for path in (b"b/IMG_1.HEIC", b"b/IMG_1.MOV")} == {"duplicate"}


def test_a_quarantined_duplicate_comes_back_with_its_late_other_half(tmp_path: Path) -> None:
    services = make_services(tmp_path, dedup={"duplicate_policy": "quarantine"})
    take_in(services, {"a/IMG_1.HEIC": b"still"})
    take_in(services, {"b/IMG_1.HEIC": b"still"})
    take_in(services, {"b/IMG_1.MOV": b"moving"})
    assert states(services)[b"b/IMG_1.HEIC"] == "unique"
    services.close()


def test_a_late_half_of_what_has_gone_on_is_taken_in_although_its_other_half_is_known(services: Services) -> None:
    take_in(services, {"a/IMG_1.HEIC": b"still", "b/IMG_1.MOV": b"moving"})
    archive(services, b"b/IMG_1.MOV")
    take_in(services, {"b/IMG_1.HEIC": b"still"})
    assert states(services)[b"b/IMG_1.HEIC"] == "unique"


def test_what_comes_again_to_a_group_that_has_gone_on_is_a_duplicate_of_what_is_in_it(services: Services) -> None:
    tree = {"a/IMG_1.HEIC": b"still", "a/IMG_1.MOV": b"moving", "a/IMG_1.HEIC.xmp": b"words"}
    take_in(services, tree)
    kept = {name: archive(services, os.fsencode(name)).id for name in tree}
    with services.db.transaction() as conn:
        for name, asset_id in kept.items():
            root = services.root(RootKind.ARCHIVE)
            moved = os.path.join(root.path, b"2024", os.path.basename(os.fsencode(name)))
            os.makedirs(os.path.dirname(moved), exist_ok=True)
            os.rename(os.path.join(root.path, os.fsencode(name)), moved)
            path = b"2024/" + os.path.basename(os.fsencode(name))
            assets.place(conn, asset_id, root.id, path, signature(moved), None)
    take_in(services, {**tree, "a/IMG_1-edited.HEIC": b"edited"})
    assert {path: state for path, state in states(services).items() if path.startswith(b"a/")} == {
        b"a/IMG_1.HEIC": "duplicate", b"a/IMG_1.MOV": "duplicate", b"a/IMG_1.HEIC.xmp": "duplicate",
        b"a/IMG_1-edited.HEIC": "unique",
    }  # fmt: skip


@pytest.mark.parametrize("sidecar_first", [True, False])
def test_a_new_sidecar_of_a_known_photo_goes_to_the_group_of_the_photo(services: Services, sidecar_first: bool) -> None:
    take_in(services, {"a/IMG_1.jpg": b"picture"})
    if sidecar_first:
        take_in(services, {"b/IMG_1.jpg.xmp": b"words"})
        take_in(services, {"b/IMG_1.jpg": b"picture"})
    else:
        take_in(services, {"b/IMG_1.jpg": b"picture", "b/IMG_1.jpg.xmp": b"words"})
    found = rows(services)
    assert states(services) == {
        b"a/IMG_1.jpg": "unique", b"b/IMG_1.jpg": "duplicate", b"b/IMG_1.jpg.xmp": "unique",
    }  # fmt: skip
    assert found[b"b/IMG_1.jpg.xmp"].group_id == found[b"a/IMG_1.jpg"].group_id


def test_equal_sidecars_of_different_photos_stay_with_their_photos(services: Services) -> None:
    take_in(services, {"1.HEIC": b"one", "1.AAE": b"preset", "2.HEIC": b"two", "2.AAE": b"preset"})
    assert set(states(services).values()) == {"unique"}


def test_the_same_photo_under_two_endings_of_one_stem_is_kept_once(services: Services) -> None:
    take_in(services, {"a.jpg": b"same", "a.jpeg": b"same"})
    assert sorted(states(services).values()) == ["duplicate", "unique"]


def test_a_change_of_the_algorithm_still_finds_duplicates(tmp_path: Path, services: Services) -> None:
    take_in(services, {"a.jpg": b"same"})
    other = make_services(tmp_path, dedup={"hash_algorithm": "sha256"})
    take_in(other, {"b.jpg": b"same"})
    assert states(other)[b"b.jpg"] == "duplicate"
    take_in(services, {"c.jpg": b"same", "d.jpg": b"new"})
    assert states(services)[b"c.jpg"] == "duplicate"
    other.close()


def test_a_file_that_changed_after_the_scan_waits_for_the_next_one(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": b"one", "b.jpg": b"two"})
    run_scan(services)
    file_at(services, "a.jpg").write_bytes(b"changed since")
    report = run_dedup(services)
    assert states(services) == {b"a.jpg": "discovered", b"b.jpg": "unique"}
    assert [f.path for f in report.failures] == ["a.jpg"]
    assert rows(services)[b"a.jpg"].attempts == 0
    take_in(services, {})
    assert states(services)[b"a.jpg"] == "unique"


PR_SET_SECUREBITS, SECBIT_NOROOT = 28, 1


@pytest.fixture
def unprivileged_children() -> Iterator[None]:
    """Programs that this test starts cannot read what is closed to their user, even when that is root."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None)
    assert libc.prctl(PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0) == 0
    yield
    assert libc.prctl(PR_SET_SECUREBITS, 0, 0, 0, 0) == 0


@pytest.mark.usefixtures("unprivileged_children")
def test_a_file_that_cannot_be_read_three_times_has_failed_and_the_rest_goes_on(services: Services) -> None:
    write_tree(ingest(services), {"closed.jpg": b"one", "open.jpg": b"two"})
    file_at(services, "closed.jpg").chmod(0)
    run_scan(services)
    for attempt in range(1, MAX_ATTEMPTS):
        report = run_dedup(services)
        closed = rows(services)[b"closed.jpg"]
        assert (closed.status, closed.attempts) == ("discovered", attempt)
        assert "Permission denied" in (closed.reason or "")
        assert len(report.failures) == 1
    run_dedup(services)
    assert states(services) == {b"closed.jpg": "failed", b"open.jpg": "unique"}
    assert "Permission denied" in events(services, "asset.failed")[0]


def test_under_quarantine_duplicates_move_to_their_folder_and_keep_their_structure(tmp_path: Path) -> None:
    services = make_services(tmp_path, dedup={"duplicate_policy": "quarantine"})
    write_tree(services.root(RootKind.DUPLICATES).path, {"b/copy.jpg": b"something else"})
    take_in(services, {"a.jpg": b"same", "b/copy.jpg": b"same", "c/d/copy.jpg": b"same"})
    assert read_tree(ingest(services)) | {} == {"a.jpg": b"same", "b/": b"", "c/d/": b""}
    assert read_tree(services.root(RootKind.DUPLICATES).path) == {
        "b/copy.jpg": b"something else", "b/copy_1.jpg": b"same", "c/d/copy.jpg": b"same",
    }  # fmt: skip
    assert sorted(states(services).values()) == ["duplicate", "duplicate", "unique"]
    assert run_scan(services).detail["vanished"] == 0
    services.close()


def test_a_library_takes_few_transactions_and_an_idle_rescan_reads_no_content(services: Services) -> None:
    write_tree(ingest(services), {f"{i}.jpg": b"%d" % i for i in range(500)})
    commits: list[int] = []
    event.listen(services.db.engine, "commit", lambda _: commits.append(1))
    take_stock(services)
    assert len(commits) < 100
    run_scan(services)
    report = run_dedup(services)
    assert (report.outcome, report.detail["read"]) == ("idle", 0)
