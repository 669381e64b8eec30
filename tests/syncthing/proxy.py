"""What stands in front of a real Syncthing and can be told to misbehave: it passes on every request, or spoils it."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Spoil = Callable[[BaseHTTPRequestHandler, "Proxy"], None]
#: Headers that belong to one connection and are not passed on.
OWN_HEADERS = ("host", "connection", "transfer-encoding", "content-length")


class Proxy:
    """`spoil` answers in Syncthing's place while it is set; `asked` counts what was asked, by the path alone."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.spoil: Spoil | None = None
        self.asked: Counter[str] = Counter()
        self.spoiling = 0
        self.released = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def misbehave(self, spoil: Spoil) -> None:
        """From now on answer like this."""
        self.released.clear()
        self.spoil = spoil

    def behave(self) -> None:
        """Pass on again, and let go of every request that is held."""
        self.spoil = None
        self.released.set()

    def stop(self) -> None:
        self.behave()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # else each answer waits for the acknowledgement of its headers
        wbufsize = 65536
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            self.upstream = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=120)

        def finish(self) -> None:
            self.upstream.close()
            super().finish()

        def handle_any(self) -> None:
            self.body = body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            proxy.asked[self.path.partition("?")[0]] += 1
            try:
                if proxy.spoil is None:
                    pass_on(self, self.upstream, body)
                else:
                    spoil(self, proxy, proxy.spoil)
            except (OSError, http.client.HTTPException):
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    return Handler


def pass_on(handler: BaseHTTPRequestHandler, upstream: http.client.HTTPConnection, body: bytes) -> None:
    headers = {name: value for name, value in handler.headers.items() if name.lower() not in OWN_HEADERS}
    upstream.request(handler.command, handler.path, body or None, headers)
    answer = upstream.getresponse()
    content = answer.read()
    handler.send_response(answer.status)
    for name, value in answer.getheaders():
        if name.lower() not in OWN_HEADERS:
            handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
    handler.wfile.flush()


def spoil(handler: BaseHTTPRequestHandler, proxy: Proxy, how: Spoil) -> None:
    proxy.spoiling += 1
    try:
        how(handler, proxy)
        handler.wfile.flush()
    finally:
        proxy.spoiling -= 1


def plain(status: int, body: bytes = b"", **headers: str) -> Spoil:
    """The same answer to every question."""

    def answer(handler: BaseHTTPRequestHandler, _: Proxy) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def endless(handler: BaseHTTPRequestHandler, proxy: Proxy) -> None:
    """A body without end."""
    handler.send_response(200)
    handler.end_headers()
    while not proxy.released.is_set():
        handler.wfile.write(b"x" * 65536)
    handler.close_connection = True


def slow(handler: BaseHTTPRequestHandler, proxy: Proxy) -> None:
    """No answer until the proxy behaves again."""
    proxy.released.wait(120)
    handler.close_connection = True


def trickling(handler: BaseHTTPRequestHandler, proxy: Proxy) -> None:
    """An answer that never gets whole, byte by byte."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not proxy.released.wait(0.2):
        handler.wfile.write(b" ")
        handler.wfile.flush()
    handler.close_connection = True


def asked_for(proxy: Proxy, beginning: str) -> int:
    """How many requests went to paths that begin so."""
    return sum(number for path, number in proxy.asked.items() if path.startswith(beginning))
