"""The API and the settings page of notifications: who is told, by name, and never by address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.db import heartbeat, notices
from app.db.clock import now
from app.files.lock import mover_lock
from tests.web.conftest import Site
from tests.web.settings_forms import Form

TOKEN = "tk-CANARY-0123456789"
SECRET = "CANARY-webhook-secret-01"
PHONE = {"name": "phone", "url": f"ntfy://ntfy.example/{TOKEN}"}
PROGRAM = {"name": "program", "url": f"https://nas.example/{TOKEN}", "secret": SECRET, "events": "room_low"}


def telling(make_site: Callable[..., Site]) -> Site:
    return make_site(notify={"urls": [PHONE], "webhooks": [PROGRAM]})


def form_of(site: Site) -> dict[str, Any]:
    form = Form(site.client().get("/settings").text, "settings-form")
    return {name: value for name, value in form.values.items() if name not in form.disabled}


def test_targets_are_listed_by_name_with_what_came_of_the_last_message(make_site: Callable[..., Site]) -> None:
    site = telling(make_site)
    with site.services.db.transaction() as conn:
        first = notices.add(conn, ("message", "phone"), "run_failed", [], 3, now())
        notices.add(conn, ("webhook", "program"), "room_low", [], 1, now())
        notices.end(conn, notices.list_of(conn, [first])[0], notices.GIVEN_UP, "no answer")
    answer = site.client().get("/api/notify")
    assert TOKEN not in answer.text
    phone, program = answer.json["targets"]
    assert (phone["name"], phone["channel"], phone["waiting"]) == ("phone", "message", 0)
    assert (phone["last"]["state"], phone["last"]["count"], phone["last"]["reason"]) == ("given_up", 3, "no answer")
    assert (program["events"], program["waiting"], program["last"]) == (["room_low"], 1, None)
    assert "update_finished" not in phone["events"]


def test_a_test_without_anybody_to_tell_or_without_a_worker_says_what_to_do(make_site: Callable[..., Site]) -> None:
    answer = make_site().client().post("/api/notify/test")
    assert (answer.status_code, "notify.urls" in answer.json["detail"]) == (400, True)
    answer = telling(make_site).client().post("/api/notify/test")
    assert (answer.status_code, "worker" in answer.json["detail"]) == (409, True)


def test_a_second_test_waits_for_the_first(make_site: Callable[..., Site]) -> None:
    site = telling(make_site)
    with site.services.db.transaction() as conn:
        heartbeat.beat(conn)
        notices.add(conn, ("message", "phone"), "test", [], 1, now())
    with mover_lock(site.services.state_dir):
        answer = site.client().post("/api/notify/test")
    assert (answer.status_code, answer.json["retryable"]) == (409, True)


def test_no_address_and_no_secret_comes_out_of_any_page_or_answer(make_site: Callable[..., Site]) -> None:
    site = telling(make_site)
    client = site.client()
    rules = [rule for rule in site.app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments]
    seen = [rule.rule for rule in rules if "stream" not in rule.rule]
    assert {"/api/config", "/settings", "/api/notify", "/diagnostics"} <= set(seen)
    assert [path for path in seen if b"CANARY" in client.get(path).data] == []
    faulty = {"notify": {"urls": [{**PHONE, "url": f"{TOKEN} {TOKEN}"}], "webhooks": [{**PROGRAM, "secret": "CANARY"}]}}
    answer = client.put("/api/config", json=faulty)
    assert answer.status_code == 422
    assert "CANARY" not in answer.text


def test_entries_are_added_and_kept_on_the_settings_page(make_site: Callable[..., Site]) -> None:
    site = telling(make_site)
    form = form_of(site) | {
        "notify.urls.1.name": "tablet",
        "notify.urls.1.url": "json://nas/x",
        "notify.webhooks.0.events": "room_low, run_failed",
    }
    del form["notify.events.run_failed"]
    answer = site.client().post("/settings", data=form)
    notify = site.services.config.notify
    assert answer.status_code in (200, 303), answer.text
    assert [(one.name, one.url) for one in notify.urls] == [("phone", PHONE["url"]), ("tablet", "json://nas/x")]
    assert (notify.webhooks[0].url, notify.webhooks[0].secret) == (PROGRAM["url"], SECRET)
    assert notify.webhooks[0].wanted == ("room_low", "run_failed")
    assert not notify.events.run_failed


def test_a_mask_sent_back_keeps_the_address_of_the_same_name(make_site: Callable[..., Site]) -> None:
    site = telling(make_site)
    client = site.client()
    shown = client.get("/api/config").json["notify"]
    assert (shown["urls"][0]["name"], shown["urls"][0]["url"]) == ("phone", "********")
    more = {"name": "tablet", "url": "json://nas/x"}
    assert client.put("/api/config", json={"notify": {"urls": [more, *shown["urls"]]}}).status_code == 200
    assert [one.url for one in site.services.config.notify.urls] == ["json://nas/x", PHONE["url"]]
    renamed = {**shown["urls"][0], "name": "other"}
    assert client.put("/api/config", json={"notify": {"urls": [renamed]}}).status_code == 422
