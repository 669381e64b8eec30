"""The pairing test: a small file is sent to every required peer, proven there, and taken out of the folder again.

A run puts the file into the batch folder and waits; the worker's tick looks for it at the peers, as it does for
batches; when it has arrived (and, under release, was deleted there) the run goes on and removes it. It is proven by
what proves photos, so a test that is passed has gone the same way that they will go.
"""

from __future__ import annotations

import os
from dataclasses import replace

from app.db import journal, pairing_tests, runs
from app.db.clock import later, now
from app.errors import SourceChanged, SyncthingError
from app.files.own_files import remove_own_file, write_new_file
from app.files.roots import check_roots
from app.model import Place, Report, RootKind, RunStatus
from app.model.pairing import ENDED_EARLY, PAIRING_TEST_NAME, UNDER_WAY, PairingState, PairingTest, test_content
from app.pipeline.pairing_look import look
from app.pipeline.step import StepContext
from app.services import Services

#: A person waits for this: it is looked at often, for so long, and then as often as batches are.
LOOK_EVERY_SECONDS, EAGER_SECONDS = 2, 600
LOOKED_AT = (PairingState.SENDING, PairingState.RELEASING)


def run(services: Services, step: StepContext) -> Report:
    """Take the step's pairing test as far as it goes now; waiting while the peer has not got the file."""
    check_roots(services.db, [services.root(RootKind.BATCH)])
    with services.db.reading() as conn:
        test = pairing_tests.find(conn)
    if test is None or test.run_id != step.run_id:
        test = _begin(services, step)
    if test.state is PairingState.SENDING:
        write_new_file(_place(services), test.content)  # the same content already there is accepted
    if test.state in LOOKED_AT:
        test = look_at(services, test)
    if test.state is PairingState.ARRIVED:
        return _finish(services, test)
    return Report("waiting", test.detail)


def _place(services: Services) -> Place:
    return Place(services.root(RootKind.BATCH), os.fsencode(PAIRING_TEST_NAME))


def _begin(services: Services, step: StepContext) -> PairingTest:
    remove_left_over(services)
    at = now()
    size_bytes = len(test_content(step.run_id, at))
    detail = f"The file {PAIRING_TEST_NAME} is on its way to the peer."
    policy = services.config.sync.peer_policy
    test = PairingTest(step.run_id, PairingState.SENDING, policy, size_bytes, at, detail, confirmed={})
    with services.db.transaction() as conn:
        pairing_tests.save(conn, test)
    return test


def look_at(services: Services, test: PairingTest) -> PairingTest:
    """One look at the peers, written down unless the test has gone on meanwhile; returns the test as it is then."""
    try:
        seen = look(services, test)
    except SyncthingError as error:
        seen = replace(test, detail=str(error))
    waited = (later(-EAGER_SECONDS) > test.started_at) and services.config.syncthing.poll_interval_sec
    seen = replace(seen, next_look_at=later(max(LOOK_EVERY_SECONDS, waited)))
    with services.db.transaction() as conn:
        present = pairing_tests.find(conn)
        if present is None or present.run_id != test.run_id or present.state not in LOOKED_AT:
            return present or seen
        pairing_tests.save(conn, seen)
    return seen


def look_when_due(services: Services) -> None:
    """The tick's part: look at a test that waits for the peer."""
    with services.db.reading() as conn:
        test = pairing_tests.find(conn)
        run_ = runs.find(conn, test.run_id) if test is not None else None
    if test is None or run_ is None or run_.status is not RunStatus.WAITING or test.state not in LOOKED_AT:
        return
    if test.next_look_at is None or test.next_look_at <= now():
        look_at(services, test)


def may_go_on(services: Services, run_id: int) -> bool:
    """Whether a waiting run of a pairing test has something to do: its file is where it should be."""
    with services.db.reading() as conn:
        test = pairing_tests.find(conn)
    return test is None or test.run_id != run_id or test.state not in LOOKED_AT


def _finish(services: Services, test: PairingTest) -> Report:
    """Remove our file. What the peer does with its copy is what it will do with photos."""
    words = f"The pairing test is passed: {_who(test)}.{_remove(services, test)}"
    with services.db.transaction() as conn:
        pairing_tests.save(conn, replace(test, state=PairingState.PASSED, ended_at=now(), detail=words))
        journal.record(conn, "pairing.passed", words, run_id=test.run_id, detail={"confirmed": test.confirmed})
    return Report("done", words, done=len(test.confirmed))


def _who(test: PairingTest) -> str:
    released = ", and the peer's own deletion of it was seen" if test.released_at else ""
    return f"the file arrived at {test.where}{released}"


def remove_left_over(services: Services) -> bool:
    """Remove the file of a test that ended early; False when there is none, or a test is under way."""
    with services.db.reading() as conn:
        test = pairing_tests.find(conn)
        run_ = runs.find(conn, test.run_id) if test is not None else None
    if test is None or test.state not in UNDER_WAY or run_ is None or run_.status not in ENDED_EARLY:
        return False
    words = f"{run_.error or 'The pairing test was cancelled.'}{_remove(services, test)}"
    with services.db.transaction() as conn:
        pairing_tests.save(conn, replace(test, state=ENDED_EARLY[run_.status], ended_at=now(), detail=words))
    return True


def _remove(services: Services, test: PairingTest) -> str:
    """Remove the file when it is the one that this test wrote; else say that it stays."""
    try:
        remove_own_file(_place(services), test.content)
    except SourceChanged:
        return f" The file {PAIRING_TEST_NAME} in the batch folder holds something else now, and stays there."
    return ""
