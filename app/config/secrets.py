"""Secrets go into a settings file and never come out: texts are shown with a mask, and the mask means "keep it"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.config.addresses import origin_of
from app.config.document import Document, Key, dotted, read_document
from app.config.legacy import carry_over
from app.config.mqtt import broker_of
from app.config.render import scalar
from app.config.schema import Syncthing
from app.config.settings import all_settings, entry_fields, get_path, secret_keys, with_path
from app.errors import ConfigError, Problem
from app.log import MASK, SECRET_KEY

API_KEY = "syncthing.api_key"
API_URL = "syncthing.api_url"
BROKER_PASSWORD = "mqtt.password"

#: Variables that hold Syncthing's key, or name a file with it. All but the first two are no settings of ours.
KEY_VARIABLE = "MEDIA_PIPELINE_SYNCTHING__API_KEY"
KEY_FILE_VARIABLE = "MEDIA_PIPELINE_SYNCTHING__API_KEY_FILE"
SYNCTHING_KEY = "STGUIAPIKEY"
SYNCTHING_KEY_FILE = "STGUIAPIKEY_FILE"
SYNCTHING_CONFIG = "SYNCTHING_CONFIG"
KEY_VARIABLES = (KEY_VARIABLE, SYNCTHING_KEY, SYNCTHING_KEY_FILE, KEY_FILE_VARIABLE, SYNCTHING_CONFIG)

#: A shorter secret would be found inside other words.
ENOUGH_TO_FIND = 6

#: In a text that cannot be read as settings: the rest of a secret's line, deeper lines below it, and lines without a
#: colon, which may be its continuation.
_LOOSE_SECRET = re.compile(
    r"^(?P<head>(?P<indent>[ \t]*)[^\n]*?"
    r"(?:(?:\b|_|api-?)key|password|passwd|secret|token|\burls?|\bwebhooks)[\"']?[ \t]*(?:\n[ \t]*)?:)"
    r"[^\n]*(\n(?:(?P=indent)[ \t]+[^\n]*|[^\n:]*(?=\n|\Z)))*",
    re.IGNORECASE | re.MULTILINE,
)
#: There too: an address that may be one of a notification service, wherever it came to stand; not those of Syncthing.
_LOOSE_ADDRESS = re.compile(
    r"^(?P<head>(?![ \t]*#|[^\n]*_url[\"']?[ \t]*:)[^\n]*?)[A-Za-z][A-Za-z0-9+.-]*://[^\n]*", re.MULTILINE
)
#: A secret that was commented out.
_COMMENTED_SECRET = re.compile(
    r"^(?P<head>[ \t]*#[^\r\n]*?(?:(?:\b|_)key|\burl|\bsecret)[\"']?[ \t]*:[ \t]*)[^\s][^\r\n]*", re.MULTILINE
)


def masked_text(text: str, known: Sequence[str] = ()) -> str:
    """The text with every secret that is set replaced by the mask; everything else is kept to the letter.

    `known` secrets are masked under a mistyped name and in comments as well.
    """
    document = read_document(text)
    if document.problems:
        text = _LOOSE_SECRET.sub(rf'\g<head> "{MASK}"', text)
        return hide(_LOOSE_ADDRESS.sub(rf'\g<head>"{MASK}"', text), known)
    known = [*known, *_own_secrets(document)]
    shown = _replaced(text, document, dict.fromkeys(_secrets_in(document, known), MASK))
    return "".join(_shown_comment(line, known) for line in shown.splitlines(keepends=True))


def restore_secrets(text: str, old_text: str, fallback_text: str = "", hidden: Sequence[str] = ()) -> str:
    """The text with each mask replaced by the secret that it stands for; `hidden` are those that `masked_text` knew.

    That is the one in the old text, else in the fallback; in a list of entries it is that of the same name. A mask that
    stands for nothing becomes empty, but in such an entry, where it must not: it stays and is told of as a fault.
    """
    document = read_document(text)
    known = [values for values in (read_document(old_text).values, read_document(fallback_text).values) if values]
    kept = {
        key: _kept_secret(document.values, key, known)
        for key in secret_keys(document.values)
        if get_path(document.values, dotted(key)) == MASK
    }
    for secret in sent_elsewhere(known[0] if known else {}, document.values):
        if (place := tuple(secret.split("."))) in kept:
            kept[place] = ""
    return _with_comments(_replaced(text, document, kept), old_text, hidden)


def restore_values(values: dict[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """The same for nested values."""
    for key in secret_keys(values):
        if get_path(values, dotted(key)) == MASK:
            values = with_path(values, dotted(key), _kept_secret(values, key, [old]))
    return values


def _kept_secret(values: Mapping[str, Any], key: Key, known: Sequence[Mapping[str, Any]]) -> str:
    for old in known:
        found = _namesake(values, key, old) if _is_in_entry(key) else get_path(old, dotted(key))
        if isinstance(found, (str, int, float)) and found not in ("", MASK):
            return str(found)
    return MASK if _is_in_entry(key) else ""


def _lists_of_entries() -> list[str]:
    return [path for path, setting in all_settings().items() if setting.entry]


def _is_in_entry(key: Key) -> bool:
    return len(key) > 2 and dotted(key[:-2]) in _lists_of_entries()


def _namesake(values: Mapping[str, Any], key: Key, old: Mapping[str, Any]) -> Any:
    name = get_path(values, dotted((*key[:-1], "name")))
    entries = get_path(old, dotted(key[:-2]))
    for entry in entries if isinstance(entries, (list, tuple)) else ():
        if isinstance(entry, Mapping) and name and entry.get("name") == name:
            return entry.get(key[-1])
    return None


def sent_elsewhere(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The secrets that would go to another server under `new` than under `old`: Syncthing's key, the broker's password.

    A broker that is named no more gets nothing.
    """
    found = [API_KEY] if _server(old) != _server(new) else []
    return [*found, BROKER_PASSWORD] if broker_of(new)[0] and broker_of(old) != broker_of(new) else found


