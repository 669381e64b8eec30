"""For whom this thread works: the name that requests for work carry into the journal."""

from __future__ import annotations

from contextvars import ContextVar

_ACTOR: ContextVar[str] = ContextVar("actor", default="")


def work_for(actor: str) -> None:
    """From now on this thread asks for work in this name."""
    _ACTOR.set(actor)


def works_for() -> str:
    """The name, or nothing when nobody was named."""
    return _ACTOR.get()
