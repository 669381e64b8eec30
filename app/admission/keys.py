"""Is it a configured key? The same answer at the pages and at the database browser.

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
from typing import TYPE_CHECKING

from app.config.access import AccessKey, Auth

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

COOKIE_NAME = "media_pipeline_session"
SESSION_SECONDS = 30 * 24 * 3600

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

    def accepted(self, auth: Auth, given: str, address: str) -> AccessKey | None:
        """The key that was given, when it is right and its sender has not been guessing; a wrong one is counted."""
        if self.is_blocked(address):
            return None
        found = find_key(auth, given)
        if found is None:
            self.note(address)
        return found


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
