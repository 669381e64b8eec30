"""The settings of MQTT: what is refused, and that a password goes to no other broker than the one it was given for."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config.parse import parse
from app.config.store import ConfigStore
from app.errors import ConfigError
from tests.config.stored import stored

PATHS = "paths: {source_dir: /data/ingest, batch_dir: /data/batches, sorted_dir: /data/archive}\n"
TEXT = PATHS + "mqtt: {host: broker.lan, username: us, password: CANARY-BROKER-0123}\n"
MASKED = TEXT.replace("CANARY-BROKER-0123", '"********"')


@pytest.fixture
def store(tmp_path: Path) -> ConfigStore:
    return stored(tmp_path, TEXT)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("host: mqtt://broker.lan", "mqtt.host"),
        ("{host: b, password: secret}", "mqtt.username"),
        ("{host: b, tls_ca_file: /ca.pem}", "mqtt.tls_ca_file"),
        ("prefix: media/#", "mqtt.prefix"),
        ("prefix: /media", "mqtt.prefix"),
        ('prefix: ""', "mqtt.prefix"),
        ("discovery_prefix: home+", "mqtt.discovery_prefix"),
        ("prefix: homeassistant", "mqtt.prefix"),
    ],
)
def test_what_a_broker_would_not_take_is_refused(line: str, path: str) -> None:
    body = line if line.startswith("{") else f"{{{line}}}"
    with pytest.raises(ConfigError) as refused:
        parse(f"{PATHS}mqtt: {body}\n", {})
    assert [problem.path for problem in refused.value.problems] == [path]


def test_the_password_is_masked_and_kept_where_the_broker_stays(store: ConfigStore) -> None:
    saved = store.save_raw(MASKED.replace("us,", "others,"), "anna")
    assert saved.config.mqtt.password == "CANARY-BROKER-0123"
    assert store.save_partial({"mqtt": {"tls": True}}, "anna").config.mqtt.password == "CANARY-BROKER-0123"


@pytest.mark.parametrize("change", [{"host": "other.lan"}, {"port": 1884}])
def test_a_password_that_nobody_typed_goes_to_no_other_broker(store: ConfigStore, change: dict[str, object]) -> None:
    saved = store.save_partial({"mqtt": {**change, "password": "********"}}, "anna")
    assert saved.config.mqtt.password == ""
    assert "password is not sent to another server" in " ".join(w.sentence() for w in saved.warnings)


def test_a_password_in_a_text_goes_to_no_other_broker(store: ConfigStore) -> None:
    assert store.save_raw(MASKED.replace("broker.lan", "other.lan"), "anna").config.mqtt.password == ""


def test_a_password_that_was_typed_goes_to_the_broker_it_was_typed_for(store: ConfigStore) -> None:
    saved = store.save_partial({"mqtt": {"host": "other.lan", "password": "another-word"}}, "anna")
    assert saved.config.mqtt.password == "another-word"


def test_a_password_of_the_environment_goes_to_no_other_broker(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(TEXT.replace(", password: CANARY-BROKER-0123", ""))
    store = ConfigStore(str(path), {"MEDIA_PIPELINE_MQTT__PASSWORD": "CANARY-BROKER-0123"})
    store.load()
    with pytest.raises(ConfigError, match="cannot name another broker here"):
        store.save_partial({"mqtt": {"host": "other.lan"}}, "anna")
