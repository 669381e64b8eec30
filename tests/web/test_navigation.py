"""The frame of every page: which entries the navigation has, and which one is marked as the page that is shown."""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from app.web.navigation import ENTRIES


def links(page: str, current: str = "") -> list[str]:
    nav = page[page.index('<nav aria-label="Pages">') : page.index("</nav>")]
    return re.findall(r'<a href="([^"]+)"' + current, nav)


def test_every_entry_leads_to_a_page_that_answers(client: FlaskClient) -> None:
    for address in set(links(client.get("/dashboard").text)):
        assert client.get(address).status_code == 200, address


def test_no_page_of_the_program_is_left_out_of_the_navigation(client: FlaskClient) -> None:
    assert {entry.address for entry in ENTRIES} >= set(links(client.get("/tree").text)) >= {"/dashboard", "/dates"}


def test_the_page_and_those_below_it_are_marked_as_the_current_one(client: FlaskClient) -> None:
    assert set(links(client.get("/dates").text, ' aria-current="page"')) == {"/dates"}
    below = client.get("/dates/decided").text
    assert set(links(below, ' aria-current="true"')) == {"/dates"} and not links(below, ' aria-current="page"')
    assert '<summary class="here"><span class="when-wide">Tree</span>' in client.get("/tree").text


def test_views_of_a_page_are_chosen_by_tabs_of_one_look(client: FlaskClient) -> None:
    for address in ("/settings", "/settings/history", "/failed", "/findings", "/files", "/diagnostics"):
        page = client.get(address).text
        tabs = re.findall(r'<nav class="tabs[ "].*?</nav>', page, re.DOTALL)
        assert len(tabs) == 1 and "aria-current" in tabs[0], address
        assert "<li" not in tabs[0]
