"""What a seeded bug is; see test_seeded_bugs.py."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bug:
    """A change of some lines of a file in app, and the test that must notice. `file` is relative to app."""

    name: str
    file: str
    right: str
    wrong: str
    caught_by: str
