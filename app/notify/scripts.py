"""Running a script of the user's: bounded in time and output, in a process group of its own, without our secrets."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.errors import BadRequest, printable
from app.model import Root

#: Of our environment a script gets these and no more: the others may hold keys.
PASSED_ON = ("HOME", "LANG", "LC_ALL", "PATH", "TZ")
LOOK_SECONDS = 0.1
#: A script that writes more than this is ended; of what it writes the end is kept.
MOST_OUTPUT_BYTES, KEPT_OUTPUT_BYTES = 10_000_000, 1_000


@dataclass(frozen=True)
class Ended:
    """How a script ended: `fault` is a sentence when it did not end well, `exit_code` is None when it was killed."""

    exit_code: int | None
    seconds: float
    output: str
    fault: str | None = None


def find_script(folder: Path, name: str, roots: Iterable[Root]) -> str:
    """The real path of the script of this name in the folder of scripts. Raises BadRequest when it must not run."""
    path = os.path.realpath(folder / name)
    try:
        found, around = os.stat(path), os.stat(folder)
    except OSError as error:
        raise BadRequest(f"There is no file {name} in {folder}; put it there and make it executable.") from error
    if any(_is_below(path, root) for root in roots):
        raise BadRequest(f"{name} leads into a folder of media; nothing is run from there.")
    if not stat.S_ISREG(found.st_mode) or not os.access(path, os.X_OK):
        raise BadRequest(f"{folder / name} cannot be executed; `chmod 755` makes it so.")
    if (found.st_mode | around.st_mode) & stat.S_IWOTH:
        raise BadRequest(f"{folder / name} or its folder can be written by everybody; `chmod o-w` mends it.")
    return path


def run_script(
    path: str, argument: bytes, more: Mapping[str, str], timeout_seconds: float, stopping: threading.Event
) -> Ended | None:
    """Run it with one argument, with `more` in its environment; whatever it leaves running ends with it.

    None when the worker is to stop meanwhile: then it was killed, and is to be run again.
    """
    began = time.monotonic()
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | dict(more)
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                [os.fsencode(path), argument], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                cwd=os.path.dirname(path), env=environment, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            return Ended(None, 0.0, "", f"it could not be started: {error.strerror}")
        fault = _watch(process, output, began + timeout_seconds, stopping)
        seconds = round(time.monotonic() - began, 1)
        # Not waited for yet, its number is nobody else's.
        os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        if stopping.is_set() and fault == "":
            return None
        return _ended(code, seconds, _end_of(output), fault)


def _watch(process: subprocess.Popen[bytes], output: IO[bytes], until: float, stopping: threading.Event) -> str | None:
    """Wait for its end. None when it came by itself, else why it is not waited for: empty when the worker stops."""
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        if stopping.wait(LOOK_SECONDS):
            return ""
        if time.monotonic() > until:
            return "it took longer than hooks.timeout_seconds and was killed"
        if os.fstat(output.fileno()).st_size > MOST_OUTPUT_BYTES:
            return "it wrote more than 10 MB and was killed"
    return None


def _ended(code: int, seconds: float, output: str, fault: str | None) -> Ended:
    if fault is not None:
        return Ended(None, seconds, output, fault)
    if code < 0:
        return Ended(None, seconds, output, f"it was ended by signal {-code}")
    return Ended(code, seconds, output, f"it ended with exit code {code}" if code else None)


def _end_of(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - KEPT_OUTPUT_BYTES))
    return "\n".join(printable(line) for line in output.read().splitlines())


def _is_below(path: str, root: Root) -> bool:
    real = os.path.realpath(os.fsdecode(root.path))
    return os.path.commonpath([real, path]) == real
