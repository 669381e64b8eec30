"""What the last rebuild found, as every surface shows it: one report, and lists of what is worth a look."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from app.db import confirmation, rebuild_entries, rebuild_files
from app.db.tables import roots
from app.errors import printable

#: What is worth a look, in words, by the name of its count in the report.
WORTH_A_LOOK = {
    "entries_without_file": "files that a manifest names were found nowhere",
    "rows_without_file": "files that were known were found nowhere",
    "no_manifest": "files of the archive that no manifest names",
    "unknown_in_batch": "files among those of batches that no manifest names",
    "kept_copy": "copies that stayed where a file was copied from",
    "spare_copy": "files among those of batches whose content is elsewhere as well",
    "trash": "sources of copied files in the trash",
    "only_in_trash": "files found only in the trash",
    "begun_copy": "leftovers of copies that were cut off, which go when files may move again",
    "unfinished_copy": "leftovers of copies that were cut off, of files that are not certain",
    "only_unfinished": "files found only as a copy that was not finished",
    "unreadable": "files that could not be read",
    "altered": "known files that do not hold what they should",
    "left_in_place": "other files, which are left in place",
}


def rebuild_overview(conn: Connection) -> dict[str, Any]:
    """The state (none, running, unconfirmed, confirmed), what is awaited in words, and the report."""
    awaited_since, report = confirmation.awaited_since(conn), confirmation.report(conn)
    counts = report["counts"] if report is not None else {}
    return {
        "state": _state(awaited_since, report),
        "message": confirmation.sentence(conn),
        "cause": confirmation.cause(conn) if awaited_since or report else None,
        "awaited_since": awaited_since,
        "report": report,
        "worth_a_look": [[counts[key], words] for key, words in WORTH_A_LOOK.items() if counts.get(key)],
    }


def _state(awaited_since: str | None, report: dict[str, Any] | None) -> str:
    if awaited_since is not None:
        return "running" if report is None else "unconfirmed"
    return "none" if report is None else "confirmed"


def list_found(conn: Connection, finding: str | None, after_id: int, limit: int) -> dict[str, Any]:
    """A page of files worth a look, in id order."""
    found = rebuild_files.list_findings(conn, finding, after_id, limit)
    paths = {row[0]: row[1] for row in conn.execute(select(roots.c.id, roots.c.path)).all()}
    listed = [
        {
            "id": one[0],
            "path": printable(paths[one[1]].rstrip(b"/") + b"/" + one[2]),
            "size_bytes": one[3],
            "finding": one[4],
            "note": one[5],
            "asset_id": one[6],
        }
        for one in found
    ]
    return {"files": listed, "next_after_id": found[-1][0] if len(found) == limit else None}


def list_missing(conn: Connection, after_id: int, limit: int) -> dict[str, Any]:
    """A page of files that a manifest names and that were found nowhere, in id order."""
    found = rebuild_entries.list_lost(conn, after_id, limit)
    listed = [
        {
            "id": one[0],
            "batch_id": one[1],
            "asset_id": one[2],
            "path": printable(one[3]),
            "origin": printable(one[4]),
            "size_bytes": one[5],
            "note": one[6],
        }
        for one in found
    ]
    return {"missing": listed, "next_after_id": found[-1][0] if len(found) == limit else None}
