"""GET /metrics: what Prometheus gets is what the rows say, each metric is documented, and none is invented."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from app.db import facts, heartbeat, journal, runs, sync_samples
from app.db.clock import later, now
from app.db.sync_samples import Moment
from app.model import WORKFLOW_STAGES, Report, RunKind, RunStatus, Stage, StepStatus, Trigger
from app.overview import ConfigFacts
from app.overview import roots as root_looks
from app.overview.metrics import Metrics
from app.services import Services
from app.syncthing import known, telling
from app.syncthing.known import Known, PeerKnown
from app.web import create_app
from tests.browser import rows
from tests.conftest import make_services
from tests.web.conftest import KEY, Site
from tests.web.test_scopes import KEYS, READ_KEY

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(media_pipeline_\w+)` \| (\w+) \| ([^|]*) \| ([^|]+) \|$", re.MULTILINE)
PHONE = "PHONE00-AAAAAAA"
SYNCTHING = {"folder_id": "photos", "device_id": PHONE}
#: What a histogram's own series are told apart by.
EDGE = "le"

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(client: FlaskClient) -> Values:
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    families = text_string_to_metric_families(answer.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(values: Values, metric: str, /, **labels: str) -> float | None:
    return values.get((f"media_pipeline_{metric}", frozenset(labels.items())))


def documented() -> dict[str, tuple[str, frozenset[str], str]]:
    found = ROW.findall(DOCUMENT.read_text(encoding="utf-8"))
    assert len({name for name, *_ in found}) == len(found), "a metric is described twice"
    return {name: (kind, frozenset(re.findall(r"`(\w+)`", labels)), words) for name, kind, labels, words in found}


@pytest.fixture
def busy(make_site: Callable[..., Site]) -> Site:
    """An application of which every metric has something to tell: a delivery, a run, and two peers, one away."""
    site = make_site(sync={"target": "syncthing"}, syncthing=SYNCTHING)
    rows.fill(site.services)
    batch_id = rows.add_syncing_batch(site.services)
    rows.start_run(site.services)
    peers = {PHONE: PeerKnown("phone", True, False), "NAS": PeerKnown("nas", False, False, "2026-05-06T07:08:09Z")}
    with site.services.db.transaction() as conn:
        sync_samples.add(conn, batch_id, PHONE, Moment(250, 250 * rows.SIZE_BYTES), 2_400_000.0)
        known.put(conn, Known("v1.29.5", "photos", peers))
    return site


def test_every_metric_is_documented_with_its_type_labels_and_meaning_and_no_other_is(busy: Site) -> None:
    exposed = {}
    for family in text_string_to_metric_families(busy.client().get("/metrics").text):
        assert family.samples, f"the test leaves {family.name} without a sample"
        labels = frozenset(label for sample in family.samples for label in sample.labels) - {EDGE}
        name = family.name + ("_total" if family.type == "counter" else "")
        exposed[name] = (family.type, labels, family.documentation)
    told = documented()
    assert set(exposed) == set(told)
    for name, (kind, labels, words) in exposed.items():
        assert told[name][:2] == (kind, labels), name
        assert told[name][2].startswith(words), name


def test_promtool_accepts_what_is_exposed(busy: Site) -> None:
    text = busy.client().get("/metrics").get_data()
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_openmetrics_is_answered_to_who_asks_for_it(busy: Site) -> None:
    wanted = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    answer = busy.client().get("/metrics", headers={"Accept": wanted})
    assert answer.mimetype == "application/openmetrics-text"
    found = list(openmetrics.text_string_to_metric_families(answer.text))
    names = {family.name + ("_total" if family.type == "counter" else "") for family in found}
    assert names == set(documented())


def test_numbers_are_those_of_the_rows(busy: Site) -> None:
    found = scrape(busy.client())
    for status, count in rows.FILES.items():
        assert value(found, "files", status=status.value) == count
        assert value(found, "files_bytes", status=status.value) == count * rows.SIZE_BYTES
    assert value(found, "seen_files_total") == sum(rows.FILES.values())
    assert value(found, "archived_bytes_total") == 5200 * rows.SIZE_BYTES
    assert value(found, "batches", status="SORTED") == 3 and value(found, "batches", status="SYNCING") == 1
    assert value(found, "batches_bytes", status="SYNCING") == 640 * rows.SIZE_BYTES
    assert value(found, "delivery_files") == 640 and value(found, "delivery_confirmed_files") == 250
    assert value(found, "delivery_confirmed_bytes") == 250 * rows.SIZE_BYTES
    assert value(found, "delivery_bytes_per_second", batch="batch_004", device=PHONE) == 2_400_000
    assert value(found, "runs", status="running") == 1 and value(found, "runs", status="queued") == 0
    assert value(found, "worker_up") == 1
    assert value(found, "peer_connected", device=PHONE, name="phone") == 1
    assert value(found, "peer_last_seen_timestamp_seconds", device="NAS", name="nas") == 1_778_051_289


def test_a_rate_that_was_measured_long_ago_is_none(busy: Site) -> None:
    with busy.services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE sync_samples SET at = ?", (later(-3600),))
    assert value(scrape(busy.client()), "delivery_bytes_per_second", batch="batch_004", device=PHONE) == 0


def test_what_is_not_known_has_no_sample(client: FlaskClient) -> None:
    found = scrape(client)
    absent = ("oldest_waiting_file_timestamp_seconds", "syncthing_reachable", "worker_heartbeat_timestamp_seconds")
    assert [value(found, name) for name in absent] == [None, None, None]
    assert value(found, "worker_up") == 0


def test_a_worker_that_signed_off_is_away(client: FlaskClient, site: Site) -> None:
    with site.services.db.transaction() as conn:
        heartbeat.beat(conn)
    assert value(scrape(client), "worker_up") == 1
    with site.services.db.transaction() as conn:
        facts.put(conn, heartbeat.HEARTBEAT_FACT, later(-60))
    found = scrape(client)
    assert value(found, "worker_up") == 0 and value(found, "worker_heartbeat_timestamp_seconds") is not None
    with site.services.db.transaction() as conn:
        heartbeat.sign_off(conn)
    assert value(scrape(client), "worker_heartbeat_timestamp_seconds") is None


def test_syncthing_that_does_not_answer_is_not_reachable(busy: Site) -> None:
    client = busy.client()
    assert value(scrape(client), "syncthing_reachable") == 1
    with busy.services.db.transaction() as conn:
        telling.tell_lost(conn, "Syncthing does not answer.", 60)
    assert value(scrape(client), "syncthing_reachable") == 0


@pytest.mark.parametrize("never", ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", None])
def test_a_peer_that_was_never_seen_was_not_last_seen_in_1970(busy: Site, never: str | None) -> None:
    with busy.services.db.transaction() as conn:
        known.put(conn, Known("v1.29.5", "photos", {"NEW": PeerKnown("new", False, False, never)}))
    found = scrape(busy.client())
    assert value(found, "peer_connected", device="NEW", name="new") == 0
    assert value(found, "peer_last_seen_timestamp_seconds", device="NEW", name="new") is None


def test_a_folder_that_is_away_is_told_and_has_no_room(client: FlaskClient, site: Site) -> None:
    archive = site.services.config.paths.sorted_dir
    place = {"kind": "archive", "path": archive}
    assert value(scrape(client), "root_available", **place) == 1
    Path(archive).rename(f"{archive}-unmounted")
    root_looks.forget()
    found = scrape(client)
    assert value(found, "root_available", **place) == 0 and value(found, "root_free_bytes", **place) is None
    assert value(found, "root_available", kind="ingest", path=site.services.config.paths.source_dir) == 1


def note_trouble(services: Services, level: str = "error") -> None:
    with services.db.transaction() as conn:
        journal.record(conn, "batch.failed", "The peer is full.", level=level)


def test_warnings_and_errors_are_counted_once_each_also_across_a_restart(client: FlaskClient, site: Site) -> None:
    assert value(scrape(client), "problems_total", kind="batch.failed", level="error") == 0
    note_trouble(site.services)
    note_trouble(site.services, "info")
    for again in (client, client, create_app(container=site.container).test_client()):
        assert value(scrape(again), "problems_total", kind="batch.failed", level="error") == 1
    note_trouble(site.services)
    note_trouble(site.services, "warning")
    found = scrape(client)
    assert value(found, "problems_total", kind="batch.failed", level="error") == 2
    assert value(found, "problems_total", kind="batch.failed", level="warning") == 1


def test_ends_of_runs_are_counted_by_how_they_ended(client: FlaskClient, site: Site) -> None:
    assert value(scrape(client), "runs_ended_total", result="failed") == 0
    with site.services.db.transaction() as conn:
        for kind in ("run.failed", "run.finished", "run.finished", "run.started"):
            journal.record(conn, kind, "It did.")
    found = scrape(client)
    ends = {result: value(found, "runs_ended_total", result=result) for result in ("failed", "finished", "cancelled")}
    assert ends == {"failed": 1, "finished": 2, "cancelled": 0}


def begin_step(services: Services, stage: Stage = Stage.SCAN) -> int:
    with services.db.transaction() as conn:
        run = runs.find_in_flight(conn) or runs.insert_queued(conn, RunKind.WORKFLOW, Trigger.API, WORKFLOW_STAGES)
        return runs.start_step(conn, run.id, stage, None)


def end_step(services: Services, step_id: int, seconds: int, status: StepStatus = StepStatus.DONE) -> None:
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE steps SET started_at = ? WHERE id = ?", (later(-seconds), step_id))
        runs.end_step(conn, step_id, status, Report())


def scans(found: Values) -> tuple[float | None, float | None, float | None]:
    """(steps of at most a minute, of at most five, all) that looked through the ingest folders."""
    name = "step_duration_seconds"
    upto = [value(found, f"{name}_bucket", stage="scan", le=edge) for edge in ("60.0", "300.0")]
    return upto[0], upto[1], value(found, f"{name}_count", stage="scan")


def test_a_step_counts_when_it_has_ended_also_when_a_later_one_ended_before_it(client: FlaskClient, site: Site) -> None:
    slow, quick = begin_step(site.services), begin_step(site.services)
    assert scans(scrape(client)) == (0, 0, 0)
    end_step(site.services, quick, 30)
    assert scans(scrape(client)) == (1, 1, 1)
    end_step(site.services, slow, 200)
    assert scans(scrape(client)) == (1, 2, 2)
    found = scrape(client)
    assert scans(found) == (1, 2, 2)
    assert value(found, "step_duration_seconds_sum", stage="scan") == pytest.approx(230, abs=5)


@pytest.mark.parametrize("status", [StepStatus.FAILED, StepStatus.CANCELLED])
def test_a_step_that_was_cut_short_says_nothing_of_how_long_its_stage_takes(
    client: FlaskClient, site: Site, status: StepStatus
) -> None:
    end_step(site.services, begin_step(site.services), 30, status)
    assert scans(scrape(client)) == (0, 0, 0)


def test_a_step_over_which_the_clock_was_set_back_takes_nothing_away(client: FlaskClient, site: Site) -> None:
    end_step(site.services, begin_step(site.services), -3600)
    found = scrape(client)
    assert scans(found) == (1, 1, 1) and value(found, "step_duration_seconds_sum", stage="scan") == 0


def test_the_run_that_waits_longest_is_told_by_status(client: FlaskClient, site: Site) -> None:
    with site.services.db.transaction() as conn:
        run = runs.insert_queued(conn, RunKind.WORKFLOW, Trigger.API, WORKFLOW_STAGES)
        conn.exec_driver_sql("UPDATE runs SET requested_at = '2026-05-06T07:08:09.000000+00:00'")
    found = scrape(client)
    assert value(found, "runs", status="queued") == 1
    assert value(found, "oldest_run_requested_timestamp_seconds", status="queued") == 1_778_051_289
    with site.services.db.transaction() as conn:
        runs.change(conn, runs.change(conn, run, RunStatus.RUNNING), RunStatus.DONE, ended_at=now())
    found = scrape(client)
    assert value(found, "runs", status="queued") == 0
    assert value(found, "oldest_run_requested_timestamp_seconds", status="queued") is None


def test_another_database_is_counted_for_itself(tmp_path: Path) -> None:
    one, other = make_services(tmp_path / "one"), make_services(tmp_path / "other")
    for _ in range(3):
        note_trouble(one)
    note_trouble(other)
    metrics = Metrics()
    counts = [errors_in(metrics, services) for services in (one, other, one)]
    one.close()
    other.close()
    assert counts == [3, 1, 3]


def errors_in(metrics: Metrics, services: Services) -> float:
    found = metrics.collect(services, ConfigFacts("config.yaml"))
    return sum(s.value for family in found for s in family.samples if s.labels.get("level") == "error")


def test_a_scraper_sends_its_key_as_a_bearer_token_or_in_the_header(make_site: Callable[..., Site]) -> None:
    client = make_site(auth={"api_key": KEY, "keys": KEYS}).client()
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"Bearer {READ_KEY}"}).status_code == 200
    assert client.get("/metrics", headers={"x-api-key": READ_KEY}).status_code == 200


def test_settings_with_faults_are_told(site: Site) -> None:
    client = site.client()
    assert value(scrape(client), "config_valid") == 1
    site.config_path.write_text("batch: {max_files: many}\n")
    assert value(scrape(client), "config_valid") == 0
