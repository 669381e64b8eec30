"""docs/defects.md names tests; each of them must be there, and every defect must have one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "defects.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
#: The defects of the predecessor are numbered; the last one was a list of small ones, told apart by letters.
NUMBERED = re.compile(r"^\| (\d+)[a-z]? \|", re.MULTILINE)


def functions(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_test_that_the_list_of_defects_names_exists() -> None:
    known = {path: functions(path) for path, _ in NAMED.findall(TEXT)}
    missing = [f"{path}::{name}" for path, name in NAMED.findall(TEXT) if name not in known[path]]
    assert missing == []


def test_every_defect_of_the_predecessor_has_a_test() -> None:
    assert {int(number) for number in NUMBERED.findall(TEXT)} == set(range(1, 27))
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith(("| No.", "| What"))]
    assert [row for row in rows if not NAMED.search(row)] == []
