"""docs/defects.md and docs/safety.md name tests; each of them must be there, and every row must have one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DEFECTS, SAFETY = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("defects.md", "safety.md"))
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
#: The defects of the predecessor are numbered; the last one was a list of small ones, told apart by letters.
NUMBERED = re.compile(r"^\| (\d+)[a-z]? \|", re.MULTILINE)


def functions(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def rows(text: str) -> list[str]:
    """The rows of all tables, without their heads."""
    lines = text.splitlines()
    return [line for line, before in zip(lines[1:], lines, strict=False) if line[:2] == "| " and before[:1] == "|"]


@pytest.mark.parametrize("text", [DEFECTS, SAFETY], ids=["defects", "safety"])
def test_every_test_that_a_document_names_exists(text: str) -> None:
    known = {path: functions(path) for path, _ in NAMED.findall(text)}
    missing = [f"{path}::{name}" for path, name in NAMED.findall(text) if name not in known[path]]
    assert missing == []


@pytest.mark.parametrize("text", [DEFECTS, SAFETY], ids=["defects", "safety"])
def test_every_row_of_a_document_names_a_test(text: str) -> None:
    assert len(rows(text)) > 20
    assert [row for row in rows(text) if not NAMED.search(row)] == []


def test_every_defect_of_the_predecessor_is_listed() -> None:
    assert {int(number) for number in NUMBERED.findall(DEFECTS)} == set(range(1, 27))
