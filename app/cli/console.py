"""The console of the command line."""

from __future__ import annotations

import sys

from rich.console import Console

from app.cli.ends import ReaderGone

#: Nothing that is piped into a program or a file is cut to the width of a terminal.
PIPED_WIDTH = 10_000


class PipeConsole(Console):
    """A console for a terminal or a pipe: no colours and no cuts in a pipe, and no words once nobody reads."""

    def __init__(self, *, stderr: bool = False) -> None:
        stream = sys.stderr if stderr else sys.stdout
        super().__init__(stderr=stderr, width=None if stream.isatty() else PIPED_WIDTH)

    def on_broken_pipe(self) -> None:
        """Tell the door."""
        raise ReaderGone
