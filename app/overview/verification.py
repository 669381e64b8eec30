"""What is shown of verifications: the last one, what was found and waits for a person, how much was verified when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from app.config.cron import next_after
from app.db import findings, roots, runs, verification
from app.errors import printable
from app.model import GRAVE_FINDINGS, VERIFIABLE, VERIFIED_BY_DEFAULT, Finding, FindingKind, Root, RunKind
from app.overview.runs import run_with_steps
from app.overview.summaries import absolute
from app.services import Services

#: What a person does about each kind.
REMEDIES = {
    FindingKind.ALTERED: "Put it back from your backup; or accept it, if it was changed on purpose.",
    FindingKind.MISSING: "Put it back from your backup; or accept it, if it was removed on purpose.",
    FindingKind.UNREADABLE: "Look at its rights and at the disk; put it back from your backup if it stays unreadable.",
    FindingKind.MOVED: "Accept it, or move it back.",
    FindingKind.FOREIGN: "Move it to the ingest folder to have it taken in; or accept it: ignore it, or adopt it.",
    FindingKind.IGNORED: "Nothing; it can be reported again.",
}


def verification_status(services: Services) -> dict[str, Any]:
    """The last verification, open findings by kind, and for each kind of folder how much was verified when."""
    with services.db.reading() as conn:
        last = runs.find_last(conn, RunKind.VERIFY)
        return {
            "run": run_with_steps(conn, last, 1) if last is not None else None,
            "findings": count_findings(conn),
            "coverage": {name: _coverage(conn, services, name) for name in VERIFIED_BY_DEFAULT},
            "schedule": services.config.verify.schedule,
            "next_at": _next_at(services),
        }


def _coverage(conn: Connection, services: Services, name: str) -> dict[str, Any]:
    parts = [
        verification.coverage(conn, root.id) for kind in VERIFIABLE[name] for root in services.roots.get(kind, ())
    ]
    oldest = [part["oldest_verified_at"] for part in parts if part["oldest_verified_at"]]
    return {
        "files": sum(part["files"] for part in parts),
        "never_verified": sum(part["never_verified"] for part in parts),
        "oldest_verified_at": min(oldest, default=None),
    }


def _next_at(services: Services) -> str | None:
    expression = services.config.verify.schedule.strip()
    coming = next_after(expression, datetime.now(UTC), services.config.zone) if expression else None
    return coming.astimezone(UTC).isoformat(timespec="microseconds") if coming is not None else None


def count_findings(conn: Connection) -> dict[str, int]:
    """How many findings of each kind wait for a person, and `total`."""
    counted = {kind.value: number for kind, number in findings.count_open(conn).items()}
    return {**counted, "total": sum(counted.values())}


def find_findings(conn: Connection, kind: FindingKind | None, after_id: int, limit: int) -> dict[str, Any]:
    """A page of findings in id order: of one kind, or all that wait for a person."""
    found, next_id = findings.list_page(conn, kind, after_id, limit)
    known = {root.id: root for root in roots.list_all(conn)}
    return {
        "findings": [finding_summary(conn, finding, known) for finding in found],
        "next_after_id": next_id,
        "counts": count_findings(conn),
    }


def find_finding(conn: Connection, finding_id: int) -> dict[str, Any]:
    """One finding. Raises NotFound."""
    return finding_summary(conn, findings.get(conn, finding_id), {root.id: root for root in roots.list_all(conn)})


def finding_summary(conn: Connection, finding: Finding, known: Mapping[int, Root]) -> dict[str, Any]:
    """A finding as JSON-ready values, with whole paths and with what to do."""
    new_place = None
    if finding.new_root_id is not None and finding.new_path is not None:
        new_place = absolute(known, finding.new_root_id, finding.new_path)
    return {
        "id": finding.id,
        "kind": finding.kind.value,
        "place": absolute(known, finding.root_id, finding.path),
        "path": printable(finding.path),
        "root_kind": known[finding.root_id].kind.value,
        "asset_id": finding.asset_id,
        "size_bytes": finding.size_bytes,
        "reason": finding.reason,
        "remedy": _remedy(conn, finding, known),
        "new_place": new_place,
        "sha256": finding.sha256,
        "found_at": finding.found_at,
        "run_id": finding.run_id,
    }


def _remedy(conn: Connection, finding: Finding, known: Mapping[int, Root]) -> str:
    good = findings.find_good_copy(conn, finding) if finding.kind in GRAVE_FINDINGS else None
    if good is None:
        return REMEDIES[finding.kind]
    return f"A file with the right content is at {absolute(known, *good)}. {REMEDIES[finding.kind]}"
