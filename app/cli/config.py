"""`config`: the settings, from the command line. Works beside a running service, which notices every change."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import click
from click.shell_completion import CompletionItem

from app.cli.context import Cli
from app.cli.saving import actor, affected_by, print_changes, report_saved, store_for_saving, words
from app.cli.show_settings import chosen_keys, print_settings, settings_document
from app.config.changes import Change, Verdict, verdict_json
from app.config.document import MAX_BYTES, plain_value
from app.config.environment import from_words
from app.config.files import Revision, read_text
from app.config.history import history
from app.config.presets import PRESETS, find_preset, preset_json
from app.config.settings import all_settings, get_path, with_path
from app.config.store import ConfigStore, masked
from app.errors import BadRequest, ConfigError, NotFound
from app.overview.peer_policy import affected_words

FAULTS_FOUND = 2
#: So much of a revision's name is shown, and enough to name it again.
SHORT = 12


class SettingKey(click.ParamType[str]):
    """A key or a section of the settings; a shell completes it."""

    name = "key"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Keys that begin so."""
        words = {path: setting.description for path, setting in all_settings().items()}
        return [CompletionItem(path, help=text) for path, text in words.items() if path.startswith(incomplete)]


@click.group("config")
def config() -> None:
    """Show, change, check and take back the settings."""


@config.command("show")
@click.argument("key", required=False, type=SettingKey())
@click.option("--raw", is_flag=True, help="The file to the letter, secrets masked.")
@click.pass_obj
def show(cli: Cli, key: str | None, raw: bool) -> int:
    """Show every setting in force and where it comes from; the value of one KEY; or a section with what it means."""
    store = cli.container.store
    if raw:
        click.echo(store.text(), nl=False)
        return 0
    snapshot = store.current()
    paths = chosen_keys(key)
    if cli.as_json:
        cli.print_json(settings_document(store, snapshot, key))
    elif key in all_settings():
        click.echo(words(get_path(masked(snapshot.config), key or "")))
    else:
        print_settings(cli, snapshot, paths, explained=key is not None)
    return 0


@config.command("set")
@click.argument("assignments", metavar="KEY=VALUE...", nargs=-1, required=True, type=SettingKey())
@click.pass_obj
def set_values(cli: Cli, assignments: tuple[str, ...]) -> int:
    """Change settings; null takes a key back to its default. All are saved together, or none.

    Lists are separated by commas, or written as JSON.
    """
    store = store_for_saving(cli)
    changes: dict[str, Any] = {}
    for assignment in assignments:
        key, separator, text = assignment.partition("=")
        if not separator:
            raise click.UsageError(f"{assignment} is not KEY=VALUE, as in batch.max_size_gb=20.")
        _refuse_variable(store, key)
        changes = with_path(changes, key, _value(key, text))
    verdict = store.check_partial(changes)
    affected = affected_by(cli, verdict)
    return report_saved(cli, store.save_partial(changes, actor=actor()), verdict, affected)


@config.command("validate")
@click.argument("file", required=False, type=click.Path())
@click.pass_obj
def validate(cli: Cli, file: str | None) -> int:
    """Check FILE (- is standard input; without it the configuration file) and say what saving it would do.

    Prints each fault as file:line:column; exit code 2 when there is one. Changes nothing.
    """
    from app.overview.device_doubts import with_device_doubts

    store = cli.container.store
    name = file or store.path
    try:
        verdict = with_device_doubts(store.check_raw(_text_of(name)), store)
    except ConfigError as error:
        verdict = Verdict(error.problems)
    if cli.as_json:
        cli.print_json({**verdict_json(verdict), "affected_batches": affected_by(cli, verdict)})
    else:
        _print_verdict(cli, "<stdin>" if name == "-" else name, verdict)
    return 0 if verdict.is_valid else FAULTS_FOUND


