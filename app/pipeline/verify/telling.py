"""What a verification leaves behind: events for what is new, and a report of the whole."""

from __future__ import annotations

from collections import Counter

from app.db import findings, journal, roots, verification
from app.db.connection import Connection
from app.errors import printable
from app.model import GRAVE_FINDINGS, Failure, Finding, FindingKind, Place, Report, Root
from app.pipeline.verify import words
from app.pipeline.verify.scope import Scope

#: So many findings of a kind get an event each; the others are counted in one more.
NAMED = 100

EVENTS = {
    FindingKind.ALTERED: ("asset.found_altered", "error"),
    FindingKind.MISSING: ("asset.found_missing", "error"),
    FindingKind.UNREADABLE: ("asset.found_unreadable", "error"),
    FindingKind.MOVED: ("asset.found_moved", "warning"),
    FindingKind.FOREIGN: ("file.found_foreign", "warning"),
}


def finish(
    conn: Connection, scope: Scope, counts: Counter[str], passed_over: Counter[str], failures: list[Failure]
) -> Report:
    """Drop what is settled, tell the journal of what was not known before, and report."""
    for root in scope.roots:
        findings.drop_unseen(conn, scope.run_id, root.id, foreign=False)
    known = {root.id: root for root in roots.list_all(conn)}
    for kind in EVENTS:
        _tell(conn, scope.run_id, kind, known)
    findings.mark_told(conn, scope.run_id)
    report = _report(conn, scope, counts, passed_over, failures)
    level = _level(report)
    journal.record(conn, "verify.finished", report.message, level=level, run_id=scope.run_id, detail=report.detail)
    return report


def _tell(conn: Connection, run_id: int, kind: FindingKind, known: dict[int, Root]) -> None:
    event, level = EVENTS[kind]
    for finding in findings.list_untold(conn, run_id, kind, NAMED):
        place = _place(finding, known)
        message = f"{place}: {finding.reason}"
        detail = {"finding_id": finding.id, "path": place, "reason": finding.reason}
        journal.record(conn, event, message, level=level, run_id=run_id, asset_id=finding.asset_id, detail=detail)
    more = findings.count_untold(conn, run_id, kind) - NAMED
    if more > 0:
        message = f"{more:,} more files were found {kind}; `media-pipeline findings --kind {kind}` lists them all."
        journal.record(conn, event, message, level=level, run_id=run_id, detail={"count": more})


def _place(finding: Finding, known: dict[int, Root]) -> str:
    return printable(Place(known[finding.root_id], finding.path).absolute)


def _report(
    conn: Connection, scope: Scope, counts: Counter[str], passed_over: Counter[str], failures: list[Failure]
) -> Report:
    intact, size_bytes = verification.count_verified_since(conn, scope.root_ids, scope.began_at)
    found = {kind.value: number for kind, number in findings.count_of_run(conn, scope.run_id).items()}
    detail = {
        "intact": intact,
        "looked_at": counts["looked_at"],
        "findings": found,
        "unsettled": counts["unsettled"],
        "passed_over": dict(passed_over.most_common()),
        "roots": [printable(root.path) for root in scope.roots],
        "verified_before": scope.before,
    }
    message = words.summary(intact, counts["looked_at"], found)
    if counts["unsettled"]:
        message += f" {counts['unsettled']:,} were being changed and are read the next time."
    return Report("done", message, intact, counts["looked_at"], size_bytes, failures=failures, detail=detail)


def _level(report: Report) -> str:
    found = report.detail["findings"]
    if any(found[kind.value] for kind in GRAVE_FINDINGS):
        return "error"
    return "warning" if found["moved"] or found["foreign"] else "info"
