"""The guarded HTTP transport below the client: deadlines that hold, and addresses that are refused.

A read timeout alone does not bound a request: a server that sends one byte every few seconds holds it for ever.
So every request has a deadline, and the socket is cut when it passes.
"""

from __future__ import annotations

import ipaddress
import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from certifi import where
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from app.errors import SyncthingRefused


def forbidden_address(address: str) -> bool:
    """Whether this IP address is link-local (cloud metadata services live there), in whatever spelling."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return bool(ip.is_link_local or (mapped is not None and mapped.is_link_local))


def base_url(api_url: str) -> str:
    """The address without a trailing slash and without `/rest`. Raises SyncthingRefused when it is no usable one."""
    text = api_url.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise _bad_address("it cannot be read as an address") from error
    if parts.scheme not in ("http", "https") or not host:
        raise _bad_address("it must begin with http:// or https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise _bad_address("it must not hold a user name or password")
    if parts.query or parts.fragment:
        raise _bad_address("it must not hold ? or #")
    if forbidden_address(host):
        raise _bad_address("link-local addresses are refused")
    return text.removesuffix("/rest").rstrip("/")


def _bad_address(reason: str) -> SyncthingRefused:
    return SyncthingRefused("other", 0, f"syncthing.api_url cannot be used: {reason}.")


class Guard:
    """Watches the one connection of a client: refuses forbidden addresses, cuts it at the deadline.

    One thread watches over many requests, since to start one for each would take longer than most answers do. It ends
    when a deadline passes without a request under way.
    """

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._changed = threading.Condition()
        self._until = math.inf
        self._wakes_at = math.inf
        self._is_watched = False
        self.was_cut = False

    def opened(self, connected: socket.socket) -> None:
        """Check where a new connection really leads before anything is sent over it."""
        name = connected.getpeername()
        if isinstance(name, tuple) and forbidden_address(str(name[0])):
            connected.close()
            raise _bad_address("its name leads to a link-local address")
        self._socket = connected

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Cut the connection when the body of the `with` takes longer than this."""
        with self._changed:
            self.was_cut = False
            self._until = time.monotonic() + seconds
            if not self._is_watched:
                self._is_watched = True
                threading.Thread(target=self._watch, daemon=True).start()
            elif self._until < self._wakes_at:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._until = math.inf

    def _watch(self) -> None:
        with self._changed:
            while self._until < math.inf:
                self._wakes_at = self._until
                self._changed.wait(max(0.0, self._until - time.monotonic()))
                if time.monotonic() >= self._until:
                    self.cut()
                    self._until = math.inf
            self._is_watched = False

    def cut(self) -> None:
        """End whatever is waited for on the connection."""
        self.was_cut = True
        if self._socket is None:
            return
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            self._socket = None  # closed by the other side meanwhile


def guarded_pools(guard: Guard) -> PoolManager:
    """Connections that report to a Guard: one at a time, no retries, no redirects, certificates checked."""
    pools = PoolManager(num_pools=1, maxsize=1, retries=False, cert_reqs="CERT_REQUIRED", ca_certs=where())
    pools.pool_classes_by_scheme = _pool_classes(guard)
    return pools


def guarded_connection(url: str, guard: Guard, seconds: float) -> HTTPConnection:
    """One connection that reports to a Guard, not opened yet, whose every step may take so long."""
    parts = urlsplit(url)
    host, plain, secured = parts.hostname or "", *_connection_classes(guard)
    if parts.scheme == "http":
        return plain(host, parts.port, timeout=seconds)
    return secured(host, parts.port, timeout=seconds, cert_reqs="CERT_REQUIRED", ca_certs=where())


def _pool_classes(guard: Guard) -> dict[str, Any]:
    plain, secured = _connection_classes(guard)

    class HTTPPool(HTTPConnectionPool):
        ConnectionCls = plain

    class HTTPSPool(HTTPSConnectionPool):
        ConnectionCls = secured

    return {"http": HTTPPool, "https": HTTPSPool}


def _connection_classes(guard: Guard) -> tuple[type[HTTPConnection], type[HTTPSConnection]]:
    class GuardedHTTPConnection(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            if self.sock is not None:
                guard.opened(self.sock)

    class GuardedHTTPSConnection(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            if self.sock is not None:
                guard.opened(self.sock)

    return GuardedHTTPConnection, GuardedHTTPSConnection
