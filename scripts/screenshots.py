"""Takes pictures of every page over a sample library, as `make screenshots` does: desk, phone, light and dark.

    screenshots.py [FOLDER]      default: docs/screenshots

Starts a service of its own on free ports in a temporary folder, runs the whole workflow over the sample library, opens
each page in Chromium, and stops the service. Needs what `scripts/setup.sh --dev` installs.
"""

from __future__ import annotations

import colorsys
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME / "scripts"))

from demo_library import jpeg, library  # noqa: E402
from demo_run import ask, run_to_its_end  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

#: Name of the picture, and the page's address.
PAGES = {
    "dashboard": "/dashboard", "control": "/control", "files": "/files?view=grid", "file": "/files/1",
    "duplicates": "/duplicates",
    "failed": "/failed", "batches": "/batches", "batch": "/batches/1", "runs": "/runs", "run": "/runs/1",
    "findings": "/findings",
    "preview": "/preview", "dates": "/dates", "tree": "/tree", "why": "/why?file=1", "journal": "/journal",
    "logs": "/logs", "settings": "/settings", "peer": "/peer", "diagnostics": "/diagnostics", "welcome": "/welcome",
}  # fmt: skip
SETTLE_MS = 1_500
QUALITY, MOST_BYTES = 60, 150_000
#: How long the worker may take to draw all thumbnails.
THUMBNAILS_SECONDS = 90


@dataclass(frozen=True)
class View:
    """A screen."""

    name: str
    width: int
    height: int
    scheme: str
    scale: float = 1.0


VIEWS = (
    View("desk", 1280, 900, "light"),
    View("dark", 1280, 900, "dark"),
    View("phone", 390, 844, "light", 1.5),
)


def sample_files() -> dict[str, bytes]:
    """The sample library, and a holiday of a hundred pictures beside it."""
    files = library()
    for number in range(100):
        red, green, blue = colorsys.hsv_to_rgb(number / 100, 0.55, 0.75)
        taken = f"2024:{6 + number // 40:02d}:{number % 28 + 1:02d} {8 + number % 12:02d}:{number % 60:02d}:00"
        colour = (int(red * 255), int(green * 255), int(blue * 255))
        files[f"holiday/P{1000 + number}.JPG"] = jpeg(f"{number + 1}", taken, colour)
    return files


@contextmanager
def service(folder: Path) -> Iterator[str]:
    """A service of its own over the sample library; gives its address."""
    config, port = folder / "config.yaml", free_port()
    environment = {**os.environ, "MEDIA_PIPELINE_CONFIG": str(config), "MEDIA_PIPELINE_RUN_DIR": str(folder / "run"),
                   "MEDIA_PIPELINE_VENV": os.environ.get("MEDIA_PIPELINE_VENV", sys.prefix)}  # fmt: skip
    settings = (
        "sync.target=folder", f"sync.folder_dir={folder}/media/phone", "scan.settle_seconds=1", "batch.max_files=40",
        "batch.selection_mode=files", "workflow.delays.syncthing_settle_sec=0", "workflow.delays.post_sync_sec=0",
        f"system.port_api={port}", "system.dbui_enabled=false",
    )  # fmt: skip
    choices = [word for setting in settings for word in ("--set", setting)]
    command = [sys.executable, "scripts/write_config.py", str(config), "--media", f"{folder}/media"]
    subprocess.run([*command, "--state", str(folder), *choices], cwd=HOME, env=environment, check=True)
    put(folder / "media" / "ingest", sample_files())
    try:
        subprocess.run(["scripts/run.sh"], cwd=HOME, env=environment, check=True)
        yield f"http://127.0.0.1:{port}"
    finally:
        subprocess.run(["scripts/stop.sh", "--quiet"], cwd=HOME, env=environment, check=False)


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def put(folder: Path, files: dict[str, bytes]) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def take_all(browser: Browser, url: str, target: Path) -> None:
    """A picture of each page in each view."""
    for view in VIEWS:
        context = browser.new_context(
            viewport={"width": view.width, "height": view.height},
            color_scheme=view.scheme,  # type: ignore[arg-type]
            device_scale_factor=view.scale,
            locale="en-GB",
            timezone_id="UTC",
            reduced_motion="reduce",
        )
        page = context.new_page()
        for name, address in PAGES.items():
            answer = page.goto(url + address)
            if answer is None or answer.status != 200:
                raise SystemExit(f"{address} answered {answer.status if answer else 'nothing'}")
            take(page, target / f"{name}-{view.name}.webp")
        context.close()


def take(page: Page, target: Path) -> None:
    """A picture of what the screen shows once thumbnails and counts are there."""
    page.wait_for_timeout(SETTLE_MS)
    shown = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    shown.save(target, "WEBP", quality=QUALITY, method=6)
    if target.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{target} has {target.stat().st_size:,} bytes, more than {MOST_BYTES:,}")


def draw_thumbnails(url: str) -> None:
    """Ask for the thumbnail of every file until the worker has drawn them, or a while has passed."""
    missing, limit = set(range(1, len(sample_files()) + 1)), time.monotonic() + THUMBNAILS_SECONDS
    while missing and time.monotonic() < limit:
        for number in sorted(missing):
            with suppress(urllib.error.HTTPError), urllib.request.urlopen(f"{url}/files/{number}/thumbnail") as answer:
                if answer.headers.get_content_type() != "image/svg+xml":
                    missing.discard(number)
        time.sleep(1)


def prepare(url: str, folder: Path) -> None:
    """A library that has been through everything, and a few files that a preview has looked at."""
    run_to_its_end(url)
    put(folder / "media" / "ingest" / "late", dict(list(sample_files().items())[:1]))
    put(
        folder / "media" / "ingest" / "late", {f"P{n}.JPG": jpeg(f"late {n}", "2024:09:03 11:12:13") for n in range(12)}
    )
    time.sleep(2)
    ask(f"{url}/api/preview", "POST")
    while ask(f"{url}/api/workflow/status")["running"]:
        time.sleep(0.5)
    draw_thumbnails(url)


def main() -> int:
    """Start, run, look, stop."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HOME / "docs" / "screenshots"
    target.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium")
    if chromium is None:
        print("Chromium is missing (Debian: apt-get install chromium).", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="nas-") as scratch, service(Path(scratch)) as url:
        prepare(url, Path(scratch))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            take_all(browser, url, target)
            browser.close()
    print(f"{len(PAGES) * len(VIEWS)} pictures in {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
