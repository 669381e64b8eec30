"""The pairing test: a small file goes to the peer and back out of the folder, before any photo does."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from app.model.statuses import RunStatus

#: Where the test file lies in the batch folder, and so at the top of the peer's folder.
PAIRING_TEST_NAME = "media-pipeline-pairing-test.txt"


class PairingState(StrEnum):
    """How far a pairing test is. SENDING and RELEASING are looked at; ARRIVED waits for the file to be removed."""

    SENDING = "sending"
    RELEASING = "releasing"
    ARRIVED = "arrived"
    PASSED = "passed"
    CANCELLED = "cancelled"
    FAILED = "failed"


UNDER_WAY = (PairingState.SENDING, PairingState.RELEASING, PairingState.ARRIVED)
#: What a run that ended early makes of the test that it carried.
ENDED_EARLY = {RunStatus.CANCELLED: PairingState.CANCELLED, RunStatus.FAILED: PairingState.FAILED}


@dataclass(frozen=True)
class PairingTest:
    """One pairing test. `confirmed` has the `name` and `confirmed_at` of each device that has the file, by its ID;
    `detail` says in words how it stands."""

    run_id: int
    state: PairingState
    peer_policy: str
    size_bytes: int
    started_at: str
    detail: str
    confirmed: dict[str, dict[str, str]]
    released_at: str | None = None
    ended_at: str | None = None
    next_look_at: str | None = None

    @property
    def content(self) -> bytes:
        """What the file holds: its size alone does not make a file of this name ours."""
        return test_content(self.run_id, self.started_at)

    @property
    def where(self) -> str:
        """The names of the devices that have the file."""
        return ", ".join(sorted(device["name"] for device in self.confirmed.values()))

    def as_json(self) -> dict[str, Any]:
        """For the database and the API."""
        return {**asdict(self), "state": self.state.value, "file": PAIRING_TEST_NAME}


def test_content(run_id: int, at: str) -> bytes:
    """What the test file says to whoever finds it at the peer."""
    return (
        f"This is the pairing test {run_id} of Media Pipeline, made at {at}.\n"
        "It shows that files arrive here. It holds nothing else and goes away by itself.\n"
    ).encode()
