"""The database browser: sqlite-web, read-only, behind the same checks of Host, Origin and key as the pages.

Run by its own gunicorn on system.port_dbui: `gunicorn "app.dbui:create_app()"`. A browser that has logged in at the
pages carries the same cookie here, because cookies do not tell ports apart.

It is seldom asked and always there: what it imports at its start is held for good, so that stands outside app.web and
brings neither Flask nor the database layer with it; both come with the first request.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from app.admission.guard import Guard
from app.admission.keys import COOKIE_NAME, WrongKeys, key_in, session_key
from app.admission.problems import MEDIA_TYPE, body_of, kind_of_status
from app.config.access import Auth
from app.config.schema import Config
from app.config.store import ConfigStore, default_path
from app.errors import MediaPipelineError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: sqlite-web's pages have scripts and styles in the page itself.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
#: Read-only mode still lets ATTACH make new files and VACUUM INTO write copies anywhere; both go through these.
DENIED_ACTIONS = frozenset({sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH})


def create_app(config_path: str | None = None) -> WSGIApplication:
    """The database browser for a configuration file, as a WSGI application. One per process."""
    store = ConfigStore(config_path or default_path())
    return Guard(Browser(store), lambda: _allowed_hosts(store), CONTENT_SECURITY_POLICY)


class Browser:
    """Checks the switch and the key on each request, then hands over to sqlite-web."""

    def __init__(self, store: ConfigStore) -> None:
        self.store = store
        self.wrong_keys = WrongKeys()
        self._lock = threading.Lock()
        self._opened: str | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            config = self.store.current().config
        except (MediaPipelineError, OSError):
            return _refuse(start_response, "503 Service Unavailable", "The configuration cannot be read; see the log.")
        if not config.system.dbui_enabled:
            return _refuse(start_response, "404 Not Found", "The database browser is off (system.dbui_enabled).")
        if not self._may_pass(config.auth, environ):
            return _refuse(start_response, "401 Unauthorized", "Log in at the dashboard first, or send the API key.")
        return self._open(config)(environ, start_response)

    def _may_pass(self, auth: Auth, environ: WSGIEnvironment) -> bool:
        if not auth.every_key:
            return True
        from werkzeug.wrappers import Request

        request = Request(environ)
        if session_key(auth, request.cookies.get(COOKIE_NAME)) is not None:
            return True
        given = key_in(auth, request.headers)
        return given is not None and self.wrong_keys.accepted(auth, given, request.remote_addr or "") is not None

    def _open(self, config: Config) -> WSGIApplication:
        path = os.path.abspath(config.system.db_path)
        with self._lock:
            if self._opened != path:
                if not os.path.isfile(path):
                    return _missing
                _point_sqlite_web_at(path)
                self._opened = path
        return _sqlite_web().app  # type: ignore[no-any-return]


def _sqlite_web() -> Any:
    # Imported late: it is large, and most days nobody looks.
    from sqlite_web import sqlite_web

    return sqlite_web


def _point_sqlite_web_at(path: str) -> None:
    module = _sqlite_web()
    module.app.config.update(SECRET_KEY=secrets.token_hex(32), ENABLE_LOAD=False, ENABLE_FILESYSTEM=False)
    module.datasets.clear()
    module.initialize_app([path], read_only=True, startup_hook=forbid_other_files)


def forbid_other_files(database: Any) -> None:
    """Make a connection refuse to open or write any other file than its own."""
    database.connection().set_authorizer(_authorize)


def _authorize(action: int, *_details: str | None) -> int:
    return sqlite3.SQLITE_DENY if action in DENIED_ACTIONS else sqlite3.SQLITE_OK


def _missing(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return _refuse(start_response, "503 Service Unavailable", "There is no database yet; start the service first.")


def _refuse(start_response: StartResponse, status: str, detail: str) -> Iterable[bytes]:
    code, _, title = status.partition(" ")
    body = body_of(kind_of_status(int(code)), int(code), title, detail, "/")
    start_response(status, [("Content-Type", MEDIA_TYPE), ("Content-Length", str(len(body)))])
    return [body]


def _allowed_hosts(store: ConfigStore) -> Sequence[str]:
    try:
        return store.current().config.system.allowed_hosts
    except (MediaPipelineError, OSError):
        return ()
