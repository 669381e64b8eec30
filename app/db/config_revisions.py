"""The config_revisions table: which configuration was in force from when on, and who changed which keys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from app.db.clock import now
from app.db.rows import build, columns_for
from app.db.tables import config_revisions


@dataclass(frozen=True)
class ConfigRevision:
    """One change of the configuration: `digest` is the revision, `changed_keys` are dotted paths, never values."""

    id: int
    digest: str
    at: str
    actor: str
    changed_keys: tuple[str, ...]


CONVERTERS: dict[str, Any] = {"changed_keys": lambda text: tuple(json.loads(text))}


def add(conn: Connection, digest: str, actor: str, changed_keys: Sequence[str]) -> None:
    """Insert a revision."""
    values = {"digest": digest, "at": now(), "actor": actor, "changed_keys": json.dumps(list(changed_keys))}
    conn.execute(insert(config_revisions).values(**values))


def find_last(conn: Connection) -> ConfigRevision | None:
    """The newest revision, or None."""
    found = list_recent(conn, limit=1)
    return found[0] if found else None


def list_recent(conn: Connection, limit: int = 20) -> list[ConfigRevision]:
    """The newest revisions first."""
    columns = columns_for(config_revisions, ConfigRevision)
    query = select(*columns).order_by(config_revisions.c.id.desc()).limit(limit)
    return [build(ConfigRevision, row, CONVERTERS) for row in conn.execute(query)]
