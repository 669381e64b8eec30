"""`preview`: what a run would do, without touching a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from app import jobs
from app.cli.context import Cli
from app.cli.follow import follow_run
from app.model import Trigger
from app.overview.preview import list_batches, list_duplicates, list_files, preview_summary

PAGE = 1_000
#: So many lines of each kind are shown; `--files` and `--json` give them all.
SHOWN = 20

Lister = Callable[..., dict[str, Any]]


@click.command()
@click.option("--files", "with_files", is_flag=True, help="Every file with what would become of it, and why.")
@click.option("--last", is_flag=True, help="Show the newest preview instead of making one.")
@click.pass_obj
def preview(cli: Cli, with_files: bool, last: bool) -> int:
    """Rehearse a run without touching a file: batches, folders, dates, duplicates, room."""
    run_id, code = None, 0
    if not last:
        run = jobs.start_preview(cli.services, Trigger.CLI)
        cli.say(f"Preview {run.id} was asked for.")
        run_id, code = run.id, follow_run(cli, run, tell=False)
    found = preview_summary(cli.services, run_id)
    if cli.as_json:
        cli.print_json(_everything(cli, found, with_files))
    elif found["is_finished"]:
        _show(cli, found, with_files)
    return code


def _everything(cli: Cli, found: dict[str, Any], with_files: bool) -> dict[str, Any]:
    if not found["has_lists"]:
        return found
    lists = {"batches": list_batches, "duplicates": list_duplicates, **({"files": list_files} if with_files else {})}
    return {**found, **{name: list(_all(cli, lister, name, found["run"]["id"])) for name, lister in lists.items()}}


def _all(cli: Cli, lister: Lister, name: str, run_id: int, **which: Any) -> Iterator[dict[str, Any]]:
    after_id: int | None = 0
    while after_id is not None:
        page = lister(cli.services, run_id, after_id=after_id, limit=PAGE, **which)
        yield from page[name]
        after_id = page["next_after_id"]


def _show(cli: Cli, found: dict[str, Any], with_files: bool) -> None:
    summary, run_id = found["summary"], found["run"]["id"]
    cli.say(found["message"])
    if found["has_lists"]:
        _show_batches(cli, run_id)
        _show_folders(cli, summary["folders"])
        _show_duplicates(cli, run_id)
        _show_weak(cli, run_id)
        if with_files:
            _show_files(cli, run_id)
    cli.console.print(_room(summary["room"]))
    cli.say(found["at_the_peer"])
    for warning in summary["warnings"]:
        cli.say(f"warning: {warning}")
    cli.say(f"At its end a run says: {summary['ends']}")
    if not found["is_current"]:
        cli.say("Something has changed since; ask for a new preview.")


def _show_batches(cli: Cli, run_id: int) -> None:
    page = list_batches(cli.services, run_id, limit=SHOWN)
    if not page["batches"]:
        return
    table = _table("Batches", "Name", "Files", "Bytes", "Target", "In the end")
    for batch in page["batches"]:
        name = Text(batch["name"] + ("" if batch["is_new"] else " (exists)"))
        row = (f"{batch['file_count']:,}", f"{batch['size_bytes']:,}", batch["target"], batch["status"])
        table.add_row(name, *row)
    cli.console.print(table)
    _say_more(cli, page)


def _show_folders(cli: Cli, folders: list[dict[str, Any]]) -> None:
    if not folders:
        return
    table = _table("Folders of the archive", "Folder", "Files", "Bytes")
    for folder in folders[:SHOWN]:
        name = Text(folder["folder"] or "(the top of the archive)")
        table.add_row(name, f"{folder['files']:,}", f"{folder['size_bytes']:,}")
    cli.console.print(table)
    if len(folders) > SHOWN:
        cli.say("There are more folders; --json lists them.")


def _show_duplicates(cli: Cli, run_id: int) -> None:
    page = list_duplicates(cli.services, run_id, limit=SHOWN)
    if not page["duplicates"]:
        return
    table = _table("Duplicates", "File", "Repeats")
    for file in page["duplicates"]:
        original = file["duplicate_of"]
        table.add_row(Text(file["path"]), Text(original["path"] if original else "a file that is known"))
    cli.console.print(table)
    _say_more(cli, page)


def _show_weak(cli: Cli, run_id: int) -> None:
    page = list_files(cli.services, run_id, only_weak=True, limit=SHOWN)
    if not page["files"]:
        return
    table = _table("Without a certain date", "File", "Why it goes where")
    for file in page["files"]:
        table.add_row(Text(file["path"]), Text(file["why"] or ""))
    cli.console.print(table)
    _say_more(cli, page)


def _show_files(cli: Cli, run_id: int) -> None:
    for file in _all(cli, list_files, "files", run_id):
        where = f" as {file['target']}" if file["target"] != file["path"] else ""
        cli.say(f"{file['path']} {file['outcome']}{where}" + (f" ({file['why']})" if file["why"] else ""))


def _room(room: list[dict[str, Any]]) -> Table:
    table = _table("Room", "Folder", "Path", "Bytes needed", "Bytes free", "Fits")
    for need in room:
        fits = "yes" if need["fits"] else "NO"
        table.add_row(need["root"], Text(need["path"]), f"{need['needed_bytes']:,}", f"{need['free_bytes']:,}", fits)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for name in columns:
        right = name in ("Files", "Bytes", "Bytes needed", "Bytes free")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    return table


def _say_more(cli: Cli, page: dict[str, Any]) -> None:
    if page["next_after_id"] is not None:
        cli.say(f"Only the first {SHOWN} are shown; --json lists them all.")
