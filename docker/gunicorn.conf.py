"""How gunicorn serves the pages and the API, and with MP_SERVES=dbui the database browser.

One process: the event streams, the rate limits and the metrics live in its memory. Threads serve requests;
at most half of them may be held by event streams.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from app.config.store import ConfigStore, default_path

DBUI = os.environ.get("MP_SERVES") == "dbui"


def address() -> str:
    """Where to listen, from the configuration in force."""
    system = ConfigStore(default_path()).load().config.system
    port = system.port_dbui if DBUI else system.port_api
    host = f"[{system.bind_host}]" if ":" in system.bind_host else system.bind_host
    return f"{host}:{port}"


bind = address()
workers = 1
worker_class = "gthread"
threads = 4 if DBUI else 16
timeout = 120
graceful_timeout = 10
control_socket_disable = True
reload = os.environ.get("UVICORN_RELOAD") == "1" and not DBUI
# A heartbeat file on a slow disk would make a busy worker look hung.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def post_worker_init(worker: Any) -> None:
    """Tell open event streams to end when the process is asked to, or they would hold the stop up."""
    from app.web import stopping

    ends = signal.getsignal(signal.SIGTERM)

    def end(number: int, frame: FrameType | None) -> None:
        stopping.set()
        if callable(ends):
            ends(number, frame)

    signal.signal(signal.SIGTERM, end)
