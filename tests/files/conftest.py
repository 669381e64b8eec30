"""Fixtures for tests of moving: a small library on one mount, and one whose archive is on another."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.files.library import Library


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """Ingest and archive on the same mount."""
    made = Library.make(tmp_path / "library")
    yield made
    made.close()


@pytest.fixture
def two_mounts(tmp_path: Path) -> Iterator[Library]:
    """The archive on another mount than ingest: nothing can be renamed or linked across."""
    other = Path(tempfile.mkdtemp(dir="/dev/shm"))
    assert os.stat(other).st_dev != os.stat(tmp_path).st_dev, "this test needs /dev/shm to be a mount of its own"
    made = Library.make(tmp_path / "library", other / "archive")
    yield made
    made.close()
    shutil.rmtree(other)


@pytest.fixture(params=["same mount", "across mounts"])
def any_library(request: pytest.FixtureRequest) -> Library:
    """Both of the above, in turn."""
    found: Callable[[str], Library] = request.getfixturevalue
    return found("library" if request.param == "same mount" else "two_mounts")
