"""Secrets go into a settings file and never come out: texts are shown with a mask, and the mask means "keep it"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.config.addresses import origin_of
from app.config.document import read_document
from app.config.legacy import carry_over
from app.config.render import scalar
from app.config.schema import Syncthing
from app.config.settings import get_path, secret_paths
from app.errors import ConfigError, Problem
from app.log import MASK

API_KEY = "syncthing.api_key"
API_URL = "syncthing.api_url"

#: In a text that cannot be read as settings: the rest of a secret's line, and deeper lines below it.
_LOOSE_SECRET = re.compile(r"(?P<head>(?P<indent>[ \t]*)[^\n]*?api_key[\"']?\s*:)[^\n]*(\n(?P=indent)[ \t]+[^\n]*)*")


def masked_text(text: str) -> str:
    """The text with every secret that is set replaced by the mask; everything else is kept to the letter."""
    document = read_document(text)
    if document.problems:
        return _LOOSE_SECRET.sub(rf'\g<head> "{MASK}"', text)
    values = {path: MASK for path in secret_paths() if get_path(document.values, path)}
    return replace_values(text, values)


def restore_secrets(text: str, old_text: str) -> str:
    """The text with each mask replaced by the secret that the old text holds, or by nothing."""
    values, old = read_document(text).values, read_document(old_text).values
    kept = {path: str(get_path(old, path) or "") for path in secret_paths() if get_path(values, path) == MASK}
    if API_KEY in kept and moves_to_another_server(old, values):
        kept[API_KEY] = ""
    return replace_values(text, kept)


def moves_to_another_server(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether Syncthing's address in `new` names another server than in `old`."""
    return _server(old) != _server(new)


def refuse_to_lend_key(old: Mapping[str, Any], new: Mapping[str, Any], variables: Mapping[str, str]) -> None:
    """Raise ConfigError when a save would send a key that the environment holds to another server."""
    if API_KEY in variables and API_URL not in variables and moves_to_another_server(old, new):
        message = f"cannot name another server here while the key comes from {variables[API_KEY]}; change both there"
        raise ConfigError([Problem(API_URL, message)])


def replace_values(text: str, values: Mapping[str, str]) -> str:
    """The text with the values of some keys replaced where they stand."""
    spans = read_document(text).spans
    places = [(spans[tuple(path.split("."))], value) for path, value in values.items()]
    for span, value in sorted(places, key=lambda place: place[0].start, reverse=True):
        # A block (`key: |`) reaches to the next line; its line break stays.
        end = span.start + len(text[span.start : span.end].rstrip())
        text = text[: span.start] + scalar(value) + text[end:]
    return text


def _server(values: Mapping[str, Any]) -> tuple[str, str, int] | None:
    carried, _ = carry_over(values)
    url = get_path(carried, API_URL)
    return origin_of(url if isinstance(url, str) else Syncthing.model_fields["api_url"].default)
