"""Rules that no single type can say: those that join several settings or look at the machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.config.addresses import address_problems
from app.config.cron import FORM, cron_problem
from app.config.derived import is_zone
from app.config.folders import folder_problems
from app.config.hours import hours_problem
from app.config.key_rules import key_doubts, key_problems
from app.config.mqtt import mqtt_problems
from app.config.patterns import pattern_doubts, pattern_problems
from app.config.schema import Config
from app.config.secrets import KEY_VARIABLES
from app.errors import Problem
from app.model.device_id import fault_in

#: The settings that name devices of Syncthing.
DEVICE_SETTINGS = ("syncthing.device_id", "syncthing.device_ids")


def cross_problems(config: Config) -> list[Problem]:
    """Every fault of a configuration whose single values are right."""
    rules = (folder_problems, pattern_problems, address_problems, _delivery_problems, _release_problems, _text_problems,
             key_problems, _mqtt_problems)  # fmt: skip
    return [problem for rule in rules for problem in rule(config)]


def doubts(config: Config, environment: Mapping[str, str]) -> list[Problem]:
    """What is allowed, but most likely not meant."""
    return [*_batch_doubts(config), *_delivery_doubts(config, environment), *_zone_doubts(config, environment),
            *pattern_doubts(config), *key_doubts(config)]  # fmt: skip


def device_problems(config: Config) -> Iterator[Problem]:
    """Each device ID that is mistyped: Syncthing would wait for such a device for ever.

    Refused where a person writes it, and told of where it lies in a file already: no service must stop for it.
    """
    named = [("syncthing.device_id", config.syncthing.device_id)]
    named += [("syncthing.device_ids", device_id) for device_id in config.syncthing.device_ids]
    for path, device_id in named:
        fault = fault_in(device_id) if device_id.strip() else None
        if fault is not None:
            yield Problem(path, fault)


def _delivery_problems(config: Config) -> Iterator[Problem]:
    if config.sync.target == "folder" and not config.sync.folder_dir:
        message = "is needed under sync.target: folder; name the folder that receives the files"
        yield Problem("sync.folder_dir", message, related="sync.target")


def _release_problems(config: Config) -> Iterator[Problem]:
    if config.sync.peer_policy == "release" and len(config.syncthing.required_ids) > 1:
        message = ("release works with one peer: it waits until that one has deleted its copies; name one device, or "
                   "choose keep or mirror")
        yield Problem("sync.peer_policy", message, related="syncthing.device_ids")


def _mqtt_problems(config: Config) -> Iterator[Problem]:
    yield from mqtt_problems(config.mqtt)


def _text_problems(config: Config) -> Iterator[Problem]:
    if config.sorter.timezone and not is_zone(config.sorter.timezone):
        yield Problem("sorter.timezone", "is not a known time zone; write one such as Europe/Berlin, or leave it empty")
    for pattern in config.scan.ignore_patterns:
        if not pattern or not pattern.isprintable():
            yield Problem("scan.ignore_patterns", "holds an empty pattern or one with characters that cannot be seen")
    for path, expression in (("verify.schedule", config.verify.schedule), ("backup.schedule", config.backup.schedule)):
        problem = cron_problem(expression)
        if problem is not None:
            yield Problem(path, problem)
    for expression in config.workflow.schedule:
        problem = cron_problem(expression) if expression.strip() else f"is empty; {FORM}"
        if problem is not None:
            yield Problem("workflow.schedule", f"holds {expression!r}, which {problem}")
    for hours in config.workflow.hours:
        problem = hours_problem(hours)
        if problem is not None:
            yield Problem("workflow.hours", f"holds {hours!r}, which {problem}")
    words = {
        "syncthing.folder_id": config.syncthing.folder_id,
        "syncthing.device_id": config.syncthing.device_id,
        "syncthing.batch_dir": config.syncthing.batch_dir,
        "syncthing.api_key": config.syncthing.api_key,
        "auth.api_key": config.auth.api_key,
        "mqtt.username": config.mqtt.username,
        "mqtt.password": config.mqtt.password,
    }
    for path, word in words.items():
        if not word.isprintable() or word != word.strip():
            yield Problem(path, "has spaces around it or characters that cannot be seen")


def _batch_doubts(config: Config) -> Iterator[Problem]:
    if config.batch.selection_mode == "files" and config.batch.max_files == 0:
        yield Problem(
            "batch.max_files", "is 0 = no cap: every waiting file goes into one batch", related="batch.selection_mode"
        )
    if config.batch.selection_mode == "size" and config.batch.max_size_gb == 0:
        yield Problem(
            "batch.max_size_gb", "is 0 = no cap: every waiting file goes into one batch", related="batch.selection_mode"
        )


def _delivery_doubts(config: Config, environment: Mapping[str, str]) -> Iterator[Problem]:
    held = "syncthing.api_key" if config.syncthing.api_key else next(filter(environment.get, KEY_VARIABLES), None)
    if config.sync.target == "auto" and config.sync_target == "none" and held is not None:
        message = ("is empty, as is syncthing.device_id: batches are archived and delivered to nobody, although "
                   f"{held} is set; name the folder or the peer's device ID (`media-pipeline syncthing setup` does "
                   "it), or set sync.target to none when nothing is to be delivered")  # fmt: skip
        yield Problem("syncthing.folder_id", message, related="sync.target")


def _zone_doubts(config: Config, environment: Mapping[str, str]) -> Iterator[Problem]:
    name = environment.get("TZ", "").lstrip(":")
    if name and not config.sorter.timezone and not is_zone(name):
        yield Problem("sorter.timezone", f"is empty and TZ={name[:40]} is not a known time zone; UTC is used")
