"""Which versions of the database there are, read from the migrations as text.

Every command asks this when it opens the database; to ask alembic, which is loaded only to migrate, would cost each
of them a tenth of a second.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"

_REVISION = re.compile(r'^revision = "(\w+)"$', re.MULTILINE)
_BEFORE = re.compile(r'^down_revision: str \| None = "(\w+)"$', re.MULTILINE)


@cache
def known_revisions() -> frozenset[str]:
    """Every version that this program can bring to the newest one, and that one."""
    return frozenset(_found(_REVISION))


@cache
def newest_revision() -> str:
    """The version that this program was written for."""
    (newest,) = known_revisions() - set(_found(_BEFORE))
    return newest


def _found(pattern: re.Pattern[str]) -> list[str]:
    texts = (path.read_text() for path in sorted((MIGRATIONS / "versions").glob("*.py")))
    return [name for text in texts for name in pattern.findall(text)]
