"""Nothing that comes from outside can become a program: what would make one of data is nowhere in ours."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: They make objects, and with them calls, of bytes.
MODULES = {"pickle", "_pickle", "shelve", "dill", "cloudpickle", "jsonpickle", "marshal"}
CALLS = {"eval", "exec", "compile", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load", "yaml.full_load"}
#: A parent and its own child, over pipes of their own; plain values only.
BETWEEN_OURSELVES = {("app/files/head_reader.py", "marshal")}


def found_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            has_shell = any(k.arg == "shell" and ast.unparse(k.value) != "False" for k in node.keywords)
            yield from [name] * (name in CALLS) + ["shell=True"] * has_shell


def test_no_data_can_become_a_program() -> None:
    sources = [path for folder in ("app", "worker") for path in (ROOT / folder).rglob("*.py")]
    assert len(sources) > 300
    found = {(str(path.relative_to(ROOT)), what) for path in sources for what in found_in(path)}
    assert found - BETWEEN_OURSELVES == set()
    assert found >= BETWEEN_OURSELVES, "not needed any more"
