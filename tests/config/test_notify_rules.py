"""What notifications, webhooks and scripts may be set to."""

from __future__ import annotations

from typing import Any

import pytest

from app.config.parse import parse
from app.errors import ConfigError

PATHS = "paths: {source_dir: /data/ingest, batch_dir: /data/batches, sorted_dir: /data/archive}\n"
SECRET = "CANARY-0123456789"


def faults(section: str, value: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(f"{PATHS}{section}: {value}\n", {})
    assert "CANARY" not in str(caught.value)
    return [problem.path for problem in caught.value.problems]


def config(section: str, value: str) -> Any:
    return parse(f"{PATHS}{section}: {value}\n", {}).config


@pytest.mark.parametrize(
    "url",
    [
        "", "********", "CANARY", "CANARY/x://y", "syslog://CANARY", "dbus://CANARY", "windows://CANARY",
        "json://169.254.169.254/CANARY", "jsons://[fe80::1]/CANARY", "json://2852039166/CANARY", "json://[CANARY",
        " json://nas/CANARY", "json://nas/CANARY\\u0007",
    ],
)  # fmt: skip
def test_an_address_that_goes_nowhere_or_where_it_must_not_is_refused(url: str) -> None:
    assert faults("notify", f'{{urls: [{{name: phone, url: "{url}"}}]}}') == ["notify.urls.0.url"]


@pytest.mark.parametrize(
    "url",
    ["", "ftp://nas/CANARY", "http://169.254.1.1/CANARY", "http://anna:CANARY@nas/", "http:///CANARY",
     "http://nas/#CANARY", "********"],
)  # fmt: skip
def test_a_webhook_is_posted_to_a_plain_web_address(url: str) -> None:
    entry = f'{{name: a, url: "{url}", secret: {SECRET}}}'
    assert faults("notify", f"{{webhooks: [{entry}]}}") == ["notify.webhooks.0.url"]


@pytest.mark.parametrize("secret", ["", "CANARY-short", "********", "CANARY 0123456789"])
def test_a_webhook_has_a_secret_that_cannot_be_guessed(secret: str) -> None:
    entry = f"{{name: a, url: http://nas/, secret: '{secret}'}}"
    assert faults("notify", f"{{webhooks: [{entry}]}}") == ["notify.webhooks.0.secret"]


def test_names_are_words_and_each_is_there_once() -> None:
    entries = "[{name: a, url: json://nas/x}, {name: a, url: json://nas/y}, {name: a b, url: json://nas/z}]"
    assert faults("notify", f"{{urls: {entries}}}") == ["notify.urls.1.name", "notify.urls.2.name"]


def test_events_of_a_webhook_are_those_that_there_are_as_words_or_as_a_list() -> None:
    entry = f"name: a, url: http://nas/, secret: {SECRET}"
    assert faults("notify", f"{{webhooks: [{{{entry}, events: run_faild}}]}}") == ["notify.webhooks.0.events"]
    for events in ('"run_failed, room_low"', "[run_failed, room_low]"):
        webhook = config("notify", f"{{webhooks: [{{{entry}, events: {events}}}]}}").notify.webhooks[0]
        assert webhook.wanted == ("run_failed", "room_low")


def test_quiet_hours_are_two_times_of_day() -> None:
    for hours in ("at night", "22-7", '"22:00"', '"24:00-07:00"', '"22:00-07:60"', '"22:00-22:00"'):
        assert faults("notify", f"{{quiet_hours: {hours}}}") == ["notify.quiet_hours"]
    assert config("notify", '{quiet_hours: "22:00-07:00"}').notify.quiet_hours == "22:00-07:00"


@pytest.mark.parametrize("script", ["/bin/sh", "../sh", "a/b", ".hidden", "a b", '"-x"'])
def test_a_script_is_named_and_never_a_path(script: str) -> None:
    assert faults("hooks", f"{{after_batch: {script}}}") == ["hooks.after_batch"]
    assert config("hooks", "{after_batch: tell.sh}").hooks.after_batch == "tell.sh"


def test_the_settings_of_events_are_the_events_that_there_are() -> None:
    from app.config.notifying import NotifyEvents
    from app.model.notices import OCCASIONS

    assert list(NotifyEvents.model_fields) == list(OCCASIONS)
