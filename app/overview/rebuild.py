"""What the last rebuild found, as every surface shows it: one report, and lists of what is worth a look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from app.db import confirmation, rebuild_entries, rebuild_lines
from app.db.rebuild_lines import Listed
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
    return _page(conn, rebuild_lines.list_found(conn, finding, after_id, limit), limit)


def list_line(conn: Connection, line: str, after_id: int, limit: int) -> dict[str, Any]:
    """A page of the files of one line of the report, in id order. When what was found is confirmed, only files worth a
    look are still listed: the others are in the list of assets."""
    return _page(conn, rebuild_lines.list_line(conn, line, after_id, limit), limit)


def _page(conn: Connection, found: Sequence[Listed], limit: int) -> dict[str, Any]:
    paths = {row[0]: row[1] for row in conn.execute(select(roots.c.id, roots.c.path)).all()}
    listed = [
        {
            "id": one.id,
            "path": printable(paths[one.root_id].rstrip(b"/") + b"/" + one.path),
            "size_bytes": one.size_bytes,
            "line": one.line,
            "finding": one.finding,
            "note": one.note,
            "asset_id": one.asset_id,
        }
        for one in found
    ]
    return {"files": listed, "next_after_id": found[-1].id if len(found) == limit else None}


def list_by_line(conn: Connection, limit: int) -> list[dict[str, Any]]:
    """Every line of the last report with its words and the first of its files; none without a report."""
    report = confirmation.report(conn)
    lines = report.get("lines", []) if report is not None else []
    return [
        {
            "name": line["name"],
            "words": in_words(line["name"]),
            "files_seen": line["files"],
            "size_bytes": line["size_bytes"],
            **list_line(conn, line["name"], 0, limit),
        }
        for line in lines
    ]


def in_words(line: str) -> str:
    """What the files of a line are."""
    return WORTH_A_LOOK.get(line) or line.replace("_", " ")


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
