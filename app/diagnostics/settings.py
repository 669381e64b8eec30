"""Checks of the configuration, of the clock, and of the zone that decides the day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from app.db.tables import events
from app.errors import ConfigError, Problem
from app.services import ServiceContainer, Services
from app.syncthing.checks import FAULT, OK, WARNING, Check

#: A clock that is this far behind the newest event was set back.
CLOCK_ALLOWANCE = timedelta(minutes=2)
EARLIEST_YEAR = 2024


def check_settings(container: ServiceContainer) -> Iterator[Check]:
    """The configuration file: whether it is in force, what is doubtful in it, what the environment sets."""
    store = container.store
    try:
        snapshot = store.current()
    except ConfigError as error:
        yield from (_fault(problem, store.path) for problem in error.problems)
        return
    except OSError as error:
        fix = "`media-pipeline setup` makes one; or name another with --config."
        yield Check("config", FAULT, f"The configuration {store.path} cannot be read: {error.strerror}.", fix)
        return
    if store.fault is not None:
        yield from (_fault(problem, store.path) for problem in store.fault.problems)
    if container.fault is not None:
        yield Check("config", FAULT, f"The newest configuration is not in force: {container.fault}", "Correct that.")
    yield Check("config", OK, f"{store.path} is in force, as revision {snapshot.revision[:12]}.")
    for problem in snapshot.warnings:
        yield Check("config", WARNING, _words(problem), "See docs/CONFIG.md.")
    if snapshot.environment_keys:
        named = ", ".join(f"{key} ({variable})" for key, variable in sorted(snapshot.environment_keys.items()))
        yield Check("config from the environment", OK, f"The environment sets {named}; the file's values do not count.")


def _fault(problem: Problem, path: str) -> Check:
    line = f", line {problem.line}" if problem.line else ""
    return Check("config", FAULT, f"{_words(problem)} ({path}{line})", "Correct it in the file, or roll back.")


def _words(problem: Problem) -> str:
    return f"{problem.path}: {problem.message}" if problem.path else problem.message


def check_clock(services: Services) -> Iterator[Check]:
    """The clock against the newest event: a clock that was set back turns the order of things around."""
    with services.db.reading() as conn:
        newest = conn.execute(select(func.max(events.c.at))).scalar()
    now = datetime.now(UTC)
    if now.year < EARLIEST_YEAR:
        yield Check("clock", FAULT, f"The clock says {now:%Y-%m-%d}.", "Set the clock; time servers do that best.")
    elif newest and datetime.fromisoformat(newest) > now + CLOCK_ALLOWANCE:
        cause = f"The newest event is of {newest[:19]}, but the clock says {now:%Y-%m-%dT%H:%M:%S}: it was set back."
        yield Check("clock", WARNING, cause, "Set the clock; until it has caught up, waits may take longer.")
    else:
        yield Check("clock", OK, f"The clock says {now:%Y-%m-%d %H:%M} UTC.")


def check_zone(services: Services) -> Iterator[Check]:
    """The zone that decides on which day a film or a doubtful photo was taken."""
    zone = services.config.zone.key
    if zone == "UTC" and services.config.sorter.timezone != "UTC":
        cause = "No zone is set, so the day of films and of files without a capture date is that of UTC."
        yield Check("time zone", WARNING, cause, "Set sorter.timezone, as in Europe/Berlin, or the variable TZ.")
    else:
        yield Check("time zone", OK, f"Days are those of {zone}.")
