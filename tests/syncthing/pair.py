"""Real Syncthing processes on loopback: no discovery, no relays, no NAT, no reporting, no upgrades."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import requests

from app.syncthing.client import SyncthingClient

KEY = "key-for-tests-0123456789"
FOLDER = "photos"
#: The Syncthing to test against; another version's path may be given.
BINARY = os.environ.get("MEDIA_PIPELINE_TEST_SYNCTHING", "syncthing")
SWITCHED_OFF = {
    "globalAnnounceEnabled": "false",
    "localAnnounceEnabled": "false",
    "relaysEnabled": "false",
    "natEnabled": "false",
    "startBrowser": "false",
    "crashReportingEnabled": "false",
    "urAccepted": "-1",
    "autoUpgradeIntervalH": "0",
    "reconnectionIntervalS": "1",
    "stunKeepaliveStartS": "0",
}


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@cache
def generate_options() -> tuple[str, ...]:
    """How this version is told to make a home without a folder of its own, which 2.x never makes."""
    said = subprocess.run([BINARY, "generate", "--help"], capture_output=True, text=True, check=False)
    is_second = "--no-port-probing" in said.stdout + said.stderr
    return ("--no-port-probing",) if is_second else ("--no-default-folder", "--skip-port-probing")


class Node:
    """One Syncthing with its home folder; `folder` is the path of the shared folder."""

    def __init__(self, home: Path, name: str) -> None:
        self.home, self.name = home, name
        self.folder = home / "folder"
        self.gui_port, self.listen_port = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.device_id = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.gui_port}"

    def generate(self) -> None:
        """Make keys and a configuration that talks to nobody but its pair."""
        command = [BINARY, "generate", *generate_options(), f"--home={self.home / 'home'}"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        file = self.home / "home" / "config.xml"
        tree = ElementTree.parse(file)
        root = tree.getroot()
        for old in root.findall("folder"):
            root.remove(old)
        self.device_id = root.findall("device")[0].attrib["id"]
        gui, options = root.find("gui"), root.find("options")
        assert gui is not None and options is not None
        _set(gui, "address", f"127.0.0.1:{self.gui_port}")
        _set(gui, "apikey", KEY)
        for old in options.findall("listenAddress") + options.findall("stunServer"):
            options.remove(old)
        _set(options, "listenAddress", f"tcp://127.0.0.1:{self.listen_port}")
        for key, value in SWITCHED_OFF.items():
            _set(options, key, value)
        tree.write(file)
        self.folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Start and wait until the REST API answers."""
        log = (self.home / "log").open("ab")
        command = [BINARY, "serve", "--no-browser", "--no-restart", f"--home={self.home / 'home'}"]
        environment = {**os.environ, "STNOUPGRADE": "1", "HOME": str(self.home), "GOMAXPROCS": "1"}
        self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        log.close()
        wait_for(self.answers, f"{self.name} answers")

    def answers(self) -> bool:
        try:
            self.rest("GET", "system/ping")
        except requests.RequestException:
            return False
        return True

    def stop(self) -> None:
        """End the process that this node started and wait for it."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
            self.process = None

    def kill(self, with_signal: signal.Signals) -> None:
        """Send every process of this node the signal and wait until none of them answers.

        Syncthing puts its worker into a process group of its own; the session is what they share.
        """
        assert self.process is not None
        for pid in in_session(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, with_signal)
        self.process.wait(30)
        self.process = None
        wait_for(lambda: not self.answers(), f"{self.name} answers no more")

    def rest(self, method: str, path: str, **options: Any) -> Any:
        """One raw REST call; raises for any status but 200."""
        response = requests.request(
            method, f"{self.url}/rest/{path}", headers={"X-API-Key": KEY}, timeout=60, **options
        )
        response.raise_for_status()
        return response.json() if response.content else None

    def client(self) -> SyncthingClient:
        """Our own client for this node."""
        return SyncthingClient(self.url, KEY)

    def add_device(self, other: Node) -> None:
        device = {
            "deviceID": other.device_id,
            "name": other.name,
            "addresses": [f"tcp://127.0.0.1:{other.listen_port}"],
        }
        self.rest("POST", "config/devices", json=device)

    def add_folder(self, kind: str, *others: Node, folder_id: str = FOLDER) -> None:
        devices = [{"deviceID": node.device_id} for node in (self, *others)]
        folder = {
            "id": folder_id,
            "path": str(self.folder),
            "type": kind,
            "devices": devices,
            "fsWatcherEnabled": False,
            "rescanIntervalS": 3600,
        }
        self.rest("POST", "config/folders", json=folder)

    def change_folder(self, **values: Any) -> None:
        self.rest("PATCH", f"config/folders/{FOLDER}", json=values)

    def scan(self, sub: str = "") -> None:
        self.rest("POST", "db/scan", params={"folder": FOLDER, "sub": sub})


class Pair:
    """Our side and the peer, sharing one folder."""

    def __init__(self, ours: Node, peer: Node) -> None:
        self.ours, self.peer = ours, peer

    def connected(self) -> bool:
        state = self.ours.rest("GET", "system/connections")["connections"].get(self.peer.device_id) or {}
        return bool(state.get("connected"))

    def wait_connected(self) -> None:
        wait_for(self.connected, "the pair is connected")

    def bring_up(self) -> None:
        """Start whichever side an earlier test left down, so that one failure does not lead to others."""
        for node in (self.ours, self.peer):
            if node.process is None:
                node.start()
        self.wait_connected()

    def stop(self) -> None:
        self.ours.stop()
        self.peer.stop()


def make_pair(base: Path, kind: str = "sendonly", peer_kind: str = "receiveonly") -> Pair:
    """Two connected Syncthings that share one empty folder."""
    ours, peer = Node(base / "ours", "ours"), Node(base / "peer", "peer")
    pair = Pair(ours, peer)
    try:
        for node in (ours, peer):
            node.generate()
            node.start()
        ours.add_device(peer)
        peer.add_device(ours)
        ours.add_folder(kind, peer)
        peer.add_folder(peer_kind, ours)
        pair.wait_connected()
    except BaseException:
        pair.stop()
        raise
    return pair


class Trio(Pair):
    """Our side and two peers that do not know each other, sharing one folder."""

    def __init__(self, ours: Node, peer: Node, other: Node) -> None:
        super().__init__(ours, peer)
        self.other = other

    def is_connected(self, peer: Node) -> bool:
        """Whether our side sees this peer."""
        state = self.ours.rest("GET", "system/connections")["connections"].get(peer.device_id) or {}
        return bool(state.get("connected"))

    def connected(self) -> bool:
        return all(self.is_connected(peer) for peer in (self.peer, self.other))

    def bring_up(self) -> None:
        """Start whatever an earlier test left down."""
        if self.other.process is None:
            self.other.start()
        super().bring_up()

    def stop(self) -> None:
        super().stop()
        self.other.stop()


def make_trio(base: Path, kind: str = "sendonly", peer_kind: str = "receiveonly") -> Trio:
    """Three Syncthings; ours shares one empty folder with each of the two others."""
    trio = Trio(Node(base / "ours", "ours"), Node(base / "phone", "phone"), Node(base / "laptop", "laptop"))
    peers = (trio.peer, trio.other)
    try:
        for node in (trio.ours, *peers):
            node.generate()
            node.start()
        for peer in peers:
            trio.ours.add_device(peer)
            peer.add_device(trio.ours)
            peer.add_folder(peer_kind, trio.ours)
        trio.ours.add_folder(kind, *peers)
        trio.wait_connected()
    except BaseException:
        trio.stop()
        raise
    return trio


def in_session(session: int) -> list[int]:
    """The ids of all processes of a session (proc(5): the sixth field of stat)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                found.append(int(stat.parent.name))
    return found


def wait_for(condition: Any, what: str, seconds: float = 120) -> None:
    """Poll until the condition holds; fails with what was waited for."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain: {what}"
        time.sleep(0.1)


def _set(parent: ElementTree.Element, name: str, text: str) -> None:
    child = parent.find(name)
    if child is None:
        child = ElementTree.SubElement(parent, name)
    child.text = text
