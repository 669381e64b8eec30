"""The tree of a large archive, counted beside the answers: whoever asked looks again until it is there."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Mapping
from typing import Any

from app.db import totals
from app.overview.tree import STATUSES, archive_tree, settings_with
from app.services import Services

#: The tree of so many files is counted while the answer waits.
COUNTED_AT_ONCE = 20_000
#: How long a tree that was counted beside the answers is shown.
SHOWN_SECONDS = 60.0
#: How long it is told what went wrong with one; then it is tried again.
TOLD_SECONDS = 5.0
#: So many trees are remembered.
KEPT = 8


class _Counted:
    """One tree: being counted, or there until some moment."""

    def __init__(self) -> None:
        self.tree: dict[str, Any] | None = None
        self.error: Exception | None = None
        self.until = float("inf")


_trees: dict[Hashable, _Counted] = {}
_lock = threading.Lock()
#: One at a time: each takes a processor for itself.
_counting = threading.Lock()


def tree_if_there(services: Services, patterns: Mapping[str, str], depth: int) -> dict[str, Any] | None:
    """As `archive_tree`, of all files; of a large library None until it has been counted. Raises ConfigError."""
    settings_with(services.config, patterns)
    with services.db.reading() as conn:
        kept = totals.read(conn)
    if sum(kept[status][0] for status in STATUSES["all"]) <= COUNTED_AT_ONCE:
        return archive_tree(services, patterns=patterns, depth=depth)
    key = (services.db.path, services.revision, tuple(sorted(patterns.items())), depth)
    with _lock:
        found = _trees.get(key)
        if found is None or time.monotonic() >= found.until:
            found = _begin(services, patterns, depth, key)
    if found.error is not None:
        raise found.error
    return found.tree


def _begin(services: Services, patterns: Mapping[str, str], depth: int, key: Hashable) -> _Counted:
    while len(_trees) >= KEPT:
        _trees.pop(next(iter(_trees)))
    begun = _trees[key] = _Counted()
    threading.Thread(target=_count, args=(services, dict(patterns), depth, begun), daemon=True).start()
    return begun


def _count(services: Services, patterns: Mapping[str, str], depth: int, begun: _Counted) -> None:
    with _counting:
        try:
            begun.tree = archive_tree(services, patterns=patterns, depth=depth)
        except Exception as error:  # noqa: BLE001  raised again by tree_if_there, in the thread that has a door
            begun.error = error
        begun.until = time.monotonic() + (SHOWN_SECONDS if begun.error is None else TOLD_SECONDS)
