"""The configuration file: reading it, noticing its changes, saving it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml
from pydantic import ValidationError

from app.config.schema import Config
from app.errors import ConfigError, Problem


@dataclass(frozen=True)
class Snapshot:
    """One configuration as it was read: `revision` is the digest of the file's text."""

    config: Config
    revision: str
    warnings: tuple[Problem, ...] = ()
    path: str | None = None
    environment_keys: Mapping[str, str] = field(default_factory=dict)
    text: str = field(default="", repr=False)


def parse(text: str, environment: Mapping[str, str] | None = None) -> Snapshot:
    """The configuration in a YAML text. Raises ConfigError."""
    try:
        config = Config.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        raise ConfigError([Problem(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]) from error
    return Snapshot(config, hashlib.sha256(text.encode()).hexdigest(), text=text)


class ConfigStore:
    """The configuration file at one path."""

    def __init__(self, path: str) -> None:
        self.path = path

    def load(self) -> Snapshot:
        """Read the file. Raises ConfigError."""
        with open(self.path, encoding="utf-8") as file:
            return parse(file.read(), os.environ)

    def current(self) -> Snapshot:
        """The configuration in force."""
        return self.load()
