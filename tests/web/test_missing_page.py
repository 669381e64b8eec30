"""The page of the files that a peer lacks: by name and reason, page after page, and in the language of pages."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.web import missing_page
from tests.browser import rows
from tests.browser.test_deliveries import LAPTOP, LONG, PHONE, add_delivery
from tests.web.conftest import Site


def test_every_file_that_a_peer_lacks_is_listed_with_its_reason(
    client: FlaskClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missing_page, "LISTED", 3)
    batch_id, ids = add_delivery(site.services)
    address = f"/batches/{batch_id}/missing"
    page = client.get(f"{address}?device_id={LAPTOP}").text
    assert [f'href="/files/{asset_id}"' in page for asset_id in ids] == [True, True, True, False]
    assert LONG in page and "the peer is not connected" in page
    rest = client.get(f"{address}?device_id={LAPTOP}&after_id={ids[2]}").text
    assert f'href="/files/{ids[3]}"' in rest and "From the beginning" in rest
    assert f"device_id={LAPTOP}&amp;after_id={ids[2]}" in page


def test_a_peer_that_is_not_named_or_not_known_is_asked_for(client: FlaskClient, site: Site) -> None:
    batch_id, _ = add_delivery(site.services)
    unnamed = client.get(f"/batches/{batch_id}/missing", headers={"Accept": "text/html"})
    assert unnamed.status_code == 400 and PHONE in unnamed.text
    assert client.get(f"/batches/{batch_id}/missing?device_id=x").status_code == 404
    assert client.get("/batches/77/missing").status_code == 404


def test_a_batch_that_went_nowhere_misses_nothing(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    assert "Nothing is missing" in client.get("/batches/1/missing").text


def test_the_dashboard_leads_there_when_more_are_missing_than_it_names(
    client: FlaskClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.overview.delivery_devices.LISTED", 2)
    batch_id, _ = add_delivery(site.services)
    page = client.get("/dashboard").text
    assert f'href="/batches/{batch_id}/missing?device_id={PHONE}">All of them' in page
    assert "/api/sync/status" not in page