def refuse_to_lend_key(
    old: Mapping[str, Any], new: Mapping[str, Any], variables: Mapping[str, str], environment: Mapping[str, str]
) -> None:
    """Raise ConfigError when a save would send a secret that the environment holds, or leads to, to another server."""
    moved = sent_elsewhere(old, new)
    holder = next((name for name in KEY_VARIABLES if environment.get(name)), None)
    if holder is not None and API_URL not in variables and API_KEY in moved:
        message = f"cannot name another server here while the key comes from {holder}; change both there"
        raise ConfigError([Problem(API_URL, message)])
    holder = variables.get(BROKER_PASSWORD)
    if holder is not None and "mqtt.host" not in variables and BROKER_PASSWORD in moved:
        message = f"cannot name another broker here while the password comes from {holder}; change both there"
        raise ConfigError([Problem("mqtt.host", message)])


def _own_secrets(document: Document) -> list[str]:
    found = (get_path(document.values, dotted(key)) for key in secret_keys(document.values))
    return [secret for secret in found if isinstance(secret, str) and secret != MASK]


def _secrets_in(document: Document, known: Sequence[str]) -> list[Key]:
    """Where a text holds secrets: those of settings, and what looks like one under a mistyped name."""
    settings = [key for key in secret_keys(document.values) if get_path(document.values, dotted(key))]
    strangers = [key for key in document.spans if key and dotted(key) not in all_settings()]
    others = [key for key in strangers if SECRET_KEY.search(key[-1]) or get_path(document.values, dotted(key)) in known]
    amiss = [key for path in _lists_of_entries() for key in _entries_amiss(document, path)]
    found = dict.fromkeys([*settings, *others, *amiss])
    return [key for key in found if not any(key[:length] in found for length in range(1, len(key)))]


def _entries_amiss(document: Document, path: str) -> list[Key]:
    """Whatever stands in a list of entries and is not known to be no secret, as a name is, may be one."""
    place = tuple(path.split("."))
    plain = [name for name, one in entry_fields(all_settings()[path], path).items() if not one.secret]
    entries = get_path(document.values, path)
    if not isinstance(entries, list):
        return [place] if entries else []
    found: list[Key] = []
    for number, entry in enumerate(entries):
        here = (*place, str(number))
        names = (
            [name for name in entry if name not in plain and entry[name]] if isinstance(entry, dict) else []
        )
        found += [(*here, name) for name in names] if isinstance(entry, dict) else [here]
    return found


def _replaced(text: str, document: Document, values: Mapping[Key, str]) -> str:
    """The text with the values of some keys replaced where they stand."""
    places = [(document.spans[key], value) for key, value in values.items()]
    for span, value in sorted(places, key=lambda place: place[0].start, reverse=True):
        # A block (`key: |`) reaches to the next line; its line break stays.
        end = span.start + len(text[span.start : span.end].rstrip())
        text = text[: span.start] + scalar(value) + text[end:]
    return text


def _shown_comment(line: str, known: Sequence[str]) -> str:
    """A line as it may be shown: of a comment, without what looks like a secret or is one."""
    return hide(_COMMENTED_SECRET.sub(rf"\g<head>{MASK}", line), known) if line.lstrip().startswith("#") else line


def hide(text: str, known: Sequence[str]) -> str:
    """The text without these secrets, wherever they stand."""
    for secret in known:
        if len(secret) >= ENOUGH_TO_FIND:
            text = text.replace(secret, MASK)
    return text


def _with_comments(text: str, old_text: str, hidden: Sequence[str]) -> str:
    """Comments that were shown masked get their old words back."""
    hidden = [*hidden, *_own_secrets(read_document(old_text))]
    shown = {_shown_comment(line, hidden): line for line in old_text.splitlines()}
    old = {masked: line for masked, line in shown.items() if masked != line}
    if not old:
        return text
    return "".join(_old_line(line, old) for line in text.splitlines(keepends=True))


def _old_line(line: str, old: Mapping[str, str]) -> str:
    bare = line.rstrip("\r\n")
    return old.get(bare, bare) + line[len(bare) :]


def _server(values: Mapping[str, Any]) -> tuple[str, str, int] | None:
    carried, _ = carry_over(values)
    url = get_path(carried, API_URL)
    return origin_of(url if isinstance(url, str) else Syncthing.model_fields["api_url"].default)
