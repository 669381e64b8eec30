"""Writes a first configuration: every setting with its comment and default, and the folders of this installation.

    write_config.py PATH --media DIR --state DIR [--set section.key=value ...]

A file that is there is never touched.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from app.config.document import plain_value
from app.config.render import render
from app.config.settings import with_path

#: A new installation makes a backup of its own state on Sundays at half past four.
WEEKLY = "30 4 * * 0"


def first_settings(media: str, state: str) -> dict[str, Any]:
    """Where everything lies: one folder for the media tree, so that a move is a rename, and one for state."""
    return {
        "paths.source_dir": f"{media}/ingest",
        "paths.duplicates_dir": f"{media}/duplicates",
        "paths.batch_dir": f"{media}/batches",
        "paths.sorted_dir": f"{media}/archive",
        "system.db_path": f"{state}/db.sqlite",
        "backup.schedule": WEEKLY,
    }


def write_once(path: Path, text: str) -> bool:
    """Write the file unless it is there. It will hold keys: only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(text)
    return True


def main() -> int:
    """Write the file once."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--media", required=True)
    parser.add_argument("--state", required=True)
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    options = parser.parse_args()
    chosen = first_settings(options.media, options.state)
    for item in options.set:
        key, value = item.split("=", 1)
        chosen[key] = plain_value(value)
    values: dict[str, Any] = {}
    for key, value in chosen.items():
        values = with_path(values, key, value)
    if write_once(options.path, render(values)):
        print(f"Wrote {options.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
