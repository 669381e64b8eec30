"""What `make torture` has shown so far: a test that passed on this code is not run again, however often it is cut off.

A plugin of pytest: `python -m pytest -p tests.torture.ledger --ledger FILE -m torture`. FILE has one line of JSON for
each test that ended. A line counts while the program, the test's own file and what the sweeps are made of are what
they were; figures that a test records with `record_property` (a number by its name) are added up.

`python -m tests.torture.ledger FILE` prints the figures of the code that is here.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
#: What every line stands on; the test's own file comes on top.
TESTED = ("app", "worker", "config", "requirements.txt", "tests/torture", "tests/files/library.py", "tests/worker")


@dataclass(frozen=True)
class Line:
    """One test that ended: on which code (a digest), how, after how many seconds, and what it counted."""

    test: str
    code: str
    passed: bool
    seconds: float
    figures: dict[str, int] = field(default_factory=dict)


class Ledger:
    """The lines of one file that are about the code that is here."""

    def __init__(self, path: Path, tests: Path = REPOSITORY) -> None:
        self.path = path
        self.tests = tests

    def passed(self) -> dict[str, Line]:
        """Every test that has passed on this code, once."""
        return {line.test: line for line in self._lines() if line.passed and line.code == self.code_of(line.test)}

    def failed(self) -> set[str]:
        """Tests that have failed on this code and have not passed since."""
        last = {line.test: line.passed for line in self._lines() if line.code == self.code_of(line.test)}
        return {test for test, has_passed in last.items() if not has_passed}

    def add(self, line: Line) -> None:
        """Durable when this returns, so that what was shown outlives a power cut."""
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(line)) + "\n")

    def figures(self) -> Counter[str]:
        """What the tests that passed have counted, and how many they are."""
        passed = self.passed().values()
        total = Counter({"tests": len(passed)})
        for line in passed:
            total.update(line.figures)
        return total

    def code_of(self, test: str) -> str:
        """A digest of what a test stands on: the program and its own file."""
        own = self.tests / test.partition("::")[0]
        return hashlib.sha256(_program().encode() + own.read_bytes() if own.is_file() else b"").hexdigest()

    def _lines(self) -> Iterator[Line]:
        if not self.path.is_file():
            return
        for text in self.path.read_text().splitlines():
            # the last line of a sitting that was cut off may be half a line
            if text.endswith("}"):
                yield Line(**json.loads(text))


@cache
def _program() -> str:
    digest = hashlib.sha256()
    for name in TESTED:
        top = REPOSITORY / name
        files = [top] if top.is_file() else sorted(path for path in top.rglob("*") if path.is_file())
        for path in (path for path in files if not _is_made(path)):
            digest.update(f"{path.relative_to(REPOSITORY)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _is_made(path: Path) -> bool:
    """Whether a file is no part of the code: browser assets, or tests, which count each for itself."""
    parts = path.relative_to(REPOSITORY).parts
    return "__pycache__" in parts or "vendor" in parts or path.name.startswith("test_") or path.name == "ledger.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--ledger", type=Path, help="tests that passed on this code are noted there and not run again")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if (ledger := _of(config)) is not None:
        known = ledger.passed()
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in known])
        items[:] = [item for item in items if item.nodeid not in known]


class _Noting:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.failed:
            figures = {name: int(value) for name, value in report.user_properties if isinstance(value, int)}  # type: ignore[call-overload]
            test = report.nodeid
            self.ledger.add(Line(test, self.ledger.code_of(test), report.passed, round(report.duration, 1), figures))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("what the ledger shows of this code")
        for line in table(self.ledger):
            terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    ledger = _of(config)
    if ledger is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Noting(ledger))


def _of(config: pytest.Config) -> Ledger | None:
    path: Path | None = config.getoption("--ledger")
    return None if path is None else Ledger(path, config.rootpath)


def table(ledger: Ledger) -> list[str]:
    """The figures, a line each, and the tests that failed."""
    lines = [f"{count:>10,} {name}" for name, count in sorted(ledger.figures().items())]
    return lines + [f"    FAILED {test}" for test in sorted(ledger.failed())]


if __name__ == "__main__":
    print("\n".join(table(Ledger(Path(sys.argv[1])))))
