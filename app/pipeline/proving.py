"""The proof itself: each file that a peer may have by now is asked for once, and the answer counts for every peer.

Confirmations are stored as they are found, each for its device, so that a peer that is away delays only its own part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import assets, batches, deliveries, delivery_obstacles
from app.db.clock import now
from app.db.delivery_obstacles import EVERYWHERE, Known
from app.errors import SyncthingError
from app.model import Asset, AssetStatus
from app.model.counting import counted
from app.pipeline.delivery_look import Look, Peer
from app.pipeline.proofs import Found, store
from app.pipeline.turns import Turn
from app.pipeline.undelivered import settle_foreign
from app.syncthing import look as syncthing
from app.syncthing import proof, troubles
from app.syncthing.answers import FileView
from app.syncthing.client import SyncthingClient
from app.syncthing.proof import Expected, Judgement, Verdict
from app.syncthing.troubles import Trouble

#: Confirmations are stored in transactions of this many files.
CHUNK = 500
#: So few files are asked for in any case: of the last ones, it is told which are being downloaded.
FEW = 20
#: What is in a file's way is asked anew when anything has changed, and at least every so many seconds.
ASK_AGAIN_SECONDS = 600


@dataclass
class Examination:
    """The files that are not proven everywhere, at which peers each is not, and what was in the way before.

    `is_still` means that nothing has changed in Syncthing since that was asked.
    """

    this: Look
    client: SyncthingClient
    total: int
    open_at: dict[int, list[Peer]]
    files: dict[int, Asset]
    before: dict[tuple[int, str], Known]
    is_still: bool

    def name_of(self, asset: Asset) -> str | None:
        """The file as Syncthing spells it, or None when it cannot carry that name."""
        return proof.sendable_name(self.this.ready_ground.prefix + asset.path)

    def known_verdict(self, asset: Asset, peer: Peer) -> Verdict | None:
        """What was in the file's way at the peer, or here, when it was asked before."""
        known = self.before.get((asset.id, EVERYWHERE)) or self.before.get((asset.id, peer.device_id))
        return Verdict(known.code) if known is not None and known.code != Verdict.DOWNLOADING else None


def examine(this: Look, client: SyncthingClient) -> Trouble | None:
    """Judge every file that is not proven at every peer, and store what was found. Raises SyncthingError.

    A trouble means that a file turned out not to be what it was: then the delivery has to be looked at anew.
    """
    work = _begin(this, client)
    worth_asking = [asset for asset in work.files.values() if _is_worth_asking(work, asset)]
    known = {asset.id for asset in worth_asking}
    _note(work, list(_unasked(work, known)))
    with Turn(this.services, "proof", this.batch.id) as turn:
        return _ask_all(work, turn, turn.order(worth_asking))


def _ask_all(work: Examination, turn: Turn, asked: Sequence[Asset]) -> Trouble | None:
    this = work.this
    for start in range(0, len(asked), CHUNK):
        trouble = _ask(work, turn, asked[start : start + CHUNK])
        if trouble is not None:
            return trouble
        if turn.is_over:
            this.cut_short = troubles.slow_answers(turn.answered, len(asked))
            return None
        if this.step is not None:
            this.step.safe_point(work.total - len(asked) + min(start + CHUNK, len(asked)), work.total)
    return None


def _begin(this: Look, client: SyncthingClient) -> Examination:
    with this.services.db.reading() as conn:
        waiting = assets.list_in_batch(conn, this.batch.id, AssetStatus.BATCHED)
        before = delivery_obstacles.list_known(conn, this.batch.id)
        for peer in this.peers:
            peer.proven = deliveries.versions(conn, this.batch.id, peer.device_id)
    open_at = {a.id: [peer for peer in this.peers if a.id not in peer.proven] for a in waiting}
    files = {a.id: a for a in waiting if open_at[a.id]}
    return Examination(this, client, len(waiting), open_at, files, before, _is_still(this))


def _is_still(this: Look) -> bool:
    """Whether asking again for what is in the way can wait: Syncthing's indexes and peers are as they were.

    What it says of a peer may change a little later than these; so it is asked again ever more seldom, not never.
    """
    notes, moment = this.notes, now()
    seen = _state_of_indexes(this)
    if seen != notes.seen or this.scanned_now:
        notes.seen, notes.seen_at, notes.asked_at = seen, moment, moment
        return False
    quiet_seconds = _seconds_between(notes.seen_at, notes.asked_at)
    if _seconds_between(notes.asked_at, moment) < min(quiet_seconds, ASK_AGAIN_SECONDS):
        return True
    notes.asked_at = moment
    return False


def _state_of_indexes(this: Look) -> list[str]:
    seen = [str(this.ready_ground.sequence)]
    for peer in this.peers:
        c = peer.completion
        seen.append(f"{peer.answers} {c.need_items} {c.sequence} {c.remote_state}" if c else str(peer.answers))
    return seen


