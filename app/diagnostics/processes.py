"""Checks of what runs and of its own files: worker, web, the queue's file, the logs."""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from app.db import heartbeat, runs
from app.files.lock import find_holder
from app.model import RunStatus
from app.model.instants import instant_in_words
from app.services import Services
from app.syncthing.checks import FAULT, OK, WARNING, Check

ANSWER_SECONDS = 3.0
#: Addresses that mean "every address of this machine".
ANYWHERE = ("0.0.0.0", "::", "")
#: All logs together may be this many times as large as one file times the number kept; more is no longer rotated.
LOG_FILES = 8


def check_worker(services: Services) -> Iterator[Check]:
    """Whether the worker lives, who holds the mover's lock, and whether a run waits for a worker in vain."""
    with services.db.reading() as conn:
        beat = heartbeat.find(conn)
        in_flight = runs.find_in_flight(conn)
    holder = find_holder(services.state_dir)
    if heartbeat.is_recent(beat) and holder is not None:
        yield Check("worker", OK, f"The worker is running{_process(holder)}.")
        return
    seen = f"last seen {instant_in_words(beat)}" if beat else "never seen"
    fix = "Start the service (./scripts/run.sh); a command on the terminal starts a worker for its own run."
    if holder is not None:
        yield Check("worker", WARNING, f"Another process{_process(holder)} holds the worker's lock ({seen}).", fix)
    elif in_flight is not None and in_flight.status is not RunStatus.PAUSED:
        cause = f"Run {in_flight.id} is {in_flight.status} and no worker is running ({seen})."
        yield Check("worker", FAULT, cause, fix)
    else:
        yield Check("worker", WARNING, f"No worker is running ({seen}).", fix)


def _process(holder: int) -> str:
    return f", process {holder}" if holder else ""


def check_web(services: Services) -> Iterator[Check]:
    """Whether the pages and the API answer at their port."""
    system = services.config.system
    host = "127.0.0.1" if system.bind_host in ANYWHERE else system.bind_host
    address = f"http://{f'[{host}]' if ':' in host else host}:{system.port_api}"
    connection = http.client.HTTPConnection(urlsplit(address).hostname or host, system.port_api, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        is_ours = answer.status == 200 and b'"status"' in answer.read(1000)
    except (OSError, http.client.HTTPException):
        fix = "Start the service (./scripts/run.sh) if you want the pages; commands work without it."
        yield Check("web", WARNING, f"Nothing answers at {address}.", fix)
        return
    finally:
        connection.close()
    if is_ours:
        yield Check("web", OK, f"The pages and the API answer at {address}.")
    else:
        yield Check("web", FAULT, f"Another program answers at {address}.", "Change system.port_api, or stop it.")


def check_queue_file(services: Services) -> Iterator[Check]:
    """The queue's file, which holds nothing but wake-up calls."""
    path = services.state_dir / "queue.sqlite"
    try:
        size = os.stat(path).st_size
    except FileNotFoundError:
        yield Check("queue file", OK, "The queue has not been used yet.")
        return
    state = OK if os.access(path, os.R_OK | os.W_OK) else FAULT
    fix = "" if state == OK else "Give the service's user the right to write it."
    yield Check("queue file", state, f"{path} holds {size} bytes.", fix)


def check_logs(services: Services) -> Iterator[Check]:
    """The log folder: there, writable, not swollen."""
    system = services.config.system
    folder = system.log_dir
    try:
        size = sum(entry.stat(follow_symlinks=False).st_size for entry in os.scandir(folder) if ".log" in entry.name)
    except FileNotFoundError:
        yield Check("logs", OK, f"{folder} is made when a process starts to write into it.")
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        cause = f"The log folder {folder} cannot be written to, so logs go to the terminal alone."
        yield Check("logs", WARNING, cause, "Give the service's user the right to write there.")
        return
    allowed = LOG_FILES * system.log_max_mb * 1_000_000 * (system.log_keep + 1)
    if size > allowed:
        fix = "Look what grows there; system.log_max_mb and system.log_keep bound our own files."
        yield Check("logs", WARNING, f"{folder} holds {size / 1e6:,.0f} MB of logs.", fix)
    else:
        yield Check("logs", OK, f"{folder} can be written to and holds {size / 1e6:,.1f} MB.")
