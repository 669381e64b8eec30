"""The doctor looks at everything, which takes long in a large library: pages show it when it is there, and wait not."""

from __future__ import annotations

import re
import threading

import pytest
from flask.testing import FlaskClient

from app.web import examination
from tests.web.test_tree import wait_until


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A doctor that looks at the real thing, once it is let."""
    from app import diagnostics

    doctor, let = diagnostics.doctor, threading.Event()
    monkeypatch.setattr(diagnostics, "doctor", lambda found: let.wait(20) and doctor(found))
    monkeypatch.setattr(examination, "_looks", examination.MadeBehind(60.0))
    return let


@pytest.mark.parametrize("page", ["/diagnostics?about=everything", "/partials/control/doctor"])
def test_a_page_is_there_before_the_doctor_has_looked_and_asks_until_he_has(
    client: FlaskClient, held: threading.Event, page: str
) -> None:
    first = client.get(page).text
    (again,) = re.findall(r'hx-get="(/partials/[^"]+)" hx-trigger="every 1s"', first)
    assert client.get(again).status_code == 204
    held.set()
    wait_until(lambda: client.get(again).status_code == 200)
    assert "balance sheet adds up" in client.get(again).text


def test_a_small_library_is_looked_at_while_the_page_waits(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "PATIENCE_SECONDS", 20.0)
    assert "balance sheet adds up" in client.get("/diagnostics?about=everything").text


def test_each_visit_looks_anew(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "PATIENCE_SECONDS", 20.0)
    looks: list[object] = []
    from app import diagnostics

    doctor = diagnostics.doctor
    monkeypatch.setattr(diagnostics, "doctor", lambda found: looks.append(found) or doctor(found))
    for _ in range(2):
        client.get("/diagnostics?about=everything")
    client.get("/partials/diagnostics")
    assert len(looks) == 2
