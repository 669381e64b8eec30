"""`key`: access keys, made, listed and removed at the machine itself."""

from __future__ import annotations

import secrets

import click

from app.cli.context import Cli
from app.cli.saving import actor, store_for_saving
from app.config.access import MAIN_KEY, SCOPES, AccessKey, Scope
from app.config.store import ConfigStore, masked
from app.errors import BadRequest, NotFound

#: 32 random bytes, as 43 letters, digits, dashes and underscores.
KEY_BYTES = 32


@click.group("key")
def key() -> None:
    """Make, list and remove access keys, each with a name and a scope."""


@key.command("add")
@click.argument("name")
@click.option("--scope", type=click.Choice(SCOPES), default="read", show_default=True, help="What the key may do.")
@click.pass_obj
def add(cli: Cli, name: str, scope: Scope) -> int:
    """Make a random key for NAME and print it, this once.

    read: look at everything; run: also start and steer work; admin: also change settings and take work back.
    """
    store = store_for_saving(cli)
    revision, was_open = store.file_revision(), not store.current().config.auth.every_key
    made = {"name": name, "key": secrets.token_urlsafe(KEY_BYTES), "scope": scope}
    warnings = _save(store, [*_masked_keys(store), made], revision)
    if cli.as_json:
        cli.print_json({**made, "warnings": warnings})
        return 0
    cli.say(f"The key of {name} (scope {scope}); it is not shown again:")
    click.echo(made["key"])
    if was_open:
        cli.say("From now on every request needs a key.")
    for warning in warnings:
        cli.say(f"warning: {warning}")
    return 0


@key.command("list")
@click.pass_obj
def list_keys(cli: Cli) -> int:
    """List the keys by name and scope; never the keys themselves."""
    snapshot = cli.container.store.current()
    variable = snapshot.environment_keys.get("auth.api_key")
    found = [
        {"name": one.name, "scope": one.scope, "source": (variable or "auth.api_key") if _is_main(one) else "auth.keys"}
        for one in snapshot.config.auth.every_key
    ]
    if cli.as_json:
        cli.print_json({"keys": found, "needed": bool(found)})
    for entry in found:
        cli.say(f"{entry['name']:24} {entry['scope']:6} {entry['source']}")
    if not found:
        cli.say("No key is set: whoever reaches this server may use it. `key add NAME --scope admin` makes one.")
    return 0


@key.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask, even when it is the last key.")
@click.pass_obj
def remove(cli: Cli, name: str, yes: bool) -> int:
    """Remove the key of NAME; browsers that logged in with it are logged out.

    Without the last key whoever reaches the server may use it; so that one is removed only after a yes.
    """
    store = store_for_saving(cli)
    if name == MAIN_KEY:
        raise BadRequest(
            "This key is auth.api_key; `config set auth.api_key=null` removes it, unless a variable sets it."
        )
    revision, entries = store.file_revision(), _masked_keys(store)
    kept = [entry for entry in entries if entry["name"] != name]
    if len(kept) == len(entries):
        raise NotFound("key", name[:64])
    if all(one.name == name for one in store.current().config.auth.every_key) and not _wants_open_server(cli, yes):
        cli.say("The key stays.")
        return 2
    warnings = _save(store, kept, revision)
    is_open = not store.current().config.auth.every_key
    if cli.as_json:
        cli.print_json({"removed": name, "needed": not is_open, "warnings": warnings})
    cli.say(f"The key of {name} was removed.")
    if is_open:
        cli.say("No key is left: whoever reaches this server may use it.")
    for warning in warnings:
        cli.say(f"warning: {warning}")
    return 0


def _masked_keys(store: ConfigStore) -> list[dict[str, str]]:
    """The entries of auth.keys with their keys masked: saving a mask keeps what it stands for."""
    entries: list[dict[str, str]] = masked(store.current().config)["auth"]["keys"]
    return entries


def _save(store: ConfigStore, keys: list[dict[str, str]], revision: str) -> list[str]:
    snapshot = store.save_partial({"auth": {"keys": keys}}, actor=actor(), expected_revision=revision)
    return [warning.sentence() for warning in snapshot.warnings if warning.path.startswith("auth.")]


def _wants_open_server(cli: Cli, yes: bool) -> bool:
    question = "It is the last key: without it whoever reaches this server may use it, as admin. Remove it?"
    return cli.confirm(question, yes)


def _is_main(key: AccessKey) -> bool:
    return key.name == MAIN_KEY
