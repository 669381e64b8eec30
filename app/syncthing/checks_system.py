"""Checks of Syncthing itself: its version, its clock, and who can open its pages."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from app.syncthing.answers import whole
from app.syncthing.client import SyncthingClient
from app.syncthing.examination import FAULT, OK, WARNING, Check, Examination

OLDEST = (1, 19)
#: The newest major version whose answers are known.
NEWEST_MAJOR = 2
#: Syncthing's clock is told in whole seconds, and an answer takes its time.
CLOCK_TOLERANCE_SECONDS = 60


def check_system(client: SyncthingClient, status: Mapping[str, Any], found: Examination) -> Iterator[Check]:
    """Version, clock and the lock on Syncthing's own pages."""
    yield version_check(str(found.facts["version"]))
    yield clock_check(client.answered_at, datetime.now(UTC))
    gui = client.ask("config/gui", whole)
    address = str(status.get("guiAddressUsed") or gui.get("address") or "")
    found.facts["gui"] = {"address": address, "has_password": _has_password(gui), "tls": bool(gui.get("useTLS"))}
    yield gui_check(address, _has_password(gui))


def version_check(version: str) -> Check:
    """Whether this version of Syncthing is one that the program knows."""
    name, number = "syncthing version", re.match(r"v?(\d+)\.(\d+)", version)
    if number is None:
        return Check(name, WARNING, f"Syncthing's version {version!r} says nothing.", "Use a released version.")
    found = (int(number[1]), int(number[2]))
    if found < OLDEST:
        cause = f"Syncthing {version} is too old: 1.19 is the oldest version that deliveries were tried with."
        return Check(name, FAULT, cause, "Install a newer Syncthing.")
    if found[0] > NEWEST_MAJOR:
        cause = f"Syncthing {version} is newer than what is known here: 1.19 to 1.29 were tried, 2.x was read about."
        return Check(name, WARNING, cause, "Look for a newer Media Pipeline, and run the pairing test.")
    tried = "its answers are understood as they are documented" if found[0] == NEWEST_MAJOR else "a version that works"
    return Check(name, OK, f"Syncthing {version}: {tried}.")


def clock_check(answered_at: str, here: datetime) -> Check:
    """Syncthing's clock, from the date of its last answer, beside ours."""
    name, unseen = "syncthing clock", "The peer's clock cannot be seen from here."
    try:
        seconds = (parsedate_to_datetime(answered_at) - here).total_seconds()
    except (ValueError, TypeError):
        return Check(name, OK, f"Syncthing's answers tell no time. {unseen}")
    if abs(seconds) <= CLOCK_TOLERANCE_SECONDS:
        return Check(name, OK, f"Syncthing's clock is that of Media Pipeline. {unseen}")
    way = "ahead of" if seconds > 0 else "behind"
    cause = f"Syncthing's clock is {abs(seconds):,.0f} seconds {way} that of Media Pipeline. {unseen}"
    return Check(name, WARNING, cause, "Have both machines set their clocks by the network (NTP).")


def gui_check(address: str, has_password: bool) -> Check:
    """Whether anyone in the network can open Syncthing's pages."""
    name = "syncthing password"
    if has_password or _is_local(address):
        lock = "ask for a password" if has_password else "can be opened on its own machine only"
        return Check(name, OK, f"Syncthing's pages ({address or 'no address'}) {lock}.")
    cause = f"Syncthing's pages at {address} have no password: whoever reaches them can change or share any folder."
    return Check(name, WARNING, cause, "Set a user and a password in Syncthing: Actions > Settings > GUI.")


def _has_password(gui: Mapping[str, Any]) -> bool:
    return bool(gui.get("user") and gui.get("password")) or gui.get("authMode") == "ldap"


def _is_local(address: str) -> bool:
    if not address or address.startswith(("/", "unix")):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
