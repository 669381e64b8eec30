"""Keeps samples of deliveries under way, for rates and charts: what has changed, and no more often than its ticker."""

from __future__ import annotations

import json
import os
import time

from app.db import assets, deliveries, facts, sync_samples, syncing
from app.db.clock import now
from app.db.connection import Connection
from app.db.sync_samples import Moment, Sample
from app.errors import printable
from app.model import Batch, RootKind
from app.services import Services
from app.syncthing import proof, rates
from app.syncthing.blocks import bytes_of_blocks
from worker.live import Live, Picture

SAMPLE_SECONDS = 5.0
#: So many of the files that a peer is fetching at this moment are shown.
FILES_SHOWN = 10
#: A delivery in which nothing changes is sampled this often all the same, so that a chart has no holes.
STILL_SECONDS = 600.0


#: Batch, device, what is known of the two, and the rate.
Due = tuple[int, str, Moment, float | None]


class Sampler:
    """Called by one ticker; remembers what it wrote last."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._on_their_way: dict[int, list[str]] = {}
        self._sampled_at = now()
        self._confirmed: dict[tuple[int, str], tuple[object, deliveries.Confirmed]] = {}
        self._written: dict[tuple[int, str], tuple[Moment, float]] = {}
        self._under_way = ""

    def sample(self, services: Services) -> None:
        """Write one sample for each delivery and peer of which something has changed since the last one."""
        picture, began_at = self._live.picture, now()
        with services.db.reading() as conn:
            found = syncing.list_on_their_way(conn)
            known = self._on_their_way.keys() - {batch.id for batch, _ in found}
            ended = syncing.list_arrived_since(conn, self._sampled_at, known)
            due = self._due(conn, [*found, *ended], picture)
            under_way = self._files_under_way(conn, services, picture) if found else ""
        self._on_their_way, self._sampled_at = {batch.id: devices for batch, devices in found}, began_at
        if due or under_way != self._under_way:
            self._write(services, due, under_way)
        self._forget_ended()

    def _due(
        self, conn: Connection, looked_at: list[tuple[Batch, list[str]]], picture: Picture
    ) -> list[Due]:
        due: list[Due] = []
        for batch, devices in looked_at:
            for device_id in devices:
                moment = self._moment(conn, batch, device_id, picture)
                before, at = self._last(conn, batch.id, device_id)
                if moment != before or time.monotonic() - at >= STILL_SECONDS:
                    recent = sync_samples.newest(conn, batch.id, device_id)
                    due.append((batch.id, device_id, moment, rate_with(recent, moment)))
        return due

    def _moment(self, conn: Connection, batch: Batch, device_id: str, picture: Picture) -> Moment:
        """What is known now; what is not heard at the moment is as it was last."""
        held = self._count(conn, batch, device_id)
        need, connected = picture.needs.get(device_id), picture.is_connected(device_id)
        before, _ = self._last(conn, batch.id, device_id)
        items = need.items if need else before.need_items if before else None
        size = need.size_bytes if need else before.need_bytes if before else None
        if connected is None and before is not None:
            connected = before.connected
        return Moment(held.file_count, held.size_bytes, items, size, connected)

    def _count(self, conn: Connection, batch: Batch, device_id: str) -> deliveries.Confirmed:
        """Counted anew only after a look has stored something: a large batch takes a while to count."""
        state = (batch.status, batch.confirmed_count, batch.next_look_at)
        known = self._confirmed.get((batch.id, device_id))
        if known is None or known[0] != state:
            known = (state, deliveries.size_of_confirmed(conn, batch.id, device_id))
            self._confirmed[batch.id, device_id] = known
        return known[1]

    def _last(self, conn: Connection, batch_id: int, device_id: str) -> tuple[Moment | None, float]:
        written = self._written.get((batch_id, device_id))
        if written is not None:
            return written
        stored = sync_samples.newest(conn, batch_id, device_id, 1)
        return (stored[0].moment if stored else None), time.monotonic()

    def _write(self, services: Services, due: list[Due], under_way: str) -> None:
        with services.db.transaction() as conn:
            for batch_id, device_id, moment, rate in due:
                sync_samples.add(conn, batch_id, device_id, moment, rate)
            if under_way != self._under_way:
                facts.put(conn, sync_samples.UNDER_WAY_FACT, under_way)
        self._under_way = under_way
        for batch_id, device_id, moment, _ in due:
            self._written[batch_id, device_id] = (moment, time.monotonic())

    def _forget_ended(self) -> None:
        for kept in (self._confirmed, self._written):
            for key in [key for key in kept if key[0] not in self._on_their_way]:
                del kept[key]

    def _files_under_way(self, conn: Connection, services: Services, picture: Picture) -> str:
        """The files that peers are fetching at this moment, with the bytes that they have of each, as JSON."""
        seen = picture.seen
        if seen is None or not any(picture.downloads.values()):
            return ""
        root = services.root(RootKind.BATCH)
        prefix = proof.prefix_in_folder(os.fsencode(seen.path), os.path.realpath(root.path))
        shown: dict[str, list[dict[str, object]]] = {}
        for device_id, files in picture.downloads.items():
            for name, blocks in sorted(files.items())[:FILES_SHOWN]:
                path = name.encode().removeprefix(prefix)
                asset = assets.find_at(conn, root.id, path)
                if asset is not None:
                    have = bytes_of_blocks(blocks, asset.size_bytes)
                    entry = {"path": printable(path), "bytes": have, "size_bytes": asset.size_bytes}
                    shown.setdefault(device_id, []).append({"batch_id": asset.batch_id, **entry})
        return json.dumps(shown) if shown else ""


def rate_with(recent: list[Sample], moment: Moment) -> float | None:
    """The rate at this moment, which comes after these samples."""
    present = time.time()
    points = [*rates.points_of(recent), rates.Point(present, moment.confirmed_bytes, moment.need_bytes)]
    return rates.rate(points, present)
