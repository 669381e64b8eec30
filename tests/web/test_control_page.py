"""The pages Control, Runs, Batches and Preview as the server makes them: what they say when there is nothing, hostile
names, 204 while nothing changes, and where their parts lead."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from app.db import batches, runs
from app.model import BatchStatus, Failure, Report, RunKind, RunStatus, Stage, StepStatus, Trigger
from tests.browser import rows
from tests.web.conftest import Site

HOSTILE = "<script>alert(1)</script>\n\u202e" + "W" * 200
LIVE = ("/control", "/runs", "/runs/1", "/batches", "/batches/1", "/preview")
MARK = re.compile(r'hx-get="(/partials/[^"]*mark=[0-9a-f]+)"')


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/control", "No run has moved a file yet."),
        ("/runs", "No run yet."),
        ("/batches", "No batch yet."),
        ("/preview", "/ingest</code>, then press"),
        ("/runs?kind=undo", "No run is like that."),
        ("/batches?status=ERROR", "No batch is like that."),
    ],
)
def test_a_page_with_nothing_to_show_says_what_to_do(client: FlaskClient, address: str, words: str) -> None:
    assert words in client.get(address).text


def test_a_part_that_has_not_changed_is_not_sent_again(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    rows.start_run(site.services)
    for address in LIVE:
        found = MARK.search(client.get(address).text)
        assert found is not None, address
        poll = found[1].replace("&amp;", "&")
        assert client.get(poll).status_code == 204, address
        assert client.get(poll[:-4] + "beef").status_code == 200, address


def test_what_does_not_exist_is_said_to_be_missing(client: FlaskClient) -> None:
    for address in ("/runs/7", "/batches/7", "/batches/7/undo", "/preview?run=7", f"/runs/{10**30}"):
        assert client.get(address).status_code == 404, address


def test_hostile_names_are_text_and_nothing_else(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    run, step = rows.start_run(site.services)
    report = Report(message=HOSTILE, failures=[Failure(HOSTILE, "It cannot be read.", 1)])
    with site.services.db.transaction() as conn:
        runs.end_step(conn, step, StepStatus.WARNING, report)
        runs.change(conn, runs.get(conn, run.id), RunStatus.FAILED, error=HOSTILE)
        batch = batches.change(conn, rows.reserve(conn), BatchStatus.ERROR, error=HOSTILE)
        batches.set_columns(conn, batch.id, name=HOSTILE)
    for address in ("/control", "/runs", f"/runs/{run.id}", "/batches", f"/batches/{batch.id}"):
        text = client.get(address).text
        assert "<script>alert" not in text and "&lt;script&gt;alert" in text, address
    story = client.get(f"/runs/{run.id}").text
    assert 'href="/files/1"' in story and "It cannot be read." in story


def test_runs_are_listed_by_kind_and_status_and_paged_by_key(client: FlaskClient, site: Site) -> None:
    with site.services.db.transaction() as conn:
        for number in range(35):
            kind = RunKind.VERIFY if number % 5 == 0 else RunKind.STAGE
            run = runs.insert_queued(conn, kind, Trigger.CLI, (Stage.SCAN,))
            runs.change(conn, run, RunStatus.CANCELLED)
    first = client.get("/runs").text
    assert first.count('id="run-') == 30 and "before_id=6" in first
    second = client.get("/runs?before_id=6").text
    assert second.count('id="run-') == 5 and "hx-trigger" not in second.split('id="live"')[1].split(">")[0]
    assert client.get("/runs?kind=verify&status=cancelled").text.count('id="run-') == 7
    assert client.get("/runs?kind=nonsense&before_id=x").text.count('id="run-') == 30


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        (BatchStatus.PENDING, {"/api/workflow/sync/1", "/api/batches/1/cancel", "/batches/1/undo"}),
        (BatchStatus.SYNCED, {"/api/workflow/sort/1", "/batches/1/undo"}),
        (BatchStatus.SORTED, {"/batches/1/undo"}),
        (BatchStatus.ERROR, {"/api/batches/1/retry", "/api/batches/1/cancel", "/batches/1/undo"}),
    ],
)
def test_a_batch_offers_what_its_state_allows(
    client: FlaskClient, site: Site, status: BatchStatus, offered: set[str]
) -> None:
    with site.services.db.transaction() as conn:
        batch = rows.reserve(conn)
        for step in {
            BatchStatus.PENDING: [],
            BatchStatus.SYNCED: [BatchStatus.SYNCED],
            BatchStatus.SORTED: [BatchStatus.SYNCED, BatchStatus.SORTING, BatchStatus.SORTED],
            BatchStatus.ERROR: [BatchStatus.ERROR],
        }[status]:
            batch = batches.change(conn, batch, step)
    live = client.get("/batches/1").text.split('id="live"')[1]
    assert set(re.findall(r'action="([^"]*1[^"]*)"', live)) == offered


def test_a_chosen_batch_is_acted_on_without_a_script_too(client: FlaskClient, site: Site) -> None:
    with site.services.db.transaction() as conn:
        rows.reserve(conn)
    form = {"Accept": "text/html", "Referer": "http://localhost/control"}
    answer = client.post("/control/batch", data={"act": "sync", "batch_id": "1"}, headers=form, follow_redirects=True)
    assert answer.request.path == "/control" and "queued" in answer.text
    for data in ({}, {"act": "sync"}, {"act": "burn", "batch_id": "1"}, {"act": "sync", "batch_id": "-1"}):
        assert client.post("/control/batch", data=data, headers=form).status_code == 400


def test_an_address_that_a_browser_can_reach_is_a_link_and_its_lack_is_said(make_site: Callable[..., Site]) -> None:
    given = {"api_url": "http://syncthing:8384", "folder_id": "photos"}
    page = make_site(sync={"target": "syncthing"}, syncthing=given).client().get("/control").text
    assert "syncthing.gui_url" in page and 'href="http://syncthing:8384"' not in page
    given["gui_url"] = "http://nas:8384"
    page = make_site(sync={"target": "syncthing"}, syncthing=given).client().get("/control").text
    assert 'href="http://nas:8384"' in page and "syncthing.gui_url" not in page


def test_a_missing_worker_is_told_once(client: FlaskClient) -> None:
    client.post("/api/workflow/run")
    assert client.get("/control").text.lower().count("worker is running") == 1
