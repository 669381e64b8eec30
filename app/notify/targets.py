"""Who is told of what, as the settings say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from app.config.hours import is_within
from app.config.notifying import NotifyAddress, Webhook
from app.config.schema import Config
from app.db.notices import MESSAGE, WEBHOOK
from app.model.notices import OCCASIONS, TEST


@dataclass(frozen=True)
class Target:
    """One entry of notify.urls or notify.webhooks, with the names of the events that it is told of."""

    channel: str
    entry: NotifyAddress | Webhook
    events: frozenset[str]

    @property
    def address(self) -> tuple[str, str]:
        """How the rows name it."""
        return self.channel, self.entry.name

    def wants(self, event: str) -> bool:
        """Whether it is told of such events; a test goes to everybody."""
        return event == TEST or event in self.events


def list_targets(config: Config) -> list[Target]:
    """Everybody who is told of something."""
    return [*_people(config), *_programs(config)]


def find_target(config: Config, channel: str, name: str) -> Target | None:
    """The target of this name, None when the settings have none any more."""
    return next((one for one in list_targets(config) if one.address == (channel, name)), None)


def is_quiet(config: Config, moment: datetime) -> bool:
    """Whether people are not to be disturbed at this moment, by the clocks of the zone: an hour that a night shows
    twice is quiet twice, and one that it leaves out is not there to be quiet."""
    hours = config.notify.quiet_hours
    return bool(hours) and is_within([hours], moment, config.zone)


def _people(config: Config) -> Iterator[Target]:
    switched_on = frozenset(event for event in OCCASIONS if getattr(config.notify.events, event))
    for entry in config.notify.urls:
        yield Target(MESSAGE, entry, switched_on)


def _programs(config: Config) -> Iterator[Target]:
    for entry in config.notify.webhooks:
        yield Target(WEBHOOK, entry, frozenset(entry.wanted or OCCASIONS))
