"""The page that tells the story of a file: every date that was found, escaped, and what it says of strangers."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask.testing import FlaskClient

from tests.conftest import make_jpeg, write_tree
from tests.pipeline.stages import ingest, take_stock
from tests.web.conftest import Site


def test_the_page_shows_each_date_that_was_found_and_what_became_of_it(make_site: Callable[..., Site]) -> None:
    site = make_site()
    name = "<b>IMG_20210304_050607.jpg"
    write_tree(ingest(site.services), {name: make_jpeg("2024:05:06 07:08:09")})
    take_stock(site.services)
    page = site.client().get("/why", query_string={"file": name}).get_data(as_text=True)
    cells = re.findall(r'<td data-label="([^"]+)">(?:<span>)?([^<]*)', page)
    assert cells[:3] == [("Source", "EXIF DateTimeOriginal"), ("Date", "2024:05:06 07:08:09"), ("Zone", "local")]
    assert cells[3][1].startswith("won: ")
    assert cells[4:7] == [("Source", "the file name"), ("Date", "2021-03-04 05:06:07"), ("Zone", "local")]
    assert cells[7][1].startswith("lost: ")
    assert "The date is sure." in page
    assert "&lt;b&gt;IMG" in page and "<b>IMG" not in page


def test_the_page_asks_first_and_answers_whatever_is_asked(client: FlaskClient) -> None:
    assert "Why is a file where it is?" in client.get("/why").get_data(as_text=True)
    for given in ("no such file.jpg", "/", "..", "\0", b"\xff", "x" * 5000, "9" * 30):
        answer = client.get("/why", query_string={"file": given})
        assert answer.status_code == 200
        assert "Dates that were found" not in answer.get_data(as_text=True)


def test_a_nul_that_is_spelled_out_is_no_path(client: FlaskClient) -> None:
    answer = client.get("/api/why", query_string={"file": "/srv/a\\x00.jpg"})
    assert answer.status_code in (200, 404), answer.text
    assert client.get("/why", query_string={"file": "a\\x00.jpg"}).status_code == 200
