"""A reverse proxy on a port of its own that serves another server under a sub-path, as nginx does."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

HOP = {"connection", "keep-alive", "transfer-encoding", "server", "date"}
CHUNK_BYTES = 4096


@contextmanager
def proxied(port: int, prefix: str, *, takes_prefix_off: bool) -> Iterator[str]:
    """Serve 127.0.0.1:port under the prefix and nothing outside of it; yields the address, with the prefix."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def pass_on(self) -> None:
            if not self.path.startswith(prefix):
                self.send_error(404, "outside of the prefix")
                return
            path = self.path.removeprefix(prefix) or "/" if takes_prefix_off else self.path
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            upstream.request(self.command, path, body or None, dict(self.headers))
            self.answer(upstream.getresponse())
            upstream.close()

        def answer(self, found: http.client.HTTPResponse) -> None:
            self.send_response(found.status)
            for name, value in found.getheaders():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.end_headers()
            while piece := found.read1(CHUNK_BYTES):
                self.wfile.write(piece)
                self.wfile.flush()

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = pass_on  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{prefix}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
