"""How gunicorn serves the pages and the API, and with MP_SERVES=dbui the database browser.

One process: the event streams, the rate limits and the metrics live in its memory. Threads serve requests;
at most half of them may be held by event streams.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import sys
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from app.config.store import ConfigStore, default_path
from app.errors import ConfigError
from app.log import configure_logging

DBUI = os.environ.get("MP_SERVES") == "dbui"
#: From malloc.h of glibc.
M_ARENA_MAX = -8

try:
    system = ConfigStore(default_path()).load().config.system
except ConfigError as error:
    # One line for each fault instead of a traceback.
    faults = "".join(f"\n  {problem.placed(default_path())}" for problem in error.problems)
    sys.exit(f"The configuration {default_path()} has faults:{faults}")


def address() -> str:
    """Where to listen, from the configuration in force."""
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
# The browser opens nothing before its first request: loaded before the fork, its code lies in memory once. The pages
# have a broker and threads, which a fork must not share.
preload_app = DBUI
reload = os.environ.get("UVICORN_RELOAD") == "1" and not DBUI
# A heartbeat file on a slow disk would make a busy worker look hung.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def share_arenas() -> None:
    """Have all threads allocate from two arenas: glibc gives each its own and keeps there what was freed, which in a
    process with many threads comes to a tenth of its memory (mallopt(3)). Other C libraries have no such arenas."""
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(M_ARENA_MAX, 2)


def pre_fork(server: Any, worker: Any) -> None:
    """Keep the collector from what is loaded: its marks would give the serving process a copy of all of it."""
    del server, worker
    gc.freeze()


def post_fork(server: Any, worker: Any) -> None:
    """Give the serving process its log file; gunicorn's own words go there too."""
    del server, worker
    share_arenas()
    name = "dbui" if DBUI else "api"
    configure_logging(name, system.log_dir, system.log_level, system.log_max_mb * 1_000_000, system.log_keep)
    gunicorn = logging.getLogger("gunicorn.error")
    gunicorn.handlers.clear()
    gunicorn.propagate = True
    gunicorn.info("%s is served at %s", name, bind)


def post_worker_init(worker: Any) -> None:
    """Let the event streams end when the server stops: it waits for every answer that is under way."""
    if not DBUI:
        from app.web import log_streams

        log_streams.is_serving = lambda: worker.alive
