"""The tree of a large archive, counted beside the answers: whoever asked looks again until it is there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from app.db import totals
from app.overview.behind import MadeBehind
from app.overview.tree import STATUSES, archive_tree, settings_with
from app.services import Services

#: The tree of so many files is counted while the answer waits.
COUNTED_AT_ONCE = 20_000

#: A tree that was counted beside the answers is shown for a minute.
_trees: MadeBehind[dict[str, Any]] = MadeBehind(60.0)


def tree_if_there(services: Services, patterns: Mapping[str, str], depth: int) -> dict[str, Any] | None:
    """As `archive_tree`, of all files; of a large library None until it has been counted. Raises ConfigError."""
    settings_with(services.config, patterns)
    count = partial(archive_tree, services, patterns=dict(patterns), depth=depth)
    with services.db.reading() as conn:
        kept = totals.read(conn)
    if sum(kept[status][0] for status in STATUSES["all"]) <= COUNTED_AT_ONCE:
        return count()
    key = (services.db.path, services.revision, tuple(sorted(patterns.items())), depth)
    return _trees.get(key, count)
