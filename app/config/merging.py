"""Laying some changed settings over those of a file, without touching what the environment sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.config.environment import overlay
from app.config.legacy import carry_over
from app.config.parse import masked_values
from app.config.secrets import restore_values, sent_elsewhere
from app.config.settings import get_path, with_path, without_path
from app.errors import ConfigError, Problem
from app.log import MASK


def merged(old: Mapping[str, Any], changes: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The file's values with the changes in them; null takes a key out, a masked secret keeps its value.

    Raises ConfigError when a change is of a key that the environment sets.
    """
    values = restore_values(_merge(old, without_environment(changes, environment)), old)
    for secret in sent_elsewhere(old, values):
        if get_path(changes, secret) in (None, MASK):
            values = with_path(values, secret, "")
    return values


def without_environment(changes: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The changes without what the environment sets. Raises ConfigError when they would change it."""
    laid = overlay({}, environment)
    carried, _ = carry_over(laid.values)
    shown, kept, problems = masked_values(carried), dict(changes), []
    for path, variable in laid.variables.items():
        wanted = get_path(kept, path)
        if wanted is None:
            continue
        if wanted != get_path(shown, path):
            problems.append(Problem(path, f"is set by {variable} and cannot be changed here"))
        kept = without_path(kept, path)
    if problems:
        raise ConfigError(problems)
    return kept


def _merge(old: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(old)
    for name, value in changes.items():
        before = result.get(name)
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            result[name] = _merge(before if isinstance(before, Mapping) else {}, value)
        else:
            result[name] = value
    return result
