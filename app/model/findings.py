"""What a verification finds: a file that is not as its row says, or one that no row knows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.model.statuses import RootKind
from app.model.values import Signature


class FindingKind(StrEnum):
    """In which way a place is not as it should be. IGNORED: a foreign file that a person wants to hear no more of."""

    ALTERED = "altered"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    MOVED = "moved"
    FOREIGN = "foreign"
    IGNORED = "ignored"


#: Those that wait for a person.
OPEN_FINDINGS = tuple(kind for kind in FindingKind if kind is not FindingKind.IGNORED)
#: Those after which content of ours may be lost.
GRAVE_FINDINGS = (FindingKind.ALTERED, FindingKind.MISSING, FindingKind.UNREADABLE)

#: The reason of an asset whose file a person has said to be gone, and not missed.
GONE_ON_PURPOSE = "A person has said that it is gone."

#: What a verification can be told to look through, and which folders that means.
VERIFIABLE: dict[str, tuple[RootKind, ...]] = {
    "archive": (RootKind.ARCHIVE,),
    "batch": (RootKind.STAGING, RootKind.BATCH),
    "duplicates": (RootKind.DUPLICATES,),
    "ingest": (RootKind.INGEST,),
}
#: Ingest only when it is named: files there come and go, and are read when they are taken in.
VERIFIED_BY_DEFAULT = ("archive", "batch", "duplicates")


@dataclass(frozen=True, slots=True)
class Finding:
    """One place, what is wrong there, and what the file there holds as far as it was read.

    `asset_id` is the asset whose file, or kept copy, should be there; None for a foreign file. A moved file was found
    at (`new_root_id`, `new_path`); what was read is then told of the file there.
    """

    id: int
    run_id: int
    kind: FindingKind
    asset_id: int | None
    root_id: int
    path: bytes
    size_bytes: int | None
    reason: str
    found_at: str
    device: int | None = None
    inode: int | None = None
    mtime_ns: int | None = None
    ctime_ns: int | None = None
    digest: str | None = None
    digest_algorithm: str | None = None
    sha256: str | None = None
    new_root_id: int | None = None
    new_path: bytes | None = None

    @property
    def signature(self) -> Signature | None:
        """What the file system said of the file when it was found; None when there was none, or it was not read."""
        known = (self.device, self.inode, self.size_bytes, self.mtime_ns, self.ctime_ns)
        return Signature(*(number for number in known if number is not None)) if None not in known else None
