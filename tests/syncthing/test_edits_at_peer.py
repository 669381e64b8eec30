"""What a peer changes in files that were sent, in a folder that both sides write to, is kept and told by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app import jobs
from app.db import facts, runs
from app.db.clock import later
from app.diagnostics import work
from app.model import Batch, BatchStatus, RunStatus, Stage, Trigger
from app.overview import ConfigFacts, overview
from app.pipeline import kept_edits, left_behind
from app.services import Services
from tests.pipeline.running import go
from tests.syncthing.carrying import (
    archived,
    drive,
    events_of,
    ingest,
    is_now,
    newest,
    peer_photos,
    pictures,
    start,
    tick_once,
)
from tests.syncthing.pair import FOLDER as FOLDER_ID
from tests.syncthing.pair import Pair, wait_for
from tests.syncthing.staging import reread

pytestmark = pytest.mark.syncthing
#: Ours and the peer's.
FOLDER_TYPES = ("sendreceive", "sendreceive")
#: They sort only when a person asks for it.
SETTINGS = {"syncthing": {"auto_sort_after_sync": False}}

Opener = Callable[..., Services]


def ours(pair: Pair, batch: Batch, name: str) -> Path:
    return pair.ours.folder / batch.name / name


def cleanup(services: Services, batch_id: int | None) -> None:
    """As a run does it, after a batch or by itself."""
    assert go(services, jobs.start_stage(services, Stage.CLEANUP, Trigger.API, batch_id)).status is RunStatus.DONE


def look_again(services: Services) -> None:
    """The worker's tick, when it is time to look at what was left behind."""
    with services.db.transaction() as conn:
        facts.put(conn, left_behind.LOOKED_AT, later(-left_behind.LOOK_EVERY_SECONDS))
    tick_once(services)


def edit_at_peer(pair: Pair, batch: Batch, name: str, content: bytes) -> None:
    """What the peer writes into a file, once it has come here; it is not there any more where that was archived."""
    path = pair.peer.folder / batch.name / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    pair.peer.scan()
    wait_for(lambda: content_of(ours(pair, batch, name)) == content, "it comes")


def content_of(path: Path) -> bytes | None:
    """None also while Syncthing puts another file in its place."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def is_told_of(services: Services, path: str) -> bool:
    """Whether the journal, doctor and the dashboard's warnings each name a file in the batch folder."""
    told = [event.message for event in events_of(services, "orphan.found")]
    doctor = [check.cause for check in work.check_leftovers(services)]
    shown = [warning["message"] for warning in overview(services, ConfigFacts("config.yaml"))["warnings"]]
    words = f"{path} in the batch folder: a file of this name was sent from here"
    return all(sum(words in line for line in lines) == 1 for lines in (told, doctor, shown))


def test_an_edit_of_the_peer_before_sorting_is_kept_and_named_by_the_clean_up_after_its_batch(
    pair: Pair, under: Opener
) -> None:
    services = under("mirror")
    cleanup(services, None)  # so that looking through everything is not due
    files = pictures("edited_before", 3)
    ingest(services, files)
    start(services)
    drive(services, is_now(services, BatchStatus.SYNCED), "the batch is delivered")
    batch = newest(services)
    name = sorted(files)[0]
    edit_at_peer(pair, batch, name, b"cropped")

    go(services, jobs.start_sort(services, batch.id, Trigger.API))
    cleanup(services, batch.id)

    assert reread(services, batch).status is BatchStatus.SORTED and set(files.values()) <= archived(services)
    assert ours(pair, batch, name).read_bytes() == b"cropped"
    assert is_told_of(services, f"{batch.name}/{name}")
    cleanup(services, None)
    assert ours(pair, batch, name).read_bytes() == b"cropped" and is_told_of(services, f"{batch.name}/{name}")


