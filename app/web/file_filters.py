"""What the page Files is asked: the filter as it stands in its address, and the search that follows from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from app.db.search import AssetSearch
from app.model import AssetStatus
from app.overview.balance import LINES
from app.web.models import MAX_ID

LONGEST = 1_000
#: A day, or the beginning of one.
DAY = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
#: The orders that can be chosen: (words, order of the search, descending).
ORDERS: dict[str, tuple[str, str, bool]] = {
    "newest": ("newest arrival first", "id", True),
    "oldest": ("oldest arrival first", "id", False),
    "latest": ("newest photo first", "taken", True),
    "earliest": ("oldest photo first", "taken", False),
    "name": ("by name", "name", False),
    "folder": ("by folder", "path", False),
}
VIEWS = ("list", "grid")
PAGE = 60

#: A line of the balance sheet stands for its statuses.
BY_LINE = {key: statuses for key, _, statuses in LINES}


@dataclass(frozen=True)
class FileFilter:
    """Which files, in which order, as a list or as pictures. Empty: no condition."""

    name: str = ""
    status: tuple[AssetStatus, ...] = ()
    since: str = ""
    until: str = ""
    batch: int | None = None
    camera: str = ""
    folder: str = ""
    came_from: str = ""
    group: int | None = None
    original: int | None = None
    sort: str = ""
    view: str = "list"

    def query(self, **changes: Any) -> str:
        """As the end of an address, with other values; what is empty is left out."""
        values = {**{one.name: getattr(self, one.name) for one in fields(self)}, **changes}
        if values["view"] == VIEWS[0]:
            values["view"] = ""
        return urlencode([pair for name, value in values.items() for pair in _pairs(name, value)])

    @property
    def is_narrow(self) -> bool:
        """Whether anything is asked for."""
        return FileFilter(sort=self.sort, view=self.view) != self

    @property
    def only(self) -> frozenset[str]:
        """The names of the conditions."""
        told = {one.name for one in fields(self) if getattr(self, one.name) not in ("", None, ())}
        return frozenset(told - {"sort", "view"})

    @property
    def is_detailed(self) -> bool:
        """Whether more is asked for than a name and days."""
        return bool(self.only - {"name", "since", "until"} or self.sort)

    @property
    def order(self) -> str:
        """The chosen order, or the one that goes with the filter and so finds most at once."""
        if self.sort:
            return self.sort
        if self.name:
            return "name"
        if self.since or self.until:
            return "latest"
        return "folder" if self.folder and AssetStatus.GONE not in self.status else "newest"

    @property
    def search(self) -> AssetSearch:
        """For the rows."""
        _, sort, descending = ORDERS[self.order]
        every = len(self.status) == len(AssetStatus)
        return AssetSearch(
            name=self.name,
            statuses=() if every else self.status,
            taken_since=self.since,
            taken_until=self.until,
            batch_id=self.batch,
            camera=self.camera,
            prefix=_folder(self.folder),
            origin=_folder(self.came_from),
            group_id=self.group,
            original_id=self.original,
            sort=sort,
            descending=descending,
            limit=PAGE,
        )


def read_filter(sent: MultiDict[str, str]) -> FileFilter:
    """The filter in an address; what is none is passed over."""
    sort, view = sent.get("sort", ""), sent.get("view", "")
    return FileFilter(
        name=_text(sent, "name"),
        status=_statuses(sent.getlist("status")),
        since=_day(sent, "since"),
        until=_day(sent, "until"),
        batch=_id(sent, "batch"),
        camera=_text(sent, "camera"),
        folder=_text(sent, "folder").strip("/"),
        came_from=_text(sent, "came_from").strip("/"),
        group=_id(sent, "group"),
        original=_id(sent, "original"),
        sort=sort if sort in ORDERS else "",
        view=view if view in VIEWS else VIEWS[0],
    )


def _pairs(name: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, tuple):
        return [(name, one.value) for one in value]
    return [(name, value)] if value not in ("", None) else []


def _folder(text: str) -> bytes:
    return f"{text}/".encode("utf-8", "surrogateescape") if text else b""


def _statuses(given: list[str]) -> tuple[AssetStatus, ...]:
    """In their own order; a line of the balance sheet means its statuses."""
    asked = {word for value in given[:50] for word in value.replace(",", " ").split()}
    told = {status for word in asked for status in BY_LINE.get(word, ())}
    return tuple(status for status in AssetStatus if status.value in asked or status in told)


def _text(sent: MultiDict[str, str], name: str) -> str:
    """A text that a database takes: printable or not, but no half of a character and no NUL."""
    value = sent.get(name, "").replace("\0", "").strip()[:LONGEST]
    return value.encode("utf-8", "replace").decode()


def _day(sent: MultiDict[str, str], name: str) -> str:
    value = sent.get(name, "").strip()
    return value if DAY.fullmatch(value) else ""


def _id(sent: MultiDict[str, str], name: str) -> int | None:
    value = sent.get(name, "").strip()
    is_id = value.isascii() and value.isdecimal() and len(value) < 20 and 0 < int(value) <= MAX_ID
    return int(value) if is_id else None
