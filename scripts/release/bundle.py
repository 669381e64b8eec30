"""Packs what an installation needs, with the pages' assets, into one archive: the same bytes for the same commit.

bundle.py VERSION FILE.tar.gz      everything lies in media-pipeline-VERSION/
"""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path

from names import ROOT

VENDOR = "app/web/static/vendor"

#: What only developers need.
LEFT_OUT = (
    "tests/",
    "bench/",
    ".ci/",
    ".github/",
    "docs/screenshots/",
    ".gitignore",
    ".pre-commit-config.yaml",
    ".importlinter",
)


def contents() -> list[str]:
    """Paths below the checkout, sorted: tracked files, and the fetched assets. Raises SystemExit without these."""
    stamp = ROOT / VENDOR / ".package-lock.sha256"
    wanted = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text(encoding="utf-8").strip() != wanted:
        sys.exit("bundle.py: the pages' assets are missing or old; run scripts/fetch_assets.sh first.")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    tracked = [name for name in listed.split("\0") if name and not name.startswith(LEFT_OUT)]
    assets = [str(path.relative_to(ROOT)) for path in (ROOT / VENDOR).iterdir()]
    return sorted(tracked + assets)


def commit_seconds() -> int:
    """When the commit was made: the time of every file, since a clone gives each a time of its own."""
    told = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True)
    return int(told.stdout)


def pack(version: str, target: Path) -> None:
    """Write the archive."""
    seconds = commit_seconds()
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        target.open("wb") as file,
        gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=seconds) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in contents():
            path = ROOT / name
            entry = tarfile.TarInfo(f"media-pipeline-{version}/{name}")
            entry.size = path.stat().st_size
            entry.mtime = seconds
            entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            with path.open("rb") as source:
                archive.addfile(entry, source)


if __name__ == "__main__":
    pack(sys.argv[1], Path(sys.argv[2]))
