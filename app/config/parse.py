"""From a text and an environment to a configuration, or to the list of everything that is wrong with them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from app.config.checks import cross_problems, device_problems, doubts
from app.config.document import Document, read_document
from app.config.environment import overlay
from app.config.faults import Sources, located, schema_problems
from app.config.legacy import carry_over
from app.config.schema import Config
from app.config.settings import all_settings, get_path, secret_keys, with_path, without_path
from app.errors import ConfigError, Problem
from app.log import MASK

#: How often faulty values are taken out before the rules that join settings are given up on.
CLEANING_ROUNDS = 3


@dataclass(frozen=True)
class Snapshot:
    """One configuration as it was read.

    `revision` is the digest of the file's text, `environment_keys` says which variable set which key, and
    `text` is the file to the letter, secrets included.
    """

    config: Config
    revision: str
    warnings: tuple[Problem, ...] = ()
    path: str | None = None
    environment_keys: Mapping[str, str] = field(default_factory=dict)
    text: str = field(default="", repr=False)


def revision_of(text: str) -> str:
    """The name of a text as a revision."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def parse(
    text: str, environment: Mapping[str, str], path: str | None = None, written: Collection[str] = ()
) -> Snapshot:
    """The configuration that a file's text and the environment make. Raises ConfigError with all problems.

    `written` are the settings that a person writes with it: a mistyped device ID there is a fault, and a warning in a
    file that is there already.
    """
    document = read_document(text)
    if document.problems and not document.values:
        raise ConfigError(document.problems)
    config, warnings, variables = judge(document, environment, written)
    return Snapshot(config, revision_of(text), tuple(warnings), path, variables, text)


def judge(
    document: Document, environment: Mapping[str, str], written: Collection[str] = ()
) -> tuple[Config, list[Problem], dict[str, str]]:
    """(configuration, warnings, variable per key) of what was read. Raises ConfigError with all problems."""
    laid = overlay(document.values, environment)
    sources = Sources(document, laid.variables, laid.words)
    values, warnings = carry_over(_without_empty_sections(laid.values))
    problems = [*document.problems, *laid.problems]
    misread = {problem.path for problem in problems}
    config, found = _validate({"paths": {}, **values}, sources)
    problems += [problem for problem in found if problem.path not in misread]
    mistyped = list(device_problems(config)) if config is not None else []
    problems += [located(p, sources) for p in mistyped if p.path in written or p.path in laid.variables]
    if config is None or problems:
        raise ConfigError(_ordered(problems))
    warnings += [*doubts(config, environment), *mistyped]
    return config, [located(w, sources) for w in warnings], laid.variables


def masked(config: Config) -> dict[str, Any]:
    """The whole configuration as JSON-ready values, with every secret that is set as `********`."""
    values: dict[str, Any] = config.model_dump(mode="json")
    return masked_values(values)


def secret_values(config: Config) -> list[str]:
    """Every secret that is set, the longest first: for texts that must hold none of them, wherever they stand."""
    values = config.model_dump()
    found = {get_path(values, ".".join(key)) for key in secret_keys(values)}
    return sorted((str(secret) for secret in found if secret), key=len, reverse=True)


def masked_values(values: dict[str, Any]) -> dict[str, Any]:
    """The same nested values with every secret that is set as `********`."""
    for key in secret_keys(values):
        path = ".".join(key)
        if get_path(values, path):
            values = with_path(values, path, MASK)
    return values


def _validate(values: dict[str, Any], sources: Sources) -> tuple[Config | None, list[Problem]]:
    try:
        config: Config | None = Config.model_validate(values)
        problems: list[Problem] = []
        judged = config
    except ValidationError as error:
        config, judged = None, _sound_part(values)
        problems = schema_problems(error, sources)
    faulty = {problem.path for problem in problems}
    crossed = cross_problems(judged) if judged is not None else []
    problems += [located(p, sources) for p in crossed if p.path not in faulty]
    return config, problems


def _sound_part(values: dict[str, Any]) -> Config | None:
    """The configuration without its faulty values, so that rules which join settings are told of as well."""
    for _ in range(CLEANING_ROUNDS):
        try:
            return Config.model_validate(values)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                values = _without_fault(values, tuple(str(part) for part in details["loc"]))
    return None


def _without_fault(values: dict[str, Any], key: Sequence[str]) -> dict[str, Any]:
    for length in range(1, len(key) + 1):
        path = ".".join(key[:length])
        setting = all_settings().get(path)
        if setting is not None:
            return with_path(values, path, "") if setting.required else without_path(values, path)
        if length < len(key) and not isinstance(get_path(values, path), Mapping):
            return without_path(values, path)
    return without_path(values, ".".join(key))


def _without_empty_sections(values: dict[str, Any]) -> dict[str, Any]:
    """A section whose keys are all commented out reads as null; that means its defaults."""
    kept = {name: value for name, value in values.items() if value is not None or name not in Config.model_fields}
    workflow = kept.get("workflow")
    if isinstance(workflow, dict):
        kept["workflow"] = {name: value for name, value in workflow.items() if value is not None}
    return kept


def _ordered(problems: Sequence[Problem]) -> list[Problem]:
    unique = dict.fromkeys(problems)
    return sorted(unique, key=lambda p: (p.line is None, p.line or 0, p.column or 0))
