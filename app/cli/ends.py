"""How a call of the command line may end beside an answer and an error."""

from __future__ import annotations

EXIT_CODES = "Exit codes: 0 done; 1 failed, or something wrong was found; 2 refused, or wrong usage."


class ReaderGone(Exception):
    """Whoever read the output has closed it; there is nobody left to tell anything."""


class Stopped(Exception):
    """A person pressed ^C."""
