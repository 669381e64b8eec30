"""`tree`: the folders of the archive, as they are and as another pattern would make them."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table
from rich.text import Text

from app.cli.context import Cli
from app.overview.tree import Which, archive_tree


@click.command()
@click.option("--pattern", "folder_pattern", help="Folders by this instead of sorter.folder_pattern.")
@click.option("--name-pattern", help="Names by this instead of sorter.name_pattern.")
@click.option("--language", help="Month names in this language instead of sorter.language.")
@click.option("--depth", type=click.IntRange(1, 20), default=2, show_default=True, help="How many levels are shown.")
@click.option(
    "--which",
    type=click.Choice(["all", "waiting", "archived"]),
    default="all",
    show_default=True,
    help="Files that wait, those that are archived, or all.",
)
@click.pass_obj
def tree(
    cli: Cli, which: Which, depth: int, folder_pattern: str | None, name_pattern: str | None, language: str | None
) -> int:
    """Show the folders of the archive with counts, as they are or as another pattern would make them.

    Nothing is moved. A pattern with a fault ends with 2 and says where it is.
    """
    asked = {"folder_pattern": folder_pattern, "name_pattern": name_pattern, "language": language}
    patterns = {name: text for name, text in asked.items() if text is not None}
    found = archive_tree(cli.services, patterns=patterns, which=which, depth=depth)
    if cli.as_json:
        cli.print_json(found)
    else:
        _show(cli, found)
    return 0


def _show(cli: Cli, found: dict[str, Any]) -> None:
    table = Table(title=f"The archive by {found['folder_pattern']}", title_justify="left")
    table.add_column("Folder", overflow="fold")
    for name in ("Waiting", "Archived", "Elsewhere now", "Bytes"):
        table.add_column(name, justify="right")
    for folder in found["folders"]:
        table.add_row(Text(folder["folder"] or "(the top of the archive)"), *_numbers(folder))
    table.add_section()
    table.add_row("all", *_numbers(found))
    cli.console.print(table)
    if found["folder_count"] > len(found["folders"]):
        cli.say(f"{found['folder_count'] - len(found['folders']):,} more folders; ask for a smaller --depth.")
    if found["undated"]:
        cli.say(f"{found['undated']:,} more wait whose date was not read yet.")
    for example in found["examples"]:
        cli.say(f"{example['came_as']} goes to {example['goes_to']}")


def _numbers(counts: dict[str, int]) -> tuple[str, ...]:
    return tuple(f"{counts[name]:,}" for name in ("waiting", "archived", "elsewhere", "size_bytes"))
