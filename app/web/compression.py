"""Text answers go compressed to whoever takes that: gunicorn does not do it, and the pages' assets shrink to a quarter.

No answer holds a secret beside what a stranger could put into it, so its length tells nothing.
"""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict

from flask import Flask, Response, request

#: What is worth it; pictures and archives are compressed already, event streams must not wait.
COMPRESSED = frozenset(
    {
        "application/javascript", "application/json", "application/manifest+json", "application/problem+json",
        "image/svg+xml", "text/css", "text/html", "text/javascript", "text/plain",
    }
)  # fmt: skip
#: A shorter answer fits into one packet either way.
LEAST_BYTES = 1_000
#: A longer one is sent as it is: it would be held in memory twice.
MOST_BYTES = 8_000_000
#: Made once and kept / made anew for each answer, where time counts.
KEPT_LEVEL, FRESH_LEVEL = 9, 5
#: So many assets are kept compressed.
KEPT = 64


class Kept:
    """Compressed assets by their ETag, the latest ones."""

    def __init__(self) -> None:
        self._found: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def compress(self, etag: str, content: bytes) -> bytes:
        """The content compressed; done once for each ETag."""
        with self._lock:
            found = self._found.get(etag)
        if found is None:
            found = gzip.compress(content, KEPT_LEVEL, mtime=0)
            with self._lock:
                self._found[etag] = found
                while len(self._found) > KEPT:
                    self._found.popitem(last=False)
        return found


_kept = Kept()


def install(app: Flask) -> None:
    """Compress the answers of an application."""
    app.after_request(compress)


def compress(answer: Response) -> Response:
    """The answer, compressed if it is text and the browser takes it so; caches are told that both forms exist."""
    if answer.mimetype not in COMPRESSED or answer.status_code not in (200, 304):
        return answer
    answer.vary.add("Accept-Encoding")
    is_file = answer.direct_passthrough
    if not _is_wanted(answer, is_file):
        return answer
    answer.direct_passthrough = False
    content = answer.get_data()
    etag, _ = answer.get_etag()
    if is_file and etag:
        packed = _kept.compress(etag, content)
        # The same content in another form: a weak tag matches either.
        answer.set_etag(etag, weak=True)
    else:
        packed = gzip.compress(content, FRESH_LEVEL, mtime=0)
    answer.set_data(packed)
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers.pop("Accept-Ranges", None)
    return answer


def _is_wanted(answer: Response, is_file: bool) -> bool:
    if answer.status_code != 200 or request.method == "HEAD" or not request.accept_encodings["gzip"]:
        return False
    if "Content-Encoding" in answer.headers or "Content-Range" in answer.headers:
        return False
    # A tag that a command is checked against (If-Match) must stay as it is.
    if not is_file and (answer.is_streamed or "ETag" in answer.headers):
        return False
    length = answer.content_length if is_file else answer.calculate_content_length()
    return LEAST_BYTES <= (length or 0) <= MOST_BYTES
