"""Prints the notes of a release: what CHANGELOG.md says of it that the release before did not say.

notes.py VERSION [--since TAG]      the section of that version, else [Unreleased]; without the lines that TAG had
"""

from __future__ import annotations

import argparse
import re
import subprocess

from names import ROOT, public_names

HEADING = re.compile(r"^## \[([^\]]+)\]")


def section(changelog: str, version: str) -> list[str]:
    """The lines under the version's heading, or under Unreleased while it has none."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in changelog.splitlines():
        heading = HEADING.match(line)
        if heading:
            current = found.setdefault(heading[1], [])
        else:
            current.append(line)
    return found.get(version) or found.get("Unreleased") or []


def news(lines: list[str], known: set[str]) -> list[str]:
    """Without the lines that were known; a subheading stays only where something stands under it."""
    kept: list[str] = []
    for line in reversed(lines):
        is_subheading = line.startswith("### ")
        is_bare = not kept or kept[-1].startswith("### ")
        if line.strip() and ((is_subheading and not is_bare) or (not is_subheading and line not in known)):
            kept.append(line)
    return kept[::-1]


def main() -> None:
    """Print them, with where to read on."""
    parser = argparse.ArgumentParser()
    parser.add_argument("version")
    parser.add_argument("--since", metavar="TAG")
    options = parser.parse_args()
    known: set[str] = set()
    if options.since:
        command = ["git", "show", f"{options.since}:CHANGELOG.md"]
        known = set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines())
    lines = news(section((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), options.version), known)
    names = public_names()
    print("\n".join(lines) or "Nothing changed that users see.")
    print(f"\nImage: `{names.image}:{options.version}`. How to install and update: ", end="")
    print(f"[docs/install.md](https://github.com/{names.repository}/blob/v{options.version}/docs/install.md).")


if __name__ == "__main__":
    main()
