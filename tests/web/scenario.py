"""An installation in which everything has happened that the examples of the OpenAPI document ask about.

Batch 1 and 2 went the whole way, 3 is being delivered, 4 has failed, 5 is delivered, 6 is cancelled, 7 is pending.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from flask.testing import FlaskClient

from app import jobs
from app.db import assets, batch_devices, batches, deliveries, facts, runs, sync_samples
from app.db.clock import now
from app.db.sync_samples import Moment
from app.errors import ConfigError
from app.jobs import refile
from app.model import AssetStatus, BatchStatus, RootKind, RunKind, RunStatus, Signature, Stage, Trigger
from app.overview import roots as root_looks
from app.services import ServiceContainer, Services
from app.web import create_app
from tests.browser import rows
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.running import go, workflow
from tests.pipeline.stages import take_stock
from tests.web.conftest import Site

REASON = "Could not read {path}: Input/output error."
PICTURES = {f"DCIM/IMG_{n:04d}.JPG": make_jpeg(taken=f"2024:05:{n:02d} 10:00:00", seed=n) for n in range(1, 6)}


def build(site: Site) -> None:
    """Make all of it happen, most of it by real runs."""
    services = site.services
    write_tree(services.config.paths.source_dir, {**PICTURES, "notes.txt": "not a photo"})
    write_tree(services.config.paths.source_dir, {"again/IMG_0001.JPG": PICTURES["DCIM/IMG_0001.JPG"]})
    workflow(services)
    _add_troubled_files(services)
    _add_batches(services)
    _add_proofs(services)
    _add_runs(services)
    _cancel_a_batch(services)
    _write_a_log(services)
    client = site.client()
    client.put("/api/config", json={"batch": {"max_size_gb": 20}})
    client.post("/api/backup")
    write_tree(services.config.paths.source_dir, {"new/IMG_0009.JPG": make_jpeg(taken="2024:06:01 10:00:00", seed=9)})
    go(site.services, jobs.start_preview(site.services, Trigger.API))
    with site.services.db.transaction() as conn:
        facts.put(conn, "worker_heartbeat_at", now())


def _add_troubled_files(services: Services) -> None:
    ingest, archive = services.root(RootKind.INGEST), services.root(RootKind.ARCHIVE)
    places = ((ingest, AssetStatus.FAILED), (ingest, AssetStatus.SET_ASIDE), (archive, AssetStatus.SET_ASIDE))
    with services.db.transaction() as conn:
        for root, status in places:
            number = assets.last_id(conn) + 1
            path = b"troubled/%d.jpg" % number
            assets.insert_discovered(conn, root.id, [(path, Signature(1, 10_000 + number, 3, 4, 5), None)])
            asset = assets.get(conn, number)
            assets.mark(conn, [asset], status, reason=REASON.format(path=path.decode()), attempts=3)


def _add_batches(services: Services) -> None:
    rows.add_syncing_batch(services)
    for status in (BatchStatus.ERROR, BatchStatus.SYNCED):
        batch_id = rows.add_syncing_batch(services)
        with services.db.transaction() as conn:
            batch, error = batches.get(conn, batch_id), {"error": "The peer is full.", "error_from": "SYNCING"}
            batches.change(conn, batch, status, **(error if status is BatchStatus.ERROR else {}))


def _add_proofs(services: Services) -> None:
    with services.db.transaction() as conn:
        deliveries.confirm(conn, 1, "ABCDEFG-PHONE", [(1, "ABCDEFG:7")])
        batch_devices.add(conn, 3, ["ABCDEFG-PHONE"])
        for files, size in ((120, 414_814_680), (250, 864_197_250)):
            moment = Moment(files, size, 640 - files, 2_212_344_960 - size, connected=True)
            sync_samples.add(conn, 3, "ABCDEFG-PHONE", moment, 2_400_000.0)


def _add_runs(services: Services) -> None:
    with services.db.transaction() as conn:
        failed = runs.insert_queued(conn, RunKind.STAGE, Trigger.SCHEDULE, [Stage.CLEANUP])
        failed = runs.change(conn, failed, RunStatus.RUNNING)
        runs.change(conn, failed, RunStatus.FAILED, error="The disk is full.")
        waiting = runs.insert_queued(conn, RunKind.WORKFLOW, Trigger.API, [Stage.SYNC], 3)
        runs.change(conn, runs.change(conn, waiting, RunStatus.RUNNING), RunStatus.WAITING)


def _cancel_a_batch(services: Services) -> None:
    with services.db.transaction() as conn:
        batch = rows.reserve(conn)
        batches.change(conn, batch, BatchStatus.CANCELLED)
        rows.reserve(conn)


def _write_a_log(services: Services) -> None:
    line = {"event": "run ended", "level": "info", "at": now(), "run_id": 1, "status": "done"}
    log = Path(services.config.system.log_dir) / "worker.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(json.dumps(line) + "\n", encoding="utf-8")


def _run_in_flight(site: Site) -> None:
    rows.start_run(site.services)


def _paused_run(site: Site) -> None:
    site.client().put("/api/config", json={"workflow": {"debug": {"enabled": True}}})
    run, _ = rows.start_run(site.services)
    with site.services.db.transaction() as conn:
        runs.change(conn, runs.get(conn, run.id), RunStatus.PAUSED)


def _taken_back(site: Site) -> None:
    go(site.services, jobs.start_undo(site.services, 2, Trigger.API))


def _verified(site: Site) -> None:
    archive = Path(site.services.config.paths.sorted_dir)
    write_tree(archive, {"2024/foreign.jpg": PICTURES["DCIM/IMG_0002.JPG"] + b"x"})
    (changed,) = archive.glob("2024/05/05/*.JPG")
    changed.write_bytes(b"x" + changed.read_bytes()[1:])
    go(site.services, jobs.start_verify(site.services, Trigger.API))


def _ignored(site: Site) -> None:
    _verified(site)
    client = site.client()
    found = client.get("/api/findings?kind=foreign").json["findings"][0]["id"]
    client.post(f"/api/findings/{found}/accept")


def _rebuilt(site: Site) -> None:
    go(site.services, jobs.start_comparison(site.services, Trigger.API))


def _doubtful(site: Site) -> None:
    """Three scans without a date, about one of which a person has decided."""
    tree = {f"scans/scan_{n}.jpg": make_jpeg(seed=100 + n) for n in (1, 2, 3)}
    write_tree(site.services.config.paths.source_dir, tree)
    take_stock(site.services)
    client = site.client()
    found = client.get("/api/dates").json["files"][-1]["id"]
    client.post("/api/dates/decisions", json={"action": "set", "value": "1985-06-01", "asset_ids": [found]})


def _planned_anew(site: Site) -> None:
    site.client().put("/api/config", json={"sorter": {"folder_pattern": "{year}/{month_name}"}})
    go(site.services, refile.plan_refile(site.services, refile.RefileWish(), Trigger.API))


def _filed_anew(site: Site) -> None:
    _planned_anew(site)
    go(site.services, refile.start_refile(site.services, refile.RefileWish(), Trigger.API))


#: What is done to the installation before an example is asked, beyond all that has happened there.
SITUATIONS: dict[str, Callable[[Site], None]] = {
    "a run is in flight": _run_in_flight,
    "a run is paused": _paused_run,
    "rows were compared": _rebuilt,
    "files were verified": _verified,
    "a foreign file is ignored": _ignored,
    "batch 2 was taken back": _taken_back,
    "dates are in doubt": _doubtful,
    "a plan for filing anew was made": _planned_anew,
    "the archive was filed anew": _filed_anew,
}


class Scene:
    """One such installation, put back to its first state as often as needed."""

    def __init__(self, base: Path) -> None:
        self.base, self.kept = base / "installation", base / "kept"
        self.base.mkdir(parents=True)
        self.site = Site(self.base, batch={"max_files": 3, "selection_mode": "files"})
        build(self.site)
        self.close()
        shutil.copytree(self.base, self.kept, symlinks=True)
        self.is_touched = True

    def open(self, situation: str = "") -> FlaskClient:
        """A client of the installation as it was built, plus a situation."""
        if self.is_touched or situation:
            self.close()
            shutil.rmtree(self.base)
            shutil.copytree(self.kept, self.base, symlinks=True)
            self.site = reopened(self.base)
        self.is_touched = bool(situation)
        if situation:
            SITUATIONS[situation](self.site)
        return self.site.client()

    def close(self) -> None:
        """Let go of its database."""
        root_looks.forget()
        with suppress(ConfigError):
            self.site.services.close()


def reopened(base: Path) -> Site:
    """The application over an installation that is there already."""
    site = object.__new__(Site)
    site.config_path = base / "config.yaml"
    site.container = ServiceContainer(str(site.config_path))
    site.app = create_app(container=site.container)
    return site
