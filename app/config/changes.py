"""What differs between two configurations, fit to be shown: secrets only ever as the mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from app.config.parse import masked
from app.config.schema import Config
from app.config.settings import all_settings, get_path
from app.errors import Problem


@dataclass(frozen=True)
class Change:
    """One setting that differs; the values are JSON-ready and masked."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Verdict:
    """What saving would do: the faults that would refuse it, else the warnings it would give and what would change.

    `refusal` says why a save that has no faults would still be refused just now. `config` is what would be in force.
    """

    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    changes: Sequence[Change] = field(default=())
    refusal: str | None = None
    config: Config | None = field(default=None, repr=False, compare=False)

    @property
    def is_valid(self) -> bool:
        """Whether there are no faults."""
        return not self.problems


def changed_keys(before: Config, after: Config) -> list[str]:
    """The dotted paths of the settings that differ, in the order of the schema."""
    old, new = before.model_dump(), after.model_dump()
    return [path for path in all_settings() if get_path(old, path) != get_path(new, path)]


def changes_between(before: Config | None, after: Config) -> list[Change]:
    """The settings that differ with their values; without a `before`, all those that have one are new."""
    new = masked(after)
    old = masked(before) if before is not None else {}
    paths = changed_keys(before, after) if before is not None else list(all_settings())
    return [Change(path, get_path(old, path), get_path(new, path)) for path in paths]


def at_next_start(changes: Sequence[Change]) -> list[str]:
    """The paths of those changes that take effect at the next start only."""
    return [change.path for change in changes if all_settings()[change.path].needs_restart]


def changes_json(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Changes as JSON-ready values."""
    return [asdict(change) for change in changes]


def problems_json(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Problems as JSON-ready values."""
    return [{"path": p.path, "message": p.message, "line": p.line, "column": p.column} for p in problems]


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON-ready values."""
    return {
        "valid": verdict.is_valid,
        "errors": problems_json(verdict.problems),
        "warnings": problems_json(verdict.warnings),
        "changes": changes_json(verdict.changes),
        "refusal": verdict.refusal,
    }


def saved_json(revision: str, warnings: Sequence[Problem], changes: Sequence[Change]) -> dict[str, Any]:
    """What a save did, as JSON-ready values."""
    return {
        "revision": revision,
        "changes": changes_json(changes),
        "warnings": problems_json(warnings),
        "needs_restart": at_next_start(changes),
    }
