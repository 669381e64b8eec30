"""Rules about addresses: of Syncthing, of this server, and of the header that carries the key."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from app.config.schema import Config
from app.errors import Problem

HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
HOST_NAME = re.compile(r"\.?[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")

URL_PREFIX = re.compile(r"(/[A-Za-z0-9_-][A-Za-z0-9._~-]{0,99}){1,8}")

#: How addresses of the pages and the API begin: a prefix that is one of them could not be told from a page.
TAKEN_PREFIXES = (
    "api", "apple-touch-icon.png", "batches", "control", "dashboard", "dates", "diagnostics", "docs", "duplicates",
    "failed", "files", "findings", "health", "journal", "login", "logout", "logs", "metrics", "openapi.json",
    "partials", "peer", "preview", "problems", "ready", "runs", "settings", "static", "tree", "welcome", "why",
)  # fmt: skip

#: Headers that mean something else already.
TAKEN_HEADERS = ("host", "cookie", "origin", "content-type", "content-length", "connection")


def address_problems(config: Config) -> Iterator[Problem]:
    """Everything that is wrong with addresses, ports and header names."""
    for path, url in (("syncthing.api_url", config.syncthing.api_url), ("syncthing.gui_url", config.syncthing.gui_url)):
        message = _url_problem(url) if url or path == "syncthing.api_url" else None
        if message:
            yield Problem(path, message)
    if config.system.port_api == config.system.port_dbui:
        yield Problem("system.port_dbui", "is the same port as system.port_api", related="system.port_api")
    if not _is_host(config.system.bind_host):
        yield Problem("system.bind_host", "must be an IP address or a host name, as in 0.0.0.0 or 127.0.0.1")
    for host in config.system.allowed_hosts:
        if not _is_host(host):
            yield Problem("system.allowed_hosts", f"{host[:60]!r} is not a host name, without http:// and port")
    prefix = config.system.url_prefix
    if prefix and not (URL_PREFIX.fullmatch(prefix) and prefix.split("/")[1] not in TAKEN_PREFIXES):
        message = "must be a path of its own, as in /photos: without / at its end, and not the name of a page"
        yield Problem("system.url_prefix", message)
    name = config.auth.header_name
    if not HEADER_NAME.fullmatch(name) or name.lower() in TAKEN_HEADERS:
        yield Problem("auth.header_name", "must be a header name of its own, as in x-api-key")


def origin_of(url: str) -> tuple[str, str, int] | None:
    """(scheme, host, port) of an address, None when it has none; two addresses are one server when these agree."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80)


def _url_problem(url: str) -> str | None:
    if origin_of(url) is None or not url.isprintable() or " " in url:
        return "must be an address such as http://127.0.0.1:8384"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return "must begin with http:// or https://"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user name or password"
    if parts.query or parts.fragment:
        return "must end before any ? or #"
    return "must not be a link-local address" if is_link_local(parts.hostname or "") else None


def is_link_local(host: str) -> bool:
    """Whether a host is an address where cloud metadata lives, in whatever spelling; names are not looked up."""
    host = host.partition("%")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _is_numeric_link_local(host)
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_link_local or bool(mapped and mapped.is_link_local)


def _is_numeric_link_local(host: str) -> bool:
    """The old spellings of IPv4 that resolvers still take, such as 2852039166."""
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host)).is_link_local
    except OSError:
        return False


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return HOST_NAME.fullmatch(host) is not None
    return True