def test_an_edit_of_the_peer_after_sorting_is_kept_and_named_though_no_run_follows(
    pair: Pair, under: Opener
) -> None:
    services = under("mirror")
    files = pictures("edited_after", 2)
    ingest(services, files)
    start(services)
    drive(services, is_now(services, BatchStatus.SYNCED), "the batch is delivered")
    batch = newest(services)
    go(services, jobs.start_sort(services, batch.id, Trigger.API))
    cleanup(services, batch.id)
    name = sorted(files)[0]

    edit_at_peer(pair, batch, name, b"painted")
    with services.db.reading() as conn:
        waiting = runs.list_by_status(conn, [RunStatus.WAITING])
    look_again(services)

    assert not waiting and set(files.values()) <= archived(services)
    assert is_told_of(services, f"{batch.name}/{name}")
    cleanup(services, None)
    assert ours(pair, batch, name).read_bytes() == b"painted" and is_told_of(services, f"{batch.name}/{name}")
    ours(pair, batch, name).unlink()
    cleanup(services, None)
    assert not [check for check in work.check_leftovers(services) if name in check.cause]


def test_an_edit_of_the_peer_before_the_proof_is_not_delivered_and_lies_named_beside_the_original(
    pair: Pair, under: Opener
) -> None:
    services = under("mirror")
    files = pictures("edited_early", 2)
    kept_back, edited = sorted(files)
    pair.peer.client().set_ignores(FOLDER_ID, [kept_back])
    ingest(services, files)
    start(services)
    batch = newest(services)
    wait_for(lambda: edited in peer_photos(pair, batch), "the file arrives")
    edit_at_peer(pair, batch, edited, b"scribbled on")

    drive(services, lambda: bool(events_of(services, "asset.edit_set_aside", batch)), "the edit gets its own name")
    (aside,) = [path for path in (pair.ours.folder / batch.name).iterdir() if ".edit-" in path.name]
    assert [aside.name in check.cause for check in work.check_leftovers(services)].count(True) == 1
    assert reread(services, batch).status is not BatchStatus.SYNCED
    pair.peer.client().set_ignores(FOLDER_ID, [])
    pair.peer.scan()
    drive(services, is_now(services, BatchStatus.SYNCED), "the batch is delivered")
    assert peer_photos(pair, batch)[edited].read_bytes() == files[edited], "what is called delivered is the original"
    go(services, jobs.start_sort(services, batch.id, Trigger.API))
    cleanup(services, batch.id)

    assert set(files.values()) <= archived(services) and aside.read_bytes() == b"scribbled on"
    shown = [warning["message"] for warning in overview(services, ConfigFacts("config.yaml"))["warnings"]]
    assert [aside.name in line for line in shown].count(True) == 1


def test_an_edit_of_the_peer_in_a_copy_that_stayed_is_named_once_and_the_archive_keeps_what_was_sent(
    pair: Pair, under: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_edits, "LOOKED_AT_ONCE", 2)
    services = under("mirror", sorter={"transfer_mode": "copy"})
    files = pictures("stayed", 3)
    ingest(services, files)
    start(services)
    drive(services, is_now(services, BatchStatus.SYNCED), "the batch is delivered")
    batch = newest(services)
    go(services, jobs.start_sort(services, batch.id, Trigger.API))
    cleanup(services, batch.id)
    touched, *_, edited = sorted(files)
    edit_at_peer(pair, batch, edited, b"x" * len(files[edited]))
    os.utime(ours(pair, batch, touched), ns=(1_700_000_000_000_000_000,) * 2)

    for _ in range(4):
        look_again(services)

    assert set(files.values()) <= archived(services)
    assert is_told_of(services, f"{batch.name}/{edited}")
    assert not any(touched in event.message for event in events_of(services, "orphan.found"))
    cleanup(services, None)
    assert ours(pair, batch, edited).read_bytes() == b"x" * len(files[edited])
    assert is_told_of(services, f"{batch.name}/{edited}") and set(files.values()) <= archived(services)
    edit_at_peer(pair, batch, edited, files[edited])
    cleanup(services, None)
    assert not [check for check in work.check_leftovers(services) if edited in check.cause]
