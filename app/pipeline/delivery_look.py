"""One look at one delivery through Syncthing, and what it has found so far: values that its steps hand on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.db.deliveries import Confirmed
from app.model import Batch
from app.pipeline.step import StepContext
from app.services import Services
from app.syncthing.answers import Completion
from app.syncthing.look import Ground, Standing
from app.syncthing.needs import Need
from app.syncthing.notes import Notes
from app.syncthing.proof import Judgement, Verdict
from app.syncthing.troubles import Trouble


@dataclass
class Peer:
    """One device that must have the batch, as this look finds it.

    `need` is what it lacks by Syncthing's account, None when that was not asked. `proven` are the versions in which
    it was seen to hold the batch's assets, by asset id; `held` is how much that is at the end of the look.
    """

    standing: Standing
    completion: Completion | None = None
    need: Need | None = None
    trouble: Trouble | None = None
    proven: dict[int, str | None] = field(default_factory=dict)
    held: Confirmed = field(default_factory=lambda: Confirmed(0, 0))

    @property
    def device_id(self) -> str:
        """Its device ID."""
        return self.standing.device_id

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.standing.peer

    @property
    def answers(self) -> bool:
        """Whether what it holds can be seen now."""
        return self.standing.connected and self.standing.trouble is None


@dataclass
class Look:
    """One look: the batch, what is remembered of earlier looks, and what this one has found.

    `before` are the codes of what was in the way of (asset, device), `reasons` Syncthing's own words for paths that it
    could not handle.
    """

    services: Services
    batch: Batch
    notes: Notes
    run_id: int | None
    step: StepContext | None
    required: tuple[str, ...] = ()
    ground: Ground | None = None
    peers: list[Peer] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    before: dict[tuple[int, str], str] = field(default_factory=dict)
    reasons: dict[bytes, str] = field(default_factory=dict)
    scanned_now: bool = False

    @property
    def ready_ground(self) -> Ground:
        """The folder, once it was found to be able to deliver."""
        assert self.ground is not None
        return self.ground


def names_of(peers: Sequence[Peer]) -> str:
    """The peers' names in one phrase: "Phone", "Phone and Laptop"."""
    names = [peer.name for peer in peers]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "the peer"


def not_taken(this: Look, peer: Peer) -> list[Judgement]:
    """The files that this peer does not want, as two looks in a row have found: the first may have come too early."""
    return [
        j for j in this.judgements
        if j.device_id == peer.device_id and j.verdict is Verdict.NOT_TAKEN
        and this.before.get((j.expected.asset_id, j.device_id)) == Verdict.NOT_TAKEN
    ]  # fmt: skip
