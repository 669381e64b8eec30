"""One connection to Syncthing, from its newest event on: what is done about what is heard."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from app.db import syncing
from app.errors import SyncthingRefused
from app.services import Services
from app.syncthing import known, telling
from app.syncthing.events import EventsClient, Heard, Need, has_gap, sort_out
from app.syncthing.seen import look_around
from worker.early_looks import EarlyLooks
from worker.live import Live

#: How long one question for the next event may wait.
WAIT_SECONDS = 60
#: Between two answers to what is heard, so that a flood of events comes as one.
LEAST_SECONDS = 1.0


class Conversation:
    """From one connection's first question to its end. `rest` waits so many seconds, or less when the worker stops."""

    def __init__(
        self, services: Services, client: EventsClient, live: Live, early: EarlyLooks, rest: Callable[[float], object]
    ) -> None:
        self._services, self._client, self._live, self._early, self._rest = services, client, live, early, rest
        self._folder_id = services.config.syncthing.folder_id
        self._index_updates: dict[str, int] = {}
        self._known = known.Known()

    def go_on_until(self, is_over: Callable[[], bool], succeeded: Callable[[], None]) -> None:
        """Listen. What happened before the first event is made up for by looking. Raises SyncthingError."""
        started_at, since = self._started_at(), self._client.last_event_id()
        self._look_around()
        self._early.ask(urgent=True)
        while not is_over():
            succeeded()
            events = self._client.events(since, WAIT_SECONDS)
            if events:
                heard = sort_out(events, self._folder_id)
                heard.has_new_state = heard.has_new_state or has_gap(events, since)
                since = events[-1].id
                self._heed(heard)
            else:
                self._look_around()
            if self._started_at() != started_at:
                return  # its ids have begun anew, and nothing would ever come after the last one heard

    def _started_at(self) -> str:
        """When this Syncthing was started. Asked right before each wait, as a connection may be another unnoticed."""
        return str(self._client.system_status().get("startTime") or "")

    def _look_around(self) -> None:
        """See the folder and its peers, and tell what has changed."""
        seen = look_around(self._client, self._folder_id)
        self._live.put_seen(seen)
        learnt = known.learn(self._client, seen, self._known.version)
        with self._services.db.transaction() as conn:
            telling.tell_state(conn, seen)
            if learnt != self._known:
                known.put(conn, learnt)
        self._known = learnt

    def _heed(self, heard: Heard) -> None:
        if heard.is_empty:
            return
        known = self._live.picture.needs
        satisfied = [device for device, need in heard.needs.items() if _is_news(need, known.get(device))]
        self._live.put_heard(heard)
        for device, count in heard.index_updates.items():
            self._index_updates[device] = self._index_updates.get(device, 0) + count
        if heard.has_new_state:
            self._look_around()
        if heard.has_new_state or heard.index_updates or heard.needs:
            self._early.ask(urgent=heard.has_new_state or bool(satisfied))
        self._tell_caught_up([device for device, need in heard.needs.items() if need.is_nothing])
        self._rest(LEAST_SECONDS)

    def _tell_caught_up(self, device_ids: list[str]) -> None:
        """The event may be older than a batch that was announced since: Syncthing is asked again before it is told."""
        with self._services.db.reading() as conn:
            on_their_way = syncing.list_on_their_way(conn)
            told = set(telling.load(conn).caught_up)
        for device_id in device_ids:
            due = [batch for batch, devices in on_their_way if device_id in devices]
            fresh = [batch for batch in due if telling.caught_up_mark(batch, device_id) not in told]
            if fresh and self._needs_nothing(device_id):
                seen = self._live.picture.seen
                peer = seen.peers.get(device_id) if seen is not None else None
                with self._services.db.transaction() as conn:
                    telling.tell_caught_up(
                        conn, fresh, device_id, peer.name if peer else device_id[:7], self._folder_id,
                        self._index_updates.pop(device_id, 0),
                    )  # fmt: skip

    def _needs_nothing(self, device_id: str) -> bool:
        with suppress(SyncthingRefused):  # not shared with it any more
            found = self._client.completion(self._folder_id, device_id)
            return Need(found.need_items, found.need_bytes, found.sequence).is_nothing
        return False


def _is_news(need: Need, known: Need | None) -> bool:
    """Whether a device has come to ask for nothing more."""
    return need.is_nothing and not (known is not None and known.is_nothing)
