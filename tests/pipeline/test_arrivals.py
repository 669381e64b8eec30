"""A large first scan writes verdicts with its rows: those that scan and dedup give one after the other."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from app.db import totals
from app.files import head_readers
from app.files.head_reader import END_BYTES
from app.jobs.requests import request_run
from app.model import RunKind, RunStatus, Stage, Trigger
from app.pipeline import arrivals
from app.pipeline.arrivals import Arrivals
from app.services import Services
from tests.conftest import make_services, write_tree
from tests.pipeline.running import go
from tests.pipeline.stages import ingest, rows, run_dedup, run_scan

MOMENT = 1_500_000_000


@pytest.fixture(autouse=True)
def _a_few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "FEW", 10)
    monkeypatch.setattr(arrivals, "CHUNK", 20)


def fill(services: Services, seed: int, files: int = 120) -> None:
    """Photos, films and sidecars with few contents, sizes and times, second names, empty ones, some too large to be
    read at once."""
    chance = random.Random(seed)
    long = random.Random(1).randbytes(2 * END_BYTES + 5)
    contents = [b"x" * (1 + i % 3) + bytes([97 + i]) for i in range(20)]
    contents += [b"", long, long[:END_BYTES] + b"!" + long[END_BYTES + 1 :], random.Random(2).randbytes(len(long))]
    folder = Path(os.fsdecode(ingest(services)))
    made: list[Path] = []
    for number in range(files):
        suffix = chance.choice(("jpg", "jpg", "jpg", "mov", "xmp"))
        name = folder / chance.choice("abcd") / f"IMG_{number % 90}.{suffix}"
        if name.exists():
            continue
        if made and chance.random() < 0.1:
            name.parent.mkdir(exist_ok=True)
            os.link(chance.choice(made), name)
            continue
        write_tree(folder, {str(name.relative_to(folder)): chance.choice(contents)})
        os.utime(name, (MOMENT + chance.randrange(9),) * 2)
        made.append(name)


def scan_with_dedup(services: Services) -> None:
    run = request_run(services, RunKind.STAGE, Trigger.CLI, [Stage.SCAN, Stage.DEDUP], "a test")
    assert go(services, run).status is RunStatus.DONE


def verdicts(services: Services) -> dict[bytes, tuple[str, bytes | None]]:
    """By path, the status and the path of the original."""
    found = rows(services)
    paths = {asset.id: path for path, asset in found.items()}
    return {path: (a.status.value, paths.get(a.original_id or 0)) for path, a in found.items()}


def counted(services: Services) -> dict[str, int]:
    """What the last dedup has told; and the totals agree with the rows."""
    with services.db.reading() as conn:
        assert totals.read(conn) == totals.count(conn)
        detail = conn.exec_driver_sql(
            "SELECT detail FROM events WHERE kind = 'dedup.finished' ORDER BY id DESC LIMIT 1"
        ).scalar_one()
    return {name: json.loads(detail)[name] for name in ("unique", "duplicate", "set_aside")}


@pytest.mark.parametrize("seed", range(6))
def test_verdicts_of_a_first_scan_are_those_of_dedup_after_a_scan(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Written bit by bit, or at once; large files read beside the scan, or left to dedup; too many for the memory.
    monkeypatch.setattr(arrivals, "MANY", 30 if seed == 2 else 120_000)
    monkeypatch.setattr(arrivals, "WAIT_SECONDS", 10.0 if seed < 4 else -1.0)
    at_once, apart = make_services(tmp_path / "at once"), make_services(tmp_path / "apart")
    try:
        for services in (at_once, apart):
            fill(services, seed)
        scan_with_dedup(at_once)
        run_scan(apart)
        assert {status for status, _ in verdicts(apart).values()} == {"discovered"}
        run_dedup(apart)
        assert verdicts(at_once) == verdicts(apart)
        assert {"unique", "duplicate"} <= {status for status, _ in verdicts(at_once).values()}
        assert counted(at_once) == counted(apart)
        fill(at_once, seed + 1_000)
        fill(apart, seed + 1_000)
        scan_with_dedup(at_once)
        run_scan(apart)
        run_dedup(apart)
        assert verdicts(at_once) == verdicts(apart)
    finally:
        at_once.close()
        apart.close()


def test_a_first_scan_writes_most_verdicts_itself(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(ingest(services), {f"{n}.jpg": b"%d" % (n % 40) for n in range(60)})
    monkeypatch.setattr("app.pipeline.arrivals._takes_dedup", lambda run: True)
    run_scan(services)
    found = [status for status, _ in verdicts(services).values()]
    assert (found.count("unique"), found.count("duplicate")) == (40, 20)
    assert run_dedup(services).detail["duplicate"] == 20


def test_a_dump_that_is_sent_again_is_known_although_none_of_it_was_ever_read(services: Services) -> None:
    dump = {f"{n}.jpg": b"%d" % (n % 10) * n for n in range(1, 40)}
    write_tree(ingest(services), {"first": dump})
    scan_with_dedup(services)
    with services.db.reading() as conn:
        assert conn.exec_driver_sql("SELECT COUNT(*) FROM assets WHERE head_digest IS NOT NULL").scalar() == 0
    write_tree(ingest(services), {"again": dump})
    scan_with_dedup(services)
    assert verdicts(services) == {
        **{f"first/{name}".encode(): ("unique", None) for name in dump},
        **{f"again/{name}".encode(): ("duplicate", f"first/{name}".encode()) for name in dump},
    }


def test_more_files_than_may_wait_get_their_rows_all_the_same(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "MANY", 40)
    monkeypatch.setattr("app.pipeline.scan.CHUNK", 25)
    write_tree(ingest(services), {f"{n}.jpg": b"%d" % (n % 90) for n in range(200)})
    scan_with_dedup(services)
    found = [status for status, _ in verdicts(services).values()]
    assert (found.count("unique"), found.count("duplicate")) == (90, 110)


def test_the_rows_of_a_first_scan_are_written_a_part_at_a_time(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "CHUNK", 500)
    write_tree(Path(os.fsdecode(ingest(services))), {f"{n}.jpg": bytes([n % 250]) * (n // 3) for n in range(2_100)})
    scan_with_dedup(services)
    with services.db.reading() as conn:
        together = "SELECT COUNT(*) FROM assets GROUP BY first_seen_at"
        parts = list(conn.exec_driver_sql(together).scalars())
    assert sum(parts) == 2_100
    assert max(parts) <= 500


def test_too_many_to_wait_are_told_apart_by_their_sizes(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MANY", 40)
    monkeypatch.setattr("app.pipeline.scan.CHUNK", 25)
    tree = {f"{n % 9}/{n}.jpg": b"." * n for n in range(1, 150)}
    write_tree(ingest(services), tree | {"copy.jpg": b"." * 149, "pair.jpg": b"!", "pair.mov": b"." * 200})
    scan_with_dedup(services)
    found = verdicts(services)
    assert [path for path, (status, _) in found.items() if status != "unique"] in ([b"copy.jpg"], [b"5/149.jpg"])
    with services.db.reading() as conn:
        assert conn.exec_driver_sql("SELECT COUNT(*) FROM assets WHERE sha256 IS NOT NULL").scalar() == 2
    counted(services)


def test_what_nobody_reads_in_time_is_left_to_dedup(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_readers, "PROGRAM", "/dev/null")
    write_tree(ingest(services), {f"{n}.jpg": b"%d" % (n % 30) for n in range(60)})
    scan_with_dedup(services)
    found = [status for status, _ in verdicts(services).values()]
    assert (found.count("unique"), found.count("duplicate")) == (30, 30)


def test_what_was_found_until_a_scan_was_stopped_is_written(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(ingest(services), {f"{n}.jpg": b"%d" % (n % 30) for n in range(60)})
    real = Arrivals.finish

    def stopped(self: Arrivals) -> None:
        self.step.stopping.set()
        real(self)

    monkeypatch.setattr(Arrivals, "finish", stopped)
    run = request_run(services, RunKind.STAGE, Trigger.CLI, [Stage.SCAN, Stage.DEDUP], "a test")
    assert go(services, run).status is RunStatus.QUEUED
    assert len(rows(services)) == 60
    monkeypatch.setattr(Arrivals, "finish", real)
    scanned = go(services, run)
    assert scanned.status is RunStatus.DONE
    found = [status for status, _ in verdicts(services).values()]
    assert (found.count("unique"), found.count("duplicate")) == (30, 30)
