"""What people and programs can be told of: the events that a message or a webhook is about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Occasion:
    """One kind of news. `kinds` are those of the journal that make it, each with the levels that count (none: all);
    `title` says it of one, `titles` of several, with their number as {count}."""

    kinds: dict[str, tuple[str, ...]]
    title: str
    titles: str


GRAVE = ("warning", "error")

#: By the name of its setting under notify.events; docs/notifications.md lists them.
OCCASIONS: dict[str, Occasion] = {
    "run_failed": Occasion(
        {"run.failed": (), "batch.failed": (), "backup.failed": ()}, "Something failed", "{count} things failed"
    ),
    "batch_delivered": Occasion({"batch.synced": ()}, "A batch was delivered", "{count} batches were delivered"),
    "waiting_too_long": Occasion(
        {
            "delivery.missed": (),
            "batch.sync_delayed": GRAVE,
            "batch.release_delayed": GRAVE,
            "root.unavailable": (),
        },
        "Work waits for you",
        "Work waits for you: {count} things",
    ),
    "peer_unseen": Occasion({"peer.missed": ()}, "A peer was not seen", "Peers were not seen"),
    "room_low": Occasion({"room.ran_low": ()}, "Little room is left", "Little room is left"),
    "damage_found": Occasion(
        {
            "asset.found_altered": (),
            "asset.found_missing": (),
            "asset.found_unreadable": (),
            "asset.told_apart": (),
            "move.quarantined": (),
        },
        "A file is damaged or missing",
        "{count} files are damaged or missing",
    ),
    "update_finished": Occasion({"program.updated": ()}, "The update is finished", "Updates are finished"),
}

#: The occasion of what the test button sends.
TEST = "test"


def occasion_of(kind: str, level: str) -> str | None:
    """The name of the occasion that an event of the journal makes, None for one of which nobody is told."""
    for name, occasion in OCCASIONS.items():
        levels = occasion.kinds.get(kind)
        if levels is not None and (not levels or level in levels):
            return name
    return None
