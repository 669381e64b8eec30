"""What every request must pass before the application sees it: Host, Origin, size; and what every answer carries.

This is what makes the server safe on a home network with no key set: a web page on another site can neither reach it
by a made-up name (DNS rebinding) nor make a browser send it a command (cross-site request forgery). Programs such as
curl and Home Assistant send neither Origin nor Sec-Fetch-Site and are let through.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.admission.problems import KINDS, MEDIA_TYPE, body_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: The largest request body that is read.
MAX_BODY_BYTES = 1_000_000
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOCAL_SUFFIXES = (".local", ".lan", ".home", ".home.arpa", ".internal", ".localhost")
HOST_PATTERN = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9_.-]+)(:[0-9]{1,5})?")

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)


class Guard:
    """Wraps a WSGI application. `allowed_hosts` is asked on each request, so that a saved setting counts at once."""

    def __init__(
        self,
        wrapped: WSGIApplication,
        allowed_hosts: Callable[[], Sequence[str]],
        content_security_policy: str = CONTENT_SECURITY_POLICY,
    ) -> None:
        self.wrapped = wrapped
        self.allowed_hosts = allowed_hosts
        self.headers = (("Content-Security-Policy", content_security_policy), *SECURITY_HEADERS)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request that may not pass, or pass it on; add the security headers in both cases."""
        refusal = self._refusal(environ)
        if refusal is not None:
            return _refuse(self._with_headers(start_response), environ, *refusal)
        return self.wrapped(environ, self._with_headers(start_response))

    def _with_headers(self, start_response: StartResponse) -> StartResponse:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            given = {name.lower() for name, _ in headers}
            added = [(name, value) for name, value in self.headers if name.lower() not in given]
            return start_response(status, [*headers, *added], exc_info)

        return start

    def _refusal(self, environ: WSGIEnvironment) -> tuple[str, str] | None:
        host = environ.get("HTTP_HOST", "")
        if not is_allowed_host(host, self.allowed_hosts()):
            return (
                "other-host",
                "This server does not answer under that name. Use its IP address, or add the name to "
                "system.allowed_hosts.",
            )
        if environ["REQUEST_METHOD"] not in SAFE_METHODS and not is_same_origin(environ):
            return "other-site", "This request came from another web site and was refused."
        if _body_length(environ) > MAX_BODY_BYTES:
            return "body-too-large", f"A request body may have at most {MAX_BODY_BYTES:,} bytes."
        return None


def is_allowed_host(host: str, allowed: Sequence[str]) -> bool:
    """Whether a Host header names this server: an IP address, a local name, its own name, or a configured one."""
    match = HOST_PATTERN.fullmatch(host)
    if match is None:
        return False
    name = match[1].lower().removesuffix(".")
    if _is_address(name) or name in ("localhost", socket.gethostname().lower()):
        return True
    if not name or name.startswith("."):
        return False
    return "." not in name or name.endswith(LOCAL_SUFFIXES) or name in {_bare(entry) for entry in allowed}


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _bare(entry: str) -> str:
    return entry.strip().lower().removesuffix(".")


def is_same_origin(environ: WSGIEnvironment) -> bool:
    """Whether a command comes from our own pages, or from a program that is not a browser."""
    if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
        return False
    origin = environ.get("HTTP_ORIGIN")
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    # The scheme is not compared: behind a TLS proxy the browser says https and this server sees http.
    return parts.scheme in ("http", "https") and parts.netloc.lower() == environ.get("HTTP_HOST", "").lower()


def _body_length(environ: WSGIEnvironment) -> int:
    text = environ.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() else 0


def _refuse(start_response: StartResponse, environ: WSGIEnvironment, name: str, detail: str) -> Iterable[bytes]:
    kind = KINDS[name]
    path = str(environ.get("PATH_INFO", "")).encode("latin-1", "replace").decode("utf-8", "replace")
    body = body_of(kind, kind.status, kind.title, detail, path)
    headers = [("Content-Type", MEDIA_TYPE), ("Content-Length", str(len(body)))]
    start_response(f"{kind.status} {HTTPStatus(kind.status).phrase}", headers)
    return [body]
