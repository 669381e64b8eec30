"""docs/journal.md describes every kind of event that the program writes, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from app.db.journal import KINDS

ROOT = Path(__file__).resolve().parents[1]
ROW = re.compile(r"^\| `([a-z_.]+)` \| ([a-z, ]+) \| (.+) \|(.*)\|$", re.MULTILINE)
LEVELS = {"info", "warning", "error"}


def documented() -> dict[str, tuple[str, str, str]]:
    text = (ROOT / "docs" / "journal.md").read_text(encoding="utf-8")
    found = ROW.findall(text)
    assert len({kind for kind, *_ in found}) == len(found), "a kind is described twice"
    return {kind: (levels, meaning, detail) for kind, levels, meaning, detail in found}


def test_every_kind_of_event_is_described_and_no_other() -> None:
    assert set(documented()) == KINDS


def test_every_description_names_its_levels_and_says_what_happened() -> None:
    for kind, (levels, meaning, _) in documented().items():
        assert set(levels.split(", ")) <= LEVELS, kind
        assert meaning.endswith((".", ")")), kind


def test_every_kind_is_a_noun_and_what_happened_to_it() -> None:
    assert [kind for kind in KINDS if not re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)*", kind)] == []


def test_every_kind_of_event_is_written_by_the_program() -> None:
    files = [p for folder in ("app", "worker") for p in (ROOT / folder).rglob("*.py") if p.name != "journal.py"]
    code = [p.read_text(encoding="utf-8") for p in files]
    assert [kind for kind in KINDS if not any(f'"{kind}"' in text for text in code)] == []
