"""A database made again from manifests and folders: what every file becomes, and that nothing moves before a yes."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import jobs
from app.backup.lost_database import prepare_rebuild
from app.db import (
    assets,
    batches,
    confirmation,
    deliveries,
    kept_copies,
    left_in_place,
    moves,
    rebuild_files,
    rebuild_rows,
    runs,
)
from app.errors import Conflict
from app.files.move import Move, move_files
from app.files.prune import drop_expired_trash
from app.model import Asset, AssetStatus, BatchStatus, Place, RootKind, Run, RunKind, RunStatus, Stage, Trigger
from app.overview.rebuild import list_found, list_missing, rebuild_overview
from app.pipeline import tick, workflow
from app.pipeline.manifest import parse
from app.pipeline.manifest_store import ARCHIVE_FOLDER
from app.pipeline.rebuild import run as rebuild_stage
from app.services import Services
from tests.conftest import make_config, make_jpeg, make_services, read_tree, write_tree
from tests.pipeline.library import a_step, assert_rows_agree
from tests.pipeline.rebuilding import assert_all_known, census, lose_database, rebuild
from tests.pipeline.running import fill, go, the_batches
from tests.pipeline.running import workflow as run_workflow
from worker.recover import recover_files

BATCHES = {"max_files": 5, "selection_mode": "files"}
PHOTO = make_jpeg(taken="2024:05:06 07:08:09", seed=1)


class Site:
    """One installation whose database is lost and rebuilt."""

    def __init__(self, base: Path, **changes: Any) -> None:
        self.base = base
        self.config = make_config(base, **{"batch": BATCHES, **changes})
        self.services: Services = make_services(base, **{"batch": BATCHES, **changes})

    def lose(self) -> None:
        self.services.close()
        lose_database(self.config)

    def rebuild(self, **how: bool) -> dict[str, Any]:
        """Rebuild, check that nothing moved and everything is known; returns the report."""
        before = census(self.config).names
        self.services.close()
        self.services, _ = rebuild(self.config, **how)
        assert census(self.config).names == before
        assert_all_known(self.services)
        return self.overview()["report"]

    def overview(self) -> dict[str, Any]:
        with self.services.db.reading() as conn:
            return rebuild_overview(conn)

    def lost_and_rebuilt(self) -> dict[str, Any]:
        self.lose()
        return self.rebuild()

    def go_on(self) -> Run:
        jobs.confirm_rebuild(self.services)
        return run_workflow(self.services)

    def rows(self) -> list[Asset]:
        with self.services.db.reading() as conn:
            found = [a for status in AssetStatus for a in assets.list_by_status(conn, status, limit=100_000)]
        return sorted(found, key=lambda a: a.id)

    def states(self) -> dict[bytes, str]:
        return {a.path: a.status.value for a in self.rows() if a.status is not AssetStatus.GONE}

    def found(self, finding: str) -> list[str]:
        with self.services.db.reading() as conn:
            return [os.path.basename(f["path"]) for f in list_found(conn, finding, 0, 1000)["files"]]

    def root(self, kind: RootKind) -> Path:
        return Path(os.fsdecode(self.services.root(kind).path))


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    made: list[Site] = []

    def make(**changes: Any) -> Site:
        made.append(Site(tmp_path, **changes))
        return made[-1]

    yield make
    for site in made:
        site.services.close()


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return make_site()


def what_lasts(asset: Asset) -> tuple[Any, ...]:
    """What a rebuild can know of an archived file."""
    return (asset.id, asset.path, asset.status, asset.size_bytes, asset.digest, asset.digest_algorithm, asset.sha256,
            asset.batch_id, asset.taken_at, asset.taken_local, asset.taken_from, asset.origin_path)  # fmt: skip


def test_after_a_whole_run_every_row_is_what_it_was(site: Site) -> None:
    fill(site.services, 12)
    run_workflow(site.services)
    before, named = [what_lasts(a) for a in site.rows()], [(b.id, b.name, b.status) for b in the_batches(site.services)]
    report = site.lost_and_rebuilt()
    assert [what_lasts(a) for a in site.rows()] == before
    assert [(b.id, b.name, b.status) for b in the_batches(site.services)] == named
    assert report["statuses"]["archived"] == report["counts"]["files"] == 12
    assert site.overview()["worth_a_look"] == []
    assert_rows_agree(site.services)


def test_the_next_batch_has_an_id_and_a_name_of_its_own_and_no_photo_is_taken_twice(site: Site) -> None:
    fill(site.services, 6)
    run_workflow(site.services)
    site.lost_and_rebuilt()
    fill(site.services, 8)
    assert site.go_on().status is RunStatus.DONE
    assert [(b.id, b.name, b.file_count) for b in the_batches(site.services)] == [
        (1, "batch_001", 5), (2, "batch_002", 1), (3, "batch_003", 2),
    ]  # fmt: skip
    assert sorted(set(site.states().values())) == ["archived", "duplicate"]
    assert len(read_tree(site.config.paths.sorted_dir)) == 8


def test_nothing_moves_before_a_person_agrees(site: Site) -> None:
    fill(site.services, 3)
    site.lost_and_rebuilt()
    services = site.services
    refused: list[Callable[[], object]] = [
        lambda: jobs.start_workflow(services, Trigger.API),
        lambda: jobs.start_dedup(services, Trigger.API),
        lambda: jobs.start_cleanup(services, Trigger.CLI),
        lambda: jobs.create_batch(services, Trigger.API),
    ]
    for ask in refused:
        with pytest.raises(Conflict, match="Look at what was found"):
            ask()
    asset = site.rows()[0]
    ingest, archive = services.root(RootKind.INGEST), services.root(RootKind.ARCHIVE)
    move = Move(asset, Place(ingest, asset.path), Place(archive, b"a.jpg"), "archive", None)
    with pytest.raises(Conflict, match="nothing moves"):
        move_files(services.db, [move], run_id=None)
    assert recover_files(services) is False
    tick.look_at_deliveries(services)
    assert go(services, jobs.start_preview(services, Trigger.API)).status is RunStatus.DONE
    assert len(read_tree(site.config.paths.source_dir)) == 3
    jobs.confirm_rebuild(services)
    assert run_workflow(services).status is RunStatus.DONE
    with pytest.raises(Conflict, match="nothing to confirm"):
        jobs.confirm_rebuild(services)


def test_a_run_that_waited_is_not_woken_before_a_person_agrees(site: Site) -> None:
    fill(site.services, 2)
    with site.services.db.transaction() as conn:
        run = runs.insert_queued(conn, RunKind.WORKFLOW, Trigger.API, [Stage.SCAN])
        run = runs.change(conn, run, RunStatus.RUNNING)
        runs.change(conn, run, RunStatus.WAITING)
        confirmation.require(conn, "2026-01-01T00:00:00+00:00", confirmation.RESTORED)
    assert tick.wake_waiting(site.services) == []
    with site.services.db.transaction() as conn:
        confirmation.give(conn)
    assert tick.wake_waiting(site.services) == [run.id]


def built_batch(site: Site, count: int = 5) -> None:
    """A batch that is built and published, and not delivered."""
    fill(site.services, count)
    go(site.services, jobs.start_stage(site.services, (Stage.SCAN, Stage.DEDUP), Trigger.API))
    go(site.services, jobs.create_batch(site.services, Trigger.API)[1])


def test_a_published_batch_has_to_be_proven_again(site: Site) -> None:
    built_batch(site)
    site.lost_and_rebuilt()
    (batch,) = the_batches(site.services)
    assert (batch.status, batch.published_at is not None, batch.file_count) == (BatchStatus.PENDING, True, 5)
    assert set(site.states().values()) == {"batched"}
    assert site.go_on().status is RunStatus.DONE
    assert [b.status for b in the_batches(site.services)] == [BatchStatus.SORTED]
    assert len(read_tree(site.config.paths.sorted_dir)) == 5


def test_a_batch_that_was_being_sorted_goes_on_being_sorted_and_is_not_delivered_again(site: Site) -> None:
    built_batch(site)
    (batch,) = the_batches(site.services)
    go(site.services, jobs.start_sync(site.services, batch.id, Trigger.API))
    stop_after(site.services, Stage.SORT, batch.id, moved=2)
    site.lost_and_rebuilt()
    (batch,) = the_batches(site.services)
    assert batch.status is BatchStatus.SORTING
    assert sorted(site.states().values()) == ["archived"] * 2 + ["delivered"] * 3
    assert site.go_on().status is RunStatus.DONE
    assert sorted(site.states().values()) == ["archived"] * 5
    assert len(read_tree(site.config.paths.sorted_dir)) == 5


def stop_after(services: Services, stage: Stage, batch_id: int, moved: int) -> None:
    """What a sort leaves that was cut off: a few files lie in the archive, the others in the batch folder."""
    with services.db.reading() as conn:
        found = assets.list_in_batch(conn, batch_id)[:moved]
        roots = {r.id: r for of_kind in services.roots.values() for r in of_kind}
    archive = services.root(RootKind.ARCHIVE)
    for asset in found:
        source = Place(roots[asset.root_id], asset.path)
        target = Place(archive, b"2024/05/06/" + asset.path.rpartition(b"/")[2])
        move = Move(asset, source, target, "archive", None)
        assert move_files(services.db, [move], run_id=None, batch_id=batch_id)[0].outcome == "moved"


def test_a_batch_that_was_being_built_is_built_to_its_end(site: Site) -> None:
    built_batch(site, 4)
    (batch,) = the_batches(site.services)
    staging, published = site.root(RootKind.STAGING), site.root(RootKind.BATCH)
    os.rename(published / batch.name, staging / batch.name)
    for name in ("img_0001.jpg", "img_0003.jpg"):
        os.rename(staging / batch.name / name, site.root(RootKind.INGEST) / name)
    site.lost_and_rebuilt()
    (batch,) = the_batches(site.services)
    assert (batch.status, batch.published_at) == (BatchStatus.PENDING, None)
    assert sorted(site.states().values()) == ["batched", "batched", "unique", "unique"]
    assert site.go_on().status is RunStatus.DONE
    assert [(b.name, b.status, b.file_count) for b in the_batches(site.services)] == [
        ("batch_001", BatchStatus.SORTED, 4)
    ]
    assert len(read_tree(site.config.paths.sorted_dir)) == 4


def test_a_batch_whose_manifest_says_that_it_was_taken_back_stays_taken_back(site: Site) -> None:
    fill(site.services, 3)
    run_workflow(site.services)
    (batch,) = the_batches(site.services)
    assert go(site.services, jobs.start_undo(site.services, batch.id, Trigger.API)).status is RunStatus.DONE
    site.lost_and_rebuilt()
    (batch,) = the_batches(site.services)
    assert batch.status is BatchStatus.CANCELLED
    assert set(site.states().values()) == {"set_aside"}
    assert site.go_on().status is RunStatus.DONE
    assert len(read_tree(site.config.paths.source_dir)) == 3


def test_what_a_manifest_names_and_nobody_finds_is_gone_and_told(site: Site) -> None:
    fill(site.services, 3)
    run_workflow(site.services)
    victim = next(site.root(RootKind.ARCHIVE).rglob("img_0001.jpg"))
    content = victim.read_bytes()
    victim.unlink()
    report = site.lost_and_rebuilt()
    assert report["counts"]["entries_without_file"] == 1
    with site.services.db.reading() as conn:
        (missing,) = list_missing(conn, 0, 100)["missing"]
        gone = assets.get(conn, missing["asset_id"])
    assert (missing["path"], gone.status, gone.reason) == ("img_0001.jpg", AssetStatus.GONE, rebuild_rows.NOT_FOUND)
    write_tree(site.config.paths.source_dir, {"found/img_0001.jpg": content})
    assert site.go_on().status is RunStatus.DONE
    assert len(read_tree(site.config.paths.sorted_dir)) == 3


def test_what_was_delivered_and_a_rebuild_finds_nowhere_is_taken_in_when_it_comes_again(site: Site) -> None:
    fill(site.services, 2)
    run_workflow(site.services)
    (batch,) = the_batches(site.services)
    with site.services.db.transaction() as conn:
        delivered = [(asset.id, None) for asset in assets.list_by_status(conn, AssetStatus.ARCHIVED)]
        deliveries.confirm(conn, batch.id, "PEER", delivered)
    victim = next(site.root(RootKind.ARCHIVE).rglob("img_0001.jpg"))
    content = victim.read_bytes()
    victim.unlink()
    assert go(site.services, jobs.start_comparison(site.services, Trigger.CLI)).status is RunStatus.DONE
    jobs.confirm_rebuild(site.services)
    with site.services.db.reading() as conn:
        assert deliveries.count(conn, batch.id) == 1
    write_tree(site.config.paths.source_dir, {"found/img_0001.jpg": content})
    run_workflow(site.services)
    assert len(read_tree(site.config.paths.sorted_dir)) == 2


def test_files_of_the_archive_that_no_manifest_names_are_archived_and_their_copies_are_duplicates(site: Site) -> None:
    write_tree(site.config.paths.sorted_dir, {"1999/old.jpg": PHOTO, "1999/same.jpg": PHOTO, "notes.txt": "mine"})
    write_tree(site.config.paths.source_dir, {"again.jpg": PHOTO})
    site.lost_and_rebuilt()
    assert sorted(site.found("no_manifest")) == ["old.jpg", "same.jpg"]
    with site.services.db.reading() as conn:
        assert [path for _, _, path, _ in left_in_place.list_page(conn)] == [b"notes.txt"]
    assert site.go_on().status is RunStatus.DONE
    assert site.states() == {b"1999/old.jpg": "archived", b"1999/same.jpg": "archived", b"again.jpg": "duplicate"}


def test_a_quarantined_duplicate_leans_on_its_original_again(make_site: Callable[..., Site]) -> None:
    site = make_site(dedup={"duplicate_policy": "quarantine"})
    write_tree(site.config.paths.source_dir, {"a.jpg": PHOTO, "sub/b.jpg": PHOTO})
    run_workflow(site.services)
    before = {a.path: a.status.value for a in site.rows()}
    site.lost_and_rebuilt()
    assert site.states() == before
    original, duplicate = (next(a for a in site.rows() if a.status.value == s) for s in ("archived", "duplicate"))
    assert duplicate.original_id == original.id
    assert site.go_on().status is RunStatus.DONE
    assert site.states() == before


def test_a_photo_that_waits_for_a_review_waits_on(make_site: Callable[..., Site]) -> None:
    site = make_site(sorter={"weak_dates": "review"})
    write_tree(site.config.paths.source_dir, {"undated.jpg": make_jpeg(seed=4)})
    run_workflow(site.services)
    site.lost_and_rebuilt()
    assert site.states() == {b"review/undated.jpg": "set_aside"}
    assert site.go_on().status is RunStatus.DONE
    assert site.states() == {b"review/undated.jpg": "set_aside"}


def test_in_copy_mode_what_stayed_is_a_copy_and_not_a_new_photo(make_site: Callable[..., Site]) -> None:
    site = make_site(batch={**BATCHES, "transfer_mode": "copy"}, sorter={"transfer_mode": "copy"})
    fill(site.services, 4)
    run_workflow(site.services)
    site.lost_and_rebuilt()
    assert sorted(site.states().values()) == ["archived"] * 4
    with site.services.db.reading() as conn:
        copies = [len(kept_copies.list_of(conn, asset.id)) for asset in site.rows()]
    assert copies == [2, 2, 2, 2]
    assert site.go_on().status is RunStatus.DONE
    assert len(the_batches(site.services)) == 1
    assert len(read_tree(site.config.paths.sorted_dir)) == 4


def in_trash(site: Site, kind: RootKind, name: str, content: bytes) -> Path:
    path = site.root(kind) / ".mp-trash" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_only_copy_of_a_photo_in_the_trash_is_an_asset_and_is_never_dropped(site: Site) -> None:
    trashed = in_trash(site, RootKind.INGEST, "7", PHOTO)
    site.lost_and_rebuilt()
    assert site.found("only_in_trash") == ["7"]
    assert site.states() == {b".mp-trash/7": "set_aside"}
    jobs.confirm_rebuild(site.services)
    drop_expired_trash(site.services.db, days=-1)
    assert trashed.read_bytes() == PHOTO


def test_a_source_in_the_trash_whose_photo_is_archived_is_dropped_in_time(site: Site) -> None:
    write_tree(site.config.paths.source_dir, {"a.jpg": PHOTO})
    run_workflow(site.services)
    trashed = in_trash(site, RootKind.INGEST, "7", PHOTO)
    beside = site.root(RootKind.INGEST) / ".mp-trash-8"
    beside.write_bytes(PHOTO)
    site.lost_and_rebuilt()
    site.rebuild()
    assert sorted(site.found("trash")) == [".mp-trash-8", "7"]
    jobs.confirm_rebuild(site.services)
    assert drop_expired_trash(site.services.db, days=1).dropped == 0
    assert drop_expired_trash(site.services.db, days=-1).dropped == 2
    assert not os.path.lexists(trashed)
    assert not os.path.lexists(beside)


def test_what_is_left_of_a_copy_goes_when_its_source_is_certain_and_stays_when_it_is_not(site: Site) -> None:
    write_tree(site.config.paths.source_dir, {"a.jpg": PHOTO})
    run_workflow(site.services)
    folder = next(site.root(RootKind.ARCHIVE).rglob("a.jpg")).parent
    half, foreign = (folder / f".mp-{digit * 32}.part" for digit in "01")
    half.write_bytes(PHOTO[:300].ljust(len(PHOTO), b"\0"))
    foreign.write_bytes(b"x" * len(PHOTO))
    site.lost_and_rebuilt()
    assert (site.found("begun_copy"), site.found("unfinished_copy")) == ([half.name], [foreign.name])
    site.rebuild()
    jobs.confirm_rebuild(site.services)
    assert recover_files(site.services) is True
    assert [path.name for path in sorted(folder.iterdir())] == [foreign.name, "a.jpg"]
    assert site.states() == {b"2024/05/06/a.jpg": "archived"}


def test_a_whole_copy_that_was_not_finished_is_an_asset_when_its_content_is_nowhere_else(site: Site) -> None:
    write_tree(site.config.paths.source_dir, {"a.jpg": PHOTO})
    run_workflow(site.services)
    archived = next(site.root(RootKind.ARCHIVE).rglob("a.jpg"))
    os.rename(archived, archived.with_name(f".mp-{'1' * 32}.part"))
    site.lost_and_rebuilt()
    (asset,) = site.rows()
    assert (asset.status, asset.path.endswith(b"1.part")) == (AssetStatus.SET_ASIDE, True)
    assert site.go_on().status is RunStatus.DONE
    assert site.rows()[0].status is AssetStatus.SET_ASIDE


def test_odd_names_hard_links_and_empty_files_come_through(site: Site) -> None:
    other = make_jpeg(taken="2024:05:07 07:08:09", seed=3)
    tree = {b"odd-\xff\n.jpg": PHOTO, "empty.jpg": b"", "b/empty.jpg": b"", "o.jpg": other}
    write_tree(site.config.paths.source_dir, tree)
    run_workflow(site.services)
    before = [what_lasts(a) for a in site.rows()]
    ingest = os.fsencode(site.config.paths.source_dir)
    site.lost_and_rebuilt()
    assert [what_lasts(a) for a in site.rows()] == before
    os.link(next(site.root(RootKind.ARCHIVE).rglob("o.jpg")), os.fsdecode(ingest + b"/link.jpg"))
    site.rebuild()
    assert site.states()[b"link.jpg"] == "discovered"
    assert site.go_on().status is RunStatus.DONE
    assert site.states()[b"link.jpg"] == "set_aside"


def test_a_rebuild_that_is_cut_off_goes_on_and_ends_as_one_that_was_not(site: Site) -> None:
    fill(site.services, 9)
    go(site.services, jobs.start_workflow(site.services, Trigger.API))
    fill(site.services, 12)
    site.lose()
    prepare_rebuild(site.config)
    site.services = make_services(site.base, batch=BATCHES)
    for cut in range(1, 12):
        jobs.start_rebuild(site.services, Trigger.CLI)
        step = a_step(site.services, Stage.REBUILD)
        step.stopping = CutOff(cut)
        try:
            rebuild_stage.run(site.services, step)
            break
        except Exception as stopped:  # noqa: BLE001  whatever the stage raises when it is stopped
            assert type(stopped).__name__ == "Stopped"
        assert site.overview()["state"] == "running"
        with pytest.raises(Conflict, match="goes on with that"), site.services.db.transaction() as conn:
            confirmation.refuse_move(conn)
    rebuild_stage.run(site.services, a_step(site.services, Stage.REBUILD))
    cut_off = [what_lasts(a) for a in site.rows()]
    site.lost_and_rebuilt()
    assert [what_lasts(a) for a in site.rows()] == cut_off


class CutOff(threading.Event):
    """Set from the so-manieth look at it on."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    def is_set(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def test_a_second_rebuild_changes_no_row_and_reads_no_file_again(site: Site) -> None:
    fill(site.services, 8)
    run_workflow(site.services)
    fill(site.services, 11)
    site.lost_and_rebuilt()
    first = [(what_lasts(a), a.group_id, a.original_id, a.reason) for a in site.rows()]
    names = [(b.id, b.status, b.file_count, b.sorted_at) for b in the_batches(site.services)]
    for path in [*site.root(RootKind.ARCHIVE).rglob("*.jpg"), *site.root(RootKind.INGEST).rglob("*.jpg")]:
        path.chmod(0o600)
        os.utime(path)
    with site.services.db.reading() as conn:
        rows = rebuild_files.list_unread(conn, site.config.dedup.hash_algorithm, 0, 1000, ["archive", "ingest"])
    assert rows == []
    site.rebuild()
    assert [(what_lasts(a), a.group_id, a.original_id, a.reason) for a in site.rows()] == first
    assert [(b.id, b.status, b.file_count, b.sorted_at) for b in the_batches(site.services)] == names


