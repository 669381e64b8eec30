"""Each file counts once: a row claims its file before anything is written as gone, and the report's lines add up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app import jobs
from app.db import rebuild_lines
from app.model import AssetStatus, RootKind, RunStatus, Stage, Trigger
from app.overview.rebuild import list_line
from tests.backup.test_backup import Site as Installation
from tests.backup.test_backup import site as installation
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.running import count, fill, go
from tests.pipeline.running import workflow as run_workflow
from tests.pipeline.test_rebuild import PHOTO, Site, compare, make_site, site, what_lasts

__all__ = ["installation", "make_site", "site"]


def archived_file(site: Site, name: str = "img_0000.jpg") -> Path:
    return next(site.root(RootKind.ARCHIVE).rglob(name))


def test_rows_that_were_never_read_claim_what_became_of_their_files_after_a_restore(
    installation: Installation,
) -> None:
    fill(installation.services, 3)
    go(installation.services, jobs.start_stage(installation.services, (Stage.SCAN,), Trigger.API))
    path = installation.backup()
    run_workflow(installation.services)
    installation.restore(path)
    installation.compare()
    with installation.services.db.reading() as conn:
        rows = conn.exec_driver_sql("SELECT id, status FROM assets ORDER BY id").all()
    assert [tuple(row) for row in rows] == [(1, "archived"), (2, "archived"), (3, "archived")]
    assert {s: number for s in AssetStatus if (number := count(installation.services, s))} == {AssetStatus.ARCHIVED: 3}


def test_a_new_file_in_the_place_of_one_that_went_on_does_not_take_its_row(site: Site) -> None:
    fill(site.services, 1)
    go(site.services, jobs.start_stage(site.services, (Stage.SCAN,), Trigger.API))
    with site.services.db.reading() as conn:
        unread = conn.exec_driver_sql("SELECT status, sha256, digest, batch_id, root_id, path FROM assets").one()
    run_workflow(site.services)
    other = bytearray(archived_file(site).read_bytes())
    other[-1] ^= 1
    write_tree(site.config.paths.source_dir, {"img_0000.jpg": bytes(other)})
    with site.services.db.transaction() as conn:
        conn.exec_driver_sql(
            "UPDATE assets SET status = ?, sha256 = ?, digest = ?, batch_id = ?, root_id = ?, path = ?", tuple(unread)
        )
    compare(site)
    assert {(a.id, a.status) for a in site.rows()} == {(1, AssetStatus.ARCHIVED), (2, AssetStatus.DISCOVERED)}


def test_a_row_under_another_id_than_the_manifest_names_stays_the_only_one_however_often_it_is_compared(
    site: Site,
) -> None:
    fill(site.services, 1)
    run_workflow(site.services)
    with site.services.db.transaction() as conn:
        conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        conn.exec_driver_sql("UPDATE moves SET asset_id = 101")
        conn.exec_driver_sql("UPDATE capture_records SET asset_id = 101")
        conn.exec_driver_sql("UPDATE events SET asset_id = 101 WHERE asset_id IS NOT NULL")
        conn.exec_driver_sql("UPDATE assets SET id = 101")
    for _ in range(2):
        report = compare(site)
        assert [(a.id, a.status) for a in site.rows()] == [(101, AssetStatus.ARCHIVED)]
        assert report["counts"]["entries_without_file"] == 0
        jobs.confirm_rebuild(site.services)


def test_a_file_that_was_lost_and_came_again_keeps_the_row_that_it_has_now(site: Site) -> None:
    fill(site.services, 2)
    run_workflow(site.services)
    victim = archived_file(site)
    content = victim.read_bytes()
    victim.unlink()
    compare(site)
    write_tree(site.config.paths.source_dir, {"img_0000.jpg": content})
    assert site.go_on().status is RunStatus.DONE
    before = [what_lasts(a) for a in site.rows()]
    assert sorted(a.status for a in site.rows()) == [AssetStatus.ARCHIVED, AssetStatus.ARCHIVED, AssetStatus.GONE]
    compare(site)
    assert [what_lasts(a) for a in site.rows()] == before


def test_a_row_goes_to_the_file_in_the_archive_and_its_copy_in_ingest_stays_a_duplicate(site: Site) -> None:
    fill(site.services, 1)
    go(site.services, jobs.start_stage(site.services, (Stage.SCAN, Stage.DEDUP), Trigger.API))
    ingest, archive = site.root(RootKind.INGEST), site.root(RootKind.ARCHIVE)
    content = (ingest / "img_0000.jpg").read_bytes()
    os.rename(ingest / "img_0000.jpg", archive / "img_0000.jpg")
    write_tree(ingest, {"a_copy.jpg": content})
    compare(site)
    assert {(a.id, a.path, a.status) for a in site.rows()} == {
        (1, b"img_0000.jpg", AssetStatus.ARCHIVED), (2, b"a_copy.jpg", AssetStatus.DISCOVERED),
    }  # fmt: skip
    assert site.go_on().status is RunStatus.DONE
    assert [(a.id, a.status, a.original_id) for a in site.rows()] == [
        (1, AssetStatus.ARCHIVED, None), (2, AssetStatus.DUPLICATE, 1),
    ]  # fmt: skip


def test_a_known_duplicate_stays_one_when_its_original_is_known_from_a_manifest_alone(site: Site) -> None:
    write_tree(site.config.paths.source_dir, {"a.jpg": PHOTO, "b.jpg": PHOTO})
    run_workflow(site.services)
    before = [(a.id, a.path, a.status, a.original_id) for a in site.rows()]
    original = next(a for a in site.rows() if a.status is AssetStatus.ARCHIVED)
    with site.services.db.transaction() as conn:
        conn.exec_driver_sql(
            "UPDATE assets SET status = 'unique', batch_id = NULL, root_id = origin_root_id, path = origin_path "
            "WHERE id = ?", (original.id,)
        )  # fmt: skip
    compare(site)
    assert [(a.id, a.path, a.status, a.original_id) for a in site.rows()] == before


def test_a_duplicate_whose_original_is_nowhere_is_looked_at_again(site: Site) -> None:
    write_tree(site.config.paths.source_dir, {"a.jpg": PHOTO, "b.jpg": PHOTO})
    run_workflow(site.services)
    (victim,) = site.root(RootKind.ARCHIVE).rglob("*.jpg")
    victim.unlink()
    compare(site)
    assert site.go_on().status is RunStatus.DONE
    assert sorted(a.status for a in site.rows()) == [AssetStatus.ARCHIVED, AssetStatus.GONE]
    assert len(list(site.root(RootKind.ARCHIVE).rglob("*.jpg"))) == 1


@pytest.mark.parametrize("how", ["compared", "lost"])
def test_what_was_taken_back_stays_where_it_is_when_another_file_of_the_archive_holds_the_same(
    site: Site, how: str
) -> None:
    write_tree(site.config.paths.source_dir, {"a.jpg": PHOTO})
    run_workflow(site.services)
    assert go(site.services, jobs.start_undo(site.services, 1, Trigger.API)).status is RunStatus.DONE
    write_tree(site.config.paths.sorted_dir, {"1999/a.jpg": PHOTO})
    compare(site) if how == "compared" else site.lost_and_rebuilt()
    assert {(a.id, a.path, a.status) for a in site.rows()} == {
        (1, b"a.jpg", AssetStatus.SET_ASIDE), (2, b"1999/a.jpg", AssetStatus.ARCHIVED),
    }  # fmt: skip


def of_every_kind(site: Site) -> None:
    """Files for as many lines of the report as one tree can have."""
    fill(site.services, 4)
    run_workflow(site.services)
    archive, ingest = site.root(RootKind.ARCHIVE), site.root(RootKind.INGEST)
    write_tree(archive, {"1999/old.jpg": PHOTO, "notes.txt": "mine", ".mp-9.part": PHOTO[:80]})
    write_tree(archive, {"review/undated.jpg": make_jpeg(seed=71)})
    write_tree(ingest, {"again.jpg": PHOTO, "readme.txt": "mine too", "new.jpg": make_jpeg(seed=72)})
    write_tree(ingest, {".mp-trash/7": make_jpeg(seed=73), ".mp-trash/8": archived_file(site).read_bytes()})
    write_tree(site.config.paths.batch_dir, {"batch_009/lost.jpg": make_jpeg(seed=74), "batch_009/a.jpg": PHOTO})
    os.symlink("nowhere", ingest / "link.jpg")


@pytest.mark.parametrize("how", ["compared", "lost"])
def test_every_file_that_was_seen_is_in_one_line_of_the_report(site: Site, how: str) -> None:
    of_every_kind(site)
    report = compare(site) if how == "compared" else site.lost_and_rebuilt()
    lines = {line["name"]: (line["files"], line["size_bytes"]) for line in report["lines"]}
    assert sum(files for files, _ in lines.values()) == report["counts"]["files"]
    assert sum(size for _, size in lines.values()) == report["counts"]["size_bytes"]
    assert sum(root["files"] for root in report["roots"]) == report["counts"]["files"]
    assert lines["left_in_place"][0] == report["counts"]["left_in_place"] == 3
    assert rebuild_lines.UNDECIDED not in lines
    present = {status: number for status, number in report["statuses"].items() if number}
    assert present == {name: files for name, (files, _) in lines.items() if name in set(AssetStatus)}


def test_each_line_lists_exactly_its_files(site: Site) -> None:
    of_every_kind(site)
    report = compare(site)
    with site.services.db.reading() as conn:
        listed = {line["name"]: list_line(conn, line["name"], 0, 1000)["files"] for line in report["lines"]}
        first = list_line(conn, "archived", 0, 2)
        rest = list_line(conn, "archived", first["next_after_id"], 1000)
    assert {name: len(files) for name, files in listed.items()} == {
        line["name"]: line["files"] for line in report["lines"]
    }
    assert len({file["path"] for files in listed.values() for file in files}) == report["counts"]["files"]
    assert [file["id"] for file in first["files"] + rest["files"]] == [file["id"] for file in listed["archived"]]


def test_a_known_file_that_is_nowhere_is_counted_and_named_once(site: Site) -> None:
    fill(site.services, 2)
    run_workflow(site.services)
    write_tree(site.config.paths.sorted_dir, {"old.jpg": PHOTO})
    compare(site)
    jobs.confirm_rebuild(site.services)
    archived_file(site).unlink()
    archived_file(site, "old.jpg").unlink()
    report = compare(site)
    assert (report["counts"]["entries_without_file"], report["counts"]["rows_without_file"]) == (1, 1)
    assert [lost["path"] for lost in report["given_up"]] == [str(site.root(RootKind.ARCHIVE) / "old.jpg")]
    assert report["statuses"]["gone"] == 2
