"""What every command works with: the configuration file, the services over it, and how to print."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from rich.console import Console

from app.errors import BadRequest, StateError
from app.overview import ConfigFacts
from app.services import ServiceContainer, Services, in_force_instead

#: Nothing that is piped into a program or a file is cut to the width of a terminal.
PIPED_WIDTH = 10_000
#: One write takes no more: of a larger one, an unbuffered stream may write a part and say nothing.
PIECE_BYTES = 65_536


class ReaderGone(Exception):
    """Whoever read the output has closed it; there is nobody left to tell anything."""


class Stopped(Exception):
    """A person pressed ^C."""


class PipeConsole(Console):
    """A console for a terminal or a pipe: no colours and no cuts in a pipe, and no words once nobody reads."""

    def __init__(self, *, stderr: bool = False) -> None:
        stream = sys.stderr if stderr else sys.stdout
        super().__init__(stderr=stderr, width=None if stream.isatty() else PIPED_WIDTH)

    def on_broken_pipe(self) -> None:
        """Tell the door."""
        raise ReaderGone


class Cli:
    """One call of the command line."""

    def __init__(self, config_path: str, as_json: bool = False) -> None:
        self.config_path = config_path
        self.as_json = as_json
        self.console: Console = PipeConsole(stderr=as_json)
        self._container: ServiceContainer | None = None

    @property
    def container(self) -> ServiceContainer:
        """The container over the configuration file. Raises StateError when there is no such file."""
        if self._container is None:
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
        store = self.container.store
        warnings = tuple(w.sentence() for w in store.current().warnings)
        instead = in_force_instead(store.fallback) if store.fault else None
        return ConfigFacts(store.path, self.container.fault_words, warnings, instead)

    def ask_for_json(self) -> None:
        """From now on print JSON only."""
        if not self.as_json:
            self.as_json, self.console = True, PipeConsole(stderr=True)

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
