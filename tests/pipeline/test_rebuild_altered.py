"""Rows compared with a disk where known files hold something else: damage is told of, and not taken for good."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app import jobs
from app.db import findings
from app.model import Asset, AssetStatus, BatchStatus, FindingKind, RootKind, RunStatus, Trigger
from app.model import Finding as FoundWrong
from tests.pipeline.running import fill, go, the_batches
from tests.pipeline.running import workflow as run_workflow
from tests.pipeline.test_rebuild import PHOTO, Site, built_batch, make_site, site

__all__ = ["make_site", "site"]


def place_of(site: Site, asset: Asset) -> Path:
    root = next(r for roots in site.services.roots.values() for r in roots if r.id == asset.root_id)
    return Path(os.fsdecode(root.path)) / os.fsdecode(asset.path)


def damage(path: Path) -> None:
    """One bit turns, and neither size nor time tell."""
    stat, held = path.stat(), bytearray(path.read_bytes())
    held[-1] ^= 1
    path.write_bytes(held)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def compare(site: Site) -> None:
    assert go(site.services, jobs.start_comparison(site.services, Trigger.CLI)).status is RunStatus.DONE


def opened(site: Site) -> list[FoundWrong]:
    with site.services.db.reading() as conn:
        return findings.list_page(conn, None, 0, 100)[0]


def essence(rows: list[Asset]) -> list[tuple[object, ...]]:
    return [(a.id, a.path, a.status, a.digest, a.sha256, a.size_bytes, a.batch_id, a.original_id) for a in rows]


def archive(site: Site) -> list[Asset]:
    fill(site.services, 3)
    run_workflow(site.services)
    return [a for a in site.rows() if a.status is AssetStatus.ARCHIVED]


def test_a_damaged_file_of_the_archive_keeps_its_row_and_opens_a_finding_however_often_it_is_compared(
    site: Site,
) -> None:
    victim, before = archive(site)[1], site.rows()
    damage(place_of(site, victim))
    for _ in range(2):
        compare(site)
        assert essence(site.rows()) == essence(before)
        assert [(f.kind, f.asset_id, f.path) for f in opened(site)] == [
            (FindingKind.ALTERED, victim.id, victim.path)
        ]
        assert "Its content is not what it was" in opened(site)[0].reason
        assert site.overview()["report"]["counts"]["altered"] == 1
        assert site.found("altered") == [os.path.basename(os.fsdecode(victim.path))]
        jobs.confirm_rebuild(site.services)


def test_a_finding_that_was_open_stays_open_with_its_id(site: Site) -> None:
    victim = archive(site)[0]
    damage(place_of(site, victim))
    assert go(site.services, jobs.start_verify(site.services, Trigger.CLI)).status is RunStatus.DONE
    (before,) = opened(site)
    compare(site)
    assert [(f.id, f.kind, f.asset_id, f.found_at) for f in opened(site)] == [
        (before.id, before.kind, victim.id, before.found_at)
    ]


def test_a_file_overwritten_with_a_copy_of_another_is_altered(site: Site) -> None:
    one, other, _ = archive(site)
    before = site.rows()
    place_of(site, one).write_bytes(place_of(site, other).read_bytes())
    compare(site)
    assert essence(site.rows()) == essence(before)
    assert [f.asset_id for f in opened(site)] == [one.id]


def test_a_known_file_without_a_manifest_is_altered_too(site: Site) -> None:
    photo = site.root(RootKind.ARCHIVE) / "old.jpg"
    photo.write_bytes(PHOTO)
    compare(site)
    jobs.confirm_rebuild(site.services)
    before = site.rows()
    damage(photo)
    compare(site)
    assert essence(site.rows()) == essence(before)
    assert [(f.kind, f.path) for f in opened(site)] == [(FindingKind.ALTERED, b"old.jpg")]


def test_files_that_changed_places_are_not_altered(site: Site) -> None:
    one, other, _ = archive(site)
    a, b = place_of(site, one), place_of(site, other)
    aside = a.with_name("aside")
    os.rename(a, aside)
    os.rename(b, a)
    os.rename(aside, b)
    compare(site)
    assert opened(site) == []
    assert {asset.id: asset.path for asset in site.rows() if asset.id in (one.id, other.id)} == {
        one.id: other.path, other.id: one.path,
    }  # fmt: skip


@pytest.mark.parametrize("many", ["one", "all"])
def test_a_damaged_file_of_a_batch_stays_in_its_batch(site: Site, many: str) -> None:
    built_batch(site)
    before = site.rows()
    victims = [a for a in before if a.status is AssetStatus.BATCHED][: 1 if many == "one" else None]
    for asset in victims:
        damage(place_of(site, asset))
    compare(site)
    assert essence(site.rows()) == essence(before)
    assert [batch.status for batch in the_batches(site.services)] == [BatchStatus.PENDING]
    assert sorted(f.asset_id or 0 for f in opened(site)) == sorted(a.id for a in victims)


def test_a_damaged_duplicate_keeps_its_row(tmp_path: Path) -> None:
    site = Site(tmp_path, dedup={"duplicate_policy": "quarantine"})
    ingest = site.root(RootKind.INGEST)
    for name in ("a.jpg", "b.jpg"):
        (ingest / name).write_bytes(PHOTO)
    run_workflow(site.services)
    before = site.rows()
    (twin,) = [a for a in before if a.status is AssetStatus.DUPLICATE]
    assert twin.root_id == site.services.root(RootKind.DUPLICATES).id
    damage(place_of(site, twin))
    compare(site)
    assert essence(site.rows()) == essence(before)
    assert [f.asset_id for f in opened(site)] == [twin.id]


def test_the_whole_content_in_the_trash_is_kept_while_the_file_itself_is_altered(site: Site) -> None:
    victim = archive(site)[0]
    trashed = site.root(RootKind.INGEST) / ".mp-trash" / "7"
    trashed.parent.mkdir(exist_ok=True)
    trashed.write_bytes(place_of(site, victim).read_bytes())
    damage(place_of(site, victim))
    compare(site)
    assert site.found("only_in_trash") == ["7"]
    assert site.found("trash") == []


def verify(site: Site) -> list[tuple[FindingKind, int | None]]:
    assert go(site.services, jobs.start_verify(site.services, Trigger.CLI)).status is RunStatus.DONE
    return sorted((f.kind, f.asset_id) for f in opened(site))


def test_a_finding_about_a_file_that_is_whole_again_is_open_no_longer(site: Site) -> None:
    one, other, _ = archive(site)
    whole = place_of(site, one).read_bytes()
    for asset in (one, other):
        damage(place_of(site, asset))
    assert verify(site) == [(FindingKind.ALTERED, a.id) for a in sorted((one, other), key=lambda a: a.id)]
    place_of(site, one).write_bytes(whole)
    compare(site)
    assert [(f.kind, f.asset_id) for f in opened(site)] == [(FindingKind.ALTERED, other.id)]
    assert site.overview()["report"]["counts"]["settled_findings"] == 1


def test_damage_that_a_verification_found_is_not_forgotten_for_what_an_earlier_comparison_had_read(site: Site) -> None:
    victim = archive(site)[0]
    compare(site)
    damage(place_of(site, victim))
    assert verify(site) == [(FindingKind.ALTERED, victim.id)]
    with site.services.db.transaction() as conn:
        stat = place_of(site, victim).stat()
        conn.exec_driver_sql("UPDATE rebuild_files SET ctime_ns = ? WHERE inode = ?", (stat.st_ctime_ns, stat.st_ino))
    compare(site)
    assert [(f.kind, f.asset_id) for f in opened(site)] == [(FindingKind.ALTERED, victim.id)]


def test_findings_about_files_that_were_moved_removed_or_taken_in_go_with_their_places(site: Site) -> None:
    moved, removed, _ = archive(site)
    target = site.root(RootKind.ARCHIVE) / "albums" / "moved.jpg"
    target.parent.mkdir()
    os.rename(place_of(site, moved), target)
    place_of(site, removed).unlink()
    (site.root(RootKind.ARCHIVE) / "foreign.jpg").write_bytes(PHOTO)
    found = verify(site)
    assert sorted(kind for kind, _ in found) == sorted([FindingKind.FOREIGN, FindingKind.MISSING, FindingKind.MOVED])
    compare(site)
    assert opened(site) == []
    jobs.confirm_rebuild(site.services)
    assert verify(site) == []
