"""Everything that the dashboard shows: the overview of every surface, with charts, storage, pace and health."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from app.db import measures, runs, sync_samples
from app.model import Step
from app.overview import ConfigFacts, overview
from app.overview.charts import activity_chart, charts_begin_at, delivery_speed, lately
from app.overview.health import health
from app.overview.pace import pace_of
from app.overview.roots import disks_of
from app.overview.runs import ENDED, run_summary
from app.overview.storage import storage
from app.overview.welcome import set_up_steps
from app.services import Services

#: So many of the last runs are shown.
RUNS_SHOWN = 5
#: So many of the last measurements of a delivery make its little chart.
SPEED_POINTS = 60


def glance(services: Services, config: ConfigFacts, days: int) -> dict[str, Any]:
    """The overview and what the dashboard shows beside it, as JSON-ready values; `days` is how far the charts reach."""
    seen, moment = overview(services, config), datetime.now(UTC)
    zone = services.config.zone
    roots = [root for of_kind in services.roots.values() for root in of_kind]
    with services.db.reading() as conn:
        seen["chart"] = activity_chart(conn, zone, days, moment)
        seen["lately"] = lately(conn, zone, moment)
        seen["speed"] = delivery_speed(conn, moment)
        seen["charts_begin_at"] = charts_begin_at(conn, days, moment)
        seen["oldest_waiting_at"] = measures.oldest_waiting_at(conn)
        seen["storage"] = storage(conn, services.config, seen["roots"], disks_of(roots))
        seen["health"] = [asdict(part) for part in health(conn, services, seen)]
        seen["last_runs"] = _last_runs(conn)
        for sync in seen["syncing_batches"]:
            sync["speeds"] = _speeds(conn, sync)
    seen["duplicate_policy"] = services.config.dedup.duplicate_policy
    is_empty = not seen["balance"]["seen"]["files"]
    seen["set_up"] = [{**asdict(step), "title": step.title} for step in set_up_steps(services)] if is_empty else []
    for step in seen["run"]["steps"] if seen["run"] else ():
        step["pace"] = pace_of(step, moment)
    return seen


def _last_runs(conn: Connection) -> list[dict[str, Any]]:
    """The newest runs that have ended, each with what came of it."""
    found = [run for run in runs.list_recent(conn, 4 * RUNS_SHOWN) if run.status in ENDED][:RUNS_SHOWN]
    last = runs.list_telling_steps(conn, [run.id for run in found])
    return [{**run_summary(run), "message": _words_of(last.get(run.id))} for run in found]


def _words_of(step: Step | None) -> str:
    return str(step.error or step.report.get("message") or "") if step is not None else ""


def _speeds(conn: Connection, sync: dict[str, Any]) -> list[float]:
    """The last measured rates of a delivery, of the peer that was sampled most, the oldest first."""
    found = [sync_samples.newest(conn, sync["batch_id"], device["id"], SPEED_POINTS) for device in sync["devices"]]
    return [round(sample.rate or 0) for sample in max(found, key=len, default=[])]
