"""An asset whose file holds something else than before: one function for what is known of it, and for what is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, update

from app.db import capture_records, totals
from app.db.clock import now
from app.db.tables import assets, date_decisions
from app.model import Asset, Signature


@dataclass(frozen=True, slots=True)
class Digests:
    """What a file holds, as it was read."""

    digest: str
    algorithm: str
    sha256: str


def take_content(conn: Connection, asset: Asset, signature: Signature, read: Digests | None = None) -> None:
    """An asset holds something else from now on, in the same place and with the same status; totals follow its size.

    With what was `read` of it, it counts as verified. Without, its digests are forgotten, and it is inspected again.
    What the former content said of its date is dropped.
    """
    at = now()
    values = {
        "size_bytes": signature.size_bytes,
        "mtime_ns": signature.mtime_ns,
        "ctime_ns": signature.ctime_ns,
        "device": signature.device,
        "inode": signature.inode,
        "head_digest": None,
        "updated_at": at,
        **_known(read, at),
    }
    conn.execute(update(assets).where(assets.c.id == asset.id).values(**values))
    capture_records.drop(conn, [asset.id])
    # A decision about a file that was not read yet is about what it held until now.
    conn.execute(delete(date_decisions).where(date_decisions.c.asset_id == asset.id, date_decisions.c.sha256.is_(None)))
    totals.add(conn, {asset.status: (0, signature.size_bytes - asset.size_bytes)})


def _known(read: Digests | None, at: str) -> dict[str, Any]:
    if read is None:
        return {"digest": None, "sha256": None, "inspected_at": None, "verified_at": None}
    return {"digest": read.digest, "digest_algorithm": read.algorithm, "sha256": read.sha256, "verified_at": at}
