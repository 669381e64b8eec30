"""`assets`: finding files, one file's story, trying files again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from app import jobs
from app.cli.context import Cli
from app.cli.options import ASSET_ID, BATCH_ID, DAY, Noun
from app.cli.why import tell
from app.db import assets as asset_rows
from app.db import roots as root_rows
from app.db.connection import Connection
from app.db.search import SORTS
from app.errors import BadRequest, MediaPipelineError, printable
from app.files.lone_sidecars import since_of
from app.model import AssetStatus, Root, RootKind
from app.model.counting import counted
from app.overview.files import AssetSearch, asset_summary, find_assets
from app.overview.lone_sidecars import way_on
from app.overview.troubled import left_files
from app.overview.why import explain, whole_story
from app.overview.why.dates import SOURCES

#: A page of a search when every file is asked for.
PAGE = 1_000


class Assets(Noun):
    """`assets` alone lists as `assets find` does."""

    without_verb = "find"


@click.group(cls=Assets)
def assets() -> None:
    """Find files, show one with its whole story, try files again."""


@assets.command("find")
@click.argument("prefix", default="")
@click.option("--status", type=click.Choice([s.value for s in AssetStatus]), help="Only files of this status.")
@click.option("--batch", "batch_id", type=BATCH_ID, help="Only files of this batch.")
@click.option("--root", type=click.Choice([k.value for k in RootKind]), help="Only files in this kind of folder.")
@click.option("--taken-from", type=click.Choice(list(SOURCES)), help="Only files whose date comes from this source.")
@click.option("--since", default="", type=DAY, metavar="DAY", help="Only files taken on this day or later.")
@click.option("--until", default="", type=DAY, metavar="DAY", help="Only files taken on this day or earlier.")
@click.option("--digest", default="", help="Only content whose digest or SHA-256 begins so.")
@click.option("--origin", default="", help="Only files whose first path in its folder began so.")
@click.option("--original", "original_id", type=ASSET_ID, help="Only duplicates of this file.")
@click.option("--sort", type=click.Choice(list(SORTS)), help="The order.")
@click.option("--descending", is_flag=True, help="The last first.")
@click.option("--limit", "-n", default=50, show_default=True, type=click.IntRange(1, PAGE))
@click.option("--all", "every", is_flag=True, help="Every file, however many there are.")
@click.pass_obj
def find(cli: Cli, /, prefix: str, limit: int, every: bool, **terms: Any) -> int:
    """Find files whose name, or path, begins with PREFIX.

    A file has the name that it is called now, and the one that it came with. A PREFIX with a slash is a path:
    absolute, or relative to the file's folder. Both may be given as they are shown here, with escapes.
    """
    with cli.services.db.reading() as conn:
        wanted = _wanted(conn, prefix, terms, PAGE if every else limit)
        found = _every(conn, wanted) if every else _page(conn, wanted)
        known = {root.id: root for root in root_rows.list_all(conn)}
    if cli.as_json:
        cli.print_json(found)
        return 0
    if not found["assets"]:
        cli.say("No file fits.")
        return 0
    cli.console.print(_table(found["assets"], known))
    if found["next_cursor"]:
        cli.say("There are more; --limit shows more of them, --all every one.")
    return 0


def _wanted(conn: Connection, prefix: str, terms: dict[str, Any], limit: int) -> AssetSearch:
    named = _by_prefix(conn, prefix)
    status, root = terms["status"], terms["root"]
    return AssetSearch(
        origin=os.fsencode(terms["origin"]),
        digest=terms["digest"],
        status=AssetStatus(status) if status else None,
        batch_id=terms["batch_id"],
        original_id=terms["original_id"],
        taken_from=terms["taken_from"] or "",
        taken_since=terms["since"],
        taken_until=terms["until"],
        sort=terms["sort"] or ("name" if "name" in named else "id"),
        descending=terms["descending"],
        limit=limit,
        **{"root": RootKind(root) if root else None, **named},
    )


def _by_prefix(conn: Connection, prefix: str) -> dict[str, Any]:
    """The part of a search that a prefix stands for."""
    if "/" not in prefix:
        return {"name": prefix} if prefix else {}
    path = os.fsencode(prefix)
    if not path.startswith(b"/"):
        return {"prefix": path}
    for root in sorted(root_rows.list_all(conn), key=lambda root: -len(root.path)):
        for folder in (root.path.rstrip(b"/"), printable(root.path).encode().rstrip(b"/")):
            if path == folder or path.startswith(folder + b"/"):
                return {"prefix": path[len(folder) + 1 :], "root": root.kind}
    raise BadRequest(f"{printable(path)} lies outside every folder of this installation.")


def _page(conn: Connection, wanted: AssetSearch) -> dict[str, Any]:
    """The first page that is full, or the last one: a page may end early when many files had to be looked at."""
    found = find_assets(conn, wanted)
    while found["next_cursor"] and len(found["assets"]) < wanted.limit:
        rest = replace(wanted, limit=wanted.limit - len(found["assets"]))
        more = find_assets(conn, rest, found["next_cursor"])
        found = {**more, "assets": found["assets"] + more["assets"]}
    return found


def _every(conn: Connection, wanted: AssetSearch) -> dict[str, Any]:
    found = find_assets(conn, wanted)
    listed = found["assets"]
    while found["next_cursor"]:
        found = find_assets(conn, wanted, found["next_cursor"])
        listed += found["assets"]
    return {**found, "assets": listed}


def _table(found: list[dict[str, Any]], known: dict[int, Root]) -> Table:
    table = Table()
    by_former_name = any(asset.get("matches") == "former" for asset in found)
    for name in ("Id", "Status", "Taken", "From", "Bytes", "Place", "Came as", "Reason"):
        if name != "Came as" or by_former_name:
            table.add_column(name, overflow="fold", justify="right" if name in ("Id", "Bytes") else "left")
    for asset in found:
        taken = (asset["taken_local"] or "")[:19].replace("T", " ")
        place = f"{printable(known[asset['root_id']].path)}/{asset['path']}"
        cells: list[str | Text] = [asset["status"], taken, asset["taken_from"] or "", f"{asset['size_bytes']:,}"]
        cells.append(Text(place))
        if by_former_name:
            cells.append(Text((asset["origin_path"] or "").rpartition("/")[2]))
        table.add_row(str(asset["id"]), *cells, Text(asset["reason"] or ""))
    return table


@assets.command("show")
@click.argument("file")
@click.pass_obj
def show(cli: Cli, file: str) -> int:
    """Show one file with its whole story: FILE is an id, or a path or name as `why` takes it."""
    if file.isdecimal():
        asset_id = ASSET_ID(file)
        with cli.services.db.reading() as conn:
            story = whole_story(conn, cli.services.config, asset_rows.get(conn, asset_id))
    else:
        answer = explain(cli.services, file, os.getcwdb())
        story = {**(answer["asset"] or {}), "told": answer["told"]}
    if cli.as_json:
        cli.print_json(story)
    else:
        tell(cli, story["told"])
    return 0 if "id" in story else 1


@assets.command("left")
@click.option("--reason", default="", help="Only reasons that begin so.")
@click.option("--after", "after_id", default=0, type=click.IntRange(0), help="Only names after this id.")
@click.option("--limit", "-n", default=50, show_default=True, type=click.IntRange(1, PAGE))
@click.pass_obj
def left(cli: Cli, reason: str, after_id: int, limit: int) -> int:
    """List what the last scan saw and did not take in, and why."""
    with cli.services.db.reading() as conn:
        found = left_files(conn, reason, after_id, limit)
    if cli.as_json:
        cli.print_json(found)
        return 0
    for one in found["files"]:
        cli.say(f"{one['place']}: {one['reason']}")
    if not found["files"]:
        cli.say("Nothing was left in place.")
    if any(since_of(one["reason"]) for one in found["files"]):
        cli.say(way_on(cli.services.config.scan.lone_sidecars == "archive"))
    if found["next_after_id"]:
        cli.say(f"There are more: media-pipeline assets left --after {found['next_after_id']}")
    return 0


@assets.command("retry")
@click.argument("asset_ids", nargs=-1, type=ASSET_ID)
@click.option("--failed", is_flag=True, help="Every file that has failed.")
@click.option("--set-aside", is_flag=True, help="Every file that was set aside and is still in an ingest folder.")
@click.pass_obj
def retry(cli: Cli, asset_ids: Sequence[int], failed: bool, set_aside: bool) -> int:
    """Let the next run take files up again that failed or were set aside.

    Ends with 1 when one of the files named could not be taken up; the others are.
    """
    statuses = [AssetStatus.FAILED] * failed + [AssetStatus.SET_ASIDE] * set_aside
    if bool(asset_ids) == bool(statuses):
        raise BadRequest("Name the ids of files, or say --failed or --set-aside.")
    answer = {**_retry_named(cli, asset_ids), **_retry_all(cli, statuses)}
    if cli.as_json:
        cli.print_json(answer)
    return 1 if answer["refused"] else 0


def _retry_named(cli: Cli, asset_ids: Sequence[int]) -> dict[str, Any]:
    taken: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for asset_id in asset_ids:
        try:
            taken.append(asset_summary(jobs.retry_asset(cli.services, asset_id)))
            cli.say(f"File {asset_id} will be taken up again by the next run.")
        except MediaPipelineError as error:
            refused.append({"id": asset_id, "reason": str(error)})
            cli.say(str(error))
    return {"assets": taken, "refused": refused}


def _retry_all(cli: Cli, statuses: Sequence[AssetStatus]) -> dict[str, Any]:
    answers = {}
    for status in statuses:
        retried = jobs.retry_all_assets(cli.services, status)
        answers[status.value] = retried.as_json()
        files = counted(retried.count, "file that was", "files that were")
        cli.say(f"{files} {status.value.replace('_', ' ')} will be taken up by the next run.")
        for other in answers[status.value]["left_by_reason"]:
            cli.say(f"  {other['files']:,} cannot: {other['reason']}")
    return answers
