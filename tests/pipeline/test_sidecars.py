"""XMP files beside archived files, with the dates that people decided: written, replaced, never over other files."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app import jobs
from app.db import assets, confirmation, runs, totals
from app.db.connection import Database
from app.files.prune import drop_expired_trash
from app.jobs import SidecarWish
from app.jobs.date_changes import DateWish
from app.jobs.date_undo import UndoWish, undo_decisions
from app.jobs.dates import decide_dates
from app.jobs.findings import accept_finding
from app.jobs.refile import RefileWish, start_refile, undo_refile
from app.model import Asset, AssetStatus, RootKind, Run, RunStatus, Trigger
from app.overview.why import explain
from app.pipeline.execution import fail_run
from app.pipeline.sidecars import placing
from app.services import Services
from tests.conftest import make_config, make_jpeg, make_services, read_tree, write_tree
from tests.files.media import movie
from tests.pipeline.rebuilding import lose_database, rebuild
from tests.pipeline.running import go, messages, permissions_count, the_batches, workflow
from tests.pipeline.stages import ingest, rows, take_stock
from tests.pipeline.verifying import verify
from worker.due_sidecars import start_due_sidecars

TAKEN = "2024:05:06 07:08:09"
DAY = "2024/05/06/"
PHOTO = make_jpeg(TAKEN)
BERLIN = {"timezone": "Europe/Berlin"}


@pytest.fixture
def services(tmp_path: Path) -> Services:
    opened = make_services(tmp_path, sorter=BERLIN)
    write_tree(ingest(opened), {"IMG_1.JPG": PHOTO})
    workflow(opened)
    return opened


def archive_tree(services: Services) -> dict[str, bytes]:
    """What lies in the archive, but for what is ours."""
    tree = read_tree(services.root(RootKind.ARCHIVE).path)
    return {name: data for name, data in tree.items() if not name.startswith((".media-pipeline", ".mp-"))}


def asset_of(services: Services, name: str) -> Asset:
    return next(asset for path, asset in rows(services).items() if path.endswith(b"/" + name.encode()))


def decide(services: Services, name: str, value: str, **how: Any) -> None:
    decide_dates(services, DateWish("set", value, [asset_of(services, name).id], **how), "anna")


def sidecars(services: Services, wish: SidecarWish | None = None) -> Run:
    """What is asked for, by a person or by the tick, and carried out."""
    if wish is None:
        run_id = start_due_sidecars(services)
        assert run_id is not None
        with services.db.reading() as conn:
            run = runs.get(conn, run_id)
        return go(services, run)
    run = jobs.start_sidecars(services, wish, Trigger.CLI).run
    assert run is not None
    return go(services, run)


def assert_adds_up(services: Services) -> None:
    with services.db.reading() as conn:
        assert totals.read(conn) == totals.count(conn)


def test_a_decided_date_is_told_to_other_programs_and_its_photo_stays_as_it_was(services: Services) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30:21", sidecars=True)
    assert sidecars(services).status is RunStatus.DONE
    tree = archive_tree(services)
    assert sorted(tree) == [DAY + "IMG_1.JPG", DAY + "IMG_1.JPG.xmp"]
    assert tree[DAY + "IMG_1.JPG"] == PHOTO
    text = tree[DAY + "IMG_1.JPG.xmp"].decode()
    for name in ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate"):
        assert f'{name}="1999-07-14T15:30:21+02:00"' in text
    sidecar, photo = asset_of(services, "IMG_1.JPG.xmp"), asset_of(services, "IMG_1.JPG")
    assert (sidecar.status, sidecar.group_id, sidecar.batch_id) == (AssetStatus.ARCHIVED, photo.group_id, None)
    assert (sidecar.taken_local, sidecar.taken_from) == ("1999-07-14T15:30:21", "sibling")
    assert_adds_up(services)


def test_exiftool_reads_the_date_from_the_sidecar(services: Services, tmp_path: Path) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30:21.25-09:30", sidecars=True)
    sidecars(services)
    path = tmp_path / "read.xmp"
    path.write_bytes(archive_tree(services)[DAY + "IMG_1.JPG.xmp"])
    program = shutil.which("exiftool")
    assert program is not None, "exiftool must be installed for this test"
    said = json.loads(subprocess.run([program, "-json", "-G1", str(path)], capture_output=True, check=True).stdout)[0]
    assert not any("Warning" in tag for tag in said)
    for tag in ("XMP-exif:DateTimeOriginal", "XMP-photoshop:DateCreated", "XMP-xmp:CreateDate"):
        assert said[tag] == "1999:07:14 15:30:21.25-09:30"


def test_nothing_is_written_unless_it_is_wanted(services: Services) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30")
    assert start_due_sidecars(services) is None
    assert list(archive_tree(services)) == [DAY + "IMG_1.JPG"]
    sidecars(services, SidecarWish())
    assert DAY + "IMG_1.JPG.xmp" in archive_tree(services)


def test_with_the_setting_every_decision_leads_to_sidecars_also_of_files_that_still_wait(tmp_path: Path) -> None:
    services = make_services(tmp_path, sorter={**BERLIN, "date_sidecars": "decided"})
    write_tree(ingest(services), {"IMG_1.JPG": PHOTO, "IMG_1.MOV": movie(), "IMG_1.AAE": b"x"})
    take_stock(services)
    decide_dates(services, DateWish("set", "1999-07-14", [rows(services)[b"IMG_1.JPG"].id]), "anna")
    assert start_due_sidecars(services) is None
    end_all(services)
    workflow(services)
    sidecars(services)
    day = "1999/07/14/"
    assert sorted(archive_tree(services)) == [
        day + name for name in ("IMG_1.AAE", "IMG_1.JPG", "IMG_1.JPG.xmp", "IMG_1.MOV", "IMG_1.MOV.xmp")
    ]
    assert start_due_sidecars(services) is None


def test_another_decision_replaces_the_sidecar_and_the_old_one_lies_in_the_trash(services: Services) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
    sidecars(services)
    before = archive_tree(services)[DAY + "IMG_1.JPG.xmp"]
    decide(services, "IMG_1.JPG", "1998-07-14 15:30")
    sidecars(services)
    assert b'"1998-07-14T15:30:00+02:00"' in archive_tree(services)[DAY + "IMG_1.JPG.xmp"]
    trash = Path(os.fsdecode(services.root(RootKind.ARCHIVE).path)) / ".mp-trash"
    assert [path.read_bytes() for path in trash.iterdir()] == [before]
    assert drop_expired_trash(services.db, 1).dropped == 0
    assert drop_expired_trash(services.db, 0).dropped == 1
    assert list(trash.iterdir()) == []
    assert_adds_up(services)


def test_the_same_decision_again_changes_nothing(services: Services) -> None:
    for _ in range(2):
        decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
        sidecars(services)
    with services.db.reading() as conn:
        assert assets.count(conn, AssetStatus.GONE) == 0
    assert messages(services, "sidecars.finished") == ["1 sidecar was written."]


def test_a_decision_that_is_taken_back_takes_its_sidecar_with_it(services: Services) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
    sidecars(services)
    undo_decisions(services, UndoWish([asset_of(services, "IMG_1.JPG").id]), "anna")
    sidecars(services)
    assert archive_tree(services) == {DAY + "IMG_1.JPG": PHOTO}
    decide(services, "IMG_1.JPG", "1999-07-14 15:30")
    assert start_due_sidecars(services) is None


@pytest.mark.parametrize("name", ["IMG_1.xmp", "IMG_1.JPG.xmp", "img_1.XMP"])
def test_a_sidecar_of_the_user_is_never_touched_and_told(tmp_path: Path, name: str) -> None:
    services = make_services(tmp_path, sorter=BERLIN)
    write_tree(ingest(services), {"IMG_1.JPG": PHOTO})
    workflow(services)
    write_tree(services.root(RootKind.ARCHIVE).path, {DAY + name: b"mine"})
    decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
    sidecars(services)
    assert archive_tree(services) == {DAY + "IMG_1.JPG": PHOTO, DAY + name: b"mine"}
    assert f"it has a sidecar already: {name}" in messages(services, "asset.sidecar_refused")[0]
    assert start_due_sidecars(services) is None


def test_a_sidecar_of_ours_that_somebody_changed_stays_when_another_date_is_decided(services: Services) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
    sidecars(services)
    write_tree(services.root(RootKind.ARCHIVE).path, {DAY + "IMG_1.JPG.xmp": b"edited"})
    decide(services, "IMG_1.JPG", "1998-07-14 15:30")
    sidecars(services)
    assert archive_tree(services)[DAY + "IMG_1.JPG.xmp"] == b"edited"
    assert "changed after it was hashed" in messages(services, "asset.sidecar_refused")[0]


def test_a_change_to_our_sidecar_that_a_person_accepted_is_not_taken_away(services: Services) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
    sidecars(services)
    write_tree(services.root(RootKind.ARCHIVE).path, {DAY + "IMG_1.JPG.xmp": b"the user's ratings"})
    verify(services)
    with services.db.reading() as conn:
        (found,) = conn.exec_driver_sql("SELECT id FROM findings").scalars().all()
    accept_finding(services, found)
    decide(services, "IMG_1.JPG", "1998-07-14 15:30")
    sidecars(services)
    assert archive_tree(services)[DAY + "IMG_1.JPG.xmp"] == b"the user's ratings"
    assert "somebody has changed" in messages(services, "asset.sidecar_refused")[0]


def test_a_stop_between_file_and_row_is_made_up_for_also_when_another_date_was_decided_meanwhile(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: object, **__: object) -> None:
        raise Killed

    decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
    with monkeypatch.context() as patched:
        patched.setattr(placing.Placing, "_insert", kill)
        with pytest.raises(Killed):
            sidecars(services)
    assert DAY + "IMG_1.JPG.xmp" in archive_tree(services)
    end_all(services)
    decide(services, "IMG_1.JPG", "1998-07-14 15:30")
    sidecars(services)
    assert b'"1998-07-14T15:30:00+02:00"' in archive_tree(services)[DAY + "IMG_1.JPG.xmp"]
    sha256 = hashlib.sha256(archive_tree(services)[DAY + "IMG_1.JPG.xmp"]).hexdigest()
    assert asset_of(services, "IMG_1.JPG.xmp").sha256 == sha256
    assert_adds_up(services)


def end_all(services: Services) -> None:
    """As after a crash: no run is in flight any more."""
    with services.db.reading() as conn:
        left = runs.find_in_flight(conn)
    if left is not None:
        fail_run(services, left.id, "It was cut off.")


def test_verify_knows_the_sidecars(services: Services) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
    sidecars(services)
    verify(services)
    with services.db.reading() as conn:
        assert conn.exec_driver_sql("SELECT COUNT(*) FROM findings").scalar() == 0


def test_taking_the_batch_back_takes_the_sidecar_away_and_leaves_no_folder(services: Services) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
    sidecars(services)
    go(services, jobs.start_undo(services, the_batches(services)[0].id, Trigger.CLI))
    assert archive_tree(services) == {}
    assert not (Path(os.fsdecode(services.root(RootKind.ARCHIVE).path)) / "2024").exists()
    assert list(read_tree(ingest(services))) == ["IMG_1.JPG"]
    assert_adds_up(services)


def test_a_file_that_comes_back_into_the_archive_gets_its_sidecar_again(services: Services) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
    sidecars(services)
    batch = the_batches(services)[0].id
    go(services, jobs.start_undo(services, batch, Trigger.CLI))
    jobs.take_in_again(services, batch)
    workflow(services)
    sidecars(services)
    assert sorted(archive_tree(services)) == ["1999/07/14/IMG_1.JPG", "1999/07/14/IMG_1.JPG.xmp"]


def test_filing_anew_moves_a_photo_with_its_sidecar(services: Services) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
    sidecars(services)
    go(services, start_refile(services, RefileWish(), Trigger.CLI))
    assert sorted(archive_tree(services)) == ["1999/07/14/IMG_1.JPG", "1999/07/14/IMG_1.JPG.xmp"]
    decide(services, "IMG_1.JPG", "1998-07-14 15:30")
    sidecars(services)
    assert b'"1998-07-14T15:30:00+02:00"' in archive_tree(services)["1999/07/14/IMG_1.JPG.xmp"]


def test_filing_anew_is_taken_back_with_the_sidecar_of_a_later_decision(services: Services) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
    sidecars(services)
    run = start_refile(services, RefileWish(), Trigger.CLI)
    go(services, run)
    decide(services, "IMG_1.JPG", "1998-07-14 15:30")
    sidecars(services)
    go(services, undo_refile(services, run.id, Trigger.CLI))
    assert sorted(archive_tree(services)) == [DAY + "IMG_1.JPG", DAY + "IMG_1.JPG.xmp"]
    assert_adds_up(services)


def test_a_folder_that_cannot_be_looked_at_keeps_no_other_from_its_sidecar(tmp_path: Path) -> None:
    services = make_services(tmp_path, sorter=BERLIN)
    write_tree(ingest(services), {"IMG_1.JPG": PHOTO, "IMG_2.JPG": make_jpeg("2023:01:02 10:00:00")})
    workflow(services)
    for name in ("IMG_1.JPG", "IMG_2.JPG"):
        decide(services, name, "1999-07-14 15:30", sidecars=True)
    folder = Path(os.fsdecode(services.root(RootKind.ARCHIVE).path), DAY)
    folder.chmod(0o300)
    with permissions_count():
        run = sidecars(services)
    folder.chmod(0o755)
    assert (run.status, "2023/01/02/IMG_2.JPG.xmp" in archive_tree(services)) == (RunStatus.DONE, True)
    assert "permission denied" in messages(services, "asset.sidecar_refused")[0]


def test_a_rebuild_knows_which_sidecars_are_ours(services: Services, tmp_path: Path) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
    sidecars(services)
    jobs.keep_decisions(services)
    services.close()
    lose_database(make_config(tmp_path, sorter=BERLIN))
    again, _ = rebuild(make_config(tmp_path, sorter=BERLIN))
    with again.db.reading() as conn:
        report = confirmation.report(conn)
    assert report is not None
    assert report["counts"]["no_manifest"] == 0
    photo, sidecar = asset_of(again, "IMG_1.JPG"), asset_of(again, "IMG_1.JPG.xmp")
    assert (sidecar.group_id, sidecar.taken_local) == (photo.group_id, "1999-07-14T15:30:00")
    jobs.confirm_rebuild(again)
    decide(again, "IMG_1.JPG", "1998-07-14 15:30")
    sidecars(again)
    assert b'"1998-07-14T15:30:00+02:00"' in archive_tree(again)[DAY + "IMG_1.JPG.xmp"]
    assert_adds_up(again)
    again.close()


def test_while_the_archive_is_away_nothing_is_written_and_no_other_run_begins(services: Services) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
    marker = Path(os.fsdecode(services.root(RootKind.ARCHIVE).path)) / ".media-pipeline-root"
    content = marker.read_bytes()
    marker.unlink()
    assert sidecars(services).status is not RunStatus.DONE
    assert list(archive_tree(services)) == [DAY + "IMG_1.JPG"]
    assert start_due_sidecars(services) is None
    marker.write_bytes(content)
    sidecars(services, SidecarWish())
    assert DAY + "IMG_1.JPG.xmp" in archive_tree(services)


def test_a_name_that_leaves_no_room_for_the_ending_is_told(tmp_path: Path) -> None:
    services = make_services(tmp_path, sorter=BERLIN)
    name = "x" * 250 + ".JPG"
    write_tree(ingest(services), {name: PHOTO})
    workflow(services)
    decide(services, name, "1999-07-14 15:30", sidecars=True)
    sidecars(services)
    assert "too long" in messages(services, "asset.sidecar_refused")[0]


@pytest.mark.parametrize("calls", range(1, 13))
def test_a_stop_at_any_step_of_a_replacement_ends_with_the_sidecar_of_the_last_decision(
    services: Services, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    class Killed(BaseException):
        pass

    left = [calls]

    def stop_after(commit: Any) -> Any:
        def counted(self: Any, *given: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return commit(self, *given, **named)

        return counted

    decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
    sidecars(services)
    decide(services, "IMG_1.JPG", "1998-07-14 15:30")
    with monkeypatch.context() as patched:
        patched.setattr(Database, "transaction", stop_after(Database.transaction))
        with contextlib.suppress(Killed):
            sidecars(services)
    end_all(services)
    sidecars(services, SidecarWish())
    assert b'"1998-07-14T15:30:00+02:00"' in archive_tree(services)[DAY + "IMG_1.JPG.xmp"]
    assert sorted(archive_tree(services)) == [DAY + "IMG_1.JPG", DAY + "IMG_1.JPG.xmp"]
    sha256 = hashlib.sha256(archive_tree(services)[DAY + "IMG_1.JPG.xmp"]).hexdigest()
    assert asset_of(services, "IMG_1.JPG.xmp").sha256 == sha256
    assert_adds_up(services)
    trash = Path(os.fsdecode(services.root(RootKind.ARCHIVE).path)) / ".mp-trash"
    drop_expired_trash(services.db, 0)
    assert list(trash.iterdir()) == []


def test_a_sidecar_of_the_user_that_comes_later_lies_beside_the_one_that_we_wrote(services: Services) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
    sidecars(services)
    ours = archive_tree(services)[DAY + "IMG_1.JPG.xmp"]
    write_tree(ingest(services), {"IMG_1.JPG.xmp": b"mine"})
    workflow(services)
    tree = archive_tree(services)
    assert sorted(tree.values()) == sorted([PHOTO, ours, b"mine"])
    assert_adds_up(services)


def test_the_sidecar_is_read_back_as_a_claim_of_its_photo(tmp_path: Path, services: Services) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30:21", sidecars=True)
    sidecars(services)
    other = make_services(tmp_path / "other", sorter=BERLIN)
    written = archive_tree(services)[DAY + "IMG_1.JPG.xmp"]
    write_tree(ingest(other), {"IMG_2.JPG": make_jpeg(), "IMG_2.JPG.xmp": written})
    workflow(other)
    found = rows(other)[b"1999/07/14/IMG_2.JPG"]
    assert (found.taken_local, found.taken_from) == ("1999-07-14T15:30:21", "xmp_sidecar")
    other.close()


def test_the_story_of_a_sidecar_says_who_wrote_it(services: Services) -> None:
    decide(services, "IMG_1.JPG", "1999-07-14 15:30", sidecars=True)
    sidecars(services)
    told = explain(services, str(asset_of(services, "IMG_1.JPG.xmp").id))["told"]
    (origin,) = [sentence["text"] for sentence in told if sentence["about"] == "from"]
    assert origin.startswith("This program wrote it on ")
