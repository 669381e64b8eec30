"""`rebuild --files`: the files that the last rebuild saw, by the lines of its report; needs no service."""

from __future__ import annotations

from typing import Any

from app.cli.context import Cli
from app.errors import BadRequest
from app.overview.rebuild import in_words, list_by_line, list_line, list_missing, rebuild_overview

#: The name under which files are listed that a manifest names and that were found nowhere.
MISSING = "missing"


def list_files(cli: Cli, line: str, after_id: int, limit: int) -> int:
    """List the first files of every line, or a page of one line."""
    with cli.services.db.reading() as conn:
        overview = rebuild_overview(conn)
        lines = [] if line else list_by_line(conn, limit)
        missing = list_missing(conn, after_id, limit) if line in ("", MISSING) else None
        if line not in ("", MISSING):
            _require_line(overview, line)
            lines = [{"name": line, "words": in_words(line), **list_line(conn, line, after_id, limit)}]
    if cli.as_json:
        cli.print_json({"state": overview["state"], "lines": lines, "missing": missing, **_given_up(overview, line)})
        return 0
    if overview["report"] is None:
        cli.say(overview["message"] or "No rebuild was made.")
    for one in lines:
        _tell(cli, one)
    if missing is not None and missing["missing"]:
        _tell_missing(cli, missing)
    for lost in _given_up(overview, line).get("given_up", ()):
        cli.say(f"  {lost['path']} (file {lost['asset_id']}) was known and is nowhere.")
    return 0


def _require_line(overview: dict[str, Any], line: str) -> None:
    report = overview["report"] or {}
    names = [one["name"] for one in report.get("lines", ())]
    if line not in names:
        raise BadRequest(f"There is no line {line!r} in the report; there are: {', '.join([*names, MISSING])}.")


def _given_up(overview: dict[str, Any], line: str) -> dict[str, Any]:
    report = overview["report"] or {}
    return {"given_up": report.get("given_up", [])} if line in ("", MISSING) else {}


def _tell(cli: Cli, line: dict[str, Any]) -> None:
    number = f"{line['files_seen']:,} " if "files_seen" in line else ""
    cli.say(f"{number}{line['words']}:")
    for file in line["files"]:
        cli.say(f"  {file['path']}" + (f" ({file['note']})" if file["note"] else ""))
    _tell_more(cli, line["name"], line["next_after_id"])


def _tell_missing(cli: Cli, missing: dict[str, Any]) -> None:
    cli.say(f"{in_words('entries_without_file')}:")
    for one in missing["missing"]:
        cli.say(f"  {one['path']} of batch {one['batch_id']} (file {one['asset_id']}, from {one['origin']})")
    _tell_more(cli, MISSING, missing["next_after_id"])


def _tell_more(cli: Cli, line: str, next_after_id: int | None) -> None:
    if next_after_id is not None:
        cli.say(f"  ... more: media-pipeline rebuild --files --line {line} --after {next_after_id}")
