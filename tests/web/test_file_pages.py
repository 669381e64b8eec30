"""The pages of files without a browser: what the filters find, what hostile names do, what is said when nothing is
there, and what is tried again."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from PIL import Image

from app.db import search
from app.model import AssetStatus
from app.web import file_pages
from tests.browser.pages import HOSTILE
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.stages import change, ingest, rows, run_scan, take_stock
from tests.web.conftest import Site

HTMX = {"HX-Request": "true"}


def jpeg_of_camera(taken: str, model: str) -> bytes:
    with Image.open(io.BytesIO(make_jpeg(taken))) as image:
        exif, made = image.getexif(), io.BytesIO()
        exif[0x0110] = model
        image.save(made, "JPEG", exif=exif)
    return made.getvalue()


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A library that no test changes."""
    site = Site(tmp_path_factory.mktemp("stocked"), sync={"target": "none"})
    yield stock(site)
    site.services.close()


def stock(site: Site) -> Site:
    """Photos of two cameras, one of them twice, one that failed, one set aside, hostile names, and litter."""
    tree = {
        "cam/IMG_1.jpg": jpeg_of_camera("2023:01:02 03:04:05", "EOS R6"),
        "cam/IMG_2.jpg": jpeg_of_camera("2024:05:06 07:08:09", "PowerShot"),
        "phone/again.jpg": jpeg_of_camera("2024:05:06 07:08:09", "PowerShot"),
        "bad/one.jpg": make_jpeg(seed=5),
        "bad/two.jpg": make_jpeg(seed=6),
        "left/alone.xmp": "<x/>",
    }
    hostile = {b"odd/" + name: make_jpeg(seed=100 + n) for n, name in enumerate(HOSTILE)}
    write_tree(ingest(site.services), {**tree, **hostile})
    take_stock(site.services)
    found = rows(site.services)
    words = "Could not read {}: Input/output error."
    change(site.services, found[b"bad/one.jpg"], AssetStatus.FAILED, reason=words.format("bad/one.jpg"))
    change(site.services, found[b"bad/two.jpg"], AssetStatus.SET_ASIDE, reason="100 % odd_name")
    return site


