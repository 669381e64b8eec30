"""`duplicates`: which files hold the same bytes, and of what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from app.cli.context import Cli
from app.cli.options import LARGEST_ID
from app.overview.duplicates import duplicate_sets, every_set


def say_sets(cli: Cli, sets: Iterable[dict[str, Any]]) -> None:
    """Print paths, the original of each set first; as JSON, the sets."""
    if cli.as_json:
        cli.print_json({"sets": list(sets)})
        return
    for number, one in enumerate(sets):
        click.echo(("\n" if number else "") + "\n".join(one["files"]))


@click.command()
@click.option("--limit", "-n", default=50, show_default=True, type=click.IntRange(1, 500))
@click.option("--after", "after_id", default=0, type=click.IntRange(0, LARGEST_ID), help="Only originals after it.")
@click.option("--plain", is_flag=True, help="All of them as paths alone, an empty line between sets, as fdupes prints.")
@click.pass_obj
def duplicates(cli: Cli, limit: int, after_id: int, plain: bool) -> int:
    """List every original that has duplicates, with the files that hold the same bytes. Nothing is ever deleted."""
    if plain:
        with cli.services.db.reading() as conn:
            say_sets(cli, every_set(conn))
        return 0
    with cli.services.db.reading() as conn:
        found = duplicate_sets(conn, after_id, limit)
    if cli.as_json:
        cli.print_json(found)
        return 0
    for one in found["sets"]:
        original, count = one["original"], one["duplicate_count"]
        cli.say(f"{original['id']:>6}  {original['place']} ({original['status']}), {original['size_bytes']:,} bytes")
        for other in one["duplicates"]:
            cli.say(f"        = {other['id']}  {other['place']} ({other['status']})")
        if count > len(one["duplicates"]):
            cli.say(f"        and {count - len(one['duplicates']):,} more: assets find --original {original['id']}")
    if not found["sets"]:
        cli.say("There are no duplicates.")
    elif found["next_after_id"]:
        cli.say(f"There are more: media-pipeline duplicates --after {found['next_after_id']}")
    return 0
