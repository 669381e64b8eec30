"""A release as install.sh fetches it: a bundle of this checkout with its checksum, in a folder that a URL names."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

from tests.scripts.conftest import copy_repository


def make_release(base: Path, *added: str) -> str:
    """Make the newest release, with files of these names added to the program; returns the address of the releases."""
    program = base / "program" / "media-pipeline-0"
    if not program.exists():
        copy_repository(program)
    for name in added:
        (program / name).write_text("# added\n")
    folder = base / "releases" / "latest" / "download"
    folder.mkdir(parents=True, exist_ok=True)
    bundle = folder / "media-pipeline.tar.gz"
    with tarfile.open(bundle, "w:gz", compresslevel=1) as archive:
        archive.add(program, program.name, filter=lambda one: None if "/tests/" in one.name else one)
    digest = hashlib.sha256(bundle.read_bytes()).hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  media-pipeline.tar.gz\n")
    return f"file://{base}/releases"