def _seconds_between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def _is_worth_asking(work: Examination, asset: Asset) -> bool:
    """Whether a peer may hold it by now, or something here keeps it from going anywhere."""
    name = work.name_of(asset)
    if name is None:
        return False
    peers = work.open_at[asset.id]
    if work.is_still and all(work.known_verdict(asset, peer) is not None for peer in peers):
        return False
    if (asset.id, EVERYWHERE) in work.before:
        return True
    is_one_of_few = len(work.files) <= FEW and any(peer.answers for peer in peers)
    return is_one_of_few or any(peer.need is not None and not peer.need.lacks(name) for peer in peers)


def _unasked(work: Examination, asked: set[int]) -> Iterator[Judgement]:
    """What is known without asking: names that cannot be carried, files that the peers are said to lack, and what
    was in the way as long as nothing has changed."""
    for asset in work.files.values():
        if asset.id in asked:
            continue
        expected = Expected(asset.id, asset.path, asset.size_bytes)
        name = work.name_of(asset)
        for peer in work.open_at[asset.id]:
            yield Judgement(expected, _verdict_unasked(work, asset, peer, name), device_id=peer.device_id)


def _verdict_unasked(work: Examination, asset: Asset, peer: Peer, name: str | None) -> Verdict:
    if name is None:
        return Verdict.NAME
    known = work.known_verdict(asset, peer)
    return known if known is not None and work.is_still else Verdict.WAITING


def _ask(work: Examination, turn: Turn, part: Sequence[Asset]) -> Trouble | None:
    """Ask for these files. What was answered before one got no answer counts. Raises SyncthingError."""
    found: list[Judgement] = []
    answered = 0
    expected = (Expected(a.id, a.path, a.size_bytes) for a in turn.while_it_lasts(part))
    try:
        for item, view in syncthing.views(work.client, work.this.ready_ground, expected):
            found += _judge(work, item, view)
            answered += 1
            if turn.ends_after(part[answered - 1]):
                break
    except SyncthingError:
        turn.stopped_at(part[min(answered, len(part) - 1)])
        _believe(work, found)
        raise
    return _believe(work, found)


def _believe(work: Examination, found: list[Judgement]) -> Trouble | None:
    """Store what was found, once files are read whose newest version another device made."""
    suspects = {j.expected.asset_id for j in found if _is_foreign(work, j)}
    trouble = None
    if suspects:
        same, trouble = settle_foreign(
            work.this.services, work.this.batch, work.this.run_id, [work.files[asset_id] for asset_id in suspects]
        )
        lost = suspects - same
        anew = _look_anew(work, lost)
        trouble = trouble or anew
        doubted = lost | _unread(work, same)
        found = [j for j in found if j.expected.asset_id not in doubted]
    _note(work, found)
    return trouble


def _unread(work: Examination, same: set[int]) -> set[int]:
    """Those of these files that are not believed yet: what the index says of them may be older than what lies here,
    unless Syncthing has read the batch in this look. The next look begins with that."""
    if not same or work.this.scanned_now:
        return set()
    work.this.notes.scanned_at = ""
    return same


def _look_anew(work: Examination, lost: set[int]) -> Trouble | None:
    if not lost:
        return None
    with work.this.services.db.reading() as conn:
        work.this.batch = batches.get(conn, work.this.batch.id)
    work.this.notes.scanned_at = ""
    files = counted(len(lost), "file", "files")
    return Trouble("files_changed", f"{files} of the batch folder had been changed by a peer.")


def _judge(work: Examination, item: Expected, view: FileView | None) -> Iterator[Judgement]:
    """One judgement per peer where it is not proven, and per peer that was seen to hold another version of it."""
    name = proof.sendable_name(work.this.ready_ground.prefix + item.path) or ""
    for peer in work.this.peers:
        is_lacking = not peer.answers or peer.need is None or peer.need.lacks(name)
        judged = proof.judge(item, view, peer.device_id, is_lacking=is_lacking)
        if item.asset_id not in peer.proven or _is_outdated(peer, judged):
            yield judged


def _is_outdated(peer: Peer, judged: Judgement) -> bool:
    """Whether a version newer than the proven one is announced, so that the older proof says nothing of it."""
    is_announced = judged.version is not None and judged.verdict is not Verdict.CHANGED_THERE
    return is_announced and peer.proven.get(judged.expected.asset_id) != judged.version


def _is_foreign(work: Examination, judged: Judgement) -> bool:
    """Whether the version that a peer holds was made by another device: its content may not be what we announced."""
    ours = ("", work.this.ready_ground.my_id[:7])
    return judged.verdict is Verdict.CONFIRMED and judged.made_by not in ours


def _note(work: Examination, judgements: Sequence[Judgement]) -> None:
    """Keep what was found for the end of the look, and store it."""
    this = work.this
    this.judgements += judgements
    this.before = work.before
    if not this.reasons and any(j.verdict in proof.HERE for j in judgements):
        this.reasons = syncthing.unreadable(work.client, this.ready_ground, this.batch.name)
    proven = {peer.device_id: peer.proven for peer in this.peers}
    store(this, Found.of(judgements, proven, work.before, this.reasons))
