"""A local HTTP server for tests: it listens on loopback, and what it answers is said by those who derive from it."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class LocalServer:
    """Listens from the start until `stop`; every GET and POST goes to `respond`."""

    def __init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # else each body waits for the acknowledgement of its headers
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                try:
                    outer.respond(self)
                except OSError:
                    self.close_connection = True

            do_GET = do_POST = handle_any  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                return

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        raise NotImplementedError

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()
