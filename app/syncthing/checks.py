"""Looking at Syncthing for a person: every check with its state, its cause and what to do, and the facts behind it.

The checks build on each other; the first fault that hides the rest ends the list.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from app.config.schema import Config
from app.errors import SyncthingError, SyncthingRefused
from app.log import redact
from app.syncthing import key, place
from app.syncthing.checks_device import check_devices
from app.syncthing.checks_folder import check_folder
from app.syncthing.checks_system import check_system
from app.syncthing.client import SyncthingClient
from app.syncthing.examination import FAULT, OK, WARNING, Check, Examination, OurFiles

__all__ = ["FAULT", "OK", "WARNING", "Check", "Examination", "OurFiles", "examine"]

#: A Syncthing that takes seconds for each answer is not asked everything.
PATIENCE_SECONDS = 60.0

#: Of /rest/system/status, what helps and tells nothing private.
STATUS_KEYS = ("myID", "uptime", "startTime", "alloc", "sys", "goroutines", "guiAddressUsed", "guiAddressOverridden",
               "connectionServiceStatus", "lastDialStatus", "pathSeparator", "tilde")  # fmt: skip

FIXES = {
    "syncthing key": "Copy the API key from Actions > Settings in Syncthing's GUI to syncthing.api_key.",
    "syncthing host check": "Let Syncthing's GUI listen on 0.0.0.0:8384 (scripts/configure_syncthing.py does that).",
    "syncthing folder": "Set Syncthing up on the page Peer, or write the right ID in syncthing.folder_id.",
    "syncthing reachable": "Start Syncthing, and check syncthing.api_url from the machine that Media Pipeline runs on.",
}


def examine(config: Config, batch_dir: bytes, ours: OurFiles | None = None) -> Examination:
    """Look at everything that a delivery needs. Never raises for what Syncthing does or does not answer."""
    found, until = Examination(), time.monotonic() + PATIENCE_SECONDS
    try:
        with SyncthingClient.from_config(config) as client:
            for check in _checks(client, config, batch_dir, ours or OurFiles(), found):
                found.checks.append(check)
                if time.monotonic() > until:
                    found.checks.append(_slow())
                    break
    except SyncthingError as error:
        found.reachable = found.reachable or (isinstance(error, SyncthingRefused) and error.status != 0)
        found.checks.append(_of_error(error))
    return found


def _slow() -> Check:
    cause = f"Syncthing answers so slowly that after {PATIENCE_SECONDS:.0f} seconds not everything was looked at."
    return Check("syncthing reachable", WARNING, cause, "Look again when its machine is less busy.")


def _of_error(error: SyncthingError) -> Check:
    cause = error.cause if isinstance(error, SyncthingRefused) else "reachable"
    name = {"key": "syncthing key", "host_check": "syncthing host check", "not_found": "syncthing folder"}.get(
        cause, "syncthing reachable"
    )
    return Check(name, FAULT, str(error), FIXES[name])


def _checks(
    client: SyncthingClient, config: Config, batch_dir: bytes, ours: OurFiles, found: Examination
) -> Iterator[Check]:
    client.ping()
    found.reachable = True
    status = client.system_status()
    found.facts["syncthing_status"] = {key: status[key] for key in STATUS_KEYS if key in status}
    found.facts["system_status"] = redact(status)
    found.facts["version"] = client.version()
    accepted = key.shown([client.keys.current or key.Key("none")])
    found.facts["key"] = accepted
    yield Check("syncthing reachable", OK, f"Syncthing {found.facts['version']} answers at {client.url}.")
    yield Check("syncthing key", OK, f"The API key is accepted; it comes from: {accepted['source']}.")
    yield Check("syncthing host check", OK, f"Syncthing answers to the name in {client.url}.")
    yield from check_system(client, status, found)
    folder = place.find_folder(client, config, batch_dir)
    yield from check_folder(client, config, folder, batch_dir, ours, found)
    if not folder.paused:
        wanted = config.syncthing.required_ids
        yield from check_devices(client, folder, str(status.get("myID") or ""), wanted, ours, found)