# --- rows that are there are compared with the disk


def compare(site: Site) -> dict[str, Any]:
    before = census(site.config).names
    run = go(site.services, jobs.start_comparison(site.services, Trigger.API))
    assert run.status is RunStatus.DONE, run.error
    assert census(site.config).names == before
    assert_all_known(site.services)
    return site.overview()["report"]


def test_a_comparison_of_rows_that_are_right_changes_none(site: Site) -> None:
    fill(site.services, 7)
    run_workflow(site.services)
    write_tree(site.config.paths.source_dir, {"new.jpg": PHOTO, "copy.jpg": PHOTO})
    go(site.services, jobs.start_dedup(site.services, Trigger.API))
    before, totals = site.rows(), the_batches(site.services)
    report = compare(site)
    after = site.rows()
    assert [what_lasts(a) for a in after] == [what_lasts(a) for a in before]
    assert [(a.original_id, a.group_id, a.first_seen_at) for a in after] == [
        (a.original_id, a.group_id, a.first_seen_at) for a in before
    ]
    assert the_batches(site.services) == totals
    assert report["counts"]["rows_without_file"] == 0
    assert site.go_on().status is RunStatus.DONE


def test_files_that_somebody_moved_renamed_or_removed_are_found_or_given_up(site: Site) -> None:
    fill(site.services, 4)
    run_workflow(site.services)
    places = sorted(site.root(RootKind.ARCHIVE).rglob("*.jpg"))
    (site.root(RootKind.ARCHIVE) / "favourites").mkdir()
    os.rename(places[0], site.root(RootKind.ARCHIVE) / "favourites" / "best.jpg")
    os.rename(places[1], places[0])
    places[2].unlink()
    ids = {a.path: a.id for a in site.rows()}
    report = compare(site)
    relative = [os.fsencode(p.relative_to(site.root(RootKind.ARCHIVE))) for p in places]
    after = {a.path: a for a in site.rows() if a.status is not AssetStatus.GONE}
    assert after[b"favourites/best.jpg"].id == ids[relative[0]]
    assert after[relative[0]].id == ids[relative[1]]
    gone = [a.id for a in site.rows() if a.status is AssetStatus.GONE]
    assert gone == [ids[relative[2]]]
    assert report["counts"]["rows_without_file"] + report["counts"]["entries_without_file"] >= 1


