"""One look at where the file of a pairing test is: at which peers, and under release, whether they deleted it."""

from __future__ import annotations

import os
from dataclasses import replace

from app.db.clock import now
from app.model import RootKind
from app.model.pairing import PAIRING_TEST_NAME, PairingState, PairingTest
from app.services import Services
from app.syncthing import ignores, proof, troubles
from app.syncthing import look as syncthing
from app.syncthing.answers import FileView
from app.syncthing.client import SyncthingClient
from app.syncthing.look import Ground, Standing
from app.syncthing.proof import REASONS, Expected, Verdict
from app.syncthing.troubles import Trouble

ONE_PEER = "sync.peer_policy: release works with one peer; name only one, or choose another policy."
NAME = os.fsencode(PAIRING_TEST_NAME)


def look(services: Services, test: PairingTest) -> PairingTest:
    """The test as it is after asking Syncthing once. Raises SyncthingError."""
    config = services.config
    batch_dir = os.path.realpath(services.root(RootKind.BATCH).path)
    with SyncthingClient.from_config(config) as client:
        ground = syncthing.ground_of(client, config, batch_dir, PAIRING_TEST_NAME)
        if isinstance(ground, Trouble):
            return replace(test, detail=ground.sentence)
        wanted = troubles.choose_devices(ground.folder, ground.my_id, config.syncthing.required_ids)
        if isinstance(wanted, Trouble):
            return replace(test, detail=wanted.sentence)
        if test.peer_policy == "release" and len(wanted) > 1:
            return replace(test, detail=ONE_PEER)
        view = _announced(client, ground, test)
        peers = syncthing.standings_of(client, ground.folder, wanted, ground.prefix)
    return _judged(test, view, peers, ground.my_id)


def _announced(client: SyncthingClient, ground: Ground, test: PairingTest) -> FileView | None:
    """The file as Syncthing's index has it, after a scan when it does not have it as it was written."""
    name = (ground.prefix + NAME).decode()
    view = client.file(ground.folder.id, name)
    if test.state is PairingState.SENDING and (view is None or view.deleted or view.size_bytes != test.size_bytes):
        ignores.add_lines(client, ground.folder.id, ignores.own_lines(ground.prefix))
        client.scan(ground.folder.id, name)
        view = client.file(ground.folder.id, name)
    return view


def _judged(test: PairingTest, view: FileView | None, peers: list[Standing], my_id: str) -> PairingTest:
    expected = Expected(0, NAME, test.size_bytes)
    confirmed, waiting, released_at = dict(test.confirmed), [], test.released_at
    for peer in peers:
        verdict = proof.judge(expected, view, peer.device_id).verdict
        if proof.released(view, peer.device_id, my_id):
            released_at = released_at or now()
        if verdict is Verdict.CONFIRMED or proof.released(view, peer.device_id, my_id):
            confirmed.setdefault(peer.device_id, {"name": peer.peer, "confirmed_at": now()})
        elif peer.device_id not in confirmed:
            waiting.append(_reason(peer, verdict))
    seen = replace(test, confirmed=confirmed, released_at=released_at)
    if waiting:
        return replace(seen, detail=" ".join(waiting))
    return _arrived(seen)


def _reason(peer: Standing, verdict: Verdict) -> str:
    if peer.trouble is not None:
        return peer.trouble.sentence
    return f"The test file is not proven at {peer.peer} yet: {REASONS[verdict]}."


def _arrived(test: PairingTest) -> PairingTest:
    if test.peer_policy == "release" and test.released_at is None:
        words = (
            f"The file has arrived at {test.where}. Now delete {PAIRING_TEST_NAME} there: under sync.peer_policy: "
            "release that shows that its deletions come back here. Nothing else may be deleted for it."
        )
        return replace(test, state=PairingState.RELEASING, detail=words)
    return replace(test, state=PairingState.ARRIVED, detail=f"The file has arrived at {test.where}.")
