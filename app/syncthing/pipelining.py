"""Questions about many files over one kept connection, several under way at once.

Syncthing answers the questions of one connection in their order (HTTP/1.1 pipelining). Sent together, they spare both
sides a turn of waiting for each file, which takes longer than the answer itself. What stands between may not bear that:
whatever is odd ends it, the rest is asked one by one, and what goes wrong then is what is told.
"""

from __future__ import annotations

import http.client
import io
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from socket import SocketIO
from typing import Any, NamedTuple, cast
from urllib.parse import quote, urlencode, urlsplit

from urllib3.exceptions import HTTPError

from app.syncthing import answers
from app.syncthing.answers import FileView
from app.syncthing.key import KeyRing
from app.syncthing.refusals import NoSuchObject, refusal
from app.syncthing.transport import Guard, guarded_connection

#: So many questions are under way at once, and so many bytes of them: both sides' buffers hold that, so that neither
#: waits for the other to read.
AT_ONCE = 32
AHEAD_BYTES = 8192
#: Shorter than for a question by itself, which is asked next and may take its time.
WAIT_SECONDS = 5.0
DEADLINE_SECONDS = 10.0
BODY_CAP_BYTES = 1024 * 1024

NOT_AS_SYNCTHING = (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError)

AskOne = Callable[[str, str], FileView | None]


class Answer(NamedTuple):
    """One answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Pipeline:
    """One connection to one Syncthing, opened when it is first used. Not for several threads at once."""

    def __init__(self, url: str, keys: KeyRing) -> None:
        self._url = url
        self._keys = keys
        self._guard = Guard()
        self._connection: http.client.HTTPConnection | None = None
        self._reader = _Kept(cast(SocketIO, io.BytesIO()))
        self._is_fit = True

    def files(self, folder_id: str, paths: Iterable[str], ask_one: AskOne) -> Iterator[FileView | None]:
        """Each file as Syncthing's index has it, None for one that it does not know, in this order.

        Paths are taken as they are sent, some before the one that is answered. When anything is odd, `ask_one` asks
        for that file and all after it, and what it raises is raised.
        """
        left, unanswered = iter(paths), deque[str]()
        for view in self._together(folder_id, left, unanswered):
            unanswered.popleft()
            yield view
        for path in chain(unanswered, left):
            yield ask_one(folder_id, path)

    def _together(self, folder_id: str, left: Iterator[str], unanswered: deque[str]) -> Iterator[FileView | None]:
        """What is answered before anything is odd. From then on nothing is asked any more."""
        if not self._is_fit:
            return
        is_through = False
        try:
            for answer in self._ask(self._requests(folder_id, left, unanswered)):
                yield self._read_file(unanswered[0], answer)
            is_through = True
        except (OSError, HTTPError, http.client.HTTPException, *NOT_AS_SYNCTHING):
            self._is_fit = False
        finally:
            if not is_through:
                self.close()  # answers may lie in it that nobody waits for

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._reader.end()
            self._connection = None

    # --- what one answer says

    def _read_file(self, path: str, answer: Answer) -> FileView | None:
        if answer.status == 404 and isinstance(refusal(self._url, "", 404, answer.headers, answer.body), NoSuchObject):
            return None
        if answer.status != 200:
            raise ValueError("not an answer about a file")
        found = json.loads(answer.body)
        if _names(found) != {path}:
            raise ValueError("an answer about another file")
        return answers.file_view(found)

    # --- going back and forth

    def _ask(self, requests: Iterator[bytes]) -> Iterator[Answer]:
        under_way = deque[int]()
        while True:
            if len(under_way) <= AT_ONCE // 2:
                self._send(_next_part(requests, under_way))
            if not under_way:
                return
            yield self._receive()
            under_way.popleft()

    def _requests(self, folder_id: str, left: Iterator[str], unanswered: deque[str]) -> Iterator[bytes]:
        """The question about each file, which is unanswered from when it is taken."""
        parts, key = urlsplit(self._url), self._keys.current
        if key is None:
            raise ValueError("no key")
        rest = f" HTTP/1.1\r\nHost: {parts.netloc}\r\nX-API-Key: {key.text}\r\nAccept-Encoding: identity\r\n\r\n"
        base = f"GET {quote(parts.path, safe='/%')}/rest/db/file?"
        for path in left:
            unanswered.append(path)
            yield f"{base}{urlencode({'folder': folder_id, 'file': path})}{rest}".encode("ascii")

    def _open(self) -> http.client.HTTPConnection:
        self._connection = guarded_connection(self._url, self._guard, WAIT_SECONDS)
        with self._guard.deadline(DEADLINE_SECONDS):
            self._connection.connect()
        self._reader = _Kept(self._connection.sock.makefile("rb", buffering=0))
        return self._connection

    def _send(self, requests: Sequence[bytes]) -> None:
        if requests:
            (self._connection or self._open()).sock.sendall(b"".join(requests))

    def _receive(self) -> Answer:
        with self._guard.deadline(DEADLINE_SECONDS):
            response = http.client.HTTPResponse(cast(Any, self._reader), method="GET")
            response.begin()
            body = response.read(BODY_CAP_BYTES)
        if self._guard.was_cut or response.will_close or response.length or not response.isclosed():
            raise ValueError("not a whole answer, or the last one")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise ValueError("an answer that is packed")
        return Answer(response.status, cast(Any, response.headers), body)


class _Kept(io.BufferedReader):
    """What comes in over a connection. Each answer reads its own part of it, and none of them closes it."""

    def makefile(self, *_: object) -> _Kept:
        """What an answer asks a connection for."""
        return self

    def close(self) -> None:
        """Nothing: the next answer lies behind this one."""

    def end(self) -> None:
        """Close it after all."""
        super().close()


def _next_part(requests: Iterator[bytes], under_way: deque[int]) -> list[bytes]:
    """The requests to send now; one at least when none is under way, as long as there are any."""
    part: list[bytes] = []
    while len(under_way) < AT_ONCE and sum(under_way) < AHEAD_BYTES and (request := next(requests, None)) is not None:
        part.append(request)
        under_way.append(len(request))
    return part


def _names(found: Any) -> set[str]:
    """Which file an answer is about, by either side's own word."""
    parts = [found["local"], found["global"]]
    return {part["name"] for part in parts if part and part.get("name")}
