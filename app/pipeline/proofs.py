"""Writing down what a look has found of files: new proofs, proofs that are out of date, and what is in the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.db import deliveries, delivery_obstacles
from app.db.delivery_obstacles import EVERYWHERE, Known, Obstacle
from app.pipeline.delivery_look import Look
from app.syncthing.proof import HERE, Judgement, Verdict

Key = tuple[int, str]


@dataclass
class Found:
    """What has to be written: by device the (asset, version) that arrived and the assets whose proof is out of date."""

    arrived: dict[str, list[tuple[int, str | None]]] = field(default_factory=lambda: defaultdict(list))
    outdated: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    obstacles: list[Obstacle] = field(default_factory=list)
    cleared: set[Key] = field(default_factory=set)

    @classmethod
    def of(
        cls,
        judgements: Sequence[Judgement],
        proven: Mapping[str, Mapping[int, str | None]],
        before: Mapping[Key, Known],
        reasons: Mapping[bytes, str],
    ) -> Found:
        """What these judgements change, given the versions proven per device and the obstacles known before."""
        found = cls()
        for j in judgements:
            asset_id = j.expected.asset_id
            if asset_id in proven[j.device_id]:
                found.outdated[j.device_id].append(asset_id)
            if j.verdict is Verdict.CONFIRMED:
                found.arrived[j.device_id].append((asset_id, j.version))
            key = _key_of(j)
            if key is not None and (key not in before or before[key].code != j.verdict):
                found.obstacles.append(Obstacle(*key, j.verdict.value, reasons.get(j.expected.path)))
            found.cleared |= {other for other in _keys(j) if other != key and other in before}
        return found

    def is_empty(self) -> bool:
        """Whether nothing has to be written."""
        return not (self.arrived or self.outdated or self.obstacles or self.cleared)


def _keys(judged: Judgement) -> tuple[Key, Key]:
    return (judged.expected.asset_id, judged.device_id), (judged.expected.asset_id, EVERYWHERE)


def _key_of(judged: Judgement) -> Key | None:
    """Under which device an obstacle is kept; None when there is none."""
    if judged.verdict in (Verdict.CONFIRMED, Verdict.WAITING):
        return None
    there, everywhere = _keys(judged)
    return everywhere if judged.verdict in HERE else there


def store(this: Look, found: Found) -> None:
    """Write it down in one transaction; nothing is touched when nothing is new."""
    if found.is_empty():
        return
    with this.services.db.transaction() as conn:
        for device_id, asset_ids in found.outdated.items():
            deliveries.forget_at(conn, this.batch.id, device_id, asset_ids)
        for device_id, arrived in found.arrived.items():
            deliveries.confirm(conn, this.batch.id, device_id, arrived)
        delivery_obstacles.clear(conn, found.cleared)
        delivery_obstacles.put(conn, this.batch.id, found.obstacles)
