"""What looking at Syncthing for a person finds: checks with cause and fix, and the facts that they rest on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.syncthing.troubles import Trouble

OK, WARNING, FAULT = "ok", "warning", "fault"


@dataclass(frozen=True)
class Check:
    """One thing looked at. `cause` says what was found, `fix` what to do; `fix` is empty when all is well."""

    name: str
    state: str
    cause: str
    fix: str = ""


@dataclass(frozen=True)
class OurFiles:
    """What of ours is in the folder, as the database has it; paths are relative to batch_dir.

    `undelivered` are the names of batches that are on their way, `files` those of their files that no peer is proven
    to have. `waiting_seconds` is how long no file has been confirmed while some were waited for. `place_marker` is the
    name of the folder that tells whether Syncthing sees the same place, empty when there is none.
    """

    batch_names: Collection[str] = ()
    undelivered: Collection[str] = ()
    files: Sequence[bytes] = ()
    waiting_seconds: float = 0
    place_marker: str = ""


@dataclass
class Examination:
    """The checks in their order, and Syncthing's own answers that they rest on."""

    checks: list[Check] = field(default_factory=list)
    reachable: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


FIXES = {
    "folder_paused": "Resume the folder in Syncthing.",
    "folder_type": "Make the folder Send Only in Syncthing: Edit > Advanced > Folder Type.",
    "marker_missing": "Mount the disk; make .stfolder again only if the folder is really the right one.",
    "folder_error": "Correct what Syncthing says of the folder, then have it scanned again there.",
    "not_shared": "Share the folder with the peer in Syncthing: Edit > Sharing.",
    "paused_there": "Resume the folder in the peer's Syncthing.",
    "not_shared_back": "Accept the folder in the peer's Syncthing.",
    "device_paused": "Resume the device in Syncthing.",
    "peer_offline": "Start Syncthing at the peer, and see to it that the two reach each other.",
}


def of_trouble(name: str, trouble: Trouble, state: str = FAULT) -> Check:
    """A trouble of a delivery as a check."""
    return Check(name, state, trouble.sentence, FIXES.get(trouble.code, "Correct the setting that the sentence names."))
