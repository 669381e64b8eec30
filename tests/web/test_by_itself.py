"""What the pages and the API tell of runs that start by themselves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app import jobs
from app.model import Trigger
from tests.pipeline.running import go
from tests.web.conftest import Site

PAGES = ("/dashboard", "/control")
FIRST = "No run starts by itself before you have started the first one."
NEXT = "The next run starts by itself"
LOOKED_FOR = "looked for every 60 seconds"


@pytest.mark.parametrize("page", PAGES)
def test_dashboard_and_control_tell_the_next_time_once_nothing_holds_runs_back(
    make_site: Callable[..., Site], page: str
) -> None:
    site = make_site(workflow={"schedule": ["0 3 * * *"], "watch": "poll"})
    before = site.client().get(page).text
    assert FIRST in before and NEXT not in before
    go(site.services, jobs.start_workflow(site.services, Trigger.CONTROL))
    after = site.client().get(page).text
    assert FIRST not in after and NEXT in after and LOOKED_FOR in after


@pytest.mark.parametrize("page", PAGES)
def test_without_a_schedule_and_without_watching_nothing_is_said(site: Site, page: str) -> None:
    text = site.client().get(page).text
    assert "Run everything" in text
    assert all(words not in text for words in (FIRST, NEXT, LOOKED_FOR))


def test_the_overview_tells_the_next_time_in_utc(make_site: Callable[..., Site]) -> None:
    site = make_site(workflow={"schedule": ["0 3 * * *"]}, sorter={"timezone": "Asia/Tokyo"})
    found = site.client().get("/api/workflow/overview").json["by_itself"]
    assert found["next_at"].endswith("T18:00:00.000000+00:00")
    assert (found["schedule"], found["watch"], found["held_back"]) == (["0 3 * * *"], "off", FIRST)


@pytest.mark.parametrize(
    ("trigger", "words"), [(Trigger.SCHEDULE, "by the schedule"), (Trigger.WATCH, "because new files came")]
)
def test_a_run_says_what_began_it(site: Site, trigger: Trigger, words: str) -> None:
    run = go(site.services, jobs.start_workflow(site.services, trigger))
    client = site.client()
    assert words in client.get("/runs").text
    assert words in client.get(f"/runs/{run.id}").text
    assert client.get(f"/api/runs/{run.id}").json["trigger"] == trigger.value
    [asked] = client.get("/api/journal?kind=run.requested").json["events"]
    assert asked["detail"]["trigger"] == trigger.value
