"""A word about findings: rows change to fit, totals stay right, no file is touched, a stale word is refused."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest

from app import jobs
from app.db import assets, batches, deliveries, journal, kept_copies, totals
from app.db.connection import Connection
from app.errors import BadRequest, Conflict, NotFound, RootUnavailable, RunInProgress
from app.jobs.actor import work_for
from app.model import Asset, AssetStatus, FindingKind, RootKind, Trigger
from app.services import Services
from tests.conftest import make_jpeg, read_tree, write_tree
from tests.pipeline.library import assert_rows_agree, get_asset
from tests.pipeline.running import fill, workflow
from tests.pipeline.stages import rows, take_stock
from tests.pipeline.verifying import (
    archive_of,
    archived,
    edit,
    events,
    every_finding,
    flip_a_byte,
    found,
    path_of,
    root,
    the_finding,
    verify,
)

Opener = Callable[..., Services]


def accept(services: Services, how: str | None = None) -> jobs.Accepted:
    """Accept the one finding; no file is touched by it, the rows agree with the disk, and the totals add up."""
    before = read_tree(root(services).path, own_names=True)
    finding = the_finding(services)
    accepted = jobs.accept_finding(services, finding.id, how)
    assert read_tree(root(services).path, own_names=True) == before
    with services.db.reading() as conn:
        assert totals.read(conn) == totals.count(conn)
    assert found(services) == {}
    verify(services)
    assert found(services) == {}
    assert_rows_agree(services)
    return accepted


def refused(services: Services, words: str, how: str | None = None) -> None:
    with pytest.raises(Conflict, match=words):
        jobs.accept_finding(services, the_finding(services).id, how)
    with services.db.reading() as conn:
        assert totals.read(conn) == totals.count(conn)
    assert len(found(services)) == 1


def test_the_new_content_of_an_altered_file_becomes_its_content(services: Services) -> None:
    asset, _ = archive_of(services, 2)
    edit(path_of(services, asset), b"edited on purpose, and longer than before" * 100)
    verify(services)
    work_for("main")
    accepted = accept(services)
    after = get_asset(services, asset.id)
    assert (accepted.asset_id, after.status, after.size_bytes) == (asset.id, AssetStatus.ARCHIVED, 4_100)
    (event,) = events(services, "finding.accepted")
    assert event.detail["before"] == asset.sha256
    assert (event.detail["after"], event.detail["actor"], event.asset_id) == (after.sha256, "main", asset.id)


def test_what_changed_again_since_cannot_be_accepted(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    edit(path_of(services, asset), b"one")
    verify(services)
    edit(path_of(services, asset), b"another")
    refused(services, "verify again")
    os.unlink(path_of(services, asset))
    refused(services, "verify again")


def test_a_missing_file_that_is_not_missed_is_gone(services: Services) -> None:
    asset, other = archive_of(services, 2)
    os.unlink(path_of(services, asset))
    verify(services)
    accept(services)
    assert get_asset(services, asset.id).status is AssetStatus.GONE
    assert archived(services) == [get_asset(services, other.id)]


def test_a_missing_file_that_came_back_is_not_gone(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    content = read_tree(root(services).path)
    os.unlink(path_of(services, asset))
    verify(services)
    write_tree(root(services).path, content)
    refused(services, "is there again; verify again")
    verify(services)
    assert found(services) == {}


def test_nothing_is_gone_while_the_folder_is_away(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    os.unlink(path_of(services, asset))
    verify(services)
    place = root(services).path
    os.rename(place, place + b".away")
    os.mkdir(place)
    with pytest.raises(RootUnavailable):
        jobs.accept_finding(services, the_finding(services).id)
    assert get_asset(services, asset.id).status is AssetStatus.ARCHIVED


def test_a_file_that_was_moved_by_hand_has_its_new_place(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    os.renames(path_of(services, asset), root(services).path + b"/holidays/beach.jpg")
    verify(services)
    accept(services)
    after = get_asset(services, asset.id)
    assert (after.path, after.status, after.digest) == (b"holidays/beach.jpg", AssetStatus.ARCHIVED, asset.digest)


def test_a_file_that_was_moved_on_or_back_since_is_not_put_anywhere(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    home, away = path_of(services, asset), root(services).path + b"/away.jpg"
    os.rename(home, away)
    verify(services)
    os.rename(away, away + b".jpg")
    refused(services, "verify again")
    os.rename(away + b".jpg", home)
    refused(services, "verify again")


def test_a_file_moved_to_another_kind_of_folder_has_to_be_moved_back(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    os.rename(path_of(services, asset), services.root(RootKind.DUPLICATES).path + b"/x.jpg")
    verify(services)
    refused(services, "move it back")


def test_an_ignored_file_is_not_told_of_until_it_is_another_one_or_a_person_asks(services: Services) -> None:
    archive_of(services, 1)
    new = root(services).path + b"/new.jpg"
    write_tree(root(services).path, {"new.jpg": make_jpeg(seed=99)})
    verify(services)
    finding = the_finding(services)
    accept(services, "ignore")
    assert [f.id for f in every_finding(services, FindingKind.IGNORED)] == [finding.id]
    with pytest.raises(Conflict, match="ignored already"):
        jobs.accept_finding(services, finding.id)
    jobs.report_again(services, finding.id)
    assert found(services) == {b"new.jpg": FindingKind.FOREIGN}
    accept(services)
    edit(new, b"something else")
    verify(services)
    assert found(services) == {b"new.jpg": FindingKind.FOREIGN}
    accept(services)
    os.unlink(new)
    verify(services)
    assert every_finding(services, FindingKind.IGNORED) == []


def test_what_is_not_ignored_cannot_be_reported_again(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    os.unlink(path_of(services, asset))
    verify(services)
    with pytest.raises(Conflict, match="is not ignored"):
        jobs.report_again(services, the_finding(services).id)


def test_an_adopted_file_is_archived_and_verified_from_then_on(services: Services) -> None:
    archive_of(services, 1)
    write_tree(root(services).path, {"old/holiday.jpg": make_jpeg(seed=99)})
    verify(services)
    accepted = accept(services, "adopt")
    assert accepted.asset_id is not None
    asset = get_asset(services, accepted.asset_id)
    assert (asset.status, asset.path) == (AssetStatus.ARCHIVED, b"old/holiday.jpg")
    flip_a_byte(path_of(services, asset))
    verify(services)
    assert found(services) == {b"old/holiday.jpg": FindingKind.ALTERED}


def test_a_file_like_an_adopted_one_is_its_duplicate_when_it_arrives(services: Services) -> None:
    archive_of(services, 1)
    content = make_jpeg(seed=99)
    write_tree(root(services).path, {"old/holiday.jpg": content})
    verify(services)
    adopted = accept(services, "adopt").asset_id
    write_tree(services.root(RootKind.INGEST).path, {"again.jpg": content})
    workflow(services)
    with services.db.reading() as conn:
        (duplicate,) = assets.list_by_status(conn, AssetStatus.DUPLICATE)
    assert duplicate.original_id == adopted


def test_a_file_that_was_gone_and_is_adopted_is_the_same_asset_again(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    content = next(iter(read_tree(root(services).path).values()))
    os.unlink(path_of(services, asset))
    verify(services)
    accept(services)
    write_tree(root(services).path, {"from/backup.jpg": content})
    verify(services)
    assert accept(services, "adopt").asset_id == asset.id
    after = get_asset(services, asset.id)
    assert (after.status, after.path) == (AssetStatus.ARCHIVED, b"from/backup.jpg")


def test_a_second_copy_of_what_is_there_is_not_adopted(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    shutil.copy(path_of(services, asset), root(services).path + b"/copy.jpg")
    verify(services)
    refused(services, "has the same content", "adopt")


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [("notes.txt", RootKind.ARCHIVE, "not a photo"), ("x.jpg", RootKind.DUPLICATES, "Only a file in the archive")],
)
def test_what_does_not_belong_into_the_archive_is_not_adopted(
    services: Services, name: str, kind: RootKind, words: str
) -> None:
    archive_of(services, 1)
    write_tree(services.root(kind).path, {name: make_jpeg(seed=99)})
    verify(services)
    refused(services, words, "adopt")


def test_a_file_that_changed_since_is_not_adopted(services: Services) -> None:
    archive_of(services, 1)
    write_tree(root(services).path, {"new.jpg": make_jpeg(seed=99)})
    verify(services)
    edit(root(services).path + b"/new.jpg")
    refused(services, "verify again", "adopt")


def test_only_foreign_files_are_accepted_in_two_ways(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    os.unlink(path_of(services, asset))
    verify(services)
    with pytest.raises(BadRequest, match="leave `how` out"):
        jobs.accept_finding(services, the_finding(services).id, "adopt")
    with pytest.raises(NotFound):
        jobs.accept_finding(services, 4_711)


def test_nothing_is_accepted_while_a_run_is_at_work(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    os.unlink(path_of(services, asset))
    verify(services)
    jobs.start_workflow(services, Trigger.API)
    with pytest.raises(RunInProgress):
        jobs.accept_finding(services, the_finding(services).id)


def test_a_file_of_a_batch_on_its_way_is_not_changed_under_its_manifest(open_test_services: Opener) -> None:
    services = open_test_services(syncthing={"auto_sort_after_sync": False})
    fill(services, 1)
    workflow(services)
    with services.db.reading() as conn:
        (asset,) = assets.list_by_status(conn, AssetStatus.DELIVERED)
    edit(path_of(services, asset))
    verify(services)
    refused(services, "which is SYNCED")


def copies_of(services: Services, asset: Asset) -> list[bytes]:
    with services.db.reading() as conn:
        return [path for _, path, _ in kept_copies.list_of(conn, asset.id)]


def test_a_kept_copy_that_was_changed_or_removed_is_not_a_copy_any_more(open_test_services: Opener) -> None:
    services = open_test_services(sorter={"transfer_mode": "copy"})
    one, two = archive_of(services, 2)
    folder = root(services, RootKind.BATCH).path
    flip_a_byte(folder + b"/" + copies_of(services, one)[0])
    os.unlink(folder + b"/" + copies_of(services, two)[0])
    verify(services)
    for finding in every_finding(services):
        jobs.accept_finding(services, finding.id)
    assert (copies_of(services, one), copies_of(services, two)) == ([], [])
    assert len(archived(services)) == 2
    verify(services)
    assert set(found(services).values()) == {FindingKind.FOREIGN}


def test_copies_that_were_kept_of_a_gone_file_are_files_of_their_own(open_test_services: Opener) -> None:
    services = open_test_services(batch={"transfer_mode": "copy"})
    (asset,) = archive_of(services, 1)
    assert copies_of(services, asset)
    os.unlink(path_of(services, asset))
    verify(services)
    jobs.accept_finding(services, the_finding(services).id)
    workflow(services)
    assert len(archived(services)) == 1
    assert archived(services)[0].digest == asset.digest


def test_duplicates_of_an_altered_original_are_judged_again(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    content = next(iter(read_tree(root(services).path).values()))
    write_tree(services.root(RootKind.INGEST).path, {"again.jpg": content})
    workflow(services)
    edit(path_of(services, asset))
    verify(services)
    accept(services)
    workflow(services)
    assert sorted(len(a.digest or "") for a in archived(services)) == [64, 64]
    assert {a.digest for a in archived(services)} == {asset.digest, get_asset(services, asset.id).digest}


@pytest.mark.parametrize("policy", ["keep", "mirror"])
def test_nothing_stays_a_duplicate_of_a_delivered_file_that_is_said_to_be_gone(services: Services, policy: str) -> None:
    (asset,) = archive_of(services, 1)
    content = next(iter(read_tree(root(services).path).values()))
    write_tree(services.root(RootKind.INGEST).path, {"again.jpg": content})
    workflow(services)
    assert asset.batch_id is not None
    with services.db.transaction() as conn:
        deliveries.confirm(conn, asset.batch_id, "PEER", [(asset.id, "v1")])
        batches.set_columns(conn, asset.batch_id, target="syncthing", peer_policy=policy)
    os.unlink(path_of(services, asset))
    verify(services)
    accept(services)
    workflow(services)
    assert [(a.digest, a.id != asset.id) for a in archived(services)] == [(asset.digest, True)]


def test_a_refused_word_leaves_no_event(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    edit(path_of(services, asset))
    verify(services)
    edit(path_of(services, asset), b"again")
    refused(services, "verify again")

    def told(conn: Connection) -> list[str]:
        return [event.kind for event in journal.list_events(conn, kind_prefix="finding.")]

    with services.db.reading() as conn:
        assert told(conn) == []


def exchange(services: Services, *assets_: Asset) -> None:
    """Each file takes the place of the next one, by hand."""
    paths = [path_of(services, asset) for asset in assets_]
    os.rename(paths[0], paths[0] + b".aside")
    for behind, ahead in zip(paths[:0:-1], [paths[0], *paths[:1:-1]], strict=True):
        os.rename(behind, ahead)
    os.rename(paths[0] + b".aside", paths[1])


@pytest.mark.parametrize("files", [2, 3])
def test_files_that_took_each_others_places_are_told_as_moved_and_keep_their_digests(
    services: Services, files: int
) -> None:
    *exchanged, other = archive_of(services, files + 1)
    exchange(services, *exchanged)
    flip_a_byte(path_of(services, other))
    for _ in range(2):  # the same when it is looked at again
        verify(services)
        assert found(services) == {
            **{asset.path: FindingKind.MOVED for asset in exchanged}, other.path: FindingKind.ALTERED
        }  # fmt: skip
    first = next(finding for finding in every_finding(services) if finding.kind is FindingKind.MOVED)
    before = read_tree(root(services).path, own_names=True)
    jobs.accept_finding(services, first.id)
    assert read_tree(root(services).path, own_names=True) == before
    assert found(services) == {other.path: FindingKind.ALTERED}
    for asset in exchanged:
        after = get_asset(services, asset.id)
        assert (after.digest, after.sha256, after.size_bytes) == (asset.digest, asset.sha256, asset.size_bytes)
        assert after.path != asset.path
    assert len(events(services, "finding.accepted")) == files
    verify(services)
    assert found(services) == {other.path: FindingKind.ALTERED}
    with services.db.reading() as conn:
        assert totals.read(conn) == totals.count(conn)


def test_a_file_over_another_one_stays_told_as_altered_and_missing(services: Services) -> None:
    """What the place held is lost: that must not look like a mere move."""
    one, two = archive_of(services, 2)
    os.replace(path_of(services, one), path_of(services, two))
    verify(services)
    assert found(services) == {one.path: FindingKind.MISSING, two.path: FindingKind.ALTERED}


def test_places_that_changed_again_since_are_not_exchanged(services: Services) -> None:
    one, two = archive_of(services, 2)
    exchange(services, one, two)
    verify(services)
    edit(path_of(services, one), b"something else by now")
    for finding in every_finding(services):
        with pytest.raises(Conflict, match="verify again"):
            jobs.accept_finding(services, finding.id)
    assert [get_asset(services, asset.id).path for asset in (one, two)] == [one.path, two.path]


def test_all_files_that_took_each_others_places_are_accepted_at_once(services: Services) -> None:
    one, two, three, four = archive_of(services, 4)
    exchange(services, one, two)
    exchange(services, three, four)
    verify(services)
    done = jobs.accept_findings(services, FindingKind.MOVED)
    assert (done.accepted, done.refused, done.next_after_id) == (4, 0, None)
    verify(services)
    assert found(services) == {}
    assert_rows_agree(services)


@pytest.mark.parametrize(("is_remembered", "becomes"), [(False, AssetStatus.UNIQUE), (True, AssetStatus.DUPLICATE)])
def test_what_was_removed_on_purpose_comes_again_only_if_it_is_not_to_be_remembered(
    open_test_services: Opener, is_remembered: bool, becomes: AssetStatus
) -> None:
    services = open_test_services(dedup={"remember_removed": is_remembered})
    (asset,) = archive_of(services, 1)
    (content,) = read_tree(root(services).path).values()
    os.unlink(path_of(services, asset))
    verify(services)
    accept(services)
    write_tree(services.root(RootKind.INGEST).path, {"again.jpg": content})
    take_stock(services)
    assert rows(services)[b"again.jpg"].status is becomes
    take_stock(services)
    assert rows(services)[b"again.jpg"].status is becomes


def test_what_is_not_to_be_remembered_any_more_is_judged_again(open_test_services: Opener) -> None:
    services = open_test_services(dedup={"remember_removed": True})
    (asset,) = archive_of(services, 1)
    (content,) = read_tree(root(services).path).values()
    os.unlink(path_of(services, asset))
    verify(services)
    accept(services)
    write_tree(services.root(RootKind.INGEST).path, {"again.jpg": content})
    take_stock(services)
    again = open_test_services()
    take_stock(again)
    assert rows(again)[b"again.jpg"].status is AssetStatus.UNIQUE


def test_a_missing_file_nobody_has_spoken_of_is_not_remembered(open_test_services: Opener) -> None:
    services = open_test_services(dedup={"remember_removed": True})
    (asset,) = archive_of(services, 1)
    (content,) = read_tree(root(services).path).values()
    os.unlink(path_of(services, asset))
    verify(services)
    write_tree(services.root(RootKind.INGEST).path, {"again.jpg": content})
    take_stock(services)
    assert rows(services)[b"again.jpg"].status is AssetStatus.UNIQUE
