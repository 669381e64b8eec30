"""What all checks together say, in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from app.model.counting import counted
from app.syncthing.checks import FAULT, OK, WARNING, Check


def verdict(found: Iterable[Check]) -> str:
    """That all is well is said only when no check has found anything."""
    count = Counter(check.state for check in found)
    fine = counted(count[OK], "check is ok", "checks are ok")
    warnings = counted(count[WARNING], "warning", "warnings")
    look = "look at the warning" if count[WARNING] == 1 else f"look at the {warnings}"
    if count[FAULT]:
        return f"Something is wrong: {counted(count[FAULT], 'fault', 'faults')}, {warnings}; {fine}."
    if count[WARNING]:
        return f"Nothing is broken, but {look}; {fine}."
    return f"All is well: {fine}."
