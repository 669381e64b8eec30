"""How long the whole pipeline takes, without delivery, beside `cp -a` and `sync` of the same tree.

    python bench/pipeline.py [--files 20000] [--large-gb 4] [--rounds 3] [--folder DIR]

Each round copies the tree into the ingest folder with `cp -a` and `sync` (the yardstick), then runs web and worker as
they run in production and asks for one workflow run over REST. Both read the same warm files on the same mount.
Prints medians, their ratio, and the largest memory that worker and web held together (PSS).
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
GIVE_UP_SECONDS = 1800
EXIF_DATE = b"2024:01:01 00:00:00"


def dated_jpeg() -> bytes:
    """A small JPEG with EXIF whose date can be replaced in place."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = EXIF_DATE.decode()
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (20, 60, 90)).save(out, "JPEG", exif=exif)
    return out.getvalue()


def make_small(folder: Path, count: int) -> None:
    """Many JPEGs of 4 to 64 KiB, all different, over two years of days."""
    source, jpeg = random.Random(1), dated_jpeg()
    for number in range(count):
        part = folder / f"{number // 500:03d}"
        part.mkdir(parents=True, exist_ok=True)
        day = f"20{23 + number % 2}:{1 + number % 12:02d}:{1 + number % 28:02d} 10:00:00".encode()
        filling = source.randbytes(source.randint(4096, 65536) - len(jpeg))
        (part / f"IMG_{number:05d}.jpg").write_bytes(jpeg.replace(EXIF_DATE, day) + filling)


def make_large(folder: Path, gigabytes: float) -> None:
    """Films of 100 MB: random bytes, dated by the file's own time."""
    source = random.Random(2)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(round(gigabytes * 10)):
        with (folder / f"film_{number:03d}.mp4").open("wb") as out:
            for _ in range(100):
                out.write(source.randbytes(1_000_000))


def timed_copy(source: Path, target: Path) -> float:
    """Seconds for `cp -a` and `sync`."""
    began = time.perf_counter()
    subprocess.run(["cp", "-a", "--reflink=never", f"{source}/.", str(target)], check=True)
    subprocess.run(["sync"], check=True)
    return time.perf_counter() - began


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def ask(url: str, method: str = "GET") -> Any:
    """The JSON answer."""
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=60) as answer:
        return json.load(answer)


def pss_bytes(pids: list[int]) -> int:
    """Memory of these processes and all below them; shared pages are counted once."""
    parents = {int(path.name): _parent(path) for path in Path("/proc").iterdir() if path.name.isdigit()}
    ours = set(pids)
    while True:
        below = {pid for pid, parent in parents.items() if parent in ours} - ours
        if not below:
            return sum(_pss(pid) for pid in ours)
        ours |= below


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError):
        return 0


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


@contextmanager
def service(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """Web and worker on a state folder and media tree of their own."""
    port = free_port()
    config = folder / "state" / "config.yaml"
    choices = ["sync.target=none", "scan.settle_seconds=0", "workflow.delays.post_sync_sec=0",
               f"system.port_api={port}", "system.bind_host=127.0.0.1"]  # fmt: skip
    arguments = [str(config), "--media", str(folder / "media"), "--state", str(folder / "state")]
    for choice in choices:
        arguments += ["--set", choice]
    env = {**os.environ, "MEDIA_PIPELINE_CONFIG": str(config), "PYTHONPATH": str(ROOT)}
    run = [sys.executable, str(ROOT / "scripts" / "write_config.py"), *arguments]
    subprocess.run(run, check=True, env=env, cwd=ROOT, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, "-m", "app.cli", "setup"], check=True, env=env, cwd=ROOT, stdout=subprocess.DEVNULL)
    web = [sys.executable, "-m", "gunicorn", "-c", "docker/gunicorn.conf.py", "app.web:create_app()"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen(cmd, env=env, cwd=ROOT, **quiet) for cmd in (web, [sys.executable, "-m", "worker"])]
    try:
        wait_until_ready(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}", [process.pid for process in processes]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)


def wait_until_ready(url: str) -> None:
    """Until the web process answers and the worker shows a sign of life."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        try:
            if ask(f"{url}/api/workflow/overview")["worker"]["alive"]:
                return
        except (OSError, urllib.error.URLError):
            pass
        time.sleep(0.2)
    raise SystemExit("the service did not start")


def timed_run(url: str, pids: list[int], expected: int) -> tuple[float, int]:
    """Seconds for one workflow run, and the largest memory seen meanwhile."""
    peak = [0]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            peak[0] = max(peak[0], pss_bytes(pids))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    began = time.perf_counter()
    ask(f"{url}/api/workflow/run", "POST")
    while (status := ask(f"{url}/api/workflow/status"))["running"] or status["waiting"]:
        if time.perf_counter() - began > GIVE_UP_SECONDS:
            raise SystemExit("the run does not end")
        time.sleep(0.1)
    seconds = time.perf_counter() - began
    over.set()
    watcher.join()
    counts = ask(f"{url}/api/workflow/overview")["file_counts"]
    if counts["archived"] != expected:
        raise SystemExit(f"{counts} instead of {expected} archived files; {status['last_result']}")
    show_stages(status["last_result"]["steps"])
    return seconds, peak[0]


def show_stages(steps: list[dict[str, Any]]) -> None:
    """Where the time went."""
    spent: dict[str, float] = {}
    for step in steps:
        took = datetime.fromisoformat(step["finished_at"]) - datetime.fromisoformat(step["started_at"])
        spent[step["name"]] = spent.get(step["name"], 0) + took.total_seconds()
    print("   ", ", ".join(f"{name} {seconds:.2f}" for name, seconds in spent.items()), flush=True)


def measure(name: str, source: Path, scratch: Path, rounds: int) -> None:
    """Rounds of yardstick and pipeline; prints the line of the table."""
    files = sum(1 for path in source.rglob("*") if path.is_file())
    copies, runs, peaks = [], [], []
    for _ in range(rounds):
        folder = scratch / "round"
        with service(folder) as (url, pids):
            copies.append(timed_copy(source, folder / "media" / "ingest"))
            seconds, peak = timed_run(url, pids, files)
        runs.append(seconds)
        peaks.append(peak)
        print(f"  {name}: cp -a + sync {copies[-1]:.2f} s, pipeline {seconds:.2f} s, {peak / 1e6:.0f} MB", flush=True)
        shutil.rmtree(folder)
    copied, ran = statistics.median(copies), statistics.median(runs)
    print(
        f"{name}: {files} files, median of {rounds}: cp -a + sync {copied:.2f} s, pipeline {ran:.2f} s, "
        f"ratio {ran / copied:.2f}, {files / ran:.0f} files/s, memory {max(peaks) / 1e6:.0f} MB",
        flush=True,
    )


def main() -> int:
    """Make the trees and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--large-gb", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to work; on the file system to measure")
    options = parser.parse_args()
    # so that what was started and made is ended and removed then too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="media-pipeline-bench-", dir=options.folder) as name:
        scratch = Path(name).resolve()
        if options.files:
            make_small(scratch / "small", options.files)
            measure("small", scratch / "small", scratch, options.rounds)
            shutil.rmtree(scratch / "small")
        if options.large_gb:
            make_large(scratch / "large", options.large_gb)
            measure("large", scratch / "large", scratch, options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
