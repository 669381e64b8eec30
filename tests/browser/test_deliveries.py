"""The peers of a delivery on the dashboard: readable on a phone, in light and dark, and never closing what is open."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.db import assets, batch_devices, batches, deliveries
from app.model import AssetStatus, RootKind, Signature
from app.services import Services
from tests.browser import rows
from tests.browser.conftest import Server
from tests.browser.test_dashboard import OpenPage

PHONE, LAPTOP = "PHONE00-AAAAAAA", "LAPTOP0-BBBBBBB"
LONG = "a-name-without-any-break-" * 8


def add_delivery(services: Services) -> tuple[int, list[int]]:
    """Four files on their way to two peers, of which one is away; the batch's id and those of its files."""
    batch_id = rows.add_syncing_batch(services, confirmed=0)
    root = services.root(RootKind.BATCH)
    with services.db.transaction() as conn:
        found = [(b"b/%d-%s.jpg" % (n, LONG.encode()), Signature(1, 900 + n, 10, 4, 5), None) for n in range(4)]
        assets.insert_discovered(conn, root.id, found)
        made = [asset for path, _, _ in found if (asset := assets.find_at(conn, root.id, path)) is not None]
        assets.set_columns(conn, [(asset.id, {"batch_id": batch_id}) for asset in made])
        assets.mark(conn, made, AssetStatus.UNIQUE)
        assets.mark(conn, assets.list_in_batch(conn, batch_id), AssetStatus.BATCHED)
        batches.set_columns(conn, batch_id, file_count=4, size_bytes=40)
        batch_devices.add(conn, batch_id, [PHONE, LAPTOP])
        batch_devices.note(conn, batch_id, PHONE, name="phone", connected=True, code="sending", words="On their way.")
        batch_devices.note(conn, batch_id, LAPTOP, name=LONG, connected=False, code="peer_offline", words="Away.",
                           last_seen_at="2026-05-06T07:08:09.000000+00:00")  # fmt: skip
    return batch_id, [asset.id for asset in made]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_peers_and_their_missing_files_fit_a_phone(server: Server, open_page: OpenPage, scheme: str) -> None:
    add_delivery(server.services)
    watched = open_page(server, "/dashboard", width=360, scheme=scheme)

    for summary in watched.page.locator(".devices summary").all():
        summary.click()

    expect(watched.page.locator(".devices")).to_contain_text("0 of 4 confirmed on phone")
    expect(watched.page.locator(".devices")).to_contain_text("the peer is not connected")
    assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert watched.faults == []


def test_an_open_list_of_missing_files_stays_open_while_files_arrive(server: Server, open_page: OpenPage) -> None:
    batch_id, ids = add_delivery(server.services)
    watched = open_page(server, "/dashboard")
    listed = watched.page.locator(f"#missing-{batch_id}-{PHONE}")
    listed.locator("summary").click()
    expect(listed.locator("li")).to_have_count(4)

    with server.services.db.transaction() as conn:
        deliveries.confirm(conn, batch_id, PHONE, [(asset_id, "US:1") for asset_id in ids[:3]])

    expect(listed.locator("li")).to_have_count(1, timeout=10_000)
    expect(listed.locator("li")).to_be_visible()
    expect(watched.page.locator(".devices")).to_contain_text("3 of 4 confirmed on phone")
    assert watched.faults == []
