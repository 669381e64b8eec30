"""What a search for assets may ask: the terms, and each as a condition on columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, or_, select, text

from app.db.cameras import taken_with
from app.db.names import after_prefix, name_key
from app.db.paging import Condition, Key
from app.db.tables import roots
from app.errors import BadRequest
from app.model import AssetStatus, RootKind

#: The orders of a list, each with the columns of its key.
SORTS: dict[str, tuple[str, ...]] = {
    "id": ("id",),
    "name": ("name", "id"),
    "path": ("root_id", "path"),
    "origin": ("origin_root_id", "origin_path", "id"),
    "taken": ("taken_local", "id"),
}
#: Spelled out, not bound: only so are the partial indexes taken.
NOT_GONE = text("status != 'gone'")
HAS_DATE = text("taken_local IS NOT NULL")


@dataclass(frozen=True)
class AssetSearch:
    """Which assets, in which order. Texts are beginnings, but for the camera; empty and None mean no condition.

    `status` is one, `statuses` are several of which each will do.
    """

    name: str = ""
    prefix: bytes = b""
    origin: bytes = b""
    digest: str = ""
    status: AssetStatus | None = None
    statuses: tuple[AssetStatus, ...] = ()
    camera: str = ""
    batch_id: int | None = None
    group_id: int | None = None
    original_id: int | None = None
    root: RootKind | None = None
    taken_from: str = ""
    taken_since: str = ""
    taken_until: str = ""
    sort: str = "id"
    descending: bool = False
    limit: int = 100
    after: Key | None = None


def refuse_contradictions(wanted: AssetSearch) -> None:
    """Raise BadRequest, with what to ask instead, for a search that could only find nothing."""
    if wanted.sort not in SORTS:
        raise BadRequest(f"There is no order {wanted.sort}; there are {', '.join(SORTS)}.")
    if wanted.status is AssetStatus.GONE and (wanted.sort == "path" or wanted.root is not None):
        raise BadRequest(
            "Files that are gone have no place: search them by name or origin, in another order than path."
        )


def conditions(conn: Connection, wanted: AssetSearch) -> dict[str, Condition]:
    """The conditions by name."""
    found: dict[str, Condition] = {}
    for column in ("batch_id", "group_id", "original_id", "status", "taken_from"):
        value = getattr(wanted, column)
        if value is not None and value != "":
            found[column] = equals(column, value)
    if wanted.name:
        found["name"] = begins("name", name_key(wanted.name.encode("utf-8", "surrogateescape")))
    if wanted.statuses:
        among = [status.value for status in wanted.statuses]
        found["statuses"] = lambda c: c.status.in_(among)
    if wanted.camera:
        found["camera"] = taken_with(conn, wanted.camera)
    if wanted.digest:
        found["digest"] = _digest_begins(wanted.digest.lower())
    if wanted.taken_since or wanted.taken_until:
        found["taken"] = _taken(wanted.taken_since, wanted.taken_until)
    if wanted.root is not None:
        found["root"] = _under(
            [root_id for root_id, kind in root_ids_and_kinds(conn) if kind == wanted.root.value], b"", wanted
        )
    if wanted.prefix:
        found["prefix"] = _under([root_id for root_id, _ in root_ids_and_kinds(conn)], wanted.prefix, wanted)
    if wanted.origin:
        found["origin"] = _came_from([root_id for root_id, _ in root_ids_and_kinds(conn)], wanted.origin)
    return found


def root_ids_and_kinds(conn: Connection) -> list[tuple[int, str]]:
    """(id, kind) of every root ever known, in id order."""
    return [(row[0], row[1]) for row in conn.execute(select(roots.c.id, roots.c.kind).order_by(roots.c.id))]


def equals(column: str, value: Any) -> Condition:
    """The column has this value."""
    return lambda c: c[column] == value


@dataclass(frozen=True)
class Range:
    """A range of one column: where it begins, and where it ends if it does."""

    low: Condition
    high: Condition | None

    def __call__(self, c: Any) -> Any:
        """Both together, as one condition."""
        return and_(self.low(c), self.high(c)) if self.high is not None else self.low(c)


def begins(column: str, prefix: bytes) -> Range:
    """The column begins with these bytes."""
    end = after_prefix(prefix)
    return Range(lambda c: c[column] >= prefix, (lambda c: c[column] < end) if end is not None else None)


def _text_begins(column: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    return and_(column >= prefix, column < prefix + "\x7f")


def _digest_begins(prefix: str) -> Condition:
    return lambda c: or_(_text_begins(c.digest, prefix), _text_begins(c.sha256, prefix))


def _taken(since: str, until: str) -> Range:
    # a day means the whole of it: its times come after the bare day
    high = (lambda c: c.taken_local < until + "\x7f") if until else None
    return Range((lambda c: c.taken_local >= since) if since else (lambda c: c.taken_local > ""), high)


def _under(root_ids: list[int], prefix: bytes, wanted: AssetSearch) -> Condition:
    """Where a file is now; a file that is gone was there last, and counts only when gone files are asked for."""
    on_path = begins("path", prefix) if prefix else None
    if not root_ids:
        # Said plainly: with statistics, SQLite would try every row against an empty list.
        return lambda _: false()

    def condition(c: Any) -> ColumnElement[bool]:
        parts: list[Any] = [c.root_id.in_(root_ids)]
        if wanted.status is not AssetStatus.GONE:
            parts.append(NOT_GONE)
        return and_(*parts, on_path(c)) if on_path else and_(*parts)

    return condition


def _came_from(root_ids: list[int], prefix: bytes) -> Condition:
    on_path = begins("origin_path", prefix)
    return lambda c: and_(c.origin_root_id.in_(root_ids), on_path(c))
