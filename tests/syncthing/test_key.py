"""Where Syncthing's API key is found, in which order, and that a refused one makes way for the next."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.config.schema import Config
from app.diagnostics import diagnose
from app.errors import ConfigError, SyncthingRefused
from app.overview.peer import peer_state
from app.services import ServiceContainer
from app.syncthing.client import SyncthingClient
from app.syncthing.key import CONFIG_MAX_BYTES, find_keys, read_api_key
from tests.conftest import make_config
from tests.syncthing.installing import fresh_node, install
from tests.syncthing.pair import KEY, Node

pytestmark = pytest.mark.syncthing

WRONG = "CANARY-wrong-0123456789"
XML = "<configuration><gui><apikey>{}</apikey></gui></configuration>"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = fresh_node(tmp_path_factory.mktemp("key"), "ours")
    yield node
    node.stop()


@pytest.fixture
def set_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """`set_key("STGUIAPIKEY", key)`: put a key where this name says; returns how the source is shown."""

    def put(name: str, key: str) -> str:
        if name == "syncthing.api_key":
            return "settings (syncthing.api_key)"
        if name == "SYNCTHING_CONFIG":
            path = tmp_path / "config.xml"
            path.write_text(XML.format(key))
            monkeypatch.setenv(name, str(path))
            return f"Syncthing's config.xml ({path})"
        if name.endswith("_FILE"):
            path = tmp_path / name
            path.write_text(f"{key}\n")
            monkeypatch.setenv(name, str(path))
            return f"file named by {name}"
        monkeypatch.setenv(name, key)
        return f"environment ({name})"

    return put


ORDER = (
    "MEDIA_PIPELINE_SYNCTHING__API_KEY",
    "STGUIAPIKEY",
    "STGUIAPIKEY_FILE",
    "SYNCTHING_CONFIG",
    "syncthing.api_key",
)


def config_of(node: Node, tmp_path: Path, key: str) -> Config:
    return make_config(tmp_path, syncthing={"api_url": node.url, "api_key": key})


@pytest.mark.parametrize("name", [*ORDER, "MEDIA_PIPELINE_SYNCTHING__API_KEY_FILE"])
def test_a_key_is_found_in_each_place_alone(
    node: Node, tmp_path: Path, set_key: Callable[[str, str], str], name: str
) -> None:
    source = set_key(name, KEY)
    with SyncthingClient.from_config(config_of(node, tmp_path, KEY if name == "syncthing.api_key" else "")) as client:
        client.ping()
        assert client.keys.current is not None
        assert client.keys.current.facts() == {"source": source, "length": len(KEY), "fault": ""}


@pytest.mark.parametrize("right", range(1, len(ORDER)))
def test_a_refused_key_makes_way_for_the_next_in_order(
    node: Node, tmp_path: Path, set_key: Callable[[str, str], str], right: int
) -> None:
    """All before the right one are wrong. The variable of the setting stands in its place, so it is tried apart."""
    names = ORDER[1:] if right == len(ORDER) - 1 else ORDER[:-1]
    wanted = ORDER[right]
    sources = {name: set_key(name, KEY if name == wanted else WRONG) for name in names}
    with SyncthingClient.from_config(config_of(node, tmp_path, KEY)) as client:
        assert [key.source for key in client.keys.sources] == list(sources.values())
        client.ping()
        assert client.keys.current is not None and client.keys.current.source == sources[wanted]


def test_when_all_are_refused_each_is_named_and_none_is_shown(
    node: Node, tmp_path: Path, set_key: Callable[[str, str], str]
) -> None:
    set_key("STGUIAPIKEY", WRONG)
    source = set_key("SYNCTHING_CONFIG", WRONG)
    with (
        SyncthingClient.from_config(config_of(node, tmp_path, WRONG)) as client,
        pytest.raises(SyncthingRefused, match="does not accept the API key") as caught,
    ):
        client.ping()
    assert "environment (STGUIAPIKEY)" in str(caught.value) and source in str(caught.value)
    assert "settings (syncthing.api_key)" in str(caught.value) and WRONG not in str(caught.value)


def test_a_key_that_is_changed_while_running_is_read_again(
    node: Node, tmp_path: Path, set_key: Callable[[str, str], str]
) -> None:
    set_key("SYNCTHING_CONFIG", WRONG)
    with SyncthingClient.from_config(config_of(node, tmp_path, "")) as client:
        with pytest.raises(SyncthingRefused):
            client.ping()
        set_key("SYNCTHING_CONFIG", KEY)
        client.ping()


def test_a_config_file_that_comes_later_is_used_then(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "later.xml"
    monkeypatch.setenv("SYNCTHING_CONFIG", str(path))
    container = install(tmp_path / "product", node, syncthing={"api_key": ""})
    (step,) = peer_state(container.services)["steps"]
    assert "not there yet" in step["cause"] and step["state"] == "wrong"

    path.write_bytes((node.home / "home" / "config.xml").read_bytes())

    seen = peer_state(container.services)
    assert seen["key"]["source"] == f"Syncthing's config.xml ({path})" and seen["key"]["length"] == len(KEY)
    assert KEY not in json.dumps(seen) + json.dumps(diagnose(container.services))
    container.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a whole XML"),
        ("<configuration><gui><apikey>cut", "not a whole XML"),
        ("<configuration><gui/></configuration>", "no API key"),
        ("<configuration><folder><gui><apikey>other</apikey></gui></folder></configuration>", "no API key"),
        ('<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><configuration>&b;</configuration>', "document type"),
        ('<!DOCTYPE x SYSTEM "http://127.0.0.1/x"><configuration/>', "document type"),
    ],
)
def test_a_config_file_that_is_none_is_told_and_nothing_in_it_is_followed(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_api_key(text.encode())


def test_a_key_file_that_cannot_be_used_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe, large, lines = tmp_path / "pipe", tmp_path / "large", tmp_path / "lines"
    os.mkfifo(pipe)
    large.write_bytes(b" " * (CONFIG_MAX_BYTES + 1))
    lines.write_text("one\ntwo\n")
    config = make_config(tmp_path)
    for path, words in ((pipe, "not a file"), (large, "longer than"), (tmp_path / "none", "not there yet")):
        monkeypatch.setenv("SYNCTHING_CONFIG", str(path))
        (found,) = find_keys(config)
        assert words in found.fault and not found.text
    monkeypatch.delenv("SYNCTHING_CONFIG")
    monkeypatch.setenv("STGUIAPIKEY_FILE", str(lines))
    assert find_keys(config)[0].fault == "it must hold one line"


@pytest.mark.parametrize("name", ["STGUIAPIKEY", "STGUIAPIKEY_FILE", "SYNCTHING_CONFIG"])
def test_a_key_that_is_found_is_never_lent_to_another_server(
    node: Node, tmp_path: Path, set_key: Callable[[str, str], str], name: str
) -> None:
    set_key(name, KEY)
    container: ServiceContainer = install(tmp_path / "product", node, syncthing={"api_key": ""})
    with pytest.raises(ConfigError, match=f"while the key comes from {name}"):
        container.store.save_partial({"syncthing": {"api_url": "http://evil.example:8384"}}, actor="somebody")
    assert container.services.config.syncthing.api_url == node.url
    container.close()
