"""The dashboard as the server renders it: figures, charts, disks and health in words, and nothing new while idle."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.db import activity, assets, confirmation, facts, room_samples, runs, sync_samples
from app.db.clock import later, now
from app.db.room_samples import RoomSample
from app.db.sync_samples import Moment
from app.model import Report, RootKind, RunKind, RunStatus, Stage, StepStatus, Trigger
from app.model.pace import time_in_words
from app.overview import behind
from app.overview.pace import pace_of
from app.overview.storage import forecast
from app.syncthing import known, telling
from app.syncthing.known import Known, PeerKnown
from tests.browser import rows
from tests.web.conftest import Site

GB = 10**9
HOSTILE = "<script>alert(1)</script>\n\u202e" + "x" * 200


def mark_in(page: str) -> str:
    found = re.search(r"mark=([0-9a-f]+)", page)
    assert found is not None
    return found[1]


def test_every_figure_opens_its_files(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    page = client.get("/dashboard").text
    for status in ("duplicate", "set_aside", "batched", "delivered", "archived", "failed", "gone"):
        assert f'href="/files?status={status}"' in page
    assert page.count('href="/files?status=discovered&amp;status=unique"') == 2
    assert "7,457" in page and "/api/assets" not in page


def test_an_idle_dashboard_has_nothing_new_and_a_change_is_shown(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    mark = mark_in(client.get("/dashboard").text)
    address = f"/partials/overview?mark={mark}"
    assert [client.get(address).status_code for _ in range(2)] == [204, 204]
    with site.services.db.transaction() as conn:
        facts.put(conn, "worker_heartbeat_at", now())
    assert client.get(address).status_code == 204
    rows.start_run(site.services)
    assert "every 2s" in client.get(address).text


@pytest.mark.parametrize(("days", "bars"), [("7", 7), ("30", 30), ("365", 52), ("8", 30), ("x", 30), ("", 30)])
def test_the_charts_reach_as_far_back_as_was_chosen(client: FlaskClient, site: Site, days: str, bars: int) -> None:
    rows.fill(site.services)
    page = client.get(f"/dashboard?days={days}").text
    assert f'viewBox="0 0 {20 * bars} 100"' in page
    asked = f"/partials/overview?days={days}&amp;mark=" if days in ("7", "365") else "/partials/overview?mark="
    assert asked in page


def test_what_was_done_is_drawn_told_and_in_the_table(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    slot = activity.slot_of(later(-3 * 86_400))
    with site.services.db.transaction() as conn:
        conn.exec_driver_sql("DELETE FROM activity")
        conn.exec_driver_sql(activity.ADD, (slot, "seen", 40, 4 * GB))
        conn.exec_driver_sql(activity.ADD, (slot, "archived", 30, 3 * GB))
    page = client.get("/dashboard").text
    assert "40 seen, 30 archived" in page and "Seen: 40; archived: 30." in page
    assert re.search(r'<td class="figure">40 <small>3.7 GiB</small></td>', page)
    assert "0 new today, 40 in 7 days" in page
    assert "Nothing is known of the days before" in page


def test_the_speed_of_deliveries_is_drawn_when_it_was_measured(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    assert "Speed of deliveries" not in client.get("/dashboard").text
    batch_id = rows.add_syncing_batch(site.services)
    with site.services.db.transaction() as conn:
        for rate in (None, 2_097_152.0, 4_194_304.0):
            sync_samples.add(conn, batch_id, "PHONE", Moment(1, 1), rate)
    assert "at most 3.0 MiB per second" in client.get("/dashboard").text


def test_before_anything_is_seen_the_page_says_what_to_do(make_site: Callable[..., Site]) -> None:
    page = make_site(sync={"target": "none"}).client().get("/dashboard").text
    assert "Welcome." in page and "Run everything" in page and 'href="/preview"' in page
    assert "Over time" not in page and "Set it up step by step" not in page


def test_a_run_is_the_second_choice_as_long_as_nobody_has_said_where_batches_go(make_site: Callable[..., Site]) -> None:
    page = make_site(sync={"target": "auto"}).client().get("/dashboard").text
    assert 'class="secondary outline">Run everything' in page and 'href="/welcome" role="button"' in page


def test_what_is_not_set_up_leads_to_the_set_up(make_site: Callable[..., Site]) -> None:
    site = make_site(sync={"target": "syncthing"})
    page = site.client().get("/dashboard").text
    assert 'href="/welcome" role="button"' in page and 'href="/welcome/peer"' in page
    rows.fill(site.services)
    assert 'class="welcome"' not in site.client().get("/dashboard").text


def test_hostile_words_stay_words(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    with site.services.db.transaction() as conn:
        run = runs.insert_queued(conn, RunKind.WORKFLOW, Trigger.API, ())
        run = runs.change(conn, run, RunStatus.RUNNING)
        runs.change(conn, run, RunStatus.FAILED, error=HOSTILE)
    page = client.get("/dashboard").text
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


def samples(*free: int, total: int = 1_000 * GB, days: int = 1) -> list[RoomSample]:
    first = date(2026, 5, 31) - timedelta(days=days * len(free))
    return [
        RoomSample(1, (first + timedelta(days=days * n)).isoformat(), "", left, total, 0, 0)
        for n, left in enumerate(free)
    ]


@pytest.mark.parametrize(
    ("history", "free", "words"),
    [
        ([], 500, "When it may be full is told after 3 days of looking."),
        (samples(510, 505), 500, "When it may be full is told after 3 days of looking."),
        (samples(400, 450, 480), 500, "It has not become fuller in the last 3 days."),
        (samples(*[800 - 10 * n for n in range(30)]), 500, "Full in about 7 weeks at the pace of the last 30 days"),
        (samples(530, 520, 510), 500, "Full in about 7 weeks at the pace of the last 3 days"),
        (samples(503, 502, 501), 5, "about a day"),
        (samples(501, days=30), 500, "At the pace of the last 30 days there is room for years."),
        (samples(900, 800, 700, total=2_000 * GB), 500, "When it may be full is told after 3 days of looking."),
    ],
)
def test_a_forecast_says_no_more_than_was_measured(history: list[RoomSample], free: int, words: str) -> None:
    scaled = [RoomSample(s.root_id, s.day, s.at, s.free_bytes * GB, s.total_bytes, 0, 0) for s in history]
    assert words in forecast(scaled, free * GB, 1_000 * GB, date(2026, 5, 31))


def test_disks_are_shown_with_what_is_ours(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    root = site.services.root(RootKind.ARCHIVE)
    client.get("/dashboard")
    with site.services.db.transaction() as conn:
        room_samples.put(conn, [room_samples.Room(root.id, 10 * GB, 100 * GB)], {root.id: (7, 3 * 2**20)})
    page = client.get("/dashboard").text
    assert "7 files, 3.0 MiB" in page and "3.0 MiB are files of this program" in page
    assert page.count('class="disk"') == 1, "one disk, however many folders lie on it"


def test_of_the_copies_in_the_delivery_folder_no_count_is_told(make_site: Callable[..., Site], tmp_path: Path) -> None:
    site = make_site(sync={"target": "folder", "folder_dir": str(tmp_path / "disk")})
    rows.fill(site.services)
    root = site.services.root(RootKind.DELIVERY)
    site.client().get("/dashboard")
    with site.services.db.transaction() as conn:
        room_samples.put(conn, [room_samples.Room(root.id, 10 * GB, 100 * GB)], {root.id: (0, 0)})
    page = site.client().get("/dashboard").text
    assert f'<bdi class="path">{tmp_path / "disk"}</bdi></dd>' in page


def test_in_a_large_library_no_answer_waits_for_a_count_but_the_first(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behind, "RECOUNT_AFTER_FACTOR", 0)
    counted, path, present = behind.CountedBehind(assets.last_id), site.services.db.path, behind.COUNTED_AT_ONCE + 1
    with site.services.db.reading() as conn:
        assert counted.answer(conn, path, present) == 0
    rows.fill(site.services)
    with site.services.db.reading() as conn:
        assert counted.answer(conn, path, present) == 0
        assert counted.answer(conn, path, behind.COUNTED_AT_ONCE) == 7457
        counted._counting[path].join()
        assert counted.answer(conn, path, present) == 7457


def part_of(page: str, label: str) -> str:
    health = page[page.index('id="health-title"') :]
    return next(item for item in health.split("<li>") if f">{label}<" in item)


def test_health_says_what_is_wrong_and_what_to_do(make_site: Callable[..., Site]) -> None:
    site = make_site(sync={"target": "syncthing"}, syncthing={"folder_id": "photos", "device_id": ""})
    client = site.client()
    page = client.get("/dashboard").text
    assert "The worker is not running." in part_of(page, "Worker") and "restart.sh" in part_of(page, "Worker")
    assert "There is no backup" in part_of(page, "Backup")
    with site.services.db.transaction() as conn:
        facts.put(conn, "worker_heartbeat_at", now())
        known.put(conn, Known("v1.29.5", "photos", {"P": PeerKnown("phone", False, False, "2026-05-06T07:08:09Z")}))
    said = part_of(client.get("/dashboard").text, "Syncthing")
    assert "v1.29.5 answers. phone is not connected, last seen" in said
    assert 'datetime="2026-05-06T07:08:09+00:00"' in said
    with site.services.db.transaction() as conn:
        telling.tell_lost(conn, "The key is wrong.", 60)
    assert "fault" in (said := part_of(client.get("/dashboard").text, "Syncthing")) and "The key is wrong." in said
    (site.services.state_dir / "backups").mkdir()
    (site.services.state_dir / "backups" / "media-pipeline-backup-20260506T070809Z.tar.gz").touch()
    assert "2026-05-06 07:08:09 UTC" in part_of(client.get("/dashboard").text, "Backup")


def test_health_tells_of_the_backup_that_is_due_and_of_one_that_failed(make_site: Callable[..., Site]) -> None:
    site = make_site(backup={"schedule": "30 4 1 1 *"}, sorter={"timezone": "Europe/Berlin"})
    client = site.client()
    said = part_of(client.get("/dashboard").text, "Backup")
    assert "There is no backup" in said and "-01-01 03:30:00 UTC" in said
    with site.services.db.transaction() as conn:
        facts.put(conn, facts.BACKUP_FAILED, "The backup that was due could not be made: no room.")
    said = part_of(client.get("/dashboard").text, "Backup")
    assert "no room" in said and "warning" in said


def test_a_running_step_tells_its_pace_and_its_own_word_goes_first() -> None:
    moment = datetime(2026, 5, 6, 12, 0, tzinfo=UTC)
    step: dict[str, Any] = {
        "status": "running", "started_at": (moment - timedelta(seconds=100)).isoformat(), "done": 400, "total": 1_600,
        "size_bytes": 400 * 2**20, "data": {},
    }  # fmt: skip
    told = pace_of(step, moment)
    assert told is not None and told["remaining_seconds"] == 300
    assert told["words"] == "4 files a second, 4.0 MiB a second, about 5 minutes left"
    assert pace_of({**step, "data": {"pace": {"words": "its own"}}}, moment) == {"words": "its own"}
    assert pace_of({**step, "done": 4}, moment) is None
    assert pace_of({**step, "status": "completed"}, moment) is None
    assert [time_in_words(n) for n in (0, 59, 61, 7_201, 200_000)] == [
        "1 second", "59 seconds", "2 minutes", "3 hours", "3 days",
    ]  # fmt: skip


def test_the_last_runs_lead_to_their_pages(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    run, step = rows.start_run(site.services)
    with site.services.db.transaction() as conn:
        runs.end_step(conn, step, StepStatus.DONE, Report(message="212 duplicates."))
        runs.change(conn, runs.get(conn, run.id), RunStatus.DONE)
    page = client.get("/dashboard").text
    last = page[page.index('id="runs-title"') :]
    assert f'href="/runs/{run.id}"' in last and "212 duplicates." in last


def test_a_run_has_the_same_buttons_here_as_on_its_own_page(client: FlaskClient, site: Site) -> None:
    run, _ = rows.start_run(site.services)
    with site.services.db.transaction() as conn:
        runs.change(conn, runs.get(conn, run.id), RunStatus.WAITING)
    for address in ("/dashboard", f"/runs/{run.id}"):
        page = client.get(address).text
        assert [f'action="/api/runs/{run.id}/{act}"' in page for act in ("resume", "pause", "cancel")] == [True] * 3


def test_a_run_is_told_by_what_came_of_it_and_not_by_the_last_step_that_had_nothing_to_do(
    client: FlaskClient, site: Site
) -> None:
    ends = (
        (Stage.SORT, StepStatus.DONE, "7 files archived."),
        (Stage.CLEANUP, StepStatus.DONE, "1 folder cleaned."),
        (Stage.BATCH, StepStatus.SKIPPED, "There is nothing to batch."),
    )
    run, step = rows.start_run(site.services)
    with site.services.db.transaction() as conn:
        runs.end_step(conn, step, StepStatus.DONE, Report(message="212 duplicates."))
        for stage, status, said in ends:
            runs.end_step(conn, runs.start_step(conn, run.id, stage, None), status, Report(message=said))
        runs.change(conn, runs.get(conn, run.id), RunStatus.DONE)
    for address in ("/dashboard", "/runs"):
        page = client.get(address).text
        assert "7 files archived." in page and "nothing to batch" not in page


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("label", "they stay where they are and take that room"),
        ("quarantine", "out of the way in their folder, where they take that room"),
        ("reflink", "they share the room of their originals where the disk can do that"),
    ],
)
def test_what_duplicates_take_is_told_as_the_policy_has_it(
    make_site: Callable[..., Site], policy: str, words: str
) -> None:
    site = make_site(dedup={"duplicate_policy": policy})
    rows.fill(site.services)
    page = site.client().get("/dashboard").text
    assert words in page
    assert "saved" not in page


def test_deliveries_of_a_week_do_not_contradict_what_waits_for_the_archive(make_site: Callable[..., Site]) -> None:
    site = make_site(sync={"target": "syncthing"})
    rows.fill(site.services)
    page = site.client().get("/dashboard").text
    assert "<dt>Delivered in 7 days</dt>" in page and "archived ones too" in page
    assert "Delivered, not yet archived: 0 files" in page


def test_after_the_database_was_made_anew_the_charts_say_where_they_begin(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    assert "The database was made anew" not in client.get("/dashboard").text
    with site.services.db.transaction() as conn:
        conn.exec_driver_sql("DELETE FROM activity")
        confirmation.require(conn, now(), confirmation.REBUILT)
        confirmation.give(conn)
    page = client.get("/dashboard").text
    assert "The database was made anew" in page and "the charts begin there" in page
    with site.services.db.transaction() as conn:
        conn.exec_driver_sql("INSERT INTO activity VALUES (?, 'seen', 1, 1)", (activity.slot_of(later(-86_400)),))
    assert "The database was made anew" not in client.get("/dashboard").text
