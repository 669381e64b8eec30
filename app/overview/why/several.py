"""What is said when a name may mean several files: that it does, and which the others are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from app.db import roots
from app.overview.summaries import absolute
from app.overview.why.find import TWINS, Match


def say_several(given: str, story: dict[str, Any], count: int) -> str:
    """The sentence before the story of the likeliest one."""
    many = f"{count:,} files or more" if count >= TWINS else f"{count:,} files"
    shown = "".join(c if c.isprintable() else "?" for c in given)
    return (
        f"{many} may be meant by {shown}. Told is the likeliest, file {story['id']}: {story['place']}. "
        "The others are named after it."
    )


def say_others(conn: Connection, others: Sequence[Match]) -> Iterator[str]:
    """A sentence about each of the others: its id, where it is, how it stands."""
    known = {root.id: root for root in roots.list_all(conn)}
    for match in others:
        asset = match.asset
        once = ", which was called or placed so once" if match.is_past else ""
        place = absolute(known, asset.root_id, asset.path)
        yield f"Also meant may be file {asset.id}{once}: {place} ({asset.status.value.replace('_', ' ')})."
