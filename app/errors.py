"""Every error this program raises on purpose.

    MediaPipelineError
    ├── ConfigError             the configuration has faults, all listed
    ├── Conflict                the request does not fit the present state
    │   ├── RunInProgress
    │   ├── OpenBatchExists
    │   ├── IllegalTransition
    │   └── RevisionChanged
    ├── NotFound
    ├── BadRequest              the request itself cannot be understood
    ├── FileError               one file could not be read, moved or removed
    │   ├── TargetExists
    │   ├── SourceChanged
    │   ├── CopyMismatch
    │   ├── OutsideRoot
    │   └── NoSpace
    ├── RootUnavailable         a root folder is not mounted, foreign or unreadable
    ├── StateError              the database is damaged, newer or locked
    │   └── DatabaseDamaged
    ├── MoverBusy               another process moves files
    └── SyncthingError
        ├── SyncthingUnreachable
        └── SyncthingRefused

Each class stores its parts, writes one plain sentence, and says by `retryable`
whether the same call may succeed later without anyone changing anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

ESCAPED = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
ESCAPE = re.compile(r"\\(?:([\\nrt])|x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")


def printable(path: bytes) -> str:
    """A path for people, each path in a form of its own; `from_printable` leads back.

    Undecodable bytes and characters that cannot be shown become escapes, and a backslash becomes two.
    """
    text = path.decode("utf-8", "surrogateescape")
    return text if _is_plain(text) else "".join(c if _is_plain(c) else _escaped(c) for c in text)


def from_printable(text: str) -> bytes | None:
    """The path that `printable` writes like this; None when it writes no path so."""
    try:
        path = ESCAPE.sub(_meant, text).encode("utf-8", "surrogateescape")
    except (ValueError, OverflowError):
        return None
    return path if printable(path) == text else None


def readings(given: str) -> list[bytes]:
    """The paths that a person may mean by a text: the one that is shown so, then the one that is spelled so."""
    spelled = given.encode("utf-8", "surrogateescape")
    shown = from_printable(given)
    return [spelled] if shown is None or shown == spelled else [shown, spelled]


def _is_plain(text: str) -> bool:
    return text.isprintable() and "\\" not in text


def _escaped(char: str) -> str:
    """`\\x` is always one byte, `\\u` and `\\U` are one character: so no two paths look alike."""
    code = ord(char)
    if char in ESCAPED:
        return ESCAPED[char]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _meant(found: re.Match[str]) -> str:
    short, byte, *code = found.groups()
    if short is not None:
        return next(char for char, escape in ESCAPED.items() if escape == f"\\{short}")
    if byte is not None:
        return bytes.fromhex(byte).decode("ascii", "surrogateescape")
    return chr(int(code[0] or code[1], 16))


class MediaPipelineError(Exception):
    """Base of all errors raised on purpose; `str()` is a sentence for the user."""

    retryable = False


@dataclass(frozen=True)
class Problem:
    """One fault in a configuration: where (`batch.max_size_gb`), what, and line and column in the file if known.

    `related` is another setting that the fault comes from; it says where to look when `path` is not in the file.
    """

    path: str
    message: str
    line: int | None = None
    column: int | None = None
    related: str = ""

    def sentence(self) -> str:
        """`batch.max_size_gb: must be a number`, or the message alone when it is about the whole file."""
        return f"{self.path}: {self.message}" if self.path else self.message

    def placed(self, file: str) -> str:
        """The sentence after the place in the file, as editors know it: `config.yaml:12:5 batch.max_size_gb: ...`."""
        return f"{file}:{self.line}:{self.column} {self.sentence()}" if self.line else self.sentence()


class ConfigError(MediaPipelineError):
    """The configuration is not usable; `problems` lists every fault found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(p.sentence() for p in problems))

    def placed(self, file: str) -> str:
        """Every fault after its place in the file."""
        return "; ".join(problem.placed(file) for problem in self.problems)


class Conflict(MediaPipelineError):
    """What was asked for does not fit the present state."""