def page_of(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.get_data(as_text=True)


def names_on(page: str) -> list[str]:
    return re.findall(r'class="name"[^>]*><bdi class="path">(.*?)</bdi>', page, re.DOTALL)


def test_the_filters_find_files_and_the_address_holds_them(stocked: Site) -> None:
    client, found = stocked.client(), rows(stocked.services)
    for query, names in {
        "name=img_": ["IMG_1.jpg", "IMG_2.jpg"],
        "status=duplicate": ["again.jpg"],
        "status=failed&status=set_aside": ["two.jpg", "one.jpg"],
        "status=failed,set_aside&sort=oldest": ["one.jpg", "two.jpg"],
        "camera=EOS+R6": ["IMG_1.jpg"],
        "camera=Canon": [],
        "since=2023-01-01&until=2023-12-31": ["IMG_1.jpg"],
        "folder=/cam/&sort=name": ["IMG_1.jpg", "IMG_2.jpg"],
        "came_from=phone": ["again.jpg"],
        f"original={found[b'cam/IMG_2.jpg'].id}": ["again.jpg"],
        "batch=77": [],
    }.items():
        page = page_of(client, f"/files?{query}")
        assert names_on(page) == names, query
        assert sorted(names_on(page_of(client, f"/files?{query}&view=grid"))) == sorted(names), query
    page = page_of(client, "/files?camera=EOS+R6&status=unique&name=IMG&view=grid")
    assert '<option selected>EOS R6</option>' in page and '<option>PowerShot</option>' in page
    assert re.search(r'value="unique" checked', page) and 'value="IMG"' in page
    assert "/files?name=IMG&amp;status=unique&amp;camera=EOS+R6" in page
    assert "No file fits" in page_of(client, "/files?name=unicorn")


def test_every_file_is_reached_page_by_page_and_unsound_filters_are_passed_over(
    stocked: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.file_filters.PAGE", 4)
    client, address, seen = stocked.client(), "/files?status=unique&status=failed&status=set_aside", []
    while address:
        page = page_of(client, address)
        seen += re.findall(r'id="file-(\d+)"', page)
        after = re.search(r'<a href="([^"]+)" rel="next">', page)
        address = after[1].replace("&amp;", "&") if after else ""
    wanted = {AssetStatus.UNIQUE, AssetStatus.FAILED, AssetStatus.SET_ASIDE}
    assert sorted(map(int, seen)) == sorted(a.id for a in rows(stocked.services).values() if a.status in wanted)
    for query in ("status=nonsense&sort=x&view=y&batch=-1&group=abc&since=yesterday", "folder=/", "batch=", "name=%00"):
        assert "11 files" in page_of(client, f"/files?{query}"), query
    for query in ("cursor=nonsense", "status=gone&sort=folder"):
        assert "Begin again" in page_of(client, f"/files?{query}"), query
    for query in ("status=gone&folder=x", "name=%ff", f"name={'x' * 9_000}", "batch=99999999999999999999"):
        assert client.get(f"/files?{query}").status_code == 200, query


def test_a_filter_that_finds_little_is_followed_for_a_while_and_then_offers_to_look_further(
    stocked: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.paging.BUDGET", 2)
    monkeypatch.setattr(search, "FEW", 0)
    monkeypatch.setattr(file_pages, "LOOKED_SECONDS", -1)
    page = page_of(stocked.client(), "/files?camera=EOS+R6&since=2023&sort=newest&status=unique")
    assert "Look further" in page and names_on(page) == []
    monkeypatch.setattr(file_pages, "LOOKED_SECONDS", 5)
    assert names_on(page_of(stocked.client(), "/files?camera=EOS+R6&since=2023&sort=newest")) == ["IMG_1.jpg"]


def test_a_list_says_in_which_order_it_stands(stocked: Site) -> None:
    client = stocked.client()
    for address, said in (("/files", "newest arrival first"), ("/files?sort=name", "by name")):
        assert f"<small>{said}</small></h2>" in client.get(address).text


def test_hostile_names_are_text_on_every_page(stocked: Site) -> None:
    client, found = stocked.client(), rows(stocked.services)
    pages = [page_of(client, "/files"), page_of(client, "/files?view=grid"), page_of(client, "/failed?show=left")]
    pages += [page_of(client, f"/files/{asset.id}") for path, asset in found.items() if path.startswith(b"odd/")]
    for page in pages:
        assert "<script>document" not in page and "<img src=x" not in page and "\u202e" not in page
    assert "&lt;script&gt;document.title=&#39;broken&#39;&lt;/" in pages[0]


def test_a_page_of_a_file_tells_its_story_and_what_can_be_done(stocked: Site) -> None:
    client, found = stocked.client(), rows(stocked.services)
    photo, copy, failed = found[b"cam/IMG_2.jpg"], found[b"phone/again.jpg"], found[b"bad/one.jpg"]
    page = page_of(client, f"/files/{photo.id}")
    assert "EXIF DateTimeOriginal" in page and "PowerShot" in page and f"/dates?asset={photo.id}" in page
    assert f'data-copy="{ingest(stocked.services).decode()}/cam/IMG_2.jpg"' in page
    assert f'href="/files/{copy.id}"' in page and "1 duplicate of it" in page
    assert f'href="/files/{photo.id}"' in page_of(client, f"/files/{copy.id}")
    page = page_of(client, f"/files/{failed.id}")
    assert f'action="/api/assets/{failed.id}/retry"' in page and "Input/output error" in page
    assert f"/files/{photo.id}" in page_of(client, f"/why?file={photo.id}")
    assert client.get("/files/999999").status_code == 404
    assert client.get(f"/files/{2**70}").status_code == 404
    assert client.get("/files/999999/thumbnail").status_code == 404


def test_duplicates_lie_beside_their_original_with_the_room_that_they_take(stocked: Site) -> None:
    page = page_of(stocked.client(), "/duplicates")
    assert names_on(page) == ["IMG_2.jpg", "again.jpg"]
    assert "1 file holds what another one holds too" in page and "it came first and it waits for a batch" in page
    assert "They stay where they are" in page
    assert "No more duplicates" in page_of(stocked.client(), "/duplicates?after_id=999")


def test_failed_files_are_told_by_reason_and_those_ticked_are_tried_again(site: Site) -> None:
    client, found = stock(site).client(), rows(site.services)
    one, two = found[b"bad/one.jpg"], found[b"bad/two.jpg"]
    page = page_of(client, "/failed")
    assert names_on(page) == ["one.jpg"] and "Could not read …: Input/output error." in page
    assert names_on(page_of(client, "/failed?reason=Could+not+read+…:+Input/output+error.")) == ["one.jpg"]
    assert "No file has this reason any more" in page_of(client, "/failed?reason=Could+not+%25")
    assert names_on(page_of(client, "/failed?show=set_aside&reason=100+%25+odd_name")) == ["two.jpg"]
    assert "left/alone.xmp" in page_of(client, "/failed?show=left&reason=waits")
    assert client.post("/failed/retry", headers=HTMX).status_code == 400
    chosen = {"asset": [one.id, two.id, found[b"cam/IMG_1.jpg"].id, 999_999]}
    said = client.post("/failed/retry", data=chosen, headers=HTMX).get_data(as_text=True)
    assert "2 files will be taken up again by the next run" in said
    after = rows(site.services)
    assert {after[path].status for path in (b"bad/one.jpg", b"bad/two.jpg")} == {AssetStatus.DISCOVERED}
    assert after[b"cam/IMG_1.jpg"].status is AssetStatus.UNIQUE
    by_hand = {"Accept": "text/html", "Referer": "http://localhost/failed"}
    plain = client.post("/failed/retry", data=chosen, headers=by_hand)
    assert (plain.status_code, plain.headers["Location"]) == (303, "/failed")


def test_an_empty_library_says_what_to_do_next_and_a_part_that_is_unchanged_is_not_sent_again(site: Site) -> None:
    client = site.client()
    for address, words in (
        ("/files", "No file has been seen yet"), ("/duplicates", "No duplicate has been found"),
        ("/failed", "No file has failed"), ("/failed?show=left", "left in place"),
    ):  # fmt: skip
        assert words in page_of(client, address)
    write_tree(ingest(site.services), {"a.jpg": make_jpeg()})
    run_scan(site.services)
    asset_id = rows(site.services)[b"a.jpg"].id
    for address in ("/files", f"/files/{asset_id}", "/duplicates", "/failed?show=left"):
        part = re.search(r'hx-get="(/partials[^"]+)"', page_of(client, address))
        assert part is not None, address
        assert client.get(part[1].replace("&amp;", "&")).status_code == 204, address
    part = re.search(r'hx-get="(/partials[^"]+)"', page_of(client, "/files"))
    change(site.services, rows(site.services)[b"a.jpg"], AssetStatus.FAILED, reason="no")
    assert part is not None
    renewed = client.get(part[1].replace("&amp;", "&"))
    assert renewed.status_code == 200 and "failed" in renewed.get_data(as_text=True)
