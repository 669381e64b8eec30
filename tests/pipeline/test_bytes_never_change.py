"""Whatever a file says of its date, and however it is damaged: what comes in lies in the archive byte for byte."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import make_services, write_tree
from tests.pipeline.date_cases import of_films, of_groups, of_names, of_photos
from tests.pipeline.library import census
from tests.pipeline.running import workflow
from tests.pipeline.stages import ingest, rows

CASES = [*of_photos.CASES, *of_films.CASES, *of_names.CASES, *of_groups.CASES]


def damaged(content: bytes, at: float, byte: int, kept: float) -> bytes:
    """With one byte changed, and cut off somewhere."""
    if not content:
        return content
    changed = bytearray(content)
    changed[int(at * (len(content) - 1))] = byte
    return bytes(changed[: max(1, int(kept * len(content)))])


CHANGES = st.none() | st.tuples(st.floats(0, 1), st.integers(0, 255), st.floats(0, 1))
CHOSEN = st.lists(st.tuples(st.sampled_from(CASES), CHANGES), min_size=1, max_size=12)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CHOSEN, st.sampled_from(["mtime", "unknown_folder"]))
def test_the_bytes_and_times_of_originals_never_change(chosen: list, weak_dates: str) -> None:  # type: ignore[type-arg]
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        services = make_services(base, sorter={"weak_dates": weak_dates}, scan={"settle_seconds": 0})
        for number, (case, change) in enumerate(chosen):
            tree = {f"c{number}/{n}": damaged(c, *change) if change else c for n, c in case.files.items()}
            write_tree(ingest(services), tree)
        before, came = census(base), facts_below(ingest(services))
        workflow(services)
        after = census(base)
        archive = services.config.paths.sorted_dir
        found = {(digest, mtime) for digest, mtime in facts_below(os.fsencode(archive)) if (digest, mtime) in came}
        archived = {asset.sha256 for asset in rows(services).values() if asset.status == "archived"}
        services.close()
        assert after == before
        assert {digest for digest, _ in found} == archived


def facts_below(folder: bytes) -> Counter[tuple[str, int]]:
    """(SHA-256, modification time) of every file below a folder."""
    found: Counter[tuple[str, int]] = Counter()
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
            found[digest, os.stat(path).st_mtime_ns] += 1
    return found
