"""`preview`: what a run would do, without touching a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from app import jobs
from app.cli.context import Cli
from app.cli.follow import follow_run
from app.model import Trigger
from app.overview.preview import list_batches, list_duplicates, list_files, list_folders, preview_summary

PAGE = 1_000
#: So many lines of each kind are shown without `--files`.
SHOWN = 20

#: The titles of tables, and of their columns.
BATCHES = ("Batches", "Name", "Files", "Bytes", "Target", "In the end")
FOLDERS = ("Folders of the archive", "Folder", "Files", "Bytes")
DUPLICATES = ("Duplicates", "File", "Repeats")
DOUBTFUL = ("Doubtful dates", "File", "Why it goes where")

Lister = Callable[..., dict[str, Any]]


@click.command()
@click.option("--files", "with_files", is_flag=True, help="Nothing cut: every file with what becomes of it, and why.")
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
    run_id = found["run"]["id"]
    listed: dict[str, Any] = {name: list(_all(cli, lister, name, run_id)) for name, lister in lists.items()}
    return {**found, **listed, "folders": list_folders(cli.services, run_id)}


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
        _show_lists(cli, run_id, summary, with_files)
    cli.console.print(_room(summary["room"]))
    cli.say(found["at_the_peer"])
    for warning in summary["warnings"]:
        cli.say(f"warning: {warning}")
    cli.say(f"At its end a run says: {summary['ends']}")
    if not found["is_current"]:
        cli.say("Something has changed since; ask for a new preview.")


def _show_lists(cli: Cli, run_id: int, summary: dict[str, Any], with_files: bool) -> None:
    counts, limit = summary["counts"], None if with_files else SHOWN
    folders = list_folders(cli.services, run_id)
    lists = (
        (BATCHES, _all(cli, list_batches, "batches", run_id), summary["batches"]["count"], _batch_row),
        (FOLDERS, iter(folders), len(folders), _folder_row),
        (DUPLICATES, _all(cli, list_duplicates, "duplicates", run_id), counts["duplicates"]["files"], _duplicate_row),
        (DOUBTFUL, _all(cli, list_files, "files", run_id, only_weak=True), counts["weak_dates"]["files"], _date_row),
    )
    for columns, rows, total, as_row in lists:
        _show_list(cli, columns, [as_row(row) for row in islice(rows, limit)], total)
    if with_files:
        _show_files(cli, run_id)


def _show_list(cli: Cli, columns: tuple[str, ...], rows: list[tuple[Text | str, ...]], total: int) -> None:
    if not rows:
        return
    table = _table(*columns)
    for row in rows:
        table.add_row(*row)
    cli.console.print(table)
    if total > len(rows):
        cli.say(f"{total - len(rows):,} more; `media-pipeline preview --last --files` shows them all.")


def _batch_row(batch: dict[str, Any]) -> tuple[Text | str, ...]:
    name = Text(batch["name"] + ("" if batch["is_new"] else " (exists)"))
    return (name, f"{batch['file_count']:,}", f"{batch['size_bytes']:,}", batch["target"], batch["status"])


def _folder_row(folder: dict[str, Any]) -> tuple[Text | str, ...]:
    name = Text(folder["folder"] or "(the top of the archive)")
    return (name, f"{folder['files']:,}", f"{folder['size_bytes']:,}")


def _duplicate_row(file: dict[str, Any]) -> tuple[Text | str, ...]:
    original = file["duplicate_of"]
    return (Text(file["path"]), Text(original["path"] if original else "a file that is known"))


def _date_row(file: dict[str, Any]) -> tuple[Text | str, ...]:
    return (Text(file["path"]), Text(file["why"] or ""))


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
