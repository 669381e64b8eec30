"""What happens to the peer's copies, in words: the one source of these sentences for every door.

`keep`: they stay. `mirror`: they go when ours leave the batch folder. `release`: the peer deletes them itself, and ours
are archived then.
"""

from __future__ import annotations

from app.model.counting import counted, size_in_words
from app.model.statuses import BatchStatus
from app.model.values import Batch

POLICIES = ("keep", "mirror", "release")

#: Before these have passed, a batch follows sync.peer_policy when that is changed.
FOLLOWING = (BatchStatus.PENDING, BatchStatus.SYNCING, BatchStatus.SYNCED)

UNITS = ((86_400, "day", "days"), (3_600, "hour", "hours"), (60, "minute", "minutes"), (1, "second", "seconds"))


def peer_words(target: str, peer_policy: str, *, grace_seconds: float = 0, room_bytes: int = 0) -> str:
    """What happens at the other side, beforehand."""
    if target == "none":
        return "Nothing is delivered; the files go straight to the archive."
    if target == "folder":
        return "A verified copy of every file goes to the delivery folder and stays there."
    wait = f", {duration_in_words(grace_seconds)} after they are delivered" if grace_seconds else ""
    words = {
        "keep": "The peer receives every file and keeps its copies when the files go to the archive.",
        "mirror": f"The peer receives every file; its copies are deleted when the files go to the archive{wait}.",
        "release": "The peer receives every file; the files go to the archive once the peer has removed its copies.",
    }.get(peer_policy, f"The peer receives every file ({peer_policy}).")
    return words + _room_words(peer_policy, room_bytes)


def _room_words(peer_policy: str, room_bytes: int) -> str:
    if not room_bytes:
        return ""
    room = size_in_words(room_bytes)
    if peer_policy == "keep":
        return f" At most {room} are on their way to it at a time; how much it keeps is for its owner to bound."
    return f" At most {room} lie there at a time."


def duration_in_words(seconds: float) -> str:
    """`90 seconds`, `1 hour 30 minutes`: the two largest units, rounded down."""
    left, words = int(seconds), []
    for size, one, many in UNITS:
        number, left = divmod(left, size)
        if number:
            words.append(counted(number, one, many))
    return " ".join(words[:2]) or "0 seconds"


def follows_policy(batch: Batch) -> bool:
    """Whether a change of sync.peer_policy changes what happens to this batch: its files are not being sorted yet."""
    before = BatchStatus(batch.error_from) if batch.error_from else batch.status
    is_open = batch.status in FOLLOWING or batch.status is BatchStatus.ERROR
    return batch.target == "syncthing" and is_open and before in FOLLOWING


def removal_at(batch: Batch) -> str | None:
    """When the peer's copies of a delivered batch go, at the earliest, under `mirror`; None when they do not."""
    is_delivered = batch.status is BatchStatus.SYNCED and batch.target == "syncthing"
    return batch.next_look_at or batch.synced_at if is_delivered and batch.peer_policy == "mirror" else None
