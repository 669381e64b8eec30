"""Running a case under strace: recording its system calls, killing it before one, or making one fail."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.torture.case import Where

REPOSITORY = Path(__file__).parents[2]

#: Calls that only manage the memory and signals of the process itself: being killed before one of them is
#: being killed before the next one that counts, and their number differs from run to run.
OF_THE_PROCESS_ONLY = frozenset(
    {
        "mmap", "munmap", "brk", "mprotect", "madvise", "mremap", "futex", "rt_sigaction",
        "rt_sigprocmask", "rt_sigtimedwait", "rt_sigreturn", "restart_syscall", "getrandom",
        "sched_yield", "clock_nanosleep", "exit", "exit_group", "gettid", "getpid", "clock_gettime",
    }
)  # fmt: skip

CALL = re.compile(r"^(?:\d+\s+)?([a-z_0-9]+)\(")


@dataclass(frozen=True)
class Point:
    """One system call of a case: the `ordinal`-th call of `name` since its start."""

    name: str
    ordinal: int


@dataclass(frozen=True)
class Ended:
    """How a traced child ended: killed, by exit code, and what it said."""

    killed: bool
    code: int
    errors: str
    trace: str


class Warm:
    """The warmed parent as a process; one case at a time."""

    def __init__(self, package: Path = REPOSITORY) -> None:
        environment = {**os.environ, "PYTHONPATH": f"{package}{os.pathsep}{REPOSITORY}", "PYTHONHASHSEED": "0"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.warm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=package,
            env=environment,
        )

    def __enter__(self) -> Warm:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def run(self, action: str, where: Where, options: Sequence[str] | None = None, **arguments: object) -> Ended:
        """Run an action of case.py in a fresh child, under strace with these options unless they are None."""
        with tempfile.TemporaryDirectory() as folder:
            errors, trace = Path(folder, "errors"), Path(folder, "trace")
            pid = self._fork(action, where, errors, arguments)
            strace = None if options is None else _attach(pid, trace, options)
            os.kill(pid, signal.SIGUSR1)
            status = int(self._read()["status"])
            if strace is not None:
                strace.communicate(timeout=30)
            said = errors.read_text() if errors.exists() else ""
            text = trace.read_text(errors="replace") if trace.exists() else ""
        return Ended(os.WIFSIGNALED(status), os.waitstatus_to_exitcode(status), said, text)

    def _fork(self, action: str, where: Where, errors: Path, arguments: dict[str, object]) -> int:
        assert self._process.stdin is not None
        request = {
            "action": action,
            "base": str(where.base),
            "archive": str(where.archive),
            "errors": str(errors),
            "arguments": arguments,
        }
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._read()["pid"])

    def _read(self) -> dict[str, int]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the warmed parent has ended"
        answer: dict[str, int] = json.loads(line)
        return answer


def _attach(pid: int, trace: Path, options: Sequence[str]) -> subprocess.Popen[str]:
    strace = subprocess.Popen(
        ["strace", "-p", str(pid), "-o", str(trace), "-s", "0", *options], stderr=subprocess.PIPE, text=True
    )
    assert strace.stderr is not None
    while "attached" not in (line := strace.stderr.readline()):
        assert line, "strace could not attach"
    return strace


def points_of(trace: str) -> list[Point]:
    """Every system call of a recorded run that is not about the process itself, in order."""
    counted: Counter[str] = Counter()
    points = []
    for line in trace.splitlines():
        if (match := CALL.match(line)) is not None:
            counted[match[1]] += 1
            if match[1] not in OF_THE_PROCESS_ONLY:
                points.append(Point(match[1], counted[match[1]]))
    return points


def kill_before(point: Point) -> list[str]:
    """strace options that kill the child when it is about to make this call."""
    return ["-e", f"trace={point.name}", "-e", f"inject={point.name}:signal=KILL:when={point.ordinal}"]


def fail_at(point: Point, error: str, for_ever: bool) -> list[str]:
    """strace options that make this call, or it and all later ones of its kind, fail without being made."""
    when = f"{point.ordinal}+" if for_ever else str(point.ordinal)
    return ["-e", f"trace={point.name}", "-e", f"inject={point.name}:error={error}:when={when}"]
