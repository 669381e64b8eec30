"""Files dropped into the ingest mount reach a second Syncthing and the archive, with no right of root's to help."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.files.census import take_census
from tests.container.peer import Peer
from tests.container.stack import Stack, drop_demo_library, new_stack, started

pytestmark = [pytest.mark.container, pytest.mark.timeout(600)]

HERE = Path(__file__).resolve().parent
#: The user that a fresh volume belongs to; another one started by `user:` brings a folder of its own.
VOLUME_OWNER = "1000"


@pytest.fixture(params=["takes on PUID", "is the user"])
def stack(request: pytest.FixtureRequest, image: str, tmp_path: Path) -> Iterator[Stack]:
    media, peer, files = tmp_path / "media", tmp_path / "peer", [HERE / "peer.yaml"]
    for folder in (media, peer):
        folder.mkdir()
        os.chown(folder, int(VOLUME_OWNER), int(VOLUME_OWNER))
    if request.param == "is the user":
        files.append(HERE / "user.yaml")
    # the second one shows the switch of the database browser, too
    browser = "true" if request.param == "takes on PUID" else "false"
    changes = {
        "DBUI_ENABLED": browser,
        "PUID": VOLUME_OWNER,
        "PGID": VOLUME_OWNER,
        "SYNC_TARGET": "",
        "SYNC_FOLDER_DIR": "",
        "UMASK": "007",
    }
    made = new_stack(media, *files, MEDIA_PIPELINE_IMAGE=image, PEER_DIR=str(peer), **changes)
    with started(made) as up:
        yield up


def contents_below(folder: Path) -> set[str]:
    return set(take_census([os.fsencode(folder)]).contents)


def test_what_is_dropped_arrives_at_the_peer_and_in_the_archive(stack: Stack, tmp_path: Path) -> None:
    peer = Peer(stack)
    stack.ask("/api/syncthing/devices", "POST", {"device_id": peer.device_id, "name": "phone"})
    peer.accept(stack.ask("/api/syncthing")["device_id"])
    drop_demo_library(stack.media / "ingest", int(VOLUME_OWNER))
    result = stack.run_workflow(240)
    assert result["status"] == "done", result

    delivery = stack.ask("/api/sync/status/1")
    assert delivery["confirmed_count"] == delivery["file_count"] > 10, delivery
    archive = stack.media / "archive"
    archived = {path.name for path in archive.rglob("*") if path.is_file() and not path.name.startswith(".")}
    assert len(archived) > 10
    at_peer = contents_below(tmp_path / "peer" / "photos")
    sent = set(take_census([os.fsencode(archive)], leave_out=[b".media-pipeline-root"]).contents)
    assert sent <= at_peer, sent - at_peer

    serving = stack.inside("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert ("app.dbui" in serving) == (stack.environment["DBUI_ENABLED"] == "true")

    made = [path.stat() for path in archive.rglob("*") if path.is_dir()]
    owners = {(entry.st_uid, entry.st_gid, entry.st_mode & 0o777) for entry in made}
    assert owners == {(int(VOLUME_OWNER), int(VOLUME_OWNER), 0o770)}
