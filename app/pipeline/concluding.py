"""The end of a look: the delivery is finished, or what it waits for is written down."""

from __future__ import annotations

from collections.abc import Sequence

from app.db import deliveries, delivery_obstacles, members
from app.errors import printable
from app.model import AssetStatus, Report
from app.pipeline.delivered import finish, is_only_touched, list_changed
from app.pipeline.delivery_look import Look, Peer, names_of, not_taken
from app.pipeline.peer_records import record_peers
from app.pipeline.published_sums import is_settled
from app.pipeline.waiting import wait_for_peers
from app.syncthing import notes, proof, troubles
from app.syncthing.proof import Judgement, Verdict
from app.syncthing.troubles import Trouble


def conclude(this: Look) -> Report:
    """SYNCED when every file is proven at every device that must have it and lies here as it was; else it waits."""
    with this.services.db.reading() as conn:
        files, _ = members.count(conn, this.batch.id).get(AssetStatus.BATCHED, (0, 0))
        held = deliveries.size_of_confirmed(conn, this.batch.id, *this.required).file_count
        for peer in this.peers:
            peer.held = deliveries.size_of_confirmed(conn, this.batch.id, peer.device_id)
    found = _files_troubles(this)
    if held < files or found:
        slow = [this.cut_short] if this.cut_short is not None else []
        return _wait(this, [*found, *_peer_troubles(this, files), *slow])
    changed = list_changed(this.services, this.batch)
    if changed and is_only_touched(this.services, changed):
        # Whether the content is still the same is read at the beginning of the next look, and it is proven again.
        return _wait(this, [])
    if changed:
        return _wait(this, [troubles.changed_in_folder([printable(a.path) for a in changed])])
    return _synced(this) if is_settled(this) else _wait(this, [])


def _files_troubles(this: Look) -> list[Trouble]:
    """What keeps files from arriving anywhere, told once another scan has not changed it."""
    fine = (Verdict.CONFIRMED, Verdict.NOT_TAKEN, *proof.UNDER_WAY)
    faults = list({j.expected.asset_id: j for j in this.judgements if j.verdict not in fine}.values())
    needs_rescan = proof.needs_rescan({j.verdict for j in faults})
    if needs_rescan:
        this.notes.scanned_at = ""
    if not faults or (needs_rescan and not this.scanned_now):
        return []
    if not any(peer.held.file_count for peer in this.peers) and proof.misplaced(this.judgements):
        return [troubles.misplaced_batch(this.batch.name, this.ready_ground.folder)]
    return [troubles.refused_files(faults, this.reasons)]


def _peer_troubles(this: Look, files: int) -> list[Trouble]:
    """What keeps single peers from having everything."""
    lacking = [peer for peer in this.peers if peer.held.file_count < files]
    refused = [troubles.not_taken(peer.name, not_taken(this, peer)) for peer in lacking]
    return [trouble for trouble in [*(peer.trouble for peer in lacking), *refused] if trouble is not None]


def _synced(this: Look) -> Report:
    config = this.services.config
    grace = config.sync.grace_seconds if this.batch.peer_policy == "mirror" else 0
    note_sample(this, None)
    with this.services.db.transaction() as conn:
        record_peers(conn, this)
        delivery_obstacles.clear_batch(conn, this.batch.id)
        this.notes.trouble = ""
        notes.save(conn, this.batch.id, this.notes)
    seconds = config.workflow.delays.post_sync_sec + grace
    message = f"Every file is confirmed at {names_of(this.peers)}."
    return finish(this.services, this.batch, this.run_id, message, wait_seconds=seconds)


def _wait(this: Look, found: Sequence[Trouble]) -> Report:
    note_sample(this, found[0].code if found else None)
    return wait_for_peers(this, found)


def note_sample(this: Look, trouble: str | None) -> None:
    """Add this look to the timeline of the delivery. Of several peers, the one that lacks most speaks."""
    asked = [peer for peer in this.peers if peer.completion is not None]
    slowest = max(asked, key=_lacking, default=None)
    completion = slowest.completion if slowest else None
    confirmed = {j.expected.asset_id for j in this.judgements if j.verdict is Verdict.CONFIRMED}
    this.notes.sample(
        this.services.config.workflow.trace.syncthing_samples,
        confirmed_now=len(confirmed),
        missing=len(_unproven(this.judgements)),
        completion=completion.percent if completion else None,
        need_items=completion.need_items if completion else None,
        need_bytes=completion.need_bytes if completion else None,
        trouble=trouble,
    )


def _lacking(peer: Peer) -> tuple[int, int]:
    return (peer.completion.need_items, peer.completion.need_bytes) if peer.completion else (0, 0)


def _unproven(judgements: Sequence[Judgement]) -> set[int]:
    return {j.expected.asset_id for j in judgements if j.verdict is not Verdict.CONFIRMED}
