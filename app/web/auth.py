"""Who may use the doors when auth.api_key is set: every route is closed but those listed here.

A program sends the key in the header named by auth.header_name, or as a Bearer token. A browser sends it once, to
/login, and gets a cookie that is signed with the key itself: a changed key logs every browser out, nothing is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import Headers

from app.config.schema import Auth

#: Flask endpoints that need no key: liveness and readiness, the page that asks for the key, and its assets.
OPEN_ENDPOINTS = frozenset(
    {"health.health", "health.ready", "health.api_health", "static", "pages.login", "pages.send_key"}
)

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


def is_right_key(auth: Auth, given: str) -> bool:
    """Whether a key is the configured one, in a time that does not depend on how wrong it is."""
    wanted = auth.api_key.encode("utf-8", "surrogateescape")
    # WSGI hands header bytes over as latin-1 text; a form hands over real text.
    offered = given[: MAX_KEY_LENGTH + 1].encode("utf-8", "surrogateescape")
    as_header = given[: MAX_KEY_LENGTH + 1].encode("latin-1", "replace")
    by_text, by_header = hmac.compare_digest(offered, wanted), hmac.compare_digest(as_header, wanted)
    return by_text or by_header


def key_in(auth: Auth, headers: Headers) -> str | None:
    """The key that a program sent, or None when it sent none."""
    given = headers.get(auth.header_name)
    if given is not None:
        return given
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def make_session(auth: Auth) -> str:
    """The value of the cookie that a browser gets for the right key."""
    until = str(int(time.time()) + SESSION_SECONDS)
    return f"{until}.{_sign(auth, until)}"


def is_session(auth: Auth, cookie: str | None) -> bool:
    """Whether a cookie was made with the present key and has not expired."""
    until, _, signature = (cookie or "").partition(".")
    genuine = hmac.compare_digest(signature.encode("utf-8", "replace"), _sign(auth, until).encode())
    return genuine and until.isascii() and until.isdigit() and int(until) > time.time()


def _sign(auth: Auth, until: str) -> str:
    secret = auth.api_key.encode("utf-8", "surrogateescape")
    return hmac.new(secret, b"media-pipeline session " + until.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
