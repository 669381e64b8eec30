"""Where Syncthing's API key comes from: the environment, a file, Syncthing's own config.xml, or the settings.

Every source that holds a key is tried in this order until Syncthing accepts one, so that a key which was renewed in
one place works without touching the others. Only where a key was found and how long it is may be shown.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from app.config.schema import Config
from app.config.secrets import KEY_FILE_VARIABLE, KEY_VARIABLE, SYNCTHING_CONFIG, SYNCTHING_KEY, SYNCTHING_KEY_FILE

#: One line; a key of Syncthing's has 32 characters.
KEY_FILE_MAX_BYTES = 4096
#: Thousands of folders and devices fit.
CONFIG_MAX_BYTES = 8 * 1024 * 1024
APIKEY_PATH = ["configuration", "gui", "apikey"]
READ_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Key:
    """One source of a key. `text` is empty, and `fault` says why, when it holds none that can be used."""

    source: str
    text: str = field(default="", repr=False)
    fault: str = ""

    @classmethod
    def of(cls, source: str, text: str) -> Key:
        """The key in a text."""
        word = text.strip()
        if not word:
            return cls(source, fault="it is empty")
        if not (word.isascii() and word.isprintable()):
            return cls(source, fault="it holds characters that no key of Syncthing's has")
        return cls(source, word)

    def facts(self) -> dict[str, str | int]:
        """The source as it may be shown: never the key."""
        return {"source": self.source, "length": len(self.text), "fault": self.fault}


def find_keys(config: Config, environment: Mapping[str, str] | None = None) -> list[Key]:
    """Every source that is there, the first to be tried first; read anew at each call."""
    named = os.environ if environment is None else environment
    found = [Key.of(f"environment ({name})", named[name]) for name in (KEY_VARIABLE, SYNCTHING_KEY) if named.get(name)]
    for name in (SYNCTHING_KEY_FILE, KEY_FILE_VARIABLE):
        if named.get(name):
            found.append(_of_file(f"file named by {name}", named[name]))
    if named.get(SYNCTHING_CONFIG):
        found.append(_of_config_file(f"Syncthing's config.xml ({named[SYNCTHING_CONFIG]})", named[SYNCTHING_CONFIG]))
    if not (named.get(KEY_VARIABLE) or named.get(KEY_FILE_VARIABLE)) and config.syncthing.api_key.strip():
        found.append(Key.of("settings (syncthing.api_key)", config.syncthing.api_key))
    return found


def shown(keys: Sequence[Key]) -> dict[str, str | int]:
    """Where the first usable key was found and how long it is; never the key."""
    first = next((key for key in keys if key.text), Key("none"))
    return {"source": first.source, "length": len(first.text)}


def _of_file(source: str, path: str) -> Key:
    try:
        text = _read(path, KEY_FILE_MAX_BYTES).decode("ascii", "replace")
    except OSError as error:
        return Key(source, fault=f"it cannot be read: {error.strerror}")
    return Key.of(source, text) if "\n" not in text.strip() else Key(source, fault="it must hold one line")


def _of_config_file(source: str, path: str) -> Key:
    try:
        return Key.of(source, read_api_key(_read(path, CONFIG_MAX_BYTES)))
    except FileNotFoundError:
        return Key(source, fault="it is not there yet; Syncthing makes it when it starts for the first time")
    except OSError as error:
        return Key(source, fault=f"it cannot be read: {error.strerror}")
    except ValueError as error:
        return Key(source, fault=str(error))


def read_api_key(content: bytes) -> str:
    """The API key in the text of a config.xml. Raises ValueError when it is none, or has none.

    A document type is refused: with it come entities, which Syncthing never writes.
    """
    parser = expat.ParserCreate()
    open_names, found = list[str](), list[str]()

    def refuse(*_: object) -> None:
        raise ValueError("it declares a document type, which Syncthing never does")

    def add_text(text: str) -> None:
        if open_names == APIKEY_PATH:
            found.append(text)

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, _: open_names.append(name)
    parser.EndElementHandler = lambda _: open_names.pop()
    parser.CharacterDataHandler = add_text
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ValueError("it is not a whole XML document") from error
    if not "".join(found).strip():
        raise ValueError("it holds no API key")
    return "".join(found).strip()


def _read(path: str, limit: int) -> bytes:
    descriptor = os.open(path, READ_FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is not a file")
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(0, f"it is longer than {limit:,} bytes")
    return content


class KeyRing:
    """The keys that a client tries one after the other. When Syncthing has refused all, they are looked for anew."""

    def __init__(self, find: Callable[[], Sequence[Key]]) -> None:
        self._find = find
        self._left: list[Key] | None = None
        self._looked: Sequence[Key] = ()

    @property
    def sources(self) -> Sequence[Key]:
        """All that were found, with those that hold no usable key."""
        if self._left is None:
            self._looked = self._find()
            self._left = [key for key in self._looked if key.text]
        return self._looked

    @property
    def current(self) -> Key | None:
        """The key to send now, None when there is none."""
        return self._left[0] if self.sources and self._left else None

    def refuse(self) -> bool:
        """Syncthing did not accept the current key: go on to the next one; False when there is none."""
        self._left = (self._left or [])[1:]
        if self._left:
            return True
        self._left = None
        return False

    def words(self) -> str:
        """What has been tried, and what holds no key, for a message."""
        tried = [key.source for key in self._looked if key.text]
        faults = [f"{key.source}: {key.fault}" for key in self._looked if key.fault]
        return "; ".join([", ".join(tried), *faults] if tried else faults)
