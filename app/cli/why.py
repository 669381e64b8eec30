"""`why`: the whole story of one file, for a person."""

from __future__ import annotations

import os
from typing import Any

import click

from app.cli.context import Cli
from app.overview.why import explain


@click.command()
@click.argument("file")
@click.pass_obj
def why(cli: Cli, file: str) -> int:
    """Tell the whole story of a file: what it is, where it is and was, why its date, its batch, its proof.

    FILE is an id, a path (absolute, or relative to here or to a folder of the installation) or a bare name, as it is
    or as it is shown here, with escapes. Ends with 1 when no row knows the file, and says why.
    """
    answer = explain(cli.services, file, os.getcwdb())
    if cli.as_json:
        cli.print_json(answer)
    else:
        _tell(cli, answer)
    return 0 if answer["known"] else 1


def _tell(cli: Cli, answer: dict[str, Any]) -> None:
    tell(cli, answer["told"])
    if answer["hint"]:
        cli.say(answer["hint"])


def tell(cli: Cli, told: list[dict[str, str]]) -> None:
    """The sentences of a story, one a line."""
    for sentence in told:
        cli.say(sentence["text"])
