"""The settings of telling people and programs what happened: notifications, webhooks, and scripts after a step."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from app.config.fields import SECRET, Section, Text


def _joined(value: object) -> object:
    """A list of words as one line of them."""
    if isinstance(value, (list, tuple)) and all(isinstance(word, str) for word in value):
        return ", ".join(value)
    return value


Words = Annotated[str, BeforeValidator(_joined), Field(max_length=4096)]


class NotifyAddress(Section):
    """One place that notifications go to."""

    name: Text = Field(description="What to call it: letters, digits, dots and dashes; shown instead of its address.")
    url: Text = Field(
        description="Its address as Apprise writes it, as in ntfy://ntfy.sh/topic.",
        repr=False,
        json_schema_extra=SECRET,
    )


class Webhook(Section):
    """One program that is told by HTTP."""

    name: Text = Field(description="What to call it: letters, digits, dots and dashes; shown instead of its address.")
    url: Text = Field(description="The http or https address to post to.", repr=False, json_schema_extra=SECRET)
    secret: Text = Field(
        description="What the signature is made with: 16 characters or more.", repr=False, json_schema_extra=SECRET
    )
    events: Words = Field(
        default="", description="The names under notify.events that it is told of, with commas between; empty = all."
    )

    @property
    def wanted(self) -> tuple[str, ...]:
        """The names of the events that it is told of; none means all."""
        return tuple(word.strip() for word in self.events.split(",") if word.strip())


NotifyAddresses = Annotated[tuple[NotifyAddress, ...], Field(strict=False, max_length=50)]
Webhooks = Annotated[tuple[Webhook, ...], Field(strict=False, max_length=50)]


class NotifyEvents(Section):
    """What people are told of."""

    run_failed: bool = Field(default=True, description="A run, a batch or a backup failed.")
    batch_delivered: bool = Field(default=True, description="A batch was delivered.")
    waiting_too_long: bool = Field(default=True, description="Work waits for a person, or for longer than it should.")
    peer_unseen: bool = Field(default=True, description="A peer was not seen for sync.peer_unseen_days.")
    room_low: bool = Field(default=True, description="Little room is left on a disk.")
    damage_found: bool = Field(default=True, description="A file is damaged, missing or not what it should be.")
    update_finished: bool = Field(default=False, description="A new version of the program has started.")


class Notify(Section):
    """Telling people and programs what happened."""

    urls: NotifyAddresses = Field(default=(), description="Where notifications go, each with a name and a url.")
    quiet_hours: Text = Field(
        default="", description="No notification at these times of day, as in 22:00-07:00; empty = at any time."
    )
    group_minutes: int = Field(
        default=15,
        ge=0,
        le=10_080,
        description="After a notification, more of the same event are gathered for so many minutes.",
    )
    webhooks: Webhooks = Field(
        default=(), description="Programs that are told by HTTP, each with a name, url, secret and events."
    )
    events: NotifyEvents = NotifyEvents()


class Hooks(Section):
    """Scripts of your own that run after a step; each is a file in the folder hooks/ beside the database."""

    after_batch: Text = Field(
        default="", description="Script that runs once a batch is published; empty = none."
    )
    after_sync: Text = Field(default="", description="Script that runs once a batch is delivered; empty = none.")
    after_sort: Text = Field(default="", description="Script that runs once a batch is archived; empty = none.")
    timeout_seconds: int = Field(
        default=300, ge=1, le=86_400, description="A script that takes longer than this is killed."
    )
