"""Whole installations with real worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.worker.installation import Installation


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """`install(batch={"max_files": 20})`: an installation under tmp_path; its processes end with the test."""
    with ExitStack() as stack:

        def make(**changes: Any) -> Installation:
            return stack.enter_context(Installation(tmp_path, **changes))

        yield make
