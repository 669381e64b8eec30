"""A change of sync.peer_policy reaches every batch that is not being sorted yet, and says so in the journal."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.config.schema import Config
from app.db import announced, batches, journal
from app.db.clock import later
from app.model import Batch, BatchStatus
from app.model.peer_policy import FOLLOWING, follows_policy, peer_words


def list_affected(conn: Connection, peer_policy: str) -> list[Batch]:
    """The batches that another policy than their present one would change."""
    found = batches.list_by_status(conn, [*FOLLOWING, BatchStatus.ERROR])
    return [batch for batch in found if follows_policy(batch) and batch.peer_policy != peer_policy]


def follow(conn: Connection, config: Config) -> list[Batch]:
    """Give these batches the policy in force, with an event each; returns them as they were. Once done, does nothing.

    A grace time begins anew with the change; what was released, or proven, stays so.
    """
    affected = list_affected(conn, config.sync.peer_policy)
    for batch in affected:
        batches.set_columns(conn, batch.id, **_columns(batch, config))
        words = _words(conn, batch, config)
        journal.record(
            conn,
            "batch.policy_changed",
            f"Batch {batch.name}: sync.peer_policy is {config.sync.peer_policy} now, and was {batch.peer_policy} when "
            f"the batch was made. {words}",
            level="warning",
            batch_id=batch.id,
            detail={"from": batch.peer_policy, "to": config.sync.peer_policy},
        )
    return affected


def _words(conn: Connection, batch: Batch, config: Config) -> str:
    words = peer_words(batch.target, config.sync.peer_policy, grace_seconds=config.sync.grace_seconds)
    hidden = announced.find_hidden(conn, batch.id)
    if config.sync.peer_policy != "mirror" or hidden is None:
        return words
    return (
        f"{words} But Syncthing was told before to ignore this batch: the peer keeps its copies of it while the line "
        f"{hidden.line} is in the ignore list of the folder {hidden.folder_id}; remove it to have them deleted."
    )


def _columns(batch: Batch, config: Config) -> dict[str, Any]:
    columns: dict[str, Any] = {"peer_policy": config.sync.peer_policy}
    if batch.synced_at is not None:
        is_mirror, grace = config.sync.peer_policy == "mirror", config.sync.grace_seconds
        columns["next_look_at"] = later(grace) if is_mirror and grace else None
    return columns
