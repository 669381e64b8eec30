"""Verdicts by the thousand are those that weighing each group gives."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from app.db import assets
from app.model import AssetStatus
from app.services import Services
from tests.conftest import make_services, write_tree
from tests.pipeline.library import ingest_path, take_in
from tests.pipeline.stages import ingest, rows, run_dedup, run_scan

MOMENT = 1_500_000_000


def fill(services: Services, seed: int) -> None:
    """Photos, films and sidecars with few contents, sizes, names and times, some of them second names."""
    chance = random.Random(seed)
    contents = [b"x" * (1 + i % 3) + bytes([97 + i]) for i in range(12)] + [b""]
    folder = Path(os.fsdecode(ingest(services)))
    for _ in range(60):
        name = f"{chance.choice('abc')}/IMG_{chance.randrange(8)}.{chance.choice(('jpg', 'mov', 'png', 'xmp'))}"
        if (folder / name).exists():
            continue
        others = sorted(path for path in folder.rglob("IMG_*") if path.is_file())
        if others and chance.random() < 0.15:
            (folder / name).parent.mkdir(exist_ok=True)
            os.link(chance.choice(others), folder / name)
            continue
        write_tree(folder, {name: chance.choice(contents)})
        moment = MOMENT + chance.randrange(4)
        os.utime(folder / name, (moment, moment))


def weighed(services: Services) -> Services:
    """The same, with a file among the rows that was read by another algorithm: then nothing is marked unweighed."""
    (other,) = take_in(services, {"other.jpg": b"unlike all others"})
    os.unlink(ingest_path(services, other.path))
    with services.db.transaction() as conn:
        assets.mark(conn, [other], AssetStatus.GONE)
    return services


def verdicts(services: Services) -> dict[bytes, tuple[str, bytes | None]]:
    """By path, the status and the path of the original."""
    found = rows(services)
    paths = {asset.id: path for path, asset in found.items()}
    return {path: (a.status.value, paths.get(a.original_id or 0)) for path, a in found.items()}


@pytest.mark.parametrize("seed", range(8))
def test_both_ways_give_the_same_verdicts(tmp_path: Path, seed: int) -> None:
    found = []
    prepared: Callable[[Services], Services]
    for name, prepared in (("plain", lambda services: services), ("weighed", weighed)):
        services = prepared(make_services(tmp_path / name))
        try:
            for part in (seed, seed + 1_000):
                fill(services, part)
                run_scan(services)
                run_dedup(services)
            found.append(verdicts(services))
        finally:
            services.close()
    assert found[0] == found[1]
    assert {"unique", "duplicate"} <= {status for status, _ in found[0].values()}
