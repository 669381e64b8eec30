"""The page Peer in Chromium, over real Syncthings: one button, one scan, one word, and batches can go."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from app.model import RootKind
from tests.browser.conftest import Server, Watched
from tests.syncthing.installing import empty, two_strangers
from tests.syncthing.pair import KEY, Node, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.syncthing]
OpenPage = Callable[..., Watched]
StartServer = Callable[..., Server]


@pytest.fixture(scope="module")
def pair_of_strangers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    with two_strangers(tmp_path_factory.mktemp("nodes")) as found:
        yield found


@pytest.fixture
def nodes(pair_of_strangers: tuple[Node, Node]) -> tuple[Node, Node]:
    """Two Syncthings that do not know each other."""
    for node in pair_of_strangers:
        empty(node)
    return pair_of_strangers


def test_a_peer_is_connected_by_a_button_a_scan_and_a_word(
    nodes: tuple[Node, Node], start_server: StartServer, open_page: OpenPage
) -> None:
    ours, phone = nodes
    server = start_server(syncthing={"api_url": ours.url, "api_key": KEY}, sync={"target": "auto"})
    watched = open_page(server, "/peer")
    page = watched.page
    page.evaluate("window.loaded = 'once'")
    expect(page.locator("#device-id")).to_have_text(ours.device_id)
    code = page.get_by_alt_text("The device ID as a QR code")
    assert code.evaluate("image => image.naturalWidth") > 0
    expect(page.get_by_text("Nothing waits for your word.")).to_be_visible()

    page.get_by_role("button", name="Set up Syncthing").click()
    expect(page.locator("#notices")).to_contain_text("was made in Syncthing")
    expect(page.locator("#setup-title")).to_contain_text("waiting")
    expect(page.get_by_role("button", name="Set up Syncthing")).to_have_count(0)

    phone.add_device(ours)
    expect(page.get_by_text("wants to connect")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Accept").click()
    expect(page.locator("#notices")).to_contain_text("is the peer that must have every file")
    phone.add_folder("receiveonly", ours, folder_id="media-pipeline")
    expect(page.get_by_text("Everything is set up; batches can be delivered.")).to_be_visible(timeout=60_000)

    row = page.get_by_role("row").filter(has_text=phone.device_id[:7])
    expect(row).to_contain_text("connected")
    expect(page.get_by_text("keeps its copies")).to_be_visible()
    assert page.evaluate("window.loaded") == "once" and watched.faults == []
    batch_dir = server.services.root(RootKind.BATCH).path.decode()
    assert ours.rest("GET", "config/folders/media-pipeline")["path"] == batch_dir


def test_what_is_wrong_is_mended_with_a_persons_word_from_the_page(
    nodes: tuple[Node, Node], start_server: StartServer, open_page: OpenPage
) -> None:
    ours, phone = nodes
    server = start_server(syncthing={"api_url": ours.url, "api_key": KEY}, sync={"target": "auto"})
    page = open_page(server, "/peer").page
    page.get_by_role("textbox", name="Device ID").fill("not an id")
    page.get_by_role("button", name="Add this peer").click()
    expect(page.locator("#notices")).to_contain_text("This device ID must have 56 letters")
    page.get_by_role("textbox", name="Device ID").fill(phone.device_id.lower())
    page.get_by_label("Name, if you like").fill("<b>phone</b>")
    page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_contain_text("The device <b>phone</b> was added")
    ours.rest("PATCH", "config/folders/media-pipeline", json={"type": "sendreceive"})
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Make it Send Only").click()
    expect(page.locator("#notices")).to_contain_text("only sends now")
    assert ours.rest("GET", "config/folders/media-pipeline")["type"] == "sendonly"
    page.get_by_text("steps are done").click()
    expect(page.get_by_text("nothing that happens at the peer can touch your files")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone_and_its_code_can_be_read_in_both_schemes(
    nodes: tuple[Node, Node], start_server: StartServer, open_page: OpenPage, scheme: str
) -> None:
    ours, phone = nodes
    server = start_server(syncthing={"api_url": ours.url, "api_key": KEY}, sync={"target": "auto"})
    phone.add_device(ours)
    wait_for(lambda: ours.rest("GET", "cluster/pending/devices"), "the phone has knocked")
    watched = open_page(server, "/peer", width=390, height=844, scheme=scheme)
    page = watched.page
    expect(page.get_by_text("wants to connect")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for button in page.get_by_role("button").all():
        if button.is_visible():
            box = button.bounding_box()
            assert box is not None and box["height"] >= 24, button.inner_text()
    picture = page.get_by_alt_text("The device ID as a QR code").screenshot()
    assert _darkest_and_lightest(picture) == (0, 255)
    assert watched.faults == []


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_a_notice_is_seen_at_once_and_never_meets_the_code(
    nodes: tuple[Node, Node], start_server: StartServer, open_page: OpenPage, width: int, height: int
) -> None:
    ours, _ = nodes
    server = start_server(syncthing={"api_url": ours.url, "api_key": KEY}, sync={"target": "auto"})
    page = open_page(server, "/peer", width=width, height=height).page
    page.get_by_role("textbox", name="Device ID").fill("not an id")
    page.get_by_role("button", name="Add this peer").click()
    notice = page.locator("#notices .notice")
    expect(notice).to_contain_text("This device ID must have 56 letters")
    expect(notice).to_be_in_viewport(ratio=1)
    code = page.get_by_alt_text("The device ID as a QR code")
    code.evaluate("image => window.scrollTo(0, image.getBoundingClientRect().top + scrollY - 10)")
    above, box = notice.bounding_box(), code.bounding_box()
    assert above is not None and box is not None and above["y"] + above["height"] <= box["y"]
    assert _darkest_and_lightest(code.screenshot()) == (0, 255)


def test_without_syncthing_the_page_says_what_to_do(start_server: StartServer, open_page: OpenPage) -> None:
    server = start_server(syncthing={"api_url": "http://127.0.0.1:9", "api_key": KEY}, sync={"target": "auto"})
    watched = open_page(server, "/peer")
    expect(watched.page.locator("#peer")).to_contain_text("Start Syncthing")
    expect(watched.page.locator("#setup-title")).to_contain_text("wrong")
    assert watched.faults == []


def _darkest_and_lightest(picture: bytes) -> tuple[int, int]:
    from PIL import Image

    low, high = Image.open(io.BytesIO(picture)).convert("L").getextrema()
    return int(str(low)), int(str(high))
