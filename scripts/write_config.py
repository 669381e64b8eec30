"""Writes a first configuration: config/default.yaml to the letter, with the folders of this installation.

    write_config.py PATH --media DIR --state DIR [--set section.key=value ...]

A file that is there is never touched.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path

DEFAULT = Path(__file__).resolve().parent.parent / "config" / "default.yaml"


def with_value(text: str, key: str, value: str) -> str:
    """The YAML text with `section.key` set to `value`; its comment stays."""
    section, name = key.split(".")
    pattern = re.compile(rf"(^{section}:.*?\n(?:[ #].*\n|\n)*?  {name}:)[^#\n]*?([ ]*(?:#.*)?)$", re.MULTILINE)
    changed, count = pattern.subn(lambda found: f"{found[1]} {value}{found[2]}", text, count=1)
    if count != 1:
        raise SystemExit(f"{DEFAULT.name} has no setting {key}")
    return changed


def folders(media: str, state: str) -> dict[str, str]:
    """Where everything lies: one folder for the media tree, so that a move is a rename, and one for state."""
    return {
        "paths.source_dir": f"{media}/ingest",
        "paths.duplicates_dir": f"{media}/duplicates",
        "paths.batch_dir": f"{media}/batches",
        "paths.sorted_dir": f"{media}/archive",
        "system.db_path": f"{state}/db.sqlite",
        "system.log_dir": f"{state}/logs",
    }


def main() -> int:
    """Write the file once."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--media", required=True)
    parser.add_argument("--state", required=True)
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    options = parser.parse_args()
    text = DEFAULT.read_text(encoding="utf-8")
    values = {key: json.dumps(value) for key, value in folders(options.media, options.state).items()}
    values |= dict(item.split("=", 1) for item in options.set)
    for key, value in values.items():
        text = with_value(text, key, value)
    options.path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # it will hold keys: readable by its owner alone
        file = os.open(options.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return 0
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(text)
    print(f"wrote {options.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
