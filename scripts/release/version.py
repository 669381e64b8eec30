"""Says which version the next release has.

version.py              the version of pyproject.toml while no release has it; then the same with the next patch number
version.py --write      also writes it into pyproject.toml and app/__init__.py, as a release is made
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable

from names import ROOT

NUMBERS = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")

#: Where the version stands, and how the line looks.
PLACES = (("pyproject.toml", r'^(version = )"[^"]*"'), ("app/__init__.py", r'^(__version__ = )"[^"]*"'))


def next_version(base: str, tags: Iterable[str]) -> str:
    """`base` (X.Y.Z) unless a tag vX.Y.N with N >= Z is there; then X.Y and one more than the greatest N."""
    major, minor, patch = parsed(base)
    taken = [parsed(tag) for tag in tags if NUMBERS.fullmatch(tag)]
    greatest = max((found[2] for found in taken if found[:2] == (major, minor)), default=-1)
    return f"{major}.{minor}.{max(patch, greatest + 1)}"


def parsed(version: str) -> tuple[int, int, int]:
    """The three numbers. Raises SystemExit when there are not three."""
    found = NUMBERS.fullmatch(version)
    if found is None:
        sys.exit(f"version.py: {version!r} is not three numbers; mend the version in pyproject.toml.")
    return int(found[1]), int(found[2]), int(found[3])


def current() -> str:
    """The version in pyproject.toml."""
    found = re.search(r'^version = "([^"]*)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""


def write(version: str) -> None:
    """Put it where the program and the package look."""
    for name, pattern in PLACES:
        path = ROOT / name
        text, count = re.subn(
            pattern, rf'\g<1>"{version}"', path.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE
        )
        if count != 1:
            sys.exit(f"version.py: {name} has no line for the version.")
        path.write_text(text, encoding="utf-8")


def main() -> None:
    """Print it, and write it when asked."""
    tags = subprocess.run(["git", "tag", "--list", "v*"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    version = next_version(current(), tags.split())
    if "--write" in sys.argv[1:]:
        write(version)
    print(version)


if __name__ == "__main__":
    main()
