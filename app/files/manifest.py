"""The manifest of a batch: which files it holds, with their digests, and how it is written and read back.

A manifest holds relative paths only, so that it means the same at every peer and after the roots were moved.
`SHA256SUMS` beside it is for people: `sha256sum -c SHA256SUMS` proves a batch anywhere.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import FileError

#: The version of this format; a reader refuses what is newer.
VERSION = 1
#: Below the archive: hidden from photo programs, found again when the database is lost.
MANIFEST_FOLDER = b".media-pipeline/manifests"
MANIFEST_NAME = b"manifest.json"
SUMS_NAME = b"SHA256SUMS"
#: The names at the top of a batch folder that are ours.
OWN_NAMES = (MANIFEST_NAME, SUMS_NAME)

#: Made once: `json.dumps` makes an encoder for each call.
_as_json = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file of a batch: `path` below the batch folder, `origin` below the ingest folder `origin_root`."""

    asset_id: int
    path: bytes
    size_bytes: int
    sha256: str
    digest: str
    digest_algorithm: str
    origin: bytes
    origin_root: str = ""
    group: int | None = None
    taken_at: str | None = None
    taken_local: str | None = None
    taken_from: str | None = None


@dataclass(frozen=True)
class Manifest:
    """What a batch holds. `revision` is above 1 when files left the batch after it was planned, or all went back.

    `left_out` are the assets among its files that failed before they were delivered: SHA256SUMS does not list them.

    `undone_at` is when the batch was taken back: since then its files are where they came from, and `returned_as`
    says what they are there: "set_aside", or "unique" when they wait for the next batch.
    """

    batch_id: int
    batch_name: str
    created_at: str
    target: str
    files: tuple[ManifestFile, ...]
    revision: int = 1
    version: int = VERSION
    undone_at: str | None = None
    returned_as: str | None = None
    left_out: tuple[int, ...] = ()

    @property
    def file_count(self) -> int:
        """How many files the batch holds."""
        return len(self.files)

    @property
    def size_bytes(self) -> int:
        """How many bytes the files hold together."""
        return sum(f.size_bytes for f in self.files)


def manifest_bytes(manifest: Manifest) -> bytes:
    """The manifest as JSON, one line per file; `parse` gives the same manifest back."""
    head = {
        "version": manifest.version,
        "batch_id": manifest.batch_id,
        "batch_name": manifest.batch_name,
        "revision": manifest.revision,
        "created_at": manifest.created_at,
        "target": manifest.target,
        "file_count": manifest.file_count,
        "size_bytes": manifest.size_bytes,
        **({"undone_at": manifest.undone_at} if manifest.undone_at is not None else {}),
        **({"returned_as": manifest.returned_as} if manifest.returned_as is not None else {}),
        **({"left_out": list(manifest.left_out)} if manifest.left_out else {}),
    }
    lines = [f" {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)},\n" for k, v in head.items()]
    # Grown in place: a list of all lines, their sum and its bytes would take four times the room.
    content = bytearray(("{\n" + "".join(lines) + ' "files": [\n').encode())
    for number, file in enumerate(manifest.files):
        content += b",\n  " if number else b"  "
        content += _as_json(_file_values(file)).encode()
    content += b"\n ]\n}\n"
    return bytes(content)


def _file_values(file: ManifestFile) -> dict[str, Any]:
    return {
        "asset_id": file.asset_id,
        **_path_value("path", file.path),
        "size_bytes": file.size_bytes,
        "sha256": file.sha256,
        "digest": file.digest,
        "digest_algorithm": file.digest_algorithm,
        **_path_value("origin", file.origin),
        "origin_root": file.origin_root,
        "group": file.group,
        "taken_at": file.taken_at,
        "taken_local": file.taken_local,
        "taken_from": file.taken_from,
    }


def _path_value(key: str, path: bytes) -> dict[str, str]:
    """The path as text under `key`, or, where it is not UTF-8, as base64 under `key`_base64."""
    try:
        return {key: path.decode("utf-8")}
    except UnicodeDecodeError:
        return {f"{key}_base64": base64.b64encode(path).decode("ascii")}


def parse(content: bytes, name: bytes = MANIFEST_NAME) -> Manifest:
    """The manifest in these bytes; `name` is for the error.

    Raises FileError when they are no manifest, are cut off, come from a newer version, count wrongly, or name a
    path outside the batch.
    """
    try:
        values = json.loads(content)
        if values["version"] > VERSION:
            raise FileError("read", name, "it was written by a newer version of this program")
        manifest = Manifest(
            batch_id=int(values["batch_id"]),
            batch_name=str(values["batch_name"]),
            created_at=str(values["created_at"]),
            target=str(values["target"]),
            files=tuple(_file(f) for f in values["files"]),
            revision=int(values["revision"]),
            version=int(values["version"]),
            undone_at=_text(values, "undone_at"),
            returned_as=_text(values, "returned_as"),
            left_out=tuple(int(asset_id) for asset_id in values.get("left_out", ())),
        )
        counted = (int(values["file_count"]), int(values["size_bytes"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileError("read", name, f"it is not a manifest ({error})") from error
    if counted != (manifest.file_count, manifest.size_bytes):
        raise FileError("read", name, "its files do not add up to its counts")
    return manifest


def _text(values: Mapping[str, Any], key: str) -> str | None:
    value = values.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key} is no text")
    return value


def _file(values: Mapping[str, Any]) -> ManifestFile:
    return ManifestFile(
        asset_id=int(values["asset_id"]),
        path=_safe_path(values, "path"),
        size_bytes=int(values["size_bytes"]),
        sha256=str(values["sha256"]),
        digest=str(values["digest"]),
        digest_algorithm=str(values["digest_algorithm"]),
        origin=_safe_path(values, "origin"),
        origin_root=str(values["origin_root"]),
        group=values["group"],
        taken_at=values["taken_at"],
        taken_local=values["taken_local"],
        taken_from=values["taken_from"],
    )


def _safe_path(values: Mapping[str, Any], key: str) -> bytes:
    encoded = values.get(f"{key}_base64")
    path = values[key].encode("utf-8") if encoded is None else base64.b64decode(encoded, validate=True)
    if b"\0" in path or any(part in (b"", b".", b"..") for part in path.split(b"/")):
        raise ValueError(f"unsafe {key}")
    return bytes(path)


def sums_bytes(manifest: Manifest) -> bytes:
    """SHA256SUMS of what is delivered, as coreutils writes and checks it, names with odd characters escaped alike."""
    left_out = set(manifest.left_out)
    return b"".join(_sum_line(f.sha256, f.path) for f in manifest.files if f.asset_id not in left_out)


def _sum_line(sha256: str, path: bytes) -> bytes:
    escaped = path.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    # A lone "-" would make sha256sum read its standard input.
    name = b"./-" if escaped == b"-" else escaped
    return (b"\\" if escaped != path else b"") + sha256.encode("ascii") + b"  " + name + b"\n"
