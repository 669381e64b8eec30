"""Batches taken through the real stages and back again, and everything that lies in the folders before and after."""

from __future__ import annotations

import os
from collections.abc import Mapping

from app import jobs
from app.db import assets, journal, totals
from app.model import Asset, AssetStatus, Batch, BatchStatus, Event, RootKind, Run, Stage, Trigger
from app.pipeline import batch, cleanup, sort
from app.pipeline.step import StepContext
from app.services import Services
from tests.conftest import OWN_NAMES
from tests.pipeline.library import TAKEN, a_step, deliver, get_batch, take_in
from tests.pipeline.running import go, the_batches


class StoppingStep(StepContext):
    """A step that is asked to stop once so many files are done, if that is given."""

    stop_at: int | None = None

    def safe_point(self, done: int, total: int, size_bytes: int = 0) -> None:
        if self.stop_at is not None and done >= self.stop_at:
            self.stopping.set()
        super().safe_point(done, total, size_bytes)


def step_to(services: Services, stage: Stage, stop_at: int | None = None, batch_id: int | None = None) -> StoppingStep:
    """A step of this stage that stops once so many files are done."""
    plain = a_step(services, stage, batch_id)
    step = StoppingStep(services, plain.run_id, plain.step_id, batch_id)
    step.stop_at = stop_at
    return step


Tree = dict[str, tuple[bytes, int] | None]

FILES: dict[str | bytes, bytes] = {
    "trip/IMG_1.JPG": b"photo one",
    "trip/IMG_1.CR2": b"raw one" * 100,
    "other/IMG_1.JPG": b"photo of the same name",
    "empty.jpg": b"",
    "deep/er/a.mp4": b"video" * 1000,
}


def media_tree(services: Services) -> Tree:
    """Every file below every root, with content and mtime; empty folders end with a slash. Our own are left out, and
    what was delivered, which stays."""
    found: Tree = {}
    roots = [root for kind, of_kind in services.roots.items() if kind is not RootKind.DELIVERY for root in of_kind]
    for root in roots:
        _add(found, root.kind.value, root.path)
    return found


def _add(found: Tree, kind: str, base: bytes) -> None:
    for folder, folders, files in os.walk(base):
        folders[:] = [name for name in folders if os.fsdecode(name) not in OWN_NAMES]
        relative = os.fsdecode(os.path.relpath(folder, base))
        names = [name for name in files if os.fsdecode(name) not in OWN_NAMES]
        if not folders and not names and relative != ".":
            found[f"{kind}/{relative}/"] = None
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                content = file.read()
            found[f"{kind}/{os.path.normpath(os.path.join(relative, os.fsdecode(name)))}"] = (
                content, os.lstat(path).st_mtime_ns,
            )  # fmt: skip


def make(services: Services, files: Mapping[str | bytes, bytes] = FILES, *, taken: str = TAKEN) -> list[Asset]:
    """Files in ingest, with times of their own, ready to be batched."""
    made = take_in(services, files, taken=taken)
    with services.db.transaction() as conn:
        for number, asset in enumerate(made):
            path = services.config.paths.source_dir.encode() + b"/" + asset.path
            os.utime(path, ns=(1_600_000_000_000_000_000 + number, 1_500_000_000_123_456_789 + number))
            seen = os.lstat(path)
            columns = {"mtime_ns": seen.st_mtime_ns, "ctime_ns": seen.st_ctime_ns}
            assets.set_columns(conn, [(asset.id, columns)])
    return made


def batch_up_to(services: Services, status: BatchStatus) -> Batch:
    """A batch of what waits, brought to this status by the stages themselves."""
    report = batch.run(services, a_step(services, Stage.BATCH))
    assert report.batch_id is not None, report.message
    if status is not BatchStatus.PENDING:
        deliver(services, report.batch_id)
    if status is BatchStatus.SORTED:
        assert sort.run(services, a_step(services, Stage.SORT, report.batch_id)).outcome == "done"
    end_runs(services)
    assert get_batch(services, report.batch_id).status is status
    return get_batch(services, report.batch_id)


def clean_up(services: Services) -> None:
    cleanup.run(services, a_step(services, Stage.CLEANUP))
    end_runs(services)


def end_runs(services: Services) -> None:
    """The steps of these tests belong to runs that nobody executes: they end here."""
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE runs SET status = 'done', slot = NULL WHERE slot = 1")


def undo(services: Services, batch_id: int, *, without_lost: bool = False) -> Run:
    return go(services, jobs.start_undo(services, batch_id, Trigger.CLI, without_lost=without_lost))


def assert_undone(services: Services, before: Tree, batch_id: int, status: AssetStatus = AssetStatus.SET_ASIDE) -> None:
    """The folders are as they were, and every row says so."""
    after = media_tree(services)
    assert sorted(after.items() - before.items()) == sorted(before.items() - after.items()) == []
    found = the_batches(services)
    ended = next(one for one in found if one.id == batch_id)
    assert (ended.status, ended.undone_at is not None, ended.error) == (BatchStatus.CANCELLED, True, None)
    with services.db.reading() as conn:
        back = assets.list_in_batch(conn, batch_id)
        counted = {one: assets.count(conn, one) for one in AssetStatus}
        assert {one: files for one, (files, _) in totals.read(conn).items()} == counted
        assert conn.exec_driver_sql("SELECT COUNT(*) FROM moves WHERE state NOT IN ('DONE', 'ABORTED')").scalar() == 0
    places = {root.id: root for of_kind in services.roots.values() for root in of_kind}
    for asset in back:
        assert (asset.status, asset.path, asset.root_id) == (status, asset.origin_path, asset.origin_root_id)
        assert "was taken back" in (asset.reason or "")
        seen = os.lstat(places[asset.root_id].path + b"/" + asset.path)
        assert (seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns) == (asset.inode, asset.mtime_ns, asset.ctime_ns)


def events_of(services: Services, kind: str) -> list[Event]:
    with services.db.reading() as conn:
        return journal.list_events(conn, kind_prefix=kind, limit=1_000)[::-1]
