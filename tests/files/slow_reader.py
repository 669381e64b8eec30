"""A reader that hangs on files called "hang" and crashes on files called "crash"; for tests of app/files/readers.py."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from app.files.reader_process import serve


def answer(request: list[Any]) -> Any:
    if request[0] == "hang":
        threading.Event().wait()
    if request[0] == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if request[0] == "babble":
        os.write(1, b"not an answer\n")
    return request[0]


if __name__ == "__main__":
    serve(answer)
