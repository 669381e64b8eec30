"""The doctor's look at everything, for pages: it reads the whole database, and no page waits for that."""

from __future__ import annotations

from functools import partial
from typing import Any

from app.overview.behind import MadeBehind
from app.web.context import container

#: The order in which checks are shown.
STATES = ("fault", "warning", "ok")
#: In a small library it is done by then, and the page needs no second look.
PATIENCE_SECONDS = 0.1

#: What was found is shown for a minute, to whom it was being looked for.
_looks: MadeBehind[dict[str, Any]] = MadeBehind(60.0)


def examine(*, again: bool) -> dict[str, Any] | None:
    """What `doctor` finds, or None while it is looking; `again`: what the last look under way or just over found."""
    from app.diagnostics import doctor

    found = container()
    key = str(found.store.path)
    if not again:
        _looks.forget(key)
    return _looks.get(key, partial(doctor, found), 0.0 if again else PATIENCE_SECONDS)


def gravest_first(found: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The checks of a look, in the order in which they are shown; none while it is made."""
    return sorted(found["checks"] if found else [], key=lambda check: STATES.index(check["state"]))
