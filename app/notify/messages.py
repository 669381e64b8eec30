"""Sending one notification by Apprise, which is loaded when the first one is sent: it takes memory and a second."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from app.notify.guarding import REFUSED, leads_to_link_local
from app.notify.hiding import hide_address
from app.notify.words import PROGRAM

UNKNOWN = "no notification service is known for its address; see docs/notifications.md"
UNTOLD = "the service did not take it, and did not say why"


def send_message(url: str, title: str, body: str) -> str | None:
    """Send it. None when the service took it, else why not, in words that hold nothing of the address."""
    if leads_to_link_local(url):
        return REFUSED
    with _heard() as said:
        import apprise

        # Neither redirects nor plugins from the disk; files that a service would keep stay in memory.
        asset = apprise.AppriseAsset(app_id=PROGRAM, app_desc=PROGRAM, async_mode=False, secure_logging=True)
        asset.http_redirects = False
        service = apprise.Apprise(asset=asset)
        if not service.add(url):
            return UNKNOWN
        try:
            is_taken = service.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
        # A door to a hundred services that are not ours: whatever one of them raises is a reason to try again.
        except Exception as error:  # noqa: BLE001
            return hide_address(f"{type(error).__name__}: {error}", url)
    return None if is_taken else hide_address(said[-1] if said else UNTOLD, url)


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What Apprise warns of meanwhile; none of it goes to the log, for it may name addresses."""
    said: list[str] = []
    logger, handler = logging.getLogger("apprise"), _Ear(said)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)


class _Ear(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        self._said.append(record.getMessage())
