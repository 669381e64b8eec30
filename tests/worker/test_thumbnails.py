"""Thumbnails by a real worker: asked for by looking at a file, drawn while it lies anywhere, kept and found again."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from flask.testing import FlaskClient
from PIL import Image

from app import jobs
from app.files.thumbnails.shelf import Shelf
from app.jobs import thumbnails
from app.jobs.wake import THUMBNAIL_QUEUE, broker_for
from app.model import RunStatus, Trigger
from app.web import create_app
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.stages import rows, run_scan
from tests.worker.installation import Installation


def status_of(client: FlaskClient, address: str) -> tuple[int, str | None]:
    answer = client.get(address)
    return answer.status_code, answer.mimetype


def test_a_worker_draws_what_is_looked_at_and_finds_it_again_in_the_archive(
    install: Callable[..., Installation],
) -> None:
    site = install()
    tree = {"a.jpg": make_jpeg("2024:05:06 07:08:09", 1, (400, 300)), "broken.jpg": b"no picture", "a.xmp": "<x/>"}
    write_tree(site.folder("ingest"), tree)
    run_scan(site.services)
    ids = {path: asset.id for path, asset in rows(site.services).items()}
    client = create_app(str(site.config_path)).test_client()
    photo, broken = f"/files/{ids[b'a.jpg']}/thumbnail", f"/files/{ids[b'broken.jpg']}/thumbnail"
    for _ in range(3):
        assert status_of(client, photo) == (202, "image/svg+xml")
    assert client.get(photo).headers["Cache-Control"] == "no-store"
    assert status_of(client, f"/files/{ids[b'a.xmp']}/thumbnail") == (200, "image/svg+xml")
    assert broker_for(site.services.state_dir).count_waiting(THUMBNAIL_QUEUE) == 1
    worker = site.start_worker()
    site.until(lambda: status_of(client, photo) == (200, "image/webp"), "the photo is drawn")
    site.until(lambda: status_of(client, broken) == (200, "image/svg+xml"), "it is known that there is none")
    site.ended(1)  # the worker also takes up the run whose scan was carried out above
    # Read whole and archived, it has the name of its content, and lies elsewhere.
    assert site.ended(jobs.start_workflow(site.services, Trigger.API).id).status is RunStatus.DONE, site.output()
    assert rows(site.services)[b"2024/05/06/a.jpg"].id == ids[b"a.jpg"]
    client.get(photo)
    site.until(lambda: status_of(client, photo) == (200, "image/webp"), "the archived photo is drawn")
    answer = client.get(photo)
    with Image.open(io.BytesIO(answer.data)) as image:
        assert image.size == (256, 192)
    assert client.get(photo, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert broker_for(site.services.state_dir).count_waiting(THUMBNAIL_QUEUE) == 0
    assert site.terminate(worker) == 0


def test_too_many_wait_for_no_worker_and_none_is_asked_for_where_they_are_switched_off(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    site = install(system={"thumbnail_cache_mb": 0})
    write_tree(site.folder("ingest"), {f"{n}.jpg": make_jpeg(seed=n) for n in range(4)})
    run_scan(site.services)
    ids = [asset.id for asset in rows(site.services).values()]
    client = create_app(str(site.config_path)).test_client()
    broker = broker_for(site.services.state_dir)
    assert status_of(client, f"/files/{ids[0]}/thumbnail") == (200, "image/svg+xml")
    assert broker.count_waiting(THUMBNAIL_QUEUE) == 0
    found = [thumbnails.ask_for_thumbnail(site.services, n) for n in range(thumbnails.MOST_WAITING + 5)]
    assert found == [True] * thumbnails.MOST_WAITING + [False] * 5
    assert broker.count_waiting(THUMBNAIL_QUEUE) == thumbnails.MOST_WAITING
    assert not Shelf(site.services.state_dir).folder.exists()