@config.command("history")
@click.pass_obj
def list_history(cli: Cli) -> int:
    """List the last revisions, newest first: when, who, what changed."""
    found = history(cli.container.store)
    if cli.as_json:
        cli.print_json({"revisions": found})
    for entry in found:
        mark = "  (in force)" if entry["in_force"] else ""
        cli.say(f"{entry['revision'][:SHORT]}  {entry['at'][:19].replace('T', ' ')}  {entry['actor']}{mark}")
        changes = [Change(**change) for change in entry["changes"] or ()]
        print_changes(cli, changes)
    if not found:
        cli.say("No revision is kept yet.")
    return 0


@config.command("rollback")
@click.argument("revision")
@click.pass_obj
def rollback(cli: Cli, revision: str) -> int:
    """Go back to a kept REVISION (its first letters are enough). The one that is left stays in the history."""
    store = store_for_saving(cli)
    kept = _kept(store, revision)
    verdict = store.check_revision(kept.revision)
    affected = affected_by(cli, verdict)
    return report_saved(cli, store.roll_back(kept.revision, actor=actor()), verdict, affected)


@config.command("presets")
@click.pass_obj
def list_presets(cli: Cli) -> int:
    """List the presets: what each means for the files, and what it would change now."""
    found = [preset_json(preset, cli.container.store) for preset in PRESETS]
    if cli.as_json:
        cli.print_json({"presets": found})
    for described in found:
        _print_preset(cli, described)
    return 0


@config.command("preset")
@click.argument("name", type=click.Choice([preset.name for preset in PRESETS]))
@click.option("--apply", "is_applied", is_flag=True, help="Save it; without this it is only shown.")
@click.pass_obj
def preset(cli: Cli, name: str, is_applied: bool) -> int:
    """Show what a preset would change, or apply it."""
    if is_applied:
        store = store_for_saving(cli)
        changes = find_preset(name).changes(store.current().config)
        verdict = store.check_partial(changes)
        affected = affected_by(cli, verdict)
        return report_saved(cli, store.save_partial(changes, actor=actor()), verdict, affected)
    described = preset_json(find_preset(name), cli.container.store)
    if cli.as_json:
        cli.print_json(described)
    _print_preset(cli, described)
    return 0


def _refuse_variable(store: ConfigStore, key: str) -> None:
    with suppress(ConfigError):
        variable = store.current().environment_keys.get(key)
        if variable:
            raise BadRequest(f"{key} is set by the environment variable {variable}; change it there.")


def _value(key: str, text: str) -> Any:
    if text == "null":
        return None
    setting = all_settings().get(key)
    return from_words(setting, text) if setting else plain_value(text)


def _kept(store: ConfigStore, beginning: str) -> Revision:
    found = {kept.revision: kept for kept in store.history() if kept.revision.startswith(beginning)}
    if not found or not beginning:
        raise NotFound("configuration revision", beginning[:64])
    if len(found) > 1:
        raise BadRequest(f"More than one revision begins with {beginning}; write more of it.")
    return next(iter(found.values()))


def _print_preset(cli: Cli, described: dict[str, Any]) -> None:
    mark = " (in force)" if described["in_force"] else ""
    cli.say(f"{described['name']}{mark}: {described['sentence']}")
    print_changes(cli, [Change(**change) for change in described["changes"]])
    for error in described["errors"]:
        cli.say(f"  cannot be applied: {error['path']}: {error['message']}")


def _print_verdict(cli: Cli, name: str, verdict: Verdict) -> None:
    for problem in verdict.problems:
        click.echo(problem.placed(name))
    for warning in verdict.warnings:
        cli.say(f"warning: {warning.placed(name)}")
    if verdict.is_valid:
        cli.say("No faults." + (" Saving it would change:" if verdict.changes else ""))
        print_changes(cli, verdict.changes)
        affected = affected_by(cli, verdict)
        if affected:
            cli.say(affected_words(affected))
    if verdict.refusal:
        cli.say(f"It cannot be saved just now: {verdict.refusal}")


def _text_of(name: str) -> str:
    if name != "-":
        return read_text(name)
    return sys.stdin.buffer.read(MAX_BYTES + 1).decode("utf-8", "surrogateescape")
