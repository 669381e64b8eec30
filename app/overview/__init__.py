"""The numbers that dashboard, API and command line all show. Reads rows only: no disk walk, no call to Syncthing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from app.db import confirmation, doubtful_dates, facts, silences, totals
from app.db import left_in_place as left_rows
from app.db.clock import now
from app.db.migrate import DATABASE_ID
from app.db.runs import find_unanswered_failure
from app.db.tables import left_in_place
from app.files.lone_sidecars import ALONE, since_of
from app.model import Root, RootKind
from app.overview.balance import balance_sheet
from app.overview.batches import batch_counts, failed_batches, recent_batches
from app.overview.behind import CountedBehind
from app.overview.by_itself import starts_by_itself
from app.overview.hindrances import find_hindrances, what_run_waits_for
from app.overview.lone_sidecars import waiting_of
from app.overview.peer_policy import awaited, configured_words
from app.overview.roots import look_at_roots
from app.overview.runs import (
    dedup_status,
    find_current,
    find_last_ended,
    is_in_flight,
    left_out,
    run_with_steps,
    worker_state,
)
from app.overview.transfer import syncing_batches
from app.overview.verification import count_findings
from app.overview.warnings import NAMED_LEFTOVERS, Leftovers, collect_warnings
from app.services import ServiceContainer, Services, in_force_instead

#: A run over a large library has thousands of steps; the overview shows the last ones.
STEPS_SHOWN = 12


@dataclass(frozen=True)
class ConfigFacts:
    """What is known of the configuration beyond its values."""

    path: str
    fault: str | None = None
    warnings: tuple[str, ...] = ()
    #: What is in force while the file has faults, as half a sentence.
    in_force_instead: str | None = None


def config_facts_of(container: ServiceContainer) -> ConfigFacts:
    """Path, fault and warnings of the configuration file of a process."""
    store = container.store
    warnings = tuple(w.sentence() for w in store.current().warnings)
    instead = in_force_instead(store.fallback) if store.fault else None
    return ConfigFacts(store.path, container.fault_words, warnings, instead)


def overview(services: Services, config: ConfigFacts, *, fresh: bool = False) -> dict[str, Any]:
    """Everything the dashboard shows, as JSON-ready values. `fresh` counts every asset anew for the balance."""
    with services.db.reading() as conn:
        seen = _from_rows(conn, services, fresh)
        database_id = facts.find(conn, DATABASE_ID) or ""
        leftovers = _leftovers(conn, services)
        failed = find_unanswered_failure(conn)
    seen["roots"] = look_at_roots(_roots_in_use(services), database_id)
    seen["config"] = _config_facts(services, config)
    seen["warnings"] = collect_warnings(seen, leftovers, failed)
    return seen


def _from_rows(conn: Connection, services: Services, fresh: bool) -> dict[str, Any]:
    current, last = find_current(conn), find_last_ended(conn)
    kept, path = totals.read(conn), services.db.path
    files = sum(count for count, _ in kept.values())
    return {
        "generated_at": now(),
        "awaits_confirmation": confirmation.sentence(conn),
        "running": is_in_flight(current),
        "by_itself": starts_by_itself(conn, services.config),
        "run": run_with_steps(conn, current, STEPS_SHOWN) if current else None,
        "waits_for": what_run_waits_for(conn, current),
        "last_run": run_with_steps(conn, last, STEPS_SHOWN) if last else None,
        "balance": balance_sheet(conn, path, fresh=fresh),
        "file_counts": {status.value: files for status, (files, _) in kept.items()},
        "left_out": left_out(conn, current or last),
        "batches": batch_counts(conn),
        "recent_batches": recent_batches(conn),
        "failed_batches": failed_batches(conn),
        "awaited_at_peer": awaited(conn),
        "syncing_batches": syncing_batches(conn),
        "hindrances": find_hindrances(conn, services.config),
        "dedup": dedup_status(conn),
        "left_in_place": _left_in_place(LEFT.answer(conn, path, files), datetime.now(services.config.zone).date()),
        "findings": count_findings(conn),
        "doubtful_dates": DOUBTFUL.answer(conn, path, files),
        "worker": worker_state(conn),
        "silences": [silence.message for silence in silences.list_all(conn)],
    }


def _count_left(conn: Connection) -> dict[str, int]:
    query = select(left_in_place.c.reason, func.count()).group_by(left_in_place.c.reason)
    return {row[0]: row[1] for row in conn.execute(query)}


DOUBTFUL, LEFT = CountedBehind(doubtful_dates.count), CountedBehind(_count_left)


def _left_in_place(counts: Mapping[str, int], today: date) -> dict[str, Any]:
    by_reason: Counter[str] = Counter()
    for reason, files in counts.items():
        by_reason[ALONE if since_of(reason) is not None else reason] += files
    return {
        "total": by_reason.total(),
        "by_reason": dict(by_reason.most_common()),
        "lone_sidecars": waiting_of(counts, today),
    }


def _leftovers(conn: Connection, services: Services) -> Leftovers:
    ids = [root.id for kind in (RootKind.STAGING, RootKind.BATCH) for root in services.roots.get(kind, ())]
    return Leftovers(left_rows.count_under(conn, ids), left_rows.list_under(conn, ids, NAMED_LEFTOVERS))


def _roots_in_use(services: Services) -> list[Root]:
    return sorted((root for of_kind in services.roots.values() for root in of_kind), key=lambda root: root.id)


def _config_facts(services: Services, known: ConfigFacts) -> dict[str, Any]:
    config = services.config
    return {
        "path": known.path,
        "revision": services.revision,
        "fault": known.fault,
        "in_force_instead": known.in_force_instead,
        "warnings": list(known.warnings),
        "log_dir": config.system.log_dir,
        "sync_target": config.sync_target,
        "peer_policy": config.sync.peer_policy,
        "at_the_peer": configured_words(config),
        "syncthing": {
            "api_url": config.syncthing.api_url,
            "gui_url": config.syncthing.gui_url or config.syncthing.api_url,
            "folder_id": config.syncthing.folder_id,
            "device_id": config.syncthing.device_id,
        },
    }
