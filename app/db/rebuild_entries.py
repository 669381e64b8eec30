"""The rebuild_entries table: what the manifests say, one row per file of the newest manifest of each batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from app.db.tables import rebuild_entries


class NewEntry(NamedTuple):
    """One line of a manifest, in the order of INSERT."""

    batch_id: int
    asset_id: int
    path: bytes
    size_bytes: int
    sha256: str
    digest: str
    digest_algorithm: str
    origin: bytes
    group_key: int | None
    taken_at: str | None
    taken_local: str | None
    taken_from: str | None


class Entry(NamedTuple):
    """One line of a manifest, as it was written into the table."""

    id: int
    batch_id: int
    asset_id: int
    path: bytes
    size_bytes: int
    sha256: str
    digest: str
    digest_algorithm: str
    origin: bytes
    group_key: int | None
    taken_at: str | None
    taken_local: str | None
    taken_from: str | None


class Shot(NamedTuple):
    """What a line says of a group and of the date of its file."""

    origin: bytes
    batch_id: int
    group_key: int
    taken_local: str | None
    taken_from: str | None


NAMES = ", ".join(NewEntry._fields)
MARKS = ", ".join("?" * len(NewEntry._fields))
COLUMNS = [rebuild_entries.c[name] for name in Entry._fields]


def forget_all(conn: Connection) -> None:
    """The manifests are read anew."""
    conn.execute(rebuild_entries.delete())


def add(conn: Connection, entries: Iterable[NewEntry]) -> None:
    """Write lines of a manifest."""
    rows = [tuple(entry) for entry in entries]
    if rows:
        conn.exec_driver_sql(f"INSERT INTO rebuild_entries ({NAMES}) VALUES ({MARKS})", rows)


def list_of_batch(conn: Connection, batch_id: int) -> list[Entry]:
    """The lines of one batch."""
    query = select(*COLUMNS).where(rebuild_entries.c.batch_id == batch_id).order_by(rebuild_entries.c.id)
    return [Entry(*row) for row in conn.execute(query).all()]


def list_of(conn: Connection, contents: Sequence[str]) -> dict[str, list[Entry]]:
    """The lines that name each of these contents, those of the oldest batch first."""
    c = rebuild_entries.c
    query = select(*COLUMNS).where(c.sha256.in_(contents)).order_by(c.batch_id, c.id)
    found: dict[str, list[Entry]] = {sha256: [] for sha256 in contents}
    for row in conn.execute(query).all():
        entry = Entry(*row)
        found[entry.sha256].append(entry)
    return found


def list_reused_origins(conn: Connection) -> list[tuple[bytes, int, int]]:
    """(origin, batch id, group) of the lines whose origin another line has with another content, the oldest batch
    first; those without a group are left out."""
    c = rebuild_entries.c
    reused = select(c.origin).group_by(c.origin).having(func.count(c.sha256.distinct()) > 1)
    query = select(c.origin, c.batch_id, c.group_key).where(c.origin.in_(reused), c.group_key.is_not(None))
    return [(row[0], row[1], row[2]) for row in conn.execute(query.order_by(c.batch_id, c.id))]


def list_shots(conn: Connection) -> Iterator[Shot]:
    """What the lines with a group say, by where their files came from."""
    c = rebuild_entries.c
    query = select(*(c[name] for name in Shot._fields)).where(c.group_key.is_not(None))
    for row in conn.execute(query.order_by(c.origin, c.batch_id, c.id).execution_options(yield_per=5_000)):
        yield Shot(*row)


def list_shots_of_several_batches(conn: Connection) -> Iterator[Shot]:
    """The same of groups that have lines in several batches, group by group."""
    c = rebuild_entries.c
    several = select(c.group_key).group_by(c.group_key).having(func.count(c.batch_id.distinct()) > 1)
    query = select(*(c[name] for name in Shot._fields)).where(c.group_key.in_(several))
    for row in conn.execute(query.order_by(c.group_key, c.batch_id, c.id).execution_options(yield_per=5_000)):
        yield Shot(*row)


def highest_asset_id(conn: Connection) -> int:
    """The highest asset id that a manifest names, 0 when there is none."""
    return int(conn.execute(select(func.coalesce(func.max(rebuild_entries.c.asset_id), 0))).scalar_one())


def sizes(conn: Connection) -> set[int]:
    """Every size that a manifest names."""
    return set(conn.execute(select(rebuild_entries.c.size_bytes).distinct()).scalars())


def write_lost(conn: Connection, lost: Sequence[tuple[int, int | None, str]]) -> None:
    """Write (entry id, asset id, words) for lines whose file was found nowhere."""
    if lost:
        conn.exec_driver_sql(
            "UPDATE rebuild_entries SET found_asset_id = ?, note = ? WHERE id = ?",
            [(asset_id, words, i) for i, asset_id, words in lost],
        )


def list_lost(
    conn: Connection, after_id: int = 0, limit: int = 100
) -> list[tuple[int, int, int | None, bytes, bytes, int, str]]:
    """(id, batch id, asset id, path in the batch, origin, bytes, words) of lines without a file, in id order."""
    c = rebuild_entries.c
    columns = (c.id, c.batch_id, c.found_asset_id, c.path, c.origin, c.size_bytes, c.note)
    query = select(*columns).where(c.note.is_not(None), c.id > after_id).order_by(c.id).limit(limit)
    return [(row[0], row[1], row[2], row[3], row[4], row[5], row[6]) for row in conn.execute(query).all()]


def count(conn: Connection) -> tuple[int, int]:
    """(all lines, lines without a file)."""
    c = rebuild_entries.c
    both = conn.execute(select(func.count(), func.count(c.note)).select_from(rebuild_entries)).one()
    return int(both[0]), int(both[1])


def forget_found(conn: Connection) -> None:
    """Keep only the lines without a file."""
    conn.execute(rebuild_entries.delete().where(rebuild_entries.c.note.is_(None)))


def batch_ids(conn: Connection) -> Iterator[int]:
    """The batches that have lines, in order."""
    yield from conn.execute(
        select(rebuild_entries.c.batch_id).distinct().order_by(rebuild_entries.c.batch_id)
    ).scalars().all()
