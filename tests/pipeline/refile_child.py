"""A process that files an archive anew and is killed: `python -m tests.pipeline.refile_child BASE WHERE TIMES`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from app.db import moves, refile_entries
from app.files import move, syscalls
from app.pipeline.refile import moving
from app.services import Services
from tests.conftest import make_jpeg, make_services
from tests.pipeline.hold_child import after
from tests.pipeline.refiling import archive, refile

BEFORE = {"folder_pattern": "{year}/{month:02d}"}
AFTER = {**BEFORE, "name_pattern": "{counter}", "weak_dates": "unknown_folder"}

#: Which function is the last that is called: that of so manieth time.
WHERES: dict[str, tuple[Any, str]] = {
    "renamed": (syscalls, "rename_without_replacing"),
    "intended": (moves, "plan"),
    "finished": (move, "finish"),
    "planned": (refile_entries, "add"),
    "put aside": (refile_entries, "set_places"),
    "pruned": (moving, "remove_empty_folders"),
}


def library(services: Services) -> None:
    """Groups with numbers for names, which they are to get by their dates: three of them have to change places in a
    circle; and files without a date, which go to a folder of their own."""
    files: dict[str, bytes] = {}
    for number, day in ((1, 20), (2, 10), (3, 25), (4, 1)):
        files[f"{number}.jpg"] = make_jpeg(f"2024:05:{day:02d} 10:00:00", seed=number)
        files[f"{number}.MOV"] = b"film %d" % number
        files[f"own{number}.jpg"] = make_jpeg(None, seed=number + 9)
    archive(services, files)


def open_at(base: Path, sorter: dict[str, Any]) -> Services:
    return make_services(base, dedup={"threads": 1}, sorter=sorter)


def killed_after(where: str, times: int) -> Any:
    """A context in which the process dies once that has been done so often."""
    module, name = WHERES[where]
    function: Callable[..., Any] = getattr(module, name)
    return mock.patch.object(module, name, after(function, times))


if __name__ == "__main__":
    opened = open_at(Path(sys.argv[1]), AFTER)
    with killed_after(sys.argv[2], int(sys.argv[3])):
        refile(opened)
