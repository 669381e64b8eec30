"""run.sh, stop.sh and their kin, on a copy of the checkout."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scripts.conftest import Checkout


def ask(checkout: Checkout, path: str, method: str = "GET") -> Any:
    request = urllib.request.Request(f"http://127.0.0.1:{checkout.port}{path}", method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def page(port: int, path: str) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return int(answer.status)


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Until the condition holds; an address that does not answer yet counts as no."""
    limit = time.monotonic() + seconds
    while True:
        try:
            if true():
                return
        except OSError:
            pass
        assert time.monotonic() < limit, "it did not come true in time"
        time.sleep(0.1)


def contents(folder: Path) -> Counter[str]:
    """How often each content is there, hidden folders included."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return Counter(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)


def test_the_demo_ends_with_a_balance_that_adds_up_and_can_be_repeated(checkout: Checkout) -> None:
    first = checkout.run("scripts/run.sh", "--demo")
    assert "adds up" in first.stdout, first.stdout
    assert "DOES NOT ADD UP" not in first.stdout
    media = checkout.path / "data" / "demo" / "media"
    archived = {path.name for path in (media / "archive").rglob("*") if path.is_file()}
    assert {"IMG_2001.HEIC", "DSC_0100.DNG", "DSC_0100.xmp", "IMG_2002.MOV", "VID_20240818_140000.mp4"} <= archived
    before = contents(media)

    second = checkout.run("scripts/run.sh", "--demo")

    assert "adds up" in second.stdout
    assert not before - contents(media)
    checkout.run("scripts/stop.sh")
    assert checkout.processes() == {}


def test_a_start_prints_addresses_that_answer_and_a_second_start_replaces_the_first(checkout: Checkout) -> None:
    started = checkout.run("scripts/run.sh")
    assert f"http://127.0.0.1:{checkout.port}/dashboard" in started.stdout
    assert (checkout.path / "data" / "config.yaml").is_file()
    assert ask(checkout, "/health") == {"status": "ok"}
    assert page(checkout.port_dbui, "/") == 200
    logs = checkout.path / "data" / "logs"
    assert {"api.log", "worker.log"} <= {path.name for path in logs.iterdir()}
    first = checkout.pid("supervisord")

    checkout.run("scripts/restart.sh")

    assert checkout.pid("supervisord") != first
    assert first not in checkout.processes()
    assert ask(checkout, "/health") == {"status": "ok"}
    assert checkout.run("scripts/stop.sh").stdout == "Stopped.\n"
    assert checkout.processes() == {}
    assert checkout.run("scripts/stop.sh").stdout == "Nothing was running.\n"


def test_a_restart_starts_again_what_ran_here_also_the_demo(checkout: Checkout) -> None:
    checkout.run("scripts/run.sh", "--demo")
    before = ask(checkout, "/api/workflow/overview")["balance"]["seen"]["files"]
    first = checkout.pid("supervisord")
    # the demo's ports were its own choice: whoever restarts it does not name them
    no_ports = {"MEDIA_PIPELINE_SYSTEM__PORT_API": "", "MEDIA_PIPELINE_SYSTEM__PORT_DBUI": ""}

    again = checkout.run("scripts/restart.sh", **no_ports)

    assert f"{checkout.path}/data/demo/config.yaml" in again.stdout
    assert checkout.pid("supervisord") != first
    assert ask(checkout, "/api/workflow/overview")["balance"]["seen"]["files"] == before > 0
    assert not (checkout.path / "data" / "config.yaml").exists()
    checkout.run("scripts/stop.sh")
    assert checkout.processes() == {}
    assert [path.name for path in (checkout.path / "run").iterdir() if path.suffix != ".lock"] == []


def test_each_process_starts_by_itself_as_the_readme_says(checkout: Checkout) -> None:
    checkout.run("scripts/setup.sh")
    readme = (checkout.path / "README.md").read_text()
    block = readme.split("## Start each process by itself")[1].split("```bash\n")[1].split("```")[0]
    commands = [line.split("  #")[0].strip() for line in block.splitlines()]
    assert len(commands) == 3
    environment = checkout.environment | {"PATH": f"{sys.prefix}/bin:{os.environ['PATH']}"}
    running = [
        subprocess.Popen(["bash", "-c", f"exec {command}" if "=" not in command.split()[0] else command],
                         cwd=checkout.path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]  # fmt: skip
    try:
        wait_until(lambda: ask(checkout, "/api/workflow/overview")["worker"]["alive"])
        wait_until(lambda: page(checkout.port_dbui, "/") == 200)
    finally:
        for process in running:
            process.terminate()
    assert [process.wait(30) for process in running] in ([0, 0, 0], [0, 0, -15])


def test_reload_takes_up_changed_code_of_the_pages(checkout: Checkout) -> None:
    checkout.run("scripts/run.sh", UVICORN_RELOAD="1")
    code = checkout.path / "app" / "web" / "api" / "health.py"
    code.write_text(code.read_text().replace('{"status": "ok"}', '{"status": "changed"}'))
    wait_until(lambda: ask(checkout, "/health") == {"status": "changed"})


def test_an_installation_in_a_folder_of_its_own_runs_and_leaves_the_checkout_alone(checkout: Checkout) -> None:
    if os.geteuid() != 0:
        assert "needs root" in checkout.run("scripts/install.sh", check=False).stderr
        return
    target = checkout.path / "installed here"
    own = {"MEDIA_PIPELINE_CONFIG": str(target / "etc" / "config.yaml"), "MEDIA_PIPELINE_STATE": str(target / "state")}
    wanted = ("--install-dir", str(target), "--user", "root", "--without-syncthing")
    checkout.run("scripts/install.sh", *wanted, **own)
    assert not (checkout.path / "data").exists()
    assert (target / "state" / "db.sqlite").is_file()
    installed = Checkout(target, checkout.port, checkout.port_dbui)
    installed.run("scripts/run.sh", **own)
    assert ask(installed, "/health") == {"status": "ok"}
    installed.run("scripts/stop.sh", **own)
    assert installed.processes() == {}


@pytest.mark.parametrize("argument", ["--help", "--hlep"])
def test_help_and_unknown_words_work_from_any_folder_and_stop_nothing(checkout: Checkout, argument: str) -> None:
    checkout.run("scripts/run.sh")
    for name in ("run", "stop", "restart", "setup", "upgrade", "uninstall"):
        done = subprocess.run(
            [f"./{name}.sh", argument], cwd=checkout.path / "scripts", env=checkout.environment, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        if argument == "--help":
            assert (done.returncode, done.stdout.count(f"{name}.sh") > 0, done.stderr) == (0, True, ""), name
        else:
            assert (done.returncode, done.stderr) == (1, f"{name}.sh: unknown argument --hlep; try --help\n")
    assert ask(checkout, "/health") == {"status": "ok"}


def test_stop_ends_web_and_worker_when_their_supervisor_was_killed(checkout: Checkout) -> None:
    checkout.run("scripts/run.sh")
    os.kill(checkout.pid("supervisord"), signal.SIGKILL)
    checkout.run("scripts/stop.sh")
    assert checkout.processes() == {}


def test_stop_never_signals_a_process_that_took_over_a_noted_id(checkout: Checkout) -> None:
    stranger = subprocess.Popen(["sleep", "300"])
    try:
        run = checkout.path / "run"
        run.mkdir()
        for name in ("supervisord", "web", "worker", "dbui"):
            (run / f"{name}.pid").write_text(f"{stranger.pid} 12345\n")
        assert checkout.run("scripts/stop.sh").stdout == "Nothing was running.\n"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_folder_that_is_not_mounted_does_not_keep_the_service_from_starting(checkout: Checkout) -> None:
    checkout.run("scripts/setup.sh")
    ingest = checkout.path / "data" / "media" / "ingest"
    ingest.rename(ingest.with_name("unmounted"))
    started = checkout.run("scripts/run.sh")
    sentence = f"The ingest folder {ingest} cannot be used: it does not exist; is the disk or share mounted."
    assert sentence in started.stderr
    assert f"BUT NOTHING MOVES: {sentence}" in started.stdout
    assert ask(checkout, "/health") == {"status": "ok"}
    ingest.with_name("unmounted").rename(ingest)
    wait_until(lambda: ask(checkout, "/ready") == {"status": "ready"})


def test_a_port_in_use_is_said_and_nothing_is_started(checkout: Checkout) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", checkout.port))
        taken.listen()
        done = checkout.run("scripts/run.sh", check=False)
    assert done.returncode != 0
    assert f"Port {checkout.port} is in use" in done.stderr
    assert checkout.processes() == {}


def test_a_worker_that_cannot_start_ends_the_start_with_its_reason(checkout: Checkout) -> None:
    checkout.run("scripts/setup.sh")
    (checkout.path / "worker" / "__main__.py").write_text("raise SystemExit('the worker is broken')\n")
    done = checkout.run("scripts/run.sh", check=False, MEDIA_PIPELINE_READY_SECONDS="40")
    assert done.returncode != 0
    assert "the worker is broken" in done.stderr
    assert checkout.processes() == {}


def test_a_faulty_configuration_is_explained_and_nothing_is_started(checkout: Checkout) -> None:
    checkout.run("scripts/setup.sh")
    config = checkout.path / "data" / "config.yaml"
    config.write_text(config.read_text().replace("max_files: 0", "max_files: many"))
    done = checkout.run("scripts/run.sh", check=False)
    assert done.returncode != 0
    assert "batch.max_files" in done.stderr
    assert checkout.processes() == {}


def test_setting_up_twice_changes_nothing(checkout: Checkout) -> None:
    checkout.run("scripts/setup.sh")
    before = {path: path.read_bytes() for path in (checkout.path / "data").rglob("*.yaml")}
    markers = {path: path.read_bytes() for path in (checkout.path / "data").rglob(".media-pipeline-root")}
    assert before and markers
    checkout.run("scripts/setup.sh")
    assert {path: path.read_bytes() for path in before} == before
    assert {path: path.read_bytes() for path in markers} == markers


def test_the_debug_output_names_everything_but_no_secret(checkout: Checkout) -> None:
    checkout.run("scripts/setup.sh")
    config = checkout.path / "data" / "config.yaml"
    text = config.read_text().replace('api_key: ""', "api_key: CANARY-4711", 1)
    config.write_text(text.replace("keys: []", "keys: [{name: wall, key: CANARY-4712-0123456789, scope: read}]"))
    logs = checkout.path / "data" / "logs"
    logs.mkdir(exist_ok=True)
    requirements = checkout.path / "requirements.txt"
    requirements.write_text(re.sub(r"^click==.*$", "click==0.0.1", requirements.read_text(), flags=re.MULTILINE))
    seen = "seen CANARY-4711 and CANARY-4712-0123456789"
    (logs / "api.log").write_text(f'{{"event": "{seen}", "authorization": "Bearer other-secret"}}\n')
    done = checkout.run("scripts/debug.sh", check=False)
    titles = ("Platform", "Versions", "Configuration", "Processes", "Database", "Addresses", "Health", "Logs")
    assert [title for title in (*titles, "Syncthing") if f"== {title}" not in done.stdout] == []
    assert "integrity: ok" in done.stdout
    pages = ("dashboard", "control", "peer", "diagnostics", "docs")
    assert [page for page in pages if f"/{page}\n" not in done.stdout] == []
    assert done.stdout.count("requirements.txt asks for 0.0.1") == done.stdout.count("requirements.txt asks for") == 1
    assert "CANARY" not in done.stdout + done.stderr
    assert "other-secret" not in done.stdout + done.stderr


def test_a_user_without_rights_can_run_it_from_a_checkout_of_their_own(open_checkout: Checkout) -> None:
    checkout = open_checkout
    if os.geteuid() != 0:
        # then every other test here is this test
        return
    nobody = pwd.getpwnam("nobody")
    for path in [checkout.path, *checkout.path.rglob("*")]:
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    # they may read what root has closed (the Python that runs the tests may lie there), but write nothing of root's
    drop = [
        "setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups",
        "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
    ]  # fmt: skip
    environment = checkout.environment | {"HOME": "/nonexistent"}
    for script in ("scripts/run.sh", "scripts/stop.sh"):
        done = subprocess.run(
            [*drop, str(checkout.path / script)], cwd=checkout.path, env=environment, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    assert (checkout.path / "data" / "db.sqlite").stat().st_uid == nobody.pw_uid
    assert checkout.processes() == {}
