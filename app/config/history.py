"""The kept revisions as they may be shown: when, who, what changed, which one is in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.config.changes import Change, changes_between, changes_json, problems_json
from app.config.files import Revision
from app.config.schema import Config
from app.config.store import ConfigStore
from app.errors import ConfigError, NotFound


def history(store: ConfigStore) -> list[dict[str, Any]]:
    """Every kept revision, newest first, with what it changed against the one before it.

    `changes` is null where that cannot be told: for the oldest one, and where one of the two has faults.
    """
    kept = store.history()
    configs = [_config(store, revision) for revision in kept]
    in_force = _place_in_force(store, kept)
    return [
        {**_facts(revision), "in_force": place == in_force, "changes": _changes(configs[place + 1 : place + 2], config)}
        for place, (revision, config) in enumerate(zip(kept, configs, strict=True))
    ]


def revision_details(store: ConfigStore, revision: str) -> dict[str, Any]:
    """One kept revision: its text, masked, and what going back to it would change now. Raises NotFound."""
    kept = store.find_revision(revision)
    verdict = store.check_revision(revision)
    return {
        **_facts(kept),
        "in_force": kept.revision == store.current().revision,
        "text": store.revision_text(revision),
        "changes": changes_json(verdict.changes),
        "errors": problems_json(verdict.problems),
    }


def changes_since(store: ConfigStore, revision: str) -> list[Change] | None:
    """What differs in force now from a kept revision; None where that cannot be told: not kept, or with faults."""
    try:
        return changes_between(store.load_revision(revision).config, store.current().config)
    except (NotFound, ConfigError):
        return None


def changes_by(store: ConfigStore, revision: str) -> list[Change] | None:
    """What a kept revision changed against the one before it; None where that cannot be told."""
    kept = store.history()
    place = next((place for place, one in enumerate(kept) if one.revision == revision), len(kept))
    configs = [_config(store, one) for one in kept[place : place + 2]]
    if len(configs) < 2 or configs[0] is None or configs[1] is None:
        return None
    return changes_between(configs[1], configs[0])


def _facts(revision: Revision) -> dict[str, Any]:
    return {"revision": revision.revision, "at": revision.at, "actor": revision.actor}


def _config(store: ConfigStore, revision: Revision) -> Config | None:
    try:
        return store.load_kept(revision).config
    except ConfigError:
        return None


def _changes(before: Sequence[Config | None], config: Config | None) -> list[dict[str, Any]] | None:
    if not before or before[0] is None or config is None:
        return None
    return changes_json(changes_between(before[0], config))


def _place_in_force(store: ConfigStore, kept: Sequence[Revision]) -> int | None:
    """The newest revision with the text in force; the same text may have been saved more than once."""
    revision = store.current().revision
    return next((place for place, one in enumerate(kept) if one.revision == revision), None)
