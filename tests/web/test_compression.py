"""Text answers are compressed for whoever takes that, and assets are kept by browsers until they change."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable
from urllib.parse import urljoin

from flask.testing import FlaskClient
from PIL import Image

from tests.web.conftest import KEY, Site

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def test_a_page_is_the_same_whether_compressed_or_not(client: FlaskClient) -> None:
    plain, packed = client.get("/tree"), client.get("/tree", headers=GZIP)
    assert "Content-Encoding" not in plain.headers and packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    refused = client.get("/tree", headers={"Accept-Encoding": "gzip;q=0"})
    assert refused.data == plain.data


def test_an_asset_that_a_browser_has_is_not_sent_again_in_either_form(client: FlaskClient) -> None:
    (address,) = re.findall(r'"(/static/app\.css\?v=\w+)"', client.get("/tree").text)
    plain, packed = client.get(address), client.get(address, headers=GZIP)
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] == f"W/{plain.headers['ETag']}"
    assert "immutable" in packed.headers["Cache-Control"] and "max-age=31536000" in packed.headers["Cache-Control"]
    again = client.get(address, headers={**GZIP, "If-None-Match": packed.headers["ETag"]})
    assert (again.status_code, again.data, again.headers["Vary"]) == (304, b"", "Accept-Encoding")
    assert client.get(address, headers={"If-None-Match": plain.headers["ETag"]}).status_code == 304


def test_an_asset_without_the_mark_of_its_content_is_not_kept_for_good(client: FlaskClient) -> None:
    for address in ("/static/app.css", "/static/app.css?v=other"):
        assert "immutable" not in client.get(address).headers["Cache-Control"]


def test_part_of_a_file_and_what_a_command_is_checked_against_are_sent_as_they_are(client: FlaskClient) -> None:
    part = client.get("/static/app.css", headers={**GZIP, "Range": "bytes=0-9"})
    assert (part.status_code, len(part.data), "Content-Encoding" in part.headers) == (206, 10, False)
    settings = client.get("/api/config", headers=GZIP)
    assert settings.get_etag()[0] and settings.get_etag()[1] is False


def test_the_manifest_names_icons_that_are_there(client: FlaskClient) -> None:
    address = "/static/manifest.webmanifest"
    answer = client.get(address)
    assert answer.mimetype == "application/manifest+json"
    manifest = answer.get_json(force=True)
    for icon in manifest["icons"]:
        assert client.get(f"/static/{icon['src']}").mimetype == icon["type"] == "image/svg+xml"
    assert client.get(urljoin(address, manifest["start_url"])).status_code == 200


def test_a_phone_that_takes_no_svg_gets_the_icon_as_png_without_a_key(make_site: Callable[..., Site]) -> None:
    client = make_site(auth={"api_key": KEY}).client()
    page = client.get("/login").text
    address = page.split('<link rel="apple-touch-icon" href="')[1].split('"')[0]
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    with Image.open(io.BytesIO(answer.data)) as icon:
        icon.load()
        assert (icon.size, icon.mode) == ((180, 180), "RGB")
        # Ground, a line and the tip of the arrow, where icon-maskable.svg has them.
        assert [icon.getpixel(place) for place in ((4, 4), (60, 90), (118, 90))] == [
            (0x1F, 0x6F, 0x6B), (255, 255, 255), (0xFF, 0xD2, 0x7A),
        ]  # fmt: skip
