"""The manifest and SHA256SUMS: written, read back, and proved by sha256sum itself."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import FileError
from app.pipeline.manifest import Manifest, ManifestFile, manifest_bytes, parse, sums_bytes

ODD_NAMES = [
    b"plain.jpg",
    b"two words.jpg",
    b" leading space.jpg",
    b"-rf",
    b"-",
    b"new\nline.jpg",
    b"carriage\rreturn.jpg",
    b"ends in return\r",
    b"back\\slash.jpg",
    b"\\starts with one.jpg",
    b"\\n is not a newline.jpg",
    b"not utf-8 \xff\xfe.jpg",
    "é ü 日本 😀.jpg".encode(),
    b"<script>alert(1)</script>".replace(b"/", b"|"),
    b"quote\"and'tick`.jpg",
    b"\x01control\x7f.jpg",
    b"folder/below/a.jpg",
]

parts = st.binary(min_size=1, max_size=20).filter(lambda b: not {0, 47} & set(b) and b not in (b".", b".."))
paths = st.lists(parts, min_size=1, max_size=4).map(b"/".join)
files = st.builds(
    ManifestFile,
    asset_id=st.integers(1, 10**9),
    path=paths,
    size_bytes=st.integers(0, 2**50),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    digest=st.text("0123456789abcdef", min_size=64, max_size=64),
    digest_algorithm=st.sampled_from(["blake3", "sha256"]),
    origin=paths,
    origin_root=st.sampled_from(["", "phone"]),
    group=st.none() | st.integers(1, 10**9),
    taken_at=st.none() | st.just("2024-05-01T10:00:00+00:00"),
    taken_local=st.none() | st.just("2024-05-01T12:00:00"),
    taken_from=st.none() | st.just("exif"),
)


def a_manifest(*listed: ManifestFile) -> Manifest:
    return Manifest(7, "batch_007", "2024-05-01T10:00:00.000000+00:00", "none", tuple(listed))


def a_file(path: bytes, content: bytes = b"") -> ManifestFile:
    sha256 = hashlib.sha256(content).hexdigest()
    return ManifestFile(1, path, len(content), sha256, sha256, "sha256", path)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(files, max_size=5))
def test_a_manifest_reads_back_as_it_was_written(listed: list[ManifestFile]) -> None:
    manifest = a_manifest(*listed)
    assert parse(manifest_bytes(manifest)) == manifest


def test_a_manifest_names_relative_paths_and_counts() -> None:
    content = manifest_bytes(a_manifest(a_file(b"trip/a.jpg", b"one"), a_file(b"bad\xff.jpg", b"three")))
    assert b'"path": "trip/a.jpg"' in content
    assert b'"path_base64": "YmFk/y5qcGc="' in content
    assert b'"file_count": 2' in content
    assert b'"size_bytes": 8' in content
    assert b'": "/' not in content


@given(st.integers(0, 2000))
def test_a_manifest_that_was_cut_off_is_refused(length: int) -> None:
    content = manifest_bytes(a_manifest(a_file(b"a.jpg", b"one"), a_file(b"b.jpg", b"two")))
    with pytest.raises(FileError):
        parse(content[: min(length, len(content) - 3)])


@pytest.mark.parametrize("path", [b"../a.jpg", b"/etc/passwd", b"a//b", b"a/./b", b"", b"a\0b"])
def test_a_manifest_that_names_a_path_outside_the_batch_is_refused(path: bytes) -> None:
    with pytest.raises(FileError, match="unsafe"):
        parse(manifest_bytes(a_manifest(replace(a_file(b"a.jpg"), path=path))))


def test_a_manifest_of_a_newer_version_is_refused_in_words() -> None:
    with pytest.raises(FileError, match="newer version"):
        parse(manifest_bytes(replace(a_manifest(), version=99)))


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"version": "x"}'])
def test_what_is_no_manifest_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(FileError, match="not a manifest"):
        parse(content)


def test_a_manifest_whose_files_do_not_add_up_is_refused() -> None:
    content = manifest_bytes(a_manifest(a_file(b"a.jpg", b"one")))
    with pytest.raises(FileError, match="add up"):
        parse(content.replace(b'"file_count": 1', b'"file_count": 2'))


def test_sha256sum_checks_every_odd_name(tmp_path: Path) -> None:
    root = os.fsencode(tmp_path)
    listed = []
    for number, name in enumerate(ODD_NAMES):
        content = b"content %d" % number
        os.makedirs(os.path.dirname(root + b"/" + name), exist_ok=True)
        with open(root + b"/" + name, "xb") as file:
            file.write(content)
        listed.append(a_file(name, content))
    (tmp_path / "SHA256SUMS").write_bytes(sums_bytes(a_manifest(*listed)))
    command = ["sha256sum", "-c", "--strict", "SHA256SUMS"]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.count(b": OK\n") == len(ODD_NAMES)
