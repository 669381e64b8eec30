"""`completion`: the lines that make a shell complete commands, options, statuses and the ids of batches and runs."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from app.cli.context import Cli
from app.errors import BadRequest

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_MEDIA_PIPELINE_COMPLETE"
#: What click's own lines lack. A plain zsh has no `compdef` before its completion is switched on; in fish a line about
#: a command ended at its first comma.
MENDED = {
    "zsh": (
        "else\n    # eval",
        "else\n    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }\n    # eval",
    ),
    "fish": ('string split ","', 'string split -m 1 ","'),
}


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.option("--program", default="media-pipeline", show_default=True, help="What the command is called.")
@click.pass_context
def completion(context: click.Context, shell: str, program: str) -> int:
    """Print the lines that make a shell complete this program.

    bash: media-pipeline completion bash >> ~/.bashrc. zsh: the same with ~/.zshrc.
    fish: media-pipeline completion fish > ~/.config/fish/completions/media-pipeline.fish
    """
    cli, root = context.find_object(Cli), context.find_root().command
    made = get_completion_class(shell)
    if made is None or cli is None:
        raise BadRequest(f"There is no completion for {shell}.")
    lines = made(root, {}, program, VARIABLE).source().replace(*MENDED.get(shell, ("", "")))
    if cli.as_json:
        cli.print_json({"shell": shell, "lines": lines})
    else:
        click.echo(lines)
    return 0
