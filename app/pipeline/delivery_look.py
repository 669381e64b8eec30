"""One look at one delivery through Syncthing, and what it has found so far: values that its steps hand on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.db.clock import later
from app.db.deliveries import Confirmed
from app.db.delivery_obstacles import Known
from app.model import Batch
from app.pipeline.step import StepContext
from app.services import Services
from app.syncthing.answers import Completion
from app.syncthing.look import Ground, Standing
from app.syncthing.needs import Need
from app.syncthing.notes import Notes
from app.syncthing.proof import Judgement, Verdict
from app.syncthing.troubles import Trouble

#: So long must a file have been refused before that is told.
SETTLE_SECONDS = 5


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
    could not handle. `cut_short` says so when there was no time to ask for every file.
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
    before: dict[tuple[int, str], Known] = field(default_factory=dict)
    reasons: dict[bytes, str] = field(default_factory=dict)
    scanned_now: bool = False
    cut_short: Trouble | None = None

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
    """The files that this peer does not want, as was found before already: right after it came back, what it holds
    may not be shown yet although it is said to need nothing more."""
    earlier = later(-SETTLE_SECONDS)
    return [
        judged for judged in this.judgements
        if judged.device_id == peer.device_id and judged.verdict is Verdict.NOT_TAKEN
        and (known := this.before.get((judged.expected.asset_id, judged.device_id))) is not None
        and known.code == Verdict.NOT_TAKEN and known.found_at <= earlier
    ]  # fmt: skip
