"""`syncthing`: how far its set-up is, the one act that makes what is missing, and the requests of peers."""

from __future__ import annotations

from typing import Any

import click
from rich.text import Text

from app.cli.context import Cli
from app.cli.options import Noun
from app.cli.saving import actor

STYLES = {"ok": "green", "missing": "yellow", "waiting": "yellow", "wrong": "bold red"}


class _Syncthing(Noun):
    """Without a verb it tells how things are."""

    without_verb = "status"


@click.group(cls=_Syncthing)
def syncthing() -> None:
    """Set Syncthing up and connect the peer: status, setup, pending, accept, dismiss, qr."""


@syncthing.command()
@click.pass_obj
def status(cli: Cli) -> int:
    """How far the set-up is: each step with its cause and what to do. Ends with 1 while something is missing here."""
    from app.overview.peer import peer_state

    seen = peer_state(cli.services)
    if cli.as_json:
        cli.print_json(seen)
    else:
        _tell(cli, seen)
    return 1 if any(step["state"] in ("missing", "wrong") for step in seen["steps"]) else 0


@syncthing.command("setup")
@click.option("--send-only", is_flag=True, help="Also make the folder Send Only when it is of another type.")
@click.option("--resume", is_flag=True, help="Also resume the folder when it is paused.")
@click.option("--deliver", is_flag=True, help="Also set sync.target to syncthing.")
@click.pass_obj
def set_up(cli: Cli, send_only: bool, resume: bool, deliver: bool) -> int:
    """Make what is missing in Syncthing for a delivery. Safe to call again; what is right stays as it is."""
    from app.jobs import peer

    asked = (("type", send_only), ("paused", resume), ("target", deliver))
    changes = [name for name, wanted in asked if wanted]
    return _report(cli, peer.set_up_syncthing(cli.container, actor(), changes))


@syncthing.command()
@click.pass_obj
def pending(cli: Cli) -> int:
    """Devices that knocked, and folders that peers offer."""
    from app.overview.peer import pending_requests

    found = pending_requests(cli.services)
    if cli.as_json:
        cli.print_json(found)
        return 1 if found["fault"] else 0
    for device in found["devices"]:
        cli.say(f"{device['name'] or 'a device'} at {device['address']} wants to connect: {device['device_id']}")
    for offer in found["folders"]:
        cli.say(f"{offer['device']} offers the folder {offer['folder_id']} ({offer['label']}): {offer['device_id']}")
    if found["fault"]:
        cli.say(found["fault"])
    elif not found["devices"] and not found["folders"]:
        cli.say("Nothing waits. `media-pipeline syncthing qr` shows what the peer has to scan.")
    return 1 if found["fault"] else 0


@syncthing.command()
@click.argument("device_id")
@click.option("--name", default="", help="What to call the device; without it, what it calls itself.")
@click.option("--folder", "folder_id", help="Accept this folder, which the device offers, for the batches.")
@click.pass_obj
def accept(cli: Cli, device_id: str, name: str, folder_id: str | None) -> int:
    """Make DEVICE_ID a peer: known, the folder shared with it. Works for one that has not knocked as well."""
    from app.jobs import peer

    if folder_id is not None:
        return _report(cli, peer.accept_folder(cli.container, actor(), folder_id, device_id))
    return _report(cli, peer.accept_device(cli.container, actor(), device_id, name))


@syncthing.command()
@click.argument("device_id")
@click.option("--folder", "folder_id", help="Dismiss this folder, which the device offers.")
@click.pass_obj
def dismiss(cli: Cli, device_id: str, folder_id: str | None) -> int:
    """Forget that DEVICE_ID has knocked; it is told of again when it tries again."""
    from app.jobs import peer

    return _report(cli, peer.dismiss_request(cli.container, actor(), device_id, folder_id))


@syncthing.command()
@click.pass_obj
def qr(cli: Cli) -> int:
    """The device ID of Syncthing here, as text and as a code that a phone can scan."""
    from app.overview.peer import own_device_id
    from app.syncthing.qr import text_of

    own_id = own_device_id(cli.services)
    if cli.as_json:
        cli.print_json({"device_id": own_id})
    else:
        click.echo(text_of(own_id))
        cli.say(own_id)
    return 0


def _tell(cli: Cli, seen: dict[str, Any]) -> None:
    for step in seen["steps"]:
        state = Text(f"{step['state']:8} ", style=STYLES[step["state"]])
        cli.console.print(state, Text(f"{step['name']}: {step['cause']}"), sep="", soft_wrap=True)
        if step["fix"]:
            cli.say(f"{'':9}What to do: {step['fix']}")
    if seen["device_id"]:
        cli.say(f"Device ID here: {seen['device_id']}")
    for device in seen["pending"]["devices"]:
        cli.say(f"Waits: media-pipeline syncthing accept {device['device_id']}  ({device['name']})")
    for offer in seen["pending"]["folders"]:
        words = f"accept {offer['device_id']} --folder {offer['folder_id']}"
        cli.say(f"Waits: media-pipeline syncthing {words}  ({offer['device']})")
    cli.say(seen["at_the_peer"])


def _report(cli: Cli, sentences: list[str]) -> int:
    if cli.as_json:
        cli.print_json({"done": sentences})
    for sentence in sentences or ["Nothing had to be changed."]:
        cli.say(sentence)
    return 0
