"""What every command works with: the configuration file, the services over it, and how to print."""

from __future__ import annotations

import json
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from app.errors import BadRequest, StateError

if TYPE_CHECKING:
    from app.cli.console import PipeConsole
    from app.overview import ConfigFacts
    from app.services import ServiceContainer, Services

#: One write takes no more: of a larger one, an unbuffered stream may write a part and say nothing.
PIECE_BYTES = 65_536


class Cli:
    """One call of the command line."""

    def __init__(self, config_path: str | None = None, as_json: bool = False) -> None:
        self._config_path = config_path
        self.as_json = as_json
        self._container: ServiceContainer | None = None

    @property
    def config_path(self) -> str:
        """The configuration file: the one that was named, else the one that the program finds by itself."""
        if self._config_path is None:
            from app.config.store import default_path

            self._config_path = default_path()
        return self._config_path

    @config_path.setter
    def config_path(self, path: str) -> None:
        self._config_path = path

    @cached_property
    def console(self) -> PipeConsole:
        """Where people read: stdout, or stderr beside a JSON document."""
        from app.cli.console import PipeConsole

        return PipeConsole(stderr=self.as_json)

    @property
    def container(self) -> ServiceContainer:
        """The container over the configuration file. Raises StateError when there is no such file."""
        if self._container is None:
            from app.services import ServiceContainer

            self._container = ServiceContainer(self.config_path)
        return self._container

    @property
    def services(self) -> Services:
        """The services of the present configuration."""
        try:
            return self.container.services
        except FileNotFoundError as error:
            hint = f"There is no configuration at {self.config_path}; `setup` makes one."
            raise StateError(hint) from error

    def config_facts(self) -> ConfigFacts:
        """Path, fault and warnings of the configuration file."""
        from app.overview import ConfigFacts
        from app.services import in_force_instead

        store = self.container.store
        warnings = tuple(w.sentence() for w in store.current().warnings)
        instead = in_force_instead(store.fallback) if store.fault else None
        return ConfigFacts(store.path, self.container.fault_words, warnings, instead)

    def ask_for_json(self) -> None:
        """From now on print JSON only."""
        if not self.as_json:
            self.as_json = True
            self.__dict__.pop("console", None)

    def talk_beside(self) -> None:
        """From now on say sentences on stderr: stdout is for a list that programs read."""
        from app.cli.console import PipeConsole

        self.__dict__["console"] = PipeConsole(stderr=True)

    def print_json(self, value: Any) -> None:
        """A value as JSON: plain for programs, coloured for people."""
        text = json.dumps(value, indent=2, default=str, ensure_ascii=False)
        if self.as_json:
            _write(f"{text}\n".encode("utf-8", "backslashreplace"))
        else:
            self.console.print_json(text.encode("utf-8", "backslashreplace").decode())

    def say(self, sentence: str) -> None:
        """A sentence for people; programs that asked for JSON do not get it."""
        if not self.as_json:
            self.console.print(sentence, markup=False, highlight=False, soft_wrap=True)

    def confirm(self, question: str, already: bool) -> bool:
        """Ask a person for a yes. `already` is whether `--yes` said it. Raises BadRequest when nobody can answer."""
        if already:
            return True
        nobody = BadRequest("Nobody is there to answer; say --yes to have it done without being asked.")
        if self.as_json:
            raise nobody
        try:
            return click.confirm(question)
        except click.Abort:
            if sys.stdin.isatty():
                raise
            raise nobody from None

    def close(self) -> None:
        """Nothing is held open between commands."""
        if self._container is not None:
            self._container.close()
        self._container = None


def _write(text: bytes) -> None:
    for start in range(0, len(text), PIECE_BYTES):
        click.echo(text[start : start + PIECE_BYTES], nl=False)
