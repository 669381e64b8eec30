"""Following the logs as an event stream: how many at once, and when each ends.

A stream holds a thread of the server. So there are few of them, and each ends by itself: when its reader has gone or
reads no more, when its key has become invalid, when the server stops, and in any case after a while. A browser then
comes back and goes on behind the last line that it has.
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.diagnostics.logs import Look, Places, Wanted, cursor_of, look

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: At most half of the server's threads.
MAX_STREAMS = 8
#: The longest time that one lasts.
MAX_SECONDS = 600
LOOK_SECONDS = 0.4
#: Whoever stands between must see that the stream lives.
HEARTBEAT_SECONDS = 10.0
#: A reader that takes nothing for so long is let go.
STALLED_SECONDS = 20.0
RETRY_MILLISECONDS = 2_000
#: So much is written at once, for a socket that can take something may not take everything.
CHUNK_BYTES = 16_384
EXTENSION = "media_pipeline_log_streams"

#: Whether the server goes on; gunicorn's configuration puts its own answer here.
is_serving: Callable[[], bool] = lambda: True  # noqa: E731  a place for another function


@dataclass
class Slots:
    """How many streams there are, of an application."""

    taken: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self) -> bool:
        """Take one; False when all are taken."""
        with self.lock:
            if self.taken >= MAX_STREAMS:
                return False
            self.taken += 1
            return True

    def give_back(self) -> None:
        """Give one back."""
        with self.lock:
            self.taken -= 1


class Reader:
    """The other end of a stream, as far as the server shows its socket."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        found = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
        self._socket = found if isinstance(found, socket.socket) else None
        self._poll = select.poll()
        if self._socket is not None:
            # Should a chunk not fit although there was room: not for ever.
            self._socket.settimeout(STALLED_SECONDS)
            self._poll.register(self._socket, select.POLLOUT | select.POLLRDHUP)

    def is_gone(self) -> bool:
        """Whether it has closed the connection."""
        return bool(self._events(0) & (select.POLLRDHUP | select.POLLHUP | select.POLLERR | select.POLLNVAL))

    def takes_more(self) -> bool:
        """Wait until it takes more; False when it does not, and then the connection is cut."""
        if self._socket is None or self._events(STALLED_SECONDS) & select.POLLOUT:
            return True
        self._socket.shutdown(socket.SHUT_RDWR)
        return False

    def _events(self, seconds: float) -> int:
        if self._socket is None:
            return 0
        return next((events for _, events in self._poll.poll(seconds * 1000)), 0)


@dataclass(frozen=True)
class Stream:
    """One stream: what it tells, from where on, to whom, how long, and whether that one may still read."""

    log_dir: str
    wanted: Wanted
    places: Places
    reader: Reader
    seconds: float
    is_allowed: Callable[[], bool]

    def chunks(self) -> Iterator[bytes]:
        """What is sent, until the stream ends."""
        for chunk in self._told():
            if self.reader.is_gone() or not self.reader.takes_more():
                return
            yield chunk

    def _told(self) -> Iterator[bytes]:
        until, places, heard_at = time.monotonic() + self.seconds, self.places, time.monotonic()
        yield f"retry: {RETRY_MILLISECONDS}\nid: {cursor_of(places)}\n\n".encode()
        while is_serving() and time.monotonic() < until and not self.reader.is_gone():
            seen = look(self.log_dir, self.wanted, places)
            if seen.places != places:
                yield from _chunks_of(seen)
                places = seen.places
            if time.monotonic() - heard_at >= HEARTBEAT_SECONDS:
                if not self.is_allowed():
                    return
                yield b": alive\n\n"
                heard_at = time.monotonic()
            time.sleep(LOOK_SECONDS)


def _chunks_of(seen: Look) -> Iterator[bytes]:
    chunk = b"event: skipped\ndata: {}\n\n" if seen.is_passed_over else b""
    for record, places in seen.found:
        # JSON escapes every line break, which would end the event.
        chunk += f"id: {cursor_of(places)}\ndata: {json.dumps(record)}\n\n".encode()
        if len(chunk) >= CHUNK_BYTES:
            yield chunk
            chunk = b""
    # What was looked at and is not wanted need not be looked at again after a break.
    yield chunk + f"id: {cursor_of(seen.places)}\n\n".encode()
