"""The page Logs without a script, and the lines as a file."""

from __future__ import annotations

import json
from pathlib import Path

from tests.web.conftest import Site

HOSTILE = "<img src=x onerror=alert(1)>\n\u202egpj \x1b[31m"


def write(site: Site, process: str, **record: object) -> None:
    log_dir = Path(site.services.config.system.log_dir)
    log_dir.mkdir(parents=True, exist_ok=True)
    line = {"level": "info", "at": "2026-05-06T07:08:09.123456Z", **record}
    with (log_dir / f"{process}.log").open("a") as file:
        file.write(json.dumps(line) + "\n")


def test_lines_are_shown_with_what_they_are_about_whatever_they_hold(site: Site) -> None:
    write(site, "worker", event=HOSTILE, run_id=3, batch_id=4, stage="sort", path=HOSTILE, exception="Traceback <b>")
    write(site, "api", event=["no", "text"], level=7, run_id="<b>", at=None)
    page = site.client().get("/logs").text
    assert "<img src=x" not in page and "&lt;img src=x onerror=alert(1)&gt;" in page and "Traceback &lt;b&gt;" in page
    assert 'href="/runs/3"' in page and 'href="/batches/4"' in page and ">sort</span>" in page
    assert '<time datetime="2026-05-06T07:08:09.123456Z"' in page and "07:08:09</time>" in page


def test_the_address_holds_the_filter_and_nothing_found_says_so(site: Site) -> None:
    for number, level in enumerate(("debug", "info", "error")):
        write(site, "worker", event=f"worker {number}", level=level, run_id=number)
    write(site, "api", event="api says")
    client = site.client()
    wanted = {
        "": ["worker 1", "worker 2", "api says"],
        "level=debug&process=worker": ["worker 0", "worker 1", "worker 2"],
        "level=error": ["worker 2"],
        "run_id=1": ["worker 1"],
        "process=nobody&level=odd&stage=x&run_id=-1&batch_id=x": ["worker 1", "worker 2", "api says"],
    }
    for query, events in wanted.items():
        page = client.get(f"/logs?{query}").text
        assert [e for e in ("worker 0", "worker 1", "worker 2", "api says") if f">{e}</bdi>" in page] == events, query
    assert '<p id="log-empty">No line is like that yet.' in client.get("/logs?run_id=99").text


def test_what_is_shown_can_be_taken_away_as_a_file(site: Site) -> None:
    write(site, "worker", event=HOSTILE, run_id=1)
    write(site, "worker", event="other", run_id=2)
    answer = site.client().get("/logs/download?run_id=1")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="media-pipeline-logs.jsonl"'
    assert [json.loads(line)["event"] for line in answer.text.splitlines()] == [HOSTILE]
