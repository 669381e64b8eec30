"""What a backup holds: `backup.json`, its first member, names all others with their sizes and SHA-256."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import IO, Any

from app.errors import BadRequest

FORMAT = 1
DESCRIPTION = "backup.json"
CONFIG = "config.yaml"
DATABASE = "db.sqlite"
REVISIONS = "revisions/"
MANIFESTS = "manifests/"

#: A description of a million manifests is not much larger.
DESCRIPTION_MAX_BYTES = 256 << 20
CHUNK_BYTES = 1 << 20

#: A name that is neither a path nor hidden from us in some way.
PLAIN_NAME = re.compile(r"(?!\.{1,2}$)[^/\0]{1,255}")


@dataclass(frozen=True)
class Member:
    """One file in a backup."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Description:
    """What a backup says of itself."""

    made_at: str
    program: str
    schema: str
    database_id: str
    members: tuple[Member, ...]
    format: int = FORMAT

    def as_json(self) -> bytes:
        """The text of `backup.json`."""
        return json.dumps(asdict(self), indent=1).encode("ascii") + b"\n"

    def manifests(self) -> list[Member]:
        """The members that are manifests."""
        return [member for member in self.members if member.name.startswith(MANIFESTS)]


def read_description(content: bytes) -> Description:
    """The description in these bytes. Raises BadRequest when they are none, or come from a newer version."""
    try:
        values = json.loads(content)
        if int(values["format"]) > FORMAT:
            raise BadRequest("The backup was made by a newer version of Media Pipeline; restore it with that version.")
        members = tuple(_member(member) for member in values["members"])
        found = Description(
            str(values["made_at"]), str(values["program"]), str(values["schema"]), str(values["database_id"]), members
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadRequest(f"Its {DESCRIPTION} cannot be read ({error}).") from error
    names = [member.name for member in found.members]
    if len(set(names)) != len(names) or not {CONFIG, DATABASE} <= set(names):
        raise BadRequest(f"Its {DESCRIPTION} does not name one configuration and one database.")
    return found


def _member(values: Any) -> Member:
    member = Member(str(values["name"]), int(values["size_bytes"]), str(values["sha256"]))
    if not is_member_name(member.name) or member.size_bytes < 0:
        raise ValueError(f"{member.name!r} is no name that a backup holds")
    return member


def is_member_name(name: str) -> bool:
    """Whether a backup may hold a file of this name: one of ours, in no folder but ours."""
    if name in (CONFIG, DATABASE):
        return True
    folder, slash, rest = name.partition("/")
    return folder + slash in (REVISIONS, MANIFESTS) and PLAIN_NAME.fullmatch(rest) is not None


def sha256_of(read: Callable[[int], bytes]) -> str:
    """The SHA-256 of everything that `read` gives."""
    hashing = hashlib.sha256()
    while chunk := read(CHUNK_BYTES):
        hashing.update(chunk)
    return hashing.hexdigest()


def copy_through(source: IO[bytes], target: IO[bytes]) -> tuple[int, str]:
    """Copy all of one file into another; (bytes, SHA-256) of what went through."""
    hashing, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK_BYTES):
        hashing.update(chunk)
        target.write(chunk)
        size += len(chunk)
    return size, hashing.hexdigest()
