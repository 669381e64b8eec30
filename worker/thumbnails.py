"""Drawing thumbnails that somebody wants to see: one at a time, by a process that yields to everything else."""

from __future__ import annotations

import threading

from app.db import assets, roots
from app.errors import MediaPipelineError
from app.files.thumbnails.drawing import Drawers, Drawn
from app.files.thumbnails.shelf import Shelf, is_drawable, key_of
from app.log import get_logger
from app.model import Asset, AssetStatus, Place
from app.services import ServiceContainer, Services

#: The drawing process ends when nothing was wanted for so long: it takes memory that a small machine needs.
IDLE_SECONDS = 60.0
#: A file that moves at this very moment is looked for again so often.
LOOKS = 3
#: What the shelf takes is counted anew after so many thumbnails.
RECOUNTED_AFTER = 2_000


class Thumbnails:
    """Made once in the worker; `make` is called by one thread, and never raises."""

    def __init__(self, container: ServiceContainer, stopping: threading.Event) -> None:
        self._container, self._stopping = container, stopping
        self._lock = threading.Lock()
        self._drawers: Drawers | None = None
        self._idle: threading.Timer | None = None
        self._is_drawing = False
        self._used_bytes: int | None = None
        self._made = 0

    def make(self, asset_id: int) -> None:
        """Draw the thumbnail of a file and keep it, or why there is none; nothing when it is there or not wanted."""
        try:
            services = self._container.services
            most_bytes = services.config.system.thumbnail_cache_mb * 1_000_000
            if most_bytes and not self._stopping.is_set():
                self._make(services, Shelf(services.state_dir), asset_id, most_bytes)
        # No picture is worth more than a line in the log: it is asked for again when somebody looks again.
        except (MediaPipelineError, OSError) as error:
            get_logger().warning("a thumbnail could not be made", asset_id=asset_id, reason=str(error))

    def end(self) -> None:
        """End the drawing process, if there is one that draws nothing just now."""
        with self._lock:
            if self._is_drawing:
                return
            drawers, self._drawers = self._drawers, None
            if self._idle is not None:
                self._idle.cancel()
        if drawers is not None:
            drawers.__exit__()

    def _make(self, services: Services, shelf: Shelf, asset_id: int, most_bytes: int) -> None:
        for _ in range(LOOKS):
            found = _look_up(services, asset_id)
            if found is None or shelf.has(key_of(found[0])):
                return
            asset, place = found
            drawn = self._draw(asset, place)
            if self._stopping.is_set():
                return
            if not drawn.moved_on:
                key = key_of(asset)
                added = shelf.put(key, drawn.content) if drawn.content else shelf.note(key, drawn.note)
                self._keep_within(shelf, added, most_bytes)
                return

    def _draw(self, asset: Asset, place: Place) -> Drawn:
        with self._lock:
            self._is_drawing = True
            if self._idle is not None:
                self._idle.cancel()
        try:
            if self._drawers is None:
                self._drawers = Drawers()
            return self._drawers.draw(place, asset.signature)
        finally:
            with self._lock:
                self._is_drawing = False
                self._idle = threading.Timer(IDLE_SECONDS, self.end)
                self._idle.daemon = True
                self._idle.start()

    def _keep_within(self, shelf: Shelf, added: int, most_bytes: int) -> None:
        """Drop the oldest when there are too many. What others did to the folder is seen when it is counted anew."""
        self._made += 1
        if self._used_bytes is None or self._made % RECOUNTED_AFTER == 0:
            self._used_bytes = shelf.used_bytes()
        else:
            self._used_bytes += added
        if self._used_bytes > most_bytes:
            self._used_bytes = shelf.prune(most_bytes)


def _look_up(services: Services, asset_id: int) -> tuple[Asset, Place] | None:
    """The file as the rows know it now, where it lies now; None when there is nothing to draw."""
    with services.db.reading() as conn:
        asset = assets.find(conn, asset_id)
        if asset is None or asset.status is AssetStatus.GONE or not is_drawable(asset.path):
            return None
        known = {root.id: root for root in roots.list_all(conn)}
    return asset, Place(known[asset.root_id], asset.path)
