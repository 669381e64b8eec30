"""Rules about access keys: each has a name of its own and opens by itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from app.config.access import MAIN_KEY, AccessKey
from app.config.schema import Config
from app.errors import Problem
from app.log import MASK

#: A name goes into cookies, file names and the journal.
KEY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")

#: A shorter key can be guessed by a machine that tries for long enough.
ENOUGH_CHARACTERS = 16

#: No key can be set without one of these words, however faulty the text around it is.
WORDS_OF_ACCESS = re.compile(r"auth|key", re.IGNORECASE)


def key_problems(config: Config) -> Iterator[Problem]:
    """Everything that is wrong with the access keys; never says what a key is."""
    names, owners = {MAIN_KEY}, {config.auth.api_key: "auth.api_key"}
    if config.auth.api_key == MASK:
        yield Problem("auth.api_key", "is the mask that stands for a key; write the key itself")
    for number, key in enumerate(config.auth.keys):
        place = f"auth.keys.{number}"
        yield from _name_problems(place, key.name, names)
        yield from _value_problems(place, key, owners)
        names.add(key.name)
        owners.setdefault(key.key, f"the key {key.name}")


def key_doubts(config: Config) -> Iterator[Problem]:
    """Keys that work and are most likely not meant so."""
    places = {"auth.api_key": config.auth.api_key}
    places |= {f"auth.keys.{number}.key": key.key for number, key in enumerate(config.auth.keys)}
    for path, key in places.items():
        if 0 < len(key) < ENOUGH_CHARACTERS:
            words = (
                f"has fewer than {ENOUGH_CHARACTERS} characters and can be guessed; `media-pipeline key add` makes one"
            )
            yield Problem(path, words)
    if config.auth.keys and all(key.scope != "admin" for key in config.auth.every_key):
        words = "hold none with the scope admin: the settings can be changed in the file and at the command line only"
        yield Problem("auth.keys", words)


def may_set_keys(text: str, open_text: str) -> bool:
    """Whether a text with faults may be meant to set keys, going by its lines that a text without keys does not have.

    It asks the words and not the values: a fault may hide where a value belongs, or that it is there at all.
    """
    return any(WORDS_OF_ACCESS.search(line) for line in _lines(text) - _lines(open_text))


def _lines(text: str) -> Counter[str]:
    # A file saved as UTF-16 has a NUL between its letters.
    lines = (line.strip() for line in text.replace("\0", "").splitlines())
    return Counter(line for line in lines if not line.startswith("#"))


def _name_problems(place: str, name: str, taken: set[str]) -> Iterator[Problem]:
    if not KEY_NAME.fullmatch(name):
        yield Problem(f"{place}.name", "must be 1 to 40 letters, digits, dots and dashes, as in home-assistant")
    elif name == MAIN_KEY:
        yield Problem(f"{place}.name", f"{MAIN_KEY} is the name of the key in auth.api_key; choose another one")
    elif name in taken:
        yield Problem(f"{place}.name", f"{name} is the name of another key; each needs its own")


def _value_problems(place: str, key: AccessKey, owners: dict[str, str]) -> Iterator[Problem]:
    if not key.key:
        yield Problem(f"{place}.key", "is empty; write a key, or remove the entry")
    elif key.key == MASK:
        yield Problem(f"{place}.key", "is the mask, and no key is kept under this name; write the key itself")
    elif key.key in owners:
        yield Problem(f"{place}.key", f"is the same as that of {owners[key.key]}; each needs its own")
    elif not key.key.isprintable() or key.key != key.key.strip():
        yield Problem(f"{place}.key", "has spaces around it or characters that cannot be seen")
