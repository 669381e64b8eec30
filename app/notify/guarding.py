"""Connections that never reach a link-local address, where cloud metadata services live, whatever a name leads to."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

from certifi import where
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from app.config.addresses import is_link_local
from app.errors import BadRequest

REFUSED = "its name leads to a link-local address, which is refused"


def leads_to_link_local(url: str) -> bool:
    """Whether the host of an address is, or is a name of, a link-local address; False when it is no known name."""
    host = urlsplit(url).hostname or ""
    if is_link_local(host):
        return True
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM) if host else []
    except (OSError, UnicodeError):
        return False
    return any(is_link_local(str(entry[4][0])) for entry in found)


def guarded_pools(timeout_seconds: float) -> PoolManager:
    """Connections without redirects, retries and proxies, whose certificates are checked."""
    pools = PoolManager(
        num_pools=1, retries=False, timeout=timeout_seconds, cert_reqs="CERT_REQUIRED", ca_certs=where()
    )
    pools.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
    return pools


def _refuse(connected: Any) -> None:
    name = connected.getpeername() if connected is not None else None
    if isinstance(name, tuple) and is_link_local(str(name[0])):
        connected.close()
        raise BadRequest(REFUSED)


class _Connection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _refuse(self.sock)


class _SecureConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _refuse(self.sock)


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
