"""GET /api/ha/state: every key is documented, of its type and never null, and tells what the rows say."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.db import facts, runs, silences
from app.db.silences import Silence
from app.jobs import pause
from app.model import RunStatus
from app.overview import ConfigFacts
from app.overview import roots as root_looks
from app.overview.home import NEVER, HomeState
from app.overview.home.values import text
from app.overview.home.work import STATUSES
from app.syncthing import known, telling
from app.syncthing.known import Known, PeerKnown
from tests.browser import rows
from tests.web.conftest import Site
from tests.web.home_assistant_docs import TEXT, documented_keys

PHONE, NAS = "PHONE00-AAAAAAA", "NAS0000-AAAAAAA"
SYNCTHING = {"sync": {"target": "syncthing"}, "syncthing": {"folder_id": "photos"}}


def state_of(site: Site) -> dict[str, Any]:
    """The state as it is now: of an application that has answered nobody."""
    return dict(HomeState().read(site.services, ConfigFacts(str(site.config_path))))


@pytest.fixture
def busy(make_site: Callable[..., Site]) -> Site:
    site = make_site(**SYNCTHING)
    rows.fill(site.services)
    rows.add_syncing_batch(site.services)
    rows.start_run(site.services)
    return site


def test_each_key_is_documented_and_each_documented_key_is_there(client: FlaskClient) -> None:
    answer = client.get("/api/ha/state")
    assert answer.status_code == 200
    assert set(answer.json) == set(documented_keys())


def test_what_is_documented_once_is_documented_once() -> None:
    assert all(TEXT.count(f"| `{key}` |") == 1 for key in documented_keys())


@pytest.mark.parametrize("is_busy", [False, True])
def test_every_value_is_of_its_documented_type_and_none_is_null(make_site: Callable[..., Site], is_busy: bool) -> None:
    site = make_site(**SYNCTHING)
    if is_busy:
        rows.fill(site.services)
        rows.add_syncing_batch(site.services)
        rows.start_run(site.services)
    for key, value in site.client().get("/api/ha/state").json.items():
        kind = documented_keys()[key]
        assert type(value) is {"boolean": bool, "text": str, "instant": str}.get(kind, int), key
        if kind == "instant":
            assert datetime.fromisoformat(value).utcoffset() is not None, key
        if kind == "text":
            assert 0 < len(value) <= 255, key


def test_numbers_are_those_of_the_rows(busy: Site) -> None:
    found = state_of(busy)
    wanted = {
        "status": "running", "running": True, "paused": False, "run_id": 1, "run_stage": "dedup", "run_stage_done": 320,
        "run_stage_total": 1400, "files": 7457, "files_waiting": 1400, "files_archived": 5200,
        "files_archived_bytes": 5200 * rows.SIZE_BYTES, "delivery_confirmed_files": 250, "delivery_files": 640,
        "sync_batch_id": 4, "sort_batch_id": 0, "batches_open": 1, "batches_archived": 3, "worker_alive": True,
    }  # fmt: skip
    assert {key: found[key] for key in wanted} == wanted
    assert found["archive_free_bytes"] > 0 and found["last_delivered_at"] > NEVER


def test_a_run_that_was_asked_to_pause_counts_as_paused(busy: Site) -> None:
    pause(busy.services, 1)
    assert (state_of(busy)["status"], state_of(busy)["paused"]) == ("running", True)


def test_every_status_of_a_run_that_has_not_ended_is_documented() -> None:
    row = next(line for line in TEXT.splitlines() if line.startswith("| `status`"))
    assert all(f"`{status}`" in row for status in STATUSES)


def test_a_failed_run_is_told_with_its_error_shortened(busy: Site) -> None:
    with busy.services.db.transaction() as conn:
        runs.change(conn, runs.get(conn, 1), RunStatus.FAILED, error="The disk is full. " * 40)
    found = state_of(busy)
    assert (found["status"], found["last_run_status"]) == ("idle", "failed")
    assert found["last_run_error"].startswith("The disk is full. The") and found["last_run_error"].endswith("…")


def test_a_text_is_one_line_that_home_assistant_takes() -> None:
    assert (text(None), text(" a\n b "), len(text("x" * 256)), len(text("x" * 255))) == ("none", "a b", 255, 255)


def test_peers_that_are_away_are_told_with_the_one_that_is_away_for_longest(busy: Site) -> None:
    away = {
        PHONE: PeerKnown("phone", False, False, "2026-05-07T07:08:09Z"),
        NAS: PeerKnown("nas", False, False, "2026-05-06T07:08:09Z"),
    }
    with busy.services.db.transaction() as conn:
        known.put(conn, Known("v1.29.5", "photos", away | {"X": PeerKnown("tablet", True, False)}))
        silences.replace_all(conn, [Silence("peer", "peer.missed", "2026-05-06", "nas was not seen.", "")])
    found = state_of(busy)
    assert (found["peers"], found["peers_connected"], found["peer_unseen"]) == (3, 1, True)
    assert (found["peer_away_since"], found["syncthing_reachable"]) == ("2026-05-06T07:08:09+00:00", True)


@pytest.mark.parametrize("never", ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", None])
def test_a_peer_that_was_never_seen_is_away_since_it_was_first_looked_for(busy: Site, never: str | None) -> None:
    with busy.services.db.transaction() as conn:
        known.put(conn, Known("v1.29.5", "photos", {PHONE: PeerKnown("phone", False, False, never)}))
        silences.note_peers(conn, {PHONE: {"name": "phone", "seen_at": "2026-04-01T00:00:00.000000+00:00"}})
    assert state_of(busy)["peer_away_since"] == "2026-04-01T00:00:00+00:00"


def test_syncthing_that_does_not_answer_is_not_reachable(busy: Site) -> None:
    with busy.services.db.transaction() as conn:
        known.put(conn, Known("v1.29.5", "photos", {}))
        telling.tell_lost(conn, "Syncthing does not answer.", 60)
    assert state_of(busy)["syncthing_reachable"] is False
    assert state_of(busy)["problem"] is True


def test_where_nothing_goes_through_syncthing_nothing_is_missed(site: Site) -> None:
    found = state_of(site)
    assert (found["syncthing_reachable"], found["peer_unseen"], found["peers"]) == (True, False, 0)


def test_a_backup_is_told_with_its_time_and_a_failed_one_as_such(client: FlaskClient, site: Site) -> None:
    assert state_of(site)["last_backup_at"] == NEVER
    made_at = client.post("/api/backup").json["made_at"]
    with site.services.db.transaction() as conn:
        facts.put(conn, facts.BACKUP_FAILED, "The backup could not be made.")
    found = state_of(site)
    assert found["backup_failed"] is True
    assert found["last_backup_at"] == datetime.fromisoformat(made_at).replace(microsecond=0).isoformat()


def test_a_folder_that_is_away_has_no_room_that_could_be_told(client: FlaskClient, site: Site) -> None:
    archive = site.services.config.paths.sorted_dir
    os.rename(archive, f"{archive}-away")
    root_looks.forget()
    found = client.get("/api/ha/state").json
    assert (found["folders_available"], found["archive_free_bytes"], found["problem"]) == (False, -1, True)


def test_many_who_ask_at_once_get_one_reading_and_the_next_second_a_new_one(
    busy: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1_000.0]
    monkeypatch.setattr("app.overview.home.time.monotonic", lambda: clock[0])
    state, config = HomeState(), ConfigFacts("x")
    assert state.read(busy.services, config)["paused"] is False
    pause(busy.services, 1)
    assert state.read(busy.services, config)["paused"] is False
    clock[0] += 1.1
    assert state.read(busy.services, config)["paused"] is True
