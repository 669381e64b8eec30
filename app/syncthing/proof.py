"""The proof that a file has arrived at a peer. All values in, values out: what is asked is in app/syncthing/look.py.

A percentage proves nothing: Syncthing says 100 before it has scanned, for ignored files, for empty files, for a
folder whose disk is gone, and for its own device. A file is proven when, after a scan of the batch's own sub-folder,
the index holds it with our size, its version is the newest one, and the peer is among those who hold that version
whole.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.syncthing.answers import FileView

#: Syncthing never sends names that begin so, and deletes such files when they are older than a day.
TEMPORARY_PREFIXES = (b".syncthing.", b"~syncthing~")


class Verdict(StrEnum):
    """What the index says of one file and one device. Only CONFIRMED means delivered."""

    CONFIRMED = "confirmed"
    WAITING = "waiting"
    DOWNLOADING = "downloading"
    NOT_TAKEN = "not_taken"
    CHANGED_THERE = "changed_there"
    UNKNOWN = "unknown"
    CHANGED_HERE = "changed_here"
    IGNORED = "ignored"
    UNREADABLE = "unreadable"
    NAME = "name"


REASONS = {
    Verdict.WAITING: "the peer does not have it yet",
    Verdict.DOWNLOADING: "the peer has a part of it and is still downloading the rest",
    Verdict.NOT_TAKEN: "the peer needs nothing more, but does not hold it: it ignores the file, or has changed or "
    "deleted its copy",
    Verdict.CHANGED_THERE: "it was changed or deleted at the peer",
    Verdict.UNKNOWN: "Syncthing does not know it: an ignore pattern hits it, or its path is not the same place",
    Verdict.CHANGED_HERE: "its size in Syncthing's index is not the one that was put into the batch",
    Verdict.IGNORED: "an ignore pattern in Syncthing hits it",
    Verdict.UNREADABLE: "Syncthing could not read it",
    Verdict.NAME: "Syncthing cannot carry its name",
}

#: What takes its course: nobody has to do anything.
UNDER_WAY = (Verdict.WAITING, Verdict.DOWNLOADING)
#: What is wrong on this side, and so at every device.
HERE = (Verdict.UNKNOWN, Verdict.CHANGED_HERE, Verdict.IGNORED, Verdict.UNREADABLE, Verdict.NAME)
#: Verdicts that another scan may change.
RESCAN = (Verdict.UNKNOWN, Verdict.CHANGED_HERE, Verdict.CHANGED_THERE, Verdict.UNREADABLE)


@dataclass(frozen=True)
class Expected:
    """One file that must arrive: its path relative to Syncthing's folder, in bytes, and its size."""

    asset_id: int
    path: bytes
    size_bytes: int


@dataclass(frozen=True)
class Judgement:
    """The verdict on one file at one device; `version` is the one that is announced now, and that the device was
    seen to hold when it is CONFIRMED. `made_by` begins the ID of the device that made this version."""

    expected: Expected
    verdict: Verdict
    version: str | None = None
    device_id: str = ""
    made_by: str = ""


def sendable_name(path: bytes) -> str | None:
    """The path as Syncthing spells it, or None when Syncthing would skip, rename or delete such a file."""
    try:
        text = path.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not unicodedata.is_normalized("NFC", text):
        return None
    is_suspect = any(prefix in path for prefix in TEMPORARY_PREFIXES)
    if is_suspect and any(part.startswith(TEMPORARY_PREFIXES) for part in path.split(b"/")):
        return None
    return text


def judge(expected: Expected, view: FileView | None, device_id: str, *, is_lacking: bool = True) -> Judgement:
    """What the index's view of a file says about its delivery to a device.

    `is_lacking` is whether the device is said to lack the file: if not, and it does not hold it, it does not want it.
    """
    if view is None:
        return Judgement(expected, Verdict.UNKNOWN, device_id=device_id)
    verdict = _local_fault(expected, view) or _verdict_there(view, device_id, is_lacking)
    version = ",".join(view.version) if verdict not in HERE else None
    return Judgement(expected, verdict, version, device_id, view.modified_by)


def _verdict_there(view: FileView, device_id: str, is_lacking: bool) -> Verdict:
    if view.version != view.global_version or view.global_deleted:
        return Verdict.CHANGED_THERE
    if device_id in view.holders:
        return Verdict.CONFIRMED
    if device_id in view.partial_holders:
        return Verdict.DOWNLOADING
    return Verdict.WAITING if is_lacking else Verdict.NOT_TAKEN


def _local_fault(expected: Expected, view: FileView) -> Verdict | None:
    if view.ignored:
        return Verdict.IGNORED
    if view.invalid:
        return Verdict.UNREADABLE
    if view.deleted:
        return Verdict.UNKNOWN
    if not view.version:
        return Verdict.UNKNOWN
    return None if view.size_bytes == expected.size_bytes else Verdict.CHANGED_HERE


def released(view: FileView | None, device_id: str, our_id: str = "") -> bool:
    """Whether the peer itself deleted its copy of a file that we had announced.

    Our own move out of the folder marks the file deleted as well, so it must be the peer's deletion, and of a
    version that came from here: with `our_id`, one that counts a change of ours.
    """
    if view is None or not view.global_deleted or not view.version:
        return False
    ours = _counters(view.version) | ({our_id[:7]} if our_id else set())
    return view.global_modified_by == device_id[:7] and ours <= _counters(view.global_version)


def changed_there(view: FileView | None, device_id: str) -> bool:
    """Whether the newest version of a file is one that the peer made, and no deletion."""
    return view is not None and not view.global_deleted and view.global_modified_by == device_id[:7]


def _counters(version: Sequence[str]) -> set[str]:
    return {counter.partition(":")[0] for counter in version}


def misplaced(judgements: Sequence[Judgement]) -> bool:
    """Whether Syncthing knows none of several files: then it looks at another place, or ignores the batch."""
    return bool(judgements) and all(j.verdict in (Verdict.UNKNOWN, Verdict.IGNORED) for j in judgements)


def prefix_in_folder(folder_path: bytes, batch_dir: bytes) -> bytes:
    """Where batch_dir lies inside Syncthing's folder, both resolved: b"" or b"upload/".

    Containers may see the same place under different paths; then the two are taken to be the same place, and a file
    that Syncthing does not know after its scan tells otherwise.
    """
    outer = folder_path.rstrip(b"/") + b"/"
    inner = batch_dir.rstrip(b"/") + b"/"
    return inner[len(outer) :] if inner.startswith(outer) else b""


def worth_telling(before: int, after: int, total: int, seconds_since: float) -> bool:
    """Whether progress deserves a journal event: another tenth is done, or ten minutes have passed."""
    if after <= before or total <= 0:
        return False
    return after * 10 // total > before * 10 // total or seconds_since >= 600


def needs_rescan(verdicts: Collection[Verdict]) -> bool:
    """Whether some verdict may be due to an index that has not seen the files yet."""
    return any(verdict in RESCAN for verdict in verdicts)