def test_a_comparison_is_refused_while_a_run_is_in_flight(site: Site) -> None:
    jobs.start_workflow(site.services, Trigger.API)
    with pytest.raises(Conflict, match="Run 1 is queued"):
        jobs.start_comparison(site.services, Trigger.API)
    with site.services.db.reading() as conn:
        assert confirmation.awaited_since(conn) is None


def test_a_folder_that_is_away_stops_the_rebuild_and_nothing_is_given_up(site: Site) -> None:
    fill(site.services, 3)
    run_workflow(site.services)
    os.rename(site.root(RootKind.ARCHIVE), site.base / "unmounted")
    (site.base / "archive").mkdir()
    run = go(site.services, jobs.start_comparison(site.services, Trigger.API))
    assert run.status is RunStatus.FAILED
    assert "marker" in (run.error or "")
    assert sorted(site.states().values()) == ["archived"] * 3
    with pytest.raises(Conflict, match="has not ended"):
        jobs.confirm_rebuild(site.services)


def test_a_manifest_that_cannot_be_read_is_told_and_its_copy_in_the_batch_folder_is_used(site: Site) -> None:
    built_batch(site)
    manifest = site.root(RootKind.ARCHIVE) / os.fsdecode(ARCHIVE_FOLDER) / "batch_001.json"
    head = parse(manifest.read_bytes())
    manifest.write_text(json.dumps({"version": 1}))
    report = site.lost_and_rebuilt()
    assert [failure["path"].endswith("batch_001.json") for failure in report["failures"]] == [True]
    (batch,) = the_batches(site.services)
    assert (batch.id, batch.created_at, batch.status) == (head.batch_id, head.created_at, BatchStatus.PENDING)
    assert set(site.states().values()) == {"batched"}


def test_no_move_is_left_open_by_a_rebuild(site: Site) -> None:
    fill(site.services, 3)
    site.lost_and_rebuilt()
    with site.services.db.reading() as conn:
        assert not moves.has_open(conn)
        assert batches.list_recent(conn) == []
    assert workflow.STAGES[Stage.REBUILD] is rebuild_stage.run


def test_files_that_a_pattern_has_renamed_are_known_again(tmp_path: Path) -> None:
    sorter = {"name_pattern": "{year}_{counter:03d}", "folder_pattern": "{camera_model}/{month_name}"}
    site = Site(tmp_path, sync={"target": "none"}, sorter=sorter)
    fill(site.services, 7)
    run_workflow(site.services)
    before = read_tree(site.config.paths.sorted_dir)
    report = site.lost_and_rebuilt()
    assert report["statuses"]["archived"] == 7
    site.go_on()
    assert read_tree(site.config.paths.sorted_dir) == before
