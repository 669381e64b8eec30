"""Metrics of runs, their steps, what went wrong, and the worker."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from sqlalchemy import Connection

from app.db import heartbeat, measures
from app.db.journal import KINDS
from app.db.measures import RUN_ENDS, TROUBLE_LEVELS
from app.model import IN_FLIGHT, RunStatus, Stage
from app.overview.metrics.families import PREFIX, counter, gauge, seconds_of, single
from app.overview.metrics.tallies import Tallies

#: A run that has not ended is one of these.
NOT_ENDED = (*IN_FLIGHT, RunStatus.WAITING)


def of_runs(conn: Connection, tallies: Tallies) -> Iterator[Metric]:
    """The queue, and how runs ended."""
    found = measures.runs_by_status(conn, NOT_ENDED)
    yield gauge("runs", "Runs that have not ended, by status.", ["status"], [([s], m.count) for s, m in found.items()])
    yield gauge(
        "oldest_run_requested_timestamp_seconds",
        "When the oldest run of each status was asked for that has not ended.",
        ["status"],
        [([status], seconds_of(measure.oldest_at)) for status, measure in found.items()],
    )
    ends = [([kind.removeprefix("run.")], tallies.run_ends[kind]) for kind in RUN_ENDS]
    yield counter("runs_ended", "Ends of runs; a run that is tried again ends again.", ["result"], ends)


def of_steps(tallies: Tallies) -> Metric:
    """How long the stages took; each is there from the beginning, so that its first step counts as an increase."""
    words = "How long the steps of each stage took, but for those that failed or were cancelled."
    family = HistogramMetricFamily(f"{PREFIX}step_duration_seconds", words, labels=["stage"])
    for stage in Stage:
        durations = tallies.durations[stage.value]
        family.add_metric([stage.value], durations.buckets(), durations.sum_seconds)
    return family


def of_troubles(tallies: Tallies) -> Metric:
    """What the journal told as a warning or an error; every kind is there from the beginning, like the stages."""
    known = {(kind, level) for kind in KINDS for level in TROUBLE_LEVELS} | set(tallies.troubles)
    samples = [([kind, level], tallies.troubles[kind, level]) for kind, level in sorted(known)]
    return counter("problems", "Warnings and errors in the journal by kind of event.", ["kind", "level"], samples)


def of_worker(conn: Connection) -> Iterator[Metric]:
    """Whether the worker lives."""
    seen_at = heartbeat.find(conn)
    yield single("worker_up", "1 when the worker gave a recent sign of life.", heartbeat.is_recent(seen_at))
    words = "The last sign of life of the worker; absent after it was stopped."
    yield single("worker_heartbeat_timestamp_seconds", words, seconds_of(seen_at))
