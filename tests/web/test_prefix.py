"""A sub-path behind a reverse proxy: every address of every page carries it, and every answer can be reached by it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from app.config.addresses import TAKEN_PREFIXES
from tests.web.conftest import KEY, Site

PREFIX = "/photos"
ADDRESS = re.compile(r'(?<=[\s])(href|src|action|formaction|hx-get|hx-post|data-[a-z-]*url)="(/[^"]*)"')
PAGES = (
    "/dashboard", "/control", "/files", "/batches", "/dates", "/journal", "/settings", "/settings/text", "/preview",
    "/peer", "/runs", "/failed", "/duplicates", "/logs", "/tree", "/why", "/diagnostics", "/welcome", "/docs",
    "/problems", "/findings",
)  # fmt: skip
MakeSite = Callable[..., Site]


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    return make_site(system={"url_prefix": PREFIX})


@pytest.mark.parametrize("page", PAGES)
def test_every_address_of_a_page_carries_it_once_and_leads_somewhere(site: Site, page: str) -> None:
    client = site.client()
    answer = client.get(PREFIX + page)
    assert answer.status_code == 200
    addresses = ADDRESS.findall(answer.text)
    assert len(addresses) > 10
    assert {found for _, found in addresses if not found.startswith(f"{PREFIX}/")} == set()
    assert {found for _, found in addresses if found.startswith(PREFIX * 2)} == set()
    for path in {found.replace("&amp;", "&") for name, found in addresses if name in ("href", "src")}:
        assert client.get(path).status_code not in (404, 500), path


def test_a_proxy_that_takes_the_prefix_off_gets_the_same_page(site: Site) -> None:
    client = site.client()
    assert ADDRESS.findall(client.get("/settings").text) == ADDRESS.findall(client.get(f"{PREFIX}/settings").text)


def test_an_answer_that_sends_elsewhere_sends_under_it(site: Site) -> None:
    client = site.client()
    assert client.get("/").headers["Location"] == f"{PREFIX}/dashboard"
    assert client.get(PREFIX).headers["Location"] == f"{PREFIX}/dashboard"
    referer = {"Referer": f"http://localhost{PREFIX}/batches", "Accept": "text/html"}
    form = "application/x-www-form-urlencoded"
    answer = client.post("/api/dedup/start", headers=referer, content_type=form)
    assert answer.headers["Location"] == f"{PREFIX}/batches"


def test_the_cookie_is_of_the_prefix_alone_and_a_person_comes_back_to_the_page(make_site: MakeSite) -> None:
    client = make_site(system={"url_prefix": PREFIX}, auth={"api_key": KEY}).client()
    page = client.get(f"{PREFIX}/batches", headers={"Accept": "text/html"})
    assert 'action="/photos/login"' in page.text
    answer = client.post(f"{PREFIX}/login", data={"key": KEY, "next": "/batches"})
    assert answer.headers["Location"] == f"{PREFIX}/batches"
    assert "Path=/photos" in answer.headers["Set-Cookie"]
    assert client.get(f"{PREFIX}/batches").status_code == 200
    assert "Path=/photos" in client.post(f"{PREFIX}/logout").headers["Set-Cookie"]
    assert client.get(f"{PREFIX}/batches").status_code != 200


def test_the_description_of_the_api_says_where_it_is(site: Site) -> None:
    assert site.client().get(f"{PREFIX}/openapi.json").get_json()["servers"] == [{"url": PREFIX}]


def test_a_quotation_of_a_person_is_no_address(site: Site) -> None:
    page = site.client().get("/files", query_string={"name": 'x href="/files'}).text
    assert "/photos/files" in page
    assert 'x href=&#34;/files' in page


def test_what_a_client_says_of_a_prefix_is_not_believed(make_site: MakeSite) -> None:
    page = make_site().client().get("/dashboard", headers={"X-Forwarded-Prefix": "/evil", "X-Script-Name": "/evil"})
    assert "/evil" not in page.text and 'href="/control"' in page.text


def test_no_prefix_can_be_taken_for_a_page(make_site: MakeSite) -> None:
    rules = make_site().client().application.url_map.iter_rules()
    first = {rule.rule.split("/")[1] for rule in rules} - {""}
    assert {name for name in first if "<" not in name} <= set(TAKEN_PREFIXES)
