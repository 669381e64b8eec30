"""What the pages of the settings tell: what a save would do, what stands in its way, and what was saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flask import g

from app.config.access import AccessKey
from app.config.changes import Change, Verdict, at_next_start
from app.config.history import changes_by, changes_since, history
from app.config.render import scalar
from app.config.schema import Config
from app.config.settings import all_settings
from app.errors import ConfigError, NotFound, Problem, printable
from app.model.counting import counted
from app.overview.device_doubts import DECIDING, warnings_of_saved, with_device_doubts
from app.overview.peer_policy import affected_words
from app.web.api.config import affected_by, filing_warnings_of
from app.web.auth import opens
from app.web.context import config_facts, container
from app.web.settings_fields import field_id, label_of

#: A longer value is cut where a change is told.
LONGEST_TOLD = 300


def state(seen: str | None) -> dict[str, Any]:
    """Which settings are in force, who saved them, what is wrong with the file, and whether it is another one than the
    `seen` revision that a page was made from."""
    store, facts = container().store, config_facts()
    revision = store.file_revision()
    return {
        "path": facts.path,
        "revision": revision,
        "seen": seen or revision,
        "is_stale": seen is not None and seen != revision,
        "saved": _saved_by(store.current().revision),
        "changed": _saved_by(revision),
        "faults": [_fault(problem) for problem in store.fault.problems] if store.fault is not None else [],
        "instead": facts.in_force_instead,
        "unusable": facts.fault if store.fault is None else None,
    }


def may_change() -> bool:
    """Whether whoever asks may save settings."""
    key = g.get("access_key")
    return key is None or opens(key, "admin")


def of_verdict(
    verdict: Verdict, seen: str, *, more: Sequence[Problem] = (), placed: Callable[[Problem], Problem] | None = None
) -> dict[str, Any]:
    """What saving would do: faults, changes, warnings, affected batches; and who changed the file meanwhile.

    `more` are faults that were found before, `placed` finds the control that a fault stands at.
    """
    if any(change.path in DECIDING for change in verdict.changes):
        verdict = with_device_doubts(verdict, container().store)
    known = {warning.sentence() for warning in container().store.current().warnings}
    warnings = [*verdict.warnings, *filing_warnings_of(verdict.changes)]
    problems = [*more, *(placed(problem) if placed else problem for problem in verdict.problems)]
    return {
        "problems": problems,
        "faults": [_fault(problem) for problem in problems],
        "refusal": verdict.refusal,
        "changes": told_changes(verdict.changes),
        "warnings": [w for w in warnings if w.sentence() not in known],
        "access": list(_access_words(verdict)) if verdict.config is not None else [],
        "affected": affected_words(affected_by(verdict)),
        "meanwhile": meanwhile(seen, verdict.changes),
    }


def status_of(told: dict[str, Any]) -> int:
    """The status of a save that is told of so: 200 when nothing stands in its way."""
    if told.get("meanwhile"):
        return 412
    if told.get("faults"):
        return 422
    return 409 if told.get("refusal") else 200


def meanwhile(seen: str, mine: Sequence[Change] = ()) -> dict[str, Any] | None:
    """Who changed the file since the revision that a page was made from, and what; None when nobody did."""
    store = container().store
    revision = store.file_revision()
    if seen == revision:
        return None
    theirs = changes_since(store, seen)
    both = {change.path for change in theirs or ()} & {change.path for change in mine}
    return {
        "revision": revision,
        "saved": _saved_by(revision),
        "changes": told_changes(theirs) if theirs is not None else None,
        "both": sorted(both),
    }


def of_saved(revision: str) -> dict[str, Any] | None:
    """What was saved as this revision, when it is the one in force and that can be told."""
    store = container().store
    snapshot = store.current()
    if snapshot.revision != revision:
        return None
    changes = changes_by(store, revision) or []
    known = {warning.sentence() for warning in snapshot.warnings}
    warnings = [*warnings_of_saved(snapshot, changes), *filing_warnings_of(changes)]
    return {
        "words": _saved_words(changes),
        "access": _words_of_next_click(),
        "changes": told_changes(changes),
        "warnings": [w for w in warnings if w.sentence() not in known],
    }


def _saved_words(changes: Sequence[Change]) -> str:
    """What was saved, and when it takes effect."""
    if not changes:
        return "Saved. No setting has another value by it."
    told = f"Saved. {counted(len(changes), 'setting has changed', 'settings have changed')}"
    waiting = at_next_start(changes)
    if not waiting:
        return f"{told}, in force now."
    if len(waiting) == len(changes):
        return f"{told}, in force at the next start."
    return f"{told}: {', '.join(waiting)} at the next start, the rest is in force now."


def _words_of_next_click() -> str:
    """What whoever has just saved keys has to know; empty when this browser goes on as it is."""
    keys, key = container().store.current().config.auth.every_key, g.get("access_key")
    if not keys or key in keys:
        return ""
    return "The next click asks for a key: the one that you have just saved, or another that the settings name."


def told_changes(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Changes as they are listed: name, value before and after as short texts, whether it waits for the next start."""
    waiting = at_next_start(changes)
    return [
        {
            "path": change.path,
            "id": field_id(change.path),
            "label": label_of(all_settings()[change.path]),
            "before": value_words(change.before),
            "after": value_words(change.after),
            "waits": change.path in waiting,
        }
        for change in changes
    ]


def value_words(value: Any) -> str:
    """A value as one short line that can be read; empty for an empty one."""
    text = value if isinstance(value, str) else scalar(value) if value is not None else ""
    text = "" if text in ("[]", "{}") else text
    text = text if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD]}…"
    return text if text.isprintable() else printable(text.encode("utf-8", "surrogateescape"))


def _fault(problem: Problem) -> dict[str, Any]:
    return {
        "path": problem.path,
        "id": field_id(problem.path) if problem.path else None,
        "message": problem.message,
        "line": problem.line,
        "column": problem.column,
    }


def _saved_by(revision: str) -> dict[str, Any] | None:
    """When a revision was saved, and by whom; None for a file that was written by hand and is not kept."""
    try:
        kept = container().store.find_revision(revision)
    except (NotFound, ConfigError):
        return None
    return {"at": kept.at, "who": who(kept.actor)}


def who(actor: str) -> str:
    """Who saved a revision, in words."""
    words = {"file": "by hand, in the file", "control": "on these pages", "api": "over the API"}
    return words.get(actor, f"by {actor}")


def _access_words(verdict: Verdict) -> Iterator[str]:
    """What a save means for who may come in."""
    before, after = container().store.current().config, verdict.config
    if after is None:
        return
    if before.auth.every_key and not after.auth.every_key:
        yield "No key is needed any more: whoever reaches this address can look at everything and change everything."
    if after.auth.every_key and not before.auth.every_key:
        yield "From then on every page and every program asks for a key; have it at hand."
    if _loses_its_key(g.get("access_key"), after):
        yield "This browser is logged in with a key that changes: it will be asked for the new one."


def _loses_its_key(key: AccessKey | None, after: Config) -> bool:
    return key is not None and key not in after.auth.every_key


def told_history() -> list[dict[str, Any]]:
    """Every kept revision, newest first: when, who, what it changed (None where that cannot be told)."""
    found = []
    for one in history(container().store):
        changes = [Change(**change) for change in one["changes"]] if one["changes"] is not None else None
        told = told_changes(changes) if changes is not None else None
        found.append({**one, "who": who(one["actor"]), "changes": told})
    return found
