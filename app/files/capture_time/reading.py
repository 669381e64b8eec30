"""The parent's side: files go to limited reader processes, their claims come back. No parser is imported here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from app.errors import SourceChanged
from app.files.capture_time.choose import SOURCES, CaptureTime, Claim, choose
from app.files.digest import Wanted
from app.files.readers import Answer, Job, Readers
from app.model import Place

#: Longer than any sound file takes; after that its reader is killed and the file counts as unreadable.
TIMEOUT_SECONDS = 10.0
#: Longer than what any camera writes; the rest of a longer text is not kept.
CLAIMS, CLAIM_LETTERS, ZONE_LETTERS, NAME_LETTERS = 40, 100, 10, 64


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file said. `moved_on`: it is no longer the file that was asked about. `note`: why it says little, or
    why the system does not let it be read when it `is_unreadable`.

    `content_identifier` is what the halves of a Live Photo share; a `motion_photo` has its film inside. Texts are
    printable, and no longer than their limits.
    """

    key: int
    claims: tuple[Claim, ...] = ()
    content_identifier: str | None = None
    camera_make: str | None = None
    camera_model: str | None = None
    motion_photo: bool = False
    note: str = ""
    moved_on: bool = False
    is_unreadable: bool = False


class CaptureReaders:
    """Limited reader processes, used as a context manager by one thread; started once, asked as often as needed."""

    def __init__(self, processes: int = 2, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._readers = Readers("app.files.capture_time.reader", processes, timeout_seconds)

    def __enter__(self) -> CaptureReaders:
        return self

    def __exit__(self, *details: object) -> None:
        self._readers.__exit__(*details)

    def read(self, wanted: Iterable[Wanted]) -> Iterator[Reading | None]:
        """What every file says of its date, as it comes; None now and then while nothing comes.

        Damage, bombs and endless files end in a `note`, never in an exception; only the reader of that file dies.
        """
        for answer in self._readers.read(_job(want) for want in wanted):
            yield None if answer is None else _reading(answer)


def read_capture_time(place: Place, mtime_ns: int, zone: tzinfo) -> CaptureTime:
    """The capture time of one file, read here and now. Raises SourceChanged when there is no such file."""
    # Not above: the reader processes import this too, and start twice as fast without the database behind it.
    from app.files.walk import signature_at

    signature = signature_at(place.root, place.path)
    if signature is None:
        raise SourceChanged("read", place.absolute, "it is no longer there")
    with CaptureReaders(1) as readers:
        reading = next(r for r in readers.read([Wanted(0, place, signature)]) if r is not None)
    name = place.path.rpartition(b"/")[2]
    return choose(reading.claims, name, mtime_ns, zone, datetime.now(UTC), reading.note)


def _job(want: Wanted) -> Job:
    s = want.signature
    root, path = want.place.root.path.decode("latin-1"), want.place.path.decode("latin-1")
    return Job(want.key, [root, path, [s.device, s.inode, s.size_bytes, s.mtime_ns, s.ctime_ns]])


def _reading(answer: Answer) -> Reading:
    if answer.fault is not None:
        return Reading(answer.key, note=answer.fault)
    match answer.value:
        case {"moved_on": True}:
            return Reading(answer.key, moved_on=True)
        case {"claims": list(claims), "note": str(note)} as said:
            known = tuple(claim for claim in map(_claim, claims[:CLAIMS]) if claim is not None)
            return Reading(
                answer.key,
                known,
                content_identifier=_name(said.get("content_identifier")),
                camera_make=_name(said.get("make")),
                camera_model=_name(said.get("model")),
                motion_photo=said.get("motion_photo") is True,
                note=note,
                is_unreadable=said.get("is_unreadable") is True,
            )
        case _:
            return Reading(answer.key, note="the program that reads it gave no answer")


def _claim(value: Any) -> Claim | None:
    match value:
        case [str(source), str(text), str(zone)] if source in SOURCES:
            return Claim(source, _storable(text[:CLAIM_LETTERS]), _storable(zone[:ZONE_LETTERS]))
        case _:
            return None


def _name(value: Any) -> str | None:
    """A text from a file as one line that can be shown and stored, or None when nothing is left of it."""
    shown = "".join(c if c.isprintable() else " " for c in value) if isinstance(value, str) else ""
    return " ".join(shown.split())[:NAME_LETTERS].strip() or None


def _storable(text: str) -> str:
    """Without halves of characters, which no database takes."""
    return text.encode(errors="replace").decode()
