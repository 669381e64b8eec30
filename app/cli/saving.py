"""Saving settings from the command line, and saying what changed by it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from app.cli.context import Cli
from app.config.changes import Change, Verdict, saved_json
from app.config.render import scalar
from app.config.store import ConfigStore, Snapshot
from app.errors import ConfigError, Problem, StateError
from app.overview.peer_policy import affected_batches, affected_words
from app.overview.refile import filing_warnings


def store_for_saving(cli: Cli) -> ConfigStore:
    """The settings file; with a database there, saves are checked against open moves and written into the journal."""
    with suppress(StateError, ConfigError):
        _ = cli.services
    return cli.container.store


def actor() -> str:
    """Who saves at the command line, for the history."""
    try:
        return f"cli ({pwd.getpwuid(os.getuid()).pw_name})"
    except KeyError:
        return f"cli ({os.getuid()})"


def affected_by(cli: Cli, verdict: Verdict) -> list[dict[str, Any]]:
    """The batches whose files at the peer would fare otherwise; none while there is no database to ask."""
    with suppress(StateError, ConfigError), cli.services.db.reading() as conn:
        return affected_batches(conn, verdict.changes)
    return []


def report_saved(cli: Cli, snapshot: Snapshot, verdict: Verdict, affected: Sequence[dict[str, Any]]) -> int:
    """Say what was saved, for which batches, and what is doubtful; always exit code 0."""
    from app.overview.device_doubts import warnings_of_saved

    warnings = [*warnings_of_saved(snapshot, verdict.changes), *_filing_warnings(cli, verdict)]
    answer = {**saved_json(snapshot.revision, warnings, verdict.changes), "affected_batches": list(affected)}
    if cli.as_json:
        cli.print_json(answer)
    print_changes(cli, verdict.changes)
    cli.say("Saved." if verdict.changes else "Saved; no setting has changed.")
    if answer["needs_restart"]:
        cli.say(f"At the next start: {', '.join(answer['needs_restart'])}.")
    if affected:
        cli.say(affected_words(affected))
    for warning in warnings:
        cli.say(f"warning: {warning.sentence()}")
    return 0


def _filing_warnings(cli: Cli, verdict: Verdict) -> list[Problem]:
    """What to tell of the archive's files; nothing while there is no database to ask."""
    with suppress(StateError, ConfigError):
        return filing_warnings(cli.services, verdict.changes)
    return []


def print_changes(cli: Cli, changes: Sequence[Change]) -> None:
    """Each setting that differs, with both values."""
    for change in changes:
        cli.say(f"  {change.path}: {words(change.before)} → {words(change.after)}")


def words(value: Any) -> str:
    """A value as the settings file writes it."""
    return "(none)" if value is None else scalar(value)
