"""compose.yaml in a real Docker engine: started, one workflow run, stopped, started again."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.container.stack import OWNER, Stack, docker, drop_demo_library, new_stack, started

pytestmark = [pytest.mark.container, pytest.mark.timeout(1200)]


COUNT_FACTS = (
    "import sqlite3; print(sqlite3.connect('/config/db.sqlite').execute('select count(*) from facts').fetchone()[0])"
)


@pytest.fixture(scope="module")
def stack(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with started(new_stack(tmp_path_factory.mktemp("media"), MEDIA_PIPELINE_IMAGE=image)) as up:
        yield up


def test_files_dropped_into_the_ingest_mount_are_delivered_and_archived_for_their_owner(stack: Stack) -> None:
    drop_demo_library(stack.media / "ingest")
    result = stack.run_workflow()
    assert result["status"] == "done", result
    balance = stack.ask("/api/workflow/overview")["balance"]
    lines = {line["key"]: line["files"] for line in balance["lines"]}
    assert balance["adds_up"]
    assert lines["archived"] > 10, (result, lines)
    assert balance["seen"]["files"] == sum(lines.values())
    archived = {path.name: path for path in (stack.media / "archive").rglob("*.*") if path.is_file()}
    assert archived["IMG_0003.JPG"].parent.relative_to(stack.media / "archive") == Path("2024/07/03")
    made = [path.stat() for path in (stack.media / "archive").rglob("*") if path.is_dir()]
    assert {(entry.st_uid, entry.st_gid, entry.st_mode & 0o777) for entry in made} == {(OWNER, OWNER, 0o750)}
    delivered = {path.name for path in (stack.media / "delivered").rglob("IMG_0003.JPG")}
    assert delivered == {"IMG_0003.JPG"}


def test_no_process_is_roots_and_none_has_a_right_of_its(stack: Stack) -> None:
    # `docker exec` itself comes in as root
    asked = "for p in /proc/[0-9]*; do echo $(stat -c %u $p) $(grep CapEff $p/status) $(tr '\\0' ' ' <$p/cmdline); done"
    processes = [line.split(maxsplit=3) for line in stack.inside("sh", "-c", asked).splitlines() if "CapEff" in line]
    ours = [found for found in processes if len(found) == 4 and "CapEff" not in found[3]]
    assert len(ours) >= 6, processes
    assert {(uid, rights) for uid, _, rights, _ in ours} == {(str(OWNER), "0000000000000000")}, ours


def test_nothing_can_be_written_but_in_the_volumes_and_in_memory(stack: Stack) -> None:
    told = json.loads(docker("inspect", stack.container()))[0]["HostConfig"]
    assert told["ReadonlyRootfs"]
    assert (told["CapDrop"], sorted(told["CapAdd"])) == (["ALL"], ["CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"])
    assert told["SecurityOpt"] == ["no-new-privileges:true"]
    said = stack.inside(
        "sh", "-c", "for d in / /opt /etc /usr /root; do touch $d/x 2>&1; done; touch /tmp/x && echo memory"
    )
    assert said.count("Read-only file system") == 5 and said.endswith("memory\n")


def test_the_command_line_in_the_container_writes_as_the_owner(stack: Stack) -> None:
    stack.inside("media-pipeline", "backup")
    owners = stack.inside("sh", "-c", "find /config ! -user $PUID -o ! -group $PGID")
    assert owners == ""


def test_the_pages_their_assets_and_the_database_browser_are_served(stack: Stack) -> None:
    for port, path in (
        (stack.port, "/dashboard"),
        (stack.port, "/static/vendor/htmx.min.js"),
        (stack.port, "/docs"),
        (int(stack.environment["PORT_DBUI"]), "/"),
    ):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            assert answer.status == 200


def test_the_database_browser_opens_no_other_file_and_answers_no_foreign_host(stack: Stack) -> None:
    browser = f"http://127.0.0.1:{stack.environment['PORT_DBUI']}"
    for sql in (
        "ATTACH DATABASE '/config/other.sqlite' AS other",
        "DELETE FROM facts",
        "VACUUM INTO '/config/other.sqlite'",
    ):
        form = urllib.parse.urlencode({"sql": sql}).encode()
        with suppress(urllib.error.HTTPError):
            urllib.request.urlopen(f"{browser}/query/", form, timeout=30).close()
    assert "other.sqlite" not in stack.inside("ls", "/config")
    assert int(stack.inside("/opt/venv/bin/python", "-c", COUNT_FACTS)) > 0
    foreign = urllib.request.Request(f"{browser}/", headers={"Host": "evil.example.com"})
    with pytest.raises(urllib.error.HTTPError, match="421"):
        urllib.request.urlopen(foreign, timeout=30)


def test_syncthing_beside_it_is_reached_with_the_key_that_it_made_itself(stack: Stack) -> None:
    config = stack.inside("cat", "/var/syncthing/config/config.xml", service="syncthing")
    key = config.split("<apikey>")[1].split("</apikey>")[0]
    assert len(key) >= 20
    diagnosis = stack.ask("/api/sync/diagnostics")
    assert diagnosis["key"]["length"] == len(key)
    assert key not in json.dumps(diagnosis)
    asking = (
        "import sys, urllib.request as u; "
        "request = u.Request('http://syncthing:8384/rest/system/version', headers={'X-API-Key': sys.argv[1]}); "
        "print(u.urlopen(request).read())"
    )
    assert "version" in stack.inside("/opt/venv/bin/python", "-c", asking, key)


def test_syncthing_beside_it_is_set_up_by_one_act(stack: Stack) -> None:
    done = stack.ask("/api/syncthing/setup", "POST")["done"]
    assert done[0].startswith("The folder media-pipeline was made in Syncthing for /media/batches")
    seen = stack.ask("/api/syncthing")
    states = {step["name"]: step["state"] for step in seen["steps"] if step["name"] != "target"}
    assert states.pop("peer") == "waiting" and set(states.values()) == {"ok"}
    assert seen["key"]["source"] == "Syncthing's config.xml (/syncthing/config/config.xml)"
    said = stack.inside("media-pipeline", "syncthing", "qr")
    assert seen["device_id"] in said
    assert stack.ask("/api/syncthing/setup", "POST")["done"] == []


def test_the_debug_output_can_be_had_from_the_running_container(stack: Stack) -> None:
    said = stack.inside("/opt/media-pipeline/scripts/debug.sh")
    for expected in ("worker runs as process", "integrity: ok", "/ready: 200", "exiftool   /usr/bin/exiftool"):
        assert expected in said


def test_a_stop_is_quick_and_a_new_start_keeps_the_state(stack: Stack) -> None:
    before = stack.ask("/api/workflow/overview")["balance"]["seen"]
    began = time.monotonic()
    stack.compose("stop", "media-pipeline")
    assert time.monotonic() - began < 60
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        stack.ask("/health")
    stack.compose("up", "-d")
    stack.wait_until_healthy()
    assert stack.ask("/api/workflow/overview")["balance"]["seen"] == before


def test_a_lost_database_is_rebuilt_by_a_container_that_does_that_alone(stack: Stack) -> None:
    before = stack.ask("/api/workflow/overview")["balance"]
    one_off = ("run", "--rm", "-T", "--no-deps")
    stack.compose("stop", "media-pipeline")
    stack.compose(*one_off, "--entrypoint", "sh", "media-pipeline", "-c", "rm /config/db.sqlite*")
    said = stack.compose(*one_off, "media-pipeline", "media-pipeline", "rebuild")
    assert "files were seen; each is in one of these lines:" in said
    listed = json.loads(stack.compose(*one_off, "media-pipeline", "media-pipeline", "rebuild", "--files", "--json"))
    archived = next(line["files_seen"] for line in listed["lines"] if line["name"] == "archived")
    stack.compose("up", "-d")
    stack.wait_until_healthy()
    assert stack.ask("/api/rebuild")["state"] == "unconfirmed"
    assert stack.ask("/api/rebuild/confirm", "POST")["state"] == "confirmed"
    after = stack.ask("/api/workflow/overview")["balance"]
    assert after["adds_up"]
    assert [line["files"] for line in after["lines"] if line["key"] == "archived"] == [archived]
    assert archived == next(line["files"] for line in before["lines"] if line["key"] == "archived")
