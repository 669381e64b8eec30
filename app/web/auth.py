"""Who may use the doors when a key is set: every route is closed but those listed here, and each needs a scope.

A program sends its key in the header named by auth.header_name, or as a Bearer token. A browser sends it once, to
/login, and gets a cookie that names the key and is signed with it: a changed or removed key logs its browsers out,
and nothing is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import Headers

from app.config.access import SCOPES, AccessKey, Auth, Scope

#: Flask endpoints that need no key: liveness and readiness, the page that asks for the key, and its assets.
OPEN_ENDPOINTS = frozenset(
    {"health.health", "health.ready", "health.api_health", "static", "touch_icon.show", "pages.login", "pages.send_key"}
)

#: Flask endpoints that only a key with the scope admin opens: they change settings, hold secrets, take work back or
#: make decisions that cannot be taken back.
ADMIN_ENDPOINTS = frozenset(
    {
        "backup.download",
        "backup.index",
        "backup.make",
        "config.change",
        "date_pages.refile",
        "config.replace_text",
        "findings.accept",
        "findings.accept_all",
        "findings.report",
        "findings_page.accept",
        "findings_page.accept_all",
        # Its answers tell whether a guessed secret is right, as often as somebody asks.
        "config.validate",
        "rebuild.confirm",
        "rebuild.start",
        "refile.start",
        "refile.undo",
        "revisions.roll_back",
        "presets.apply",
        "settings_history.roll_back",
        # Checking and filling in tell what saving would say; see config.validate.
        "settings_page.check",
        "settings_page.fill",
        "settings_page.save",
        "settings_text.check",
        "settings_text.save",
        "setup.roots",
        "syncthing.accept_folder",
        "syncthing.add_device",
        "syncthing.dismiss_device",
        "syncthing.dismiss_folder",
        "syncthing.set_up",
        "undo.cancel",
        "undo.start",
        "welcome_page.save_folders",
        "welcome_page.save_peer",
        "welcome_page.save_target",
    }
)
#: Flask endpoints that a key with the scope read opens although they are no GET: they change nothing.
READ_ENDPOINTS = frozenset({"pages.logout"})
READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

COOKIE_NAME = "media_pipeline_session"
SESSION_SECONDS = 30 * 24 * 3600
SECURITY_SCHEMES: dict[str, Any] = {
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}
#: A longer key is wrong without being looked at.
MAX_KEY_LENGTH = 1024

#: An address that sends this many wrong keys within the window has to wait until the window is over.
MAX_WRONG_KEYS = 20
WINDOW_SECONDS = 60.0
#: How many addresses are remembered at most.
MAX_ADDRESSES = 1000


@dataclass
class WrongKeys:
    """Counts wrong keys by address, in memory."""

    seen: dict[str, list[float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def is_blocked(self, address: str) -> bool:
        """Whether this address has sent too many wrong keys lately."""
        since = time.monotonic() - WINDOW_SECONDS
        with self.lock:
            recent = [moment for moment in self.seen.get(address, []) if moment > since]
        return len(recent) >= MAX_WRONG_KEYS

    def note(self, address: str) -> None:
        """Remember a wrong key."""
        with self.lock:
            if len(self.seen) >= MAX_ADDRESSES and address not in self.seen:
                self.seen.pop(next(iter(self.seen)))
            self.seen[address] = [*self.seen.get(address, []), time.monotonic()][-MAX_WRONG_KEYS:]


def scope_needed(endpoint: str | None, method: str) -> Scope:
    """What a key must be allowed to do to open a route."""
    if endpoint in ADMIN_ENDPOINTS:
        return "admin"
    return "read" if method in READ_METHODS or endpoint in READ_ENDPOINTS else "run"


def opens(key: AccessKey, scope: Scope) -> bool:
    """Whether a key's scope is, or holds, the one that is needed."""
    return SCOPES.index(key.scope) >= SCOPES.index(scope)


def key_words(key: AccessKey) -> str:
    """Whose session this is and what it may do, for the person who is logged in."""
    may = {"read": "look at everything, change nothing", "run": "start and stop runs", "admin": "do everything"}
    return f"Logged in with the key {key.name}, which may {may[key.scope]}."


def find_key(auth: Auth, given: str) -> AccessKey | None:
    """The configured key that was given, in a time that does not depend on how wrong it is."""
    found = None
    # WSGI hands header bytes over as latin-1 text; a form hands over real text.
    offered = given[: MAX_KEY_LENGTH + 1].encode("utf-8", "surrogateescape")
    as_header = given[: MAX_KEY_LENGTH + 1].encode("latin-1", "replace")
    for key in auth.every_key:
        wanted = key.key.encode("utf-8", "surrogateescape")
        by_text, by_header = hmac.compare_digest(offered, wanted), hmac.compare_digest(as_header, wanted)
        found = key if by_text or by_header else found
    return found


def key_in(auth: Auth, headers: Headers) -> str | None:
    """The key that a program sent, or None when it sent none."""
    given = headers.get(auth.header_name)
    if given is not None:
        return given
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def make_session(key: AccessKey) -> str:
    """The value of the cookie that a browser gets for a right key."""
    until = str(int(time.time()) + SESSION_SECONDS)
    return f"{until}.{_sign(key, until)}.{key.name}"


def session_key(auth: Auth, cookie: str | None) -> AccessKey | None:
    """The key that a cookie was made with, as long as that key is there unchanged and the cookie has not expired."""
    until, signature, name = [*(cookie or "").split(".", 2), "", ""][:3]
    found = None
    for key in auth.every_key:
        genuine = hmac.compare_digest(signature.encode("utf-8", "replace"), _sign(key, until).encode())
        found = key if genuine and key.name == name else found
    is_fresh = until.isascii() and until.isdigit() and len(until) < 20 and int(until) > time.time()
    return found if is_fresh else None


def _sign(key: AccessKey, until: str) -> str:
    secret = key.key.encode("utf-8", "surrogateescape")
    words = f"media-pipeline session {until} {key.name}".encode("utf-8", "replace")
    return hmac.new(secret, words, hashlib.sha256).hexdigest()