class RunInProgress(Conflict):
    """A run is in flight already."""

    retryable = True

    def __init__(self, run_id: int, status: str) -> None:
        self.run_id, self.status = run_id, status
        super().__init__(f"Run {run_id} is {status}; wait for it to end or cancel it.")


class OpenBatchExists(Conflict):
    """A batch that has not ended blocks the next one."""

    def __init__(self, batch_id: int, name: str, status: str) -> None:
        self.batch_id, self.name, self.status = batch_id, name, status
        remedy = "undo it again, to the end" if status == "UNDOING" else "finish, retry or cancel it"
        super().__init__(f"Batch {name} (id {batch_id}) is still {status}; {remedy}, or set batch.allow_parallel.")


class IllegalTransition(Conflict):
    """A status change that the state table does not allow. `only` says what such a change is for instead."""

    def __init__(self, what: str, status: str, wanted: str, only: str = "") -> None:
        self.what, self.status, self.wanted = what, status, wanted
        super().__init__(f"{what} is {status}; {only}." if only else f"{what} is {status} and cannot become {wanted}.")


class RevisionChanged(Conflict):
    """The configuration was changed by someone else meanwhile."""

    def __init__(self, expected: str, found: str) -> None:
        self.expected, self.found = expected, found
        super().__init__("The configuration was changed meanwhile; reload it and apply your change again.")


class NotFound(MediaPipelineError):
    """There is no such thing."""

    def __init__(self, what: str, key: object) -> None:
        self.what, self.key = what, key
        super().__init__(f"There is no {what} {key}.")


class BadRequest(MediaPipelineError):
    """The request cannot be understood; the sentence says what to send instead."""


class FileError(MediaPipelineError):
    """Something with one file went wrong: `verb` it was being, `path`, `reason`."""

    def __init__(self, verb: str, path: bytes, reason: str, target: bytes | None = None) -> None:
        self.verb, self.path, self.target, self.reason = verb, path, target, reason
        to = f" to {printable(target)}" if target is not None else ""
        super().__init__(f"Could not {verb} {printable(path)}{to}: {reason}.")


class TargetExists(FileError):
    """The target name is taken by other content."""


class SourceChanged(FileError):
    """The file is not the one that was planned: it changed or was replaced."""

    retryable = True


class CopyMismatch(FileError):
    """The copy does not hold what the source holds."""

    retryable = True


class ContentDiffers(FileError):
    """Two files do not hold the same bytes, although they were taken for the same."""


class CannotShare(FileError):
    """The file system cannot let two files share their room."""


class OutsideRoot(FileError):
    """The path leaves its root."""


class NoSpace(FileError):
    """Not enough free room."""

    retryable = True


class RootUnavailable(MediaPipelineError):
    """A root folder is missing, unmounted or foreign; all work on media stops."""

    retryable = True

    def __init__(self, kind: str, path: bytes, reason: str) -> None:
        self.kind, self.path, self.reason = kind, path, reason
        super().__init__(f"The {kind} folder {printable(path)} cannot be used: {reason}.")


class StateError(MediaPipelineError):
    """The database cannot be used."""


class DatabaseDamaged(StateError):
    """What the database file holds cannot be trusted; restoring or rebuilding it is the way out."""


class MoverBusy(MediaPipelineError):
    """Another process holds the mover's lock."""

    retryable = True


class SyncthingError(MediaPipelineError):
    """Syncthing did not do what was asked."""


class SyncthingUnreachable(SyncthingError):
    """No usable answer came from Syncthing's address; what answered may have said when to ask again."""

    retryable = True

    def __init__(self, url: str, reason: str, retry_after_seconds: float = 0) -> None:
        self.url, self.reason, self.retry_after_seconds = url, reason, retry_after_seconds
        super().__init__(f"Syncthing does not answer at {url}: {reason}.")


class SyncthingRefused(SyncthingError):
    """Syncthing answered, but refused; `cause` is one of key, host_check, not_found, other."""

    def __init__(self, cause: str, status: int, message: str) -> None:
        self.cause, self.status = cause, status
        super().__init__(message)
