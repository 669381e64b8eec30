"""Settings from environment variables: MEDIA_PIPELINE_BATCH__MAX_SIZE_GB is batch.max_size_gb.

A variable wins over the file. An empty one counts as not set, as Compose files often pass those. Secrets
can also be named by a file that holds them: MEDIA_PIPELINE_AUTH__API_KEY_FILE.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.config.document import plain_value
from app.config.legacy import RETIRED
from app.config.settings import ENVIRONMENT_PREFIX, Setting, all_settings, with_path
from app.errors import Problem

#: Short names that were promised for a setting.
SHORT_NAMES = {"MEDIA_PIPELINE_API_KEY": "auth.api_key"}

FILE_SUFFIX = "_FILE"
SECRET_FILE_MAX_BYTES = 4096


@dataclass
class Overlay:
    """The values after the environment was laid over them.

    `variables` says which variable set which key, and `words` what such a variable holds.
    """

    values: dict[str, Any]
    variables: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict, repr=False)
    problems: list[Problem] = field(default_factory=list)


def overlay(values: Mapping[str, Any], environment: Mapping[str, str]) -> Overlay:
    """Lay the environment over the values of a file."""
    result = Overlay(dict(values))
    for name in sorted(environment):
        if environment[name] and name.startswith(ENVIRONMENT_PREFIX):
            _apply(result, name, environment[name])
    return result


def _apply(result: Overlay, name: str, text: str) -> None:
    path, from_file = _path_of(name)
    if path is None:
        if "__" in name:
            result.problems.append(Problem("", _no_setting(name)))
        return
    if path in result.variables:
        other = result.variables[path]
        result.problems.append(Problem(path, f"is set by two environment variables, {other} and {name}; keep one"))
        return
    if from_file:
        text = _read_secret(result, path, name, text)
    setting = all_settings().get(path)
    value = from_words(setting, text) if setting else plain_value(text)
    result.variables[path], result.words[path] = name, text
    result.values = with_path(result.values, path, value)


def _path_of(name: str) -> tuple[str | None, bool]:
    known = _names()
    if name in known:
        return known[name], False
    base = name.removesuffix(FILE_SUFFIX)
    path = known.get(base) if base != name else None
    return (path, True) if path is not None and all_settings()[path].secret else (None, False)


def _no_setting(name: str) -> str:
    for setting in all_settings().values():
        if setting.variable is None and name == _variable(setting.path):
            return f"{setting.path} cannot be set by an environment variable; write it in the file instead of {name}"
    return f"the environment variable {name} names no setting"


def _names() -> dict[str, str]:
    paths = [*(path for path, setting in all_settings().items() if setting.variable), *RETIRED]
    return {**{_variable(path): path for path in paths}, **SHORT_NAMES}


def _variable(path: str) -> str:
    return ENVIRONMENT_PREFIX + path.replace(".", "__").upper()


def _read_secret(result: Overlay, path: str, name: str, file_path: str) -> str:
    try:
        with open(file_path, encoding="utf-8") as file:
            text = file.read(SECRET_FILE_MAX_BYTES + 1).strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        result.problems.append(Problem(path, f"the file that {name} names cannot be read: {reason}"))
        return ""
    if len(text) > SECRET_FILE_MAX_BYTES or "\n" in text:
        result.problems.append(Problem(path, f"the file that {name} names must hold one line"))
        return ""
    return text


def from_words(setting: Setting, text: str) -> Any:
    """What a word in a variable or on the command line means for this setting; checked later, as any other value."""
    if setting.kind in ("text", "choice"):
        return text
    if setting.kind in ("list", "entries"):
        return _list(text)
    if setting.kind == "yes_no" and text in ("0", "1"):
        return text == "1"
    return plain_value(text.strip())


def _list(text: str) -> Any:
    if not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return json.loads(text)
    except ValueError:
        return text
