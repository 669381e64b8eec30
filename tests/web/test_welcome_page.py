"""The set-up step by step: told from facts, saved as every door saves, and touching no file that lies there."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app import jobs
from app.model import Trigger
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.running import go
from tests.web.conftest import Site

HOSTILE = "/<script>alert(1)</script>"


@pytest.fixture
def fresh(make_site: Callable[..., Site]) -> Site:
    """An installation in which nobody has chosen where batches go."""
    return make_site(sync={"target": "auto"})


def states(site: Site) -> dict[str, str]:
    page = site.client().get("/welcome").text
    found = re.findall(r'href="/welcome/(\w+)".*?<span class="visually-hidden">(\w+)</span>', page, re.DOTALL)
    return dict(found)


def send(site: Site, step: str, **values: str) -> TestResponse:
    data = {name.replace("__", "."): value for name, value in values.items()}
    return site.client().post(f"/welcome/{step}", data=data, headers={"Accept": "text/html"})


def tree(base: Path) -> set[str]:
    own = ("state", "revisions")
    return {name for path in base.rglob("*") if not (name := str(path.relative_to(base))).startswith(own)}


def test_it_begins_at_the_folders_and_goes_on_where_a_person_left(fresh: Site, tmp_path: Path) -> None:
    write_tree(tmp_path / "ingest", {"DCIM/a.jpg": make_jpeg(taken="2024:05:06 10:00:00"), "notes.txt": "mine"})
    before = tree(tmp_path / "ingest")
    client = fresh.client()
    assert ">Folders</h2>" in client.get("/welcome").text
    assert states(fresh) == {"folders": "done", "target": "open", "peer": "open", "rehearsal": "open", "start": "open"}
    assert send(fresh, "target", sync__target="none", sync__folder_dir="", sync__peer_policy="keep").status_code == 303
    assert fresh.services.config.sync.target == "none"
    assert ">Rehearsal</h2>" in client.get("/welcome").text
    go(fresh.services, jobs.start_preview(fresh.services, Trigger.API))
    told = client.get("/welcome/rehearsal").text
    assert "1 file in 1 batch would go to the archive" in told and ">First run</h2>" in client.get("/welcome").text
    assert tree(tmp_path / "ingest") == before
    go(fresh.services, jobs.start_workflow(fresh.services, Trigger.API))
    assert set(states(fresh).values()) == {"done"}
    assert "1 file is known in these folders" in client.get("/welcome/folders").text


def test_folders_are_saved_made_and_tried_out(fresh: Site, tmp_path: Path) -> None:
    config = fresh.services.config
    new = str(tmp_path / "photos" / "new")
    answer = send(fresh, "folders", paths__source_dir=new, paths__batch_dir=config.paths.batch_dir,
                  sorter__timezone="Europe/Lisbon")  # fmt: skip
    assert (answer.status_code, answer.location) == (303, "/welcome/folders?saved=1")
    assert fresh.services.config.paths.source_dir == new
    assert fresh.services.config.sorter.timezone == "Europe/Lisbon"
    assert os.listdir(new) == [".media-pipeline-root"]
    page = fresh.client().get(answer.location).text
    assert "Saved." in page and f"{new} is mounted" in page and "is a rename" in page
    before = fresh.config_path.read_text()
    assert send(fresh, "folders", paths__source_dir=new).status_code == 303
    assert fresh.config_path.read_text() == before


FAULTS = (
    ("paths.source_dir", "relative", "must be absolute"),
    ("paths.source_dir", "", "name a folder"),
    ("paths.sorted_dir", "{base}/ingest/inner", "lies inside paths.source_dir"),
    ("paths.sorted_dir", "{base}/config.yaml/inner", "is a file"),
    ("paths.sorted_dir", "/proc/archive", "belongs to the system"),
    ("paths.source_dir", HOSTILE + "\n", "cannot be made"),
    ("sorter.timezone", "Mars/Olympus", "is not a known time zone"),
)


def test_a_fault_stands_at_its_field_and_nothing_is_saved(
    fresh: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever runs the tests may write everywhere.
    monkeypatch.setattr("app.files.candidate.os.access", lambda path, _mode: path != b"/")
    before, there = fresh.config_path.read_text(), tree(tmp_path)
    for setting, value, words in FAULTS:
        answer = send(fresh, "folders", **{setting: value.format(base=tmp_path)})
        assert answer.status_code == 422
        name = setting.replace(".", "-")
        fault = re.search(rf'id="fault-{name}">.*?</span>(.*?)</small>', answer.text, re.DOTALL)
        assert fault is not None and words in fault[1].lower(), answer.text
        assert f'aria-describedby="help-{name} fault-{name}" aria-invalid="true"' in answer.text
        assert "<script>alert" not in answer.text
    assert (fresh.config_path.read_text(), tree(tmp_path)) == (before, there)


def test_a_delivery_folder_is_made_and_one_that_is_missing_is_asked_for(fresh: Site, tmp_path: Path) -> None:
    answer = send(fresh, "target", sync__target="folder", sync__folder_dir="", sync__peer_policy="keep")
    assert answer.status_code == 422 and "Is needed: name a folder" in answer.text
    there = str(tmp_path / "disk")
    answer = send(fresh, "target", sync__target="folder", sync__folder_dir=there, sync__peer_policy="keep")
    assert answer.status_code == 303 and os.listdir(there) == [".media-pipeline-root"]
    assert "There is nothing to connect" in fresh.client().get("/welcome/peer").text
    assert states(fresh)["peer"] == "done"


def test_nothing_chosen_is_asked_for_and_a_run_waits_for_the_choice(fresh: Site) -> None:
    for given in ({"sync__target": ""}, {"sync__folder_dir": "", "sync__peer_policy": "keep"}):
        answer = send(fresh, "target", **given)
        assert answer.status_code == 422 and "Choose one of the three" in answer.text and "Saved." not in answer.text
    start = fresh.client().get("/welcome/start").text
    assert re.search(r"<button[^>]* disabled>Run everything", start) and "Choose first where batches go" in start


def test_what_the_environment_sets_is_shown_and_left_alone(
    fresh: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MEDIA_PIPELINE_SYNC__TARGET", "none")
    fresh.container.store.load()
    page = fresh.client().get("/welcome/target").text
    assert page.count("Set by the variable MEDIA_PIPELINE_SYNC__TARGET") == 1
    assert re.search(r'value="none" checked disabled', page)
    assert send(fresh, "target", sync__target="folder", sync__peer_policy="mirror").status_code == 303
    assert (fresh.services.config.sync.target, fresh.services.config.sync.peer_policy) == ("none", "mirror")


def test_the_peer_is_connected_here_as_on_its_own_page(make_site: Callable[..., Any]) -> None:
    site = make_site(sync={"target": "syncthing"}, syncthing={"api_url": "http://127.0.0.1:9", "api_key": "0123456789"})
    page = site.client().get("/welcome/peer").text
    assert 'id="peer"' in page and "Start Syncthing" in page
    assert site.client().get("/welcome/nothing").status_code == 404


def test_how_syncthing_is_reached_is_saved_here_and_the_key_is_never_shown(make_site: Callable[..., Site]) -> None:
    site = make_site(sync={"target": "syncthing"}, syncthing={"api_url": "http://127.0.0.1:9"})
    assert "Save and look again" in site.client().get("/welcome/peer").text
    at = {"syncthing__api_url": "http://127.0.0.1:10"}
    answer = send(site, "peer", **at, syncthing__api_key="a-canary-0123456789")
    assert (answer.status_code, answer.location) == (303, "/welcome/peer?saved=1")
    assert send(site, "peer", **at, syncthing__api_key="").status_code == 303
    assert site.services.config.syncthing.api_key == "a-canary-0123456789"
    page = site.client().get("/welcome/peer").text
    assert 'value="http://127.0.0.1:10"' in page and "a-canary-0123456789" not in page
    wrong = send(site, "peer", syncthing__api_url="ftp://nas", syncthing__api_key="another-canary-01")
    assert wrong.status_code == 422 and "field-fault" in wrong.text and "another-canary-01" not in wrong.text


def test_a_key_that_may_not_change_settings_is_told_so(make_site: Callable[..., Site]) -> None:
    site = make_site(auth={"keys": [{"name": "wall", "key": "0123456789-wall", "scope": "run"}]})
    client = site.client()
    client.post("/login", data={"key": "0123456789-wall"})
    for step in ("folders", "target"):
        page = client.get(f"/welcome/{step}").text
        assert "A key with the scope admin does." in page and re.search(r"<button[^>]* disabled>Save", page)
        assert client.post(f"/welcome/{step}", data={"sync.target": "none"}).status_code == 403


def test_a_rehearsal_that_has_not_changed_is_answered_with_nothing(fresh: Site) -> None:
    client = fresh.client()
    found = re.search(r'hx-get="(/partials/welcome/rehearsal[^"]*)"', client.get("/welcome/rehearsal").text)
    assert found is not None
    assert client.get(found[1]).status_code == 204
    jobs.start_preview(fresh.services, Trigger.API)
    renewed = client.get(found[1])
    assert renewed.status_code == 200
    assert re.search(r'id="way" hx-swap-oob="true".*?It is going on\.', renewed.text, re.DOTALL)


def test_the_steps_above_the_peer_are_renewed_with_it_and_the_page_peer_has_none(
    make_site: Callable[..., Site],
) -> None:
    client = make_site(sync={"target": "syncthing"}).client()
    found = re.search(r'hx-get="(/partials/peer[^"]*)"', client.get("/welcome/peer").text)
    assert found is not None
    address = found[1].replace("&amp;", "&")
    assert client.get(address).status_code == 204
    assert 'id="way" hx-swap-oob="true"' in client.get(address[:-4] + "beef").text
    assert 'id="way"' not in client.get("/partials/peer").text
