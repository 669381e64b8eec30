"""scripts/configure_syncthing.py on real files, and on one that a real Syncthing made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.syncthing.pair import Node

SCRIPT = Path(__file__).parents[2] / "scripts" / "configure_syncthing.py"
CONFIG = """<configuration version="36">
    <!-- made by hand -->
    <folder id="photos" path="/data"><device id="ABC"></device></folder>
    <gui enabled="true" tls="false">
        <address>127.0.0.1:8384</address>
        <apikey>secret-key</apikey>
        <unknown>kept</unknown>
    </gui>
    <options>
        <listenAddress>quic://0.0.0.0:22001</listenAddress>
    </options>
</configuration>
"""


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ST")}
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.xml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    return path


def test_the_gui_and_a_listener_are_opened_and_everything_else_stays(config: Path) -> None:
    result = run("--config", config)

    text = config.read_text()
    assert result.returncode == 0
    assert "<address>0.0.0.0:8384</address>" in text and "<listenAddress>tcp://0.0.0.0:22000</listenAddress>" in text
    for kept in ("made by hand", "secret-key", "<unknown>kept</unknown>", "quic://0.0.0.0:22001", 'path="/data"'):
        assert kept in text
    assert config.stat().st_mode & 0o777 == 0o600
    assert config.with_name("config.xml.before").read_text() == CONFIG
    assert "http://0.0.0.0:8384" in result.stdout and "Listener: tcp://0.0.0.0:22000" in result.stdout
    assert "quic://0.0.0.0:22001" in result.stdout and "no password" in result.stderr
    assert "secret-key" not in result.stdout + result.stderr


def test_a_second_run_changes_nothing(config: Path) -> None:
    run("--config", config)
    before = (config.read_bytes(), config.stat().st_ino)

    result = run("--config", config)

    assert "nothing to change" in result.stdout and (config.read_bytes(), config.stat().st_ino) == before


def test_hosts_and_ports_can_be_chosen(config: Path) -> None:
    result = run(
        "--config", config, "--gui-host", "::1", "--gui-port", 1234, "--listen-host", "10.0.0.1", "--listen-port", 5678
    )

    assert "http://[::1]:1234" in result.stdout and "tcp://10.0.0.1:5678" in result.stdout
    assert "no password" not in result.stderr


def test_several_listeners_can_be_asked_for(config: Path) -> None:
    result = run("--config", config, "--listen-port", 22000, "--listen-port", 22002)

    assert "Listener: tcp://0.0.0.0:22000" in result.stdout and "Listener: tcp://0.0.0.0:22002" in result.stdout
    assert "nothing to change" in run("--config", config, "--listen-port", 22002, "--listen-port", 22000).stdout


def test_the_default_listener_is_enough(config: Path) -> None:
    config.write_text(CONFIG.replace("quic://0.0.0.0:22001", "default"))

    result = run("--config", config)

    assert "Listener: default (TCP and QUIC on port 22000" in result.stdout

    options = ElementTree.parse(config).getroot().find("options")
    assert options is not None and [e.text for e in options.findall("listenAddress")] == ["default"]


@pytest.mark.parametrize("content", ["", "<configuration", "<other/>", "not xml"])
def test_a_file_that_is_no_configuration_is_left_alone(config: Path, content: str) -> None:
    config.write_text(content)

    result = run("--config", config)

    assert result.returncode == 1 and "cannot be used" in result.stderr and config.read_text() == content
    assert os.listdir(config.parent) == ["config.xml"]


@pytest.mark.parametrize("arguments", [("--gui-port", 0), ("--gui-port", "x"), ("--gui-host", "a b"), ("--other",)])
def test_wrong_arguments_are_refused(config: Path, arguments: tuple[object, ...]) -> None:
    assert run("--config", config, *arguments).returncode == 2 and config.read_text() == CONFIG


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    result = run("--config", tmp_path / "none.xml")

    assert result.returncode == 1 and "cannot be used" in result.stderr and "Traceback" not in result.stderr


@pytest.mark.syncthing
def test_syncthing_starts_with_the_file_that_was_written(tmp_path: Path) -> None:
    node = Node(tmp_path, "ours")
    node.generate()
    result = run(
        "--config", tmp_path / "home" / "config.xml", "--gui-host", "127.0.0.1", "--gui-port", node.gui_port,
        "--listen-host", "127.0.0.1", "--listen-port", node.listen_port,
    )  # fmt: skip
    assert result.returncode == 0
    try:
        node.start()
        assert node.rest("GET", "system/status")["myID"] == node.device_id
    finally:
        node.stop()
