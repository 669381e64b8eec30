"""What people decided about dates is kept beside the archive: durable, bounded, and read whatever became of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from app.db import date_decisions
from app.db.date_decisions import DateDecision
from app.db.decision_notes import DecisionNote
from app.errors import RootUnavailable
from app.files import decision_log
from app.files.decision_log import FOLDER, add, read, write_pending
from app.jobs.unread_contents import read_contents
from app.model import Root, RootKind
from app.services import Services
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.stages import ingest, rows, run_dedup, take_stock

WHEN = "2026-01-01T00:00:00+00:00"


@pytest.fixture
def archive(tmp_path: Path) -> Root:
    (tmp_path / "archive").mkdir()
    return Root(1, RootKind.ARCHIVE, "", os.fsencode(tmp_path / "archive"), "")


def folder_of(archive: Root) -> Path:
    return Path(os.fsdecode(archive.path)) / os.fsdecode(FOLDER)


def names(archive: Root) -> list[str]:
    return sorted(path.name for path in folder_of(archive).iterdir())


def said(number: int, text: str = "2001-02-03 04:05:06", action: str = "set", by: str = "anna") -> DecisionNote:
    return DecisionNote(f"{number:064x}", action, text, "local", by, WHEN)


def test_the_last_decision_about_a_content_counts_and_one_that_was_taken_back_does_not(archive: Root) -> None:
    add(archive, [said(1), said(2), said(3)])
    add(archive, [said(1, "1999-01-01 12:00"), said(2, "", "forgotten")])
    standing, faulty = read(archive)
    assert (sorted(standing.values()), faulty) == ([said(1, "1999-01-01 12:00"), said(3)], 0)


def test_half_a_line_and_garbage_cost_nothing_but_themselves(archive: Root) -> None:
    add(archive, [said(1)])
    newest = folder_of(archive) / names(archive)[-1]
    with newest.open("ab") as file:
        file.write(b'\xff\x00garbage\n[1, 2]\n{"sha256": 5}\n' + b"x" * 100_000 + b"\n" + b"[" * 1_900 + b"\n")
        file.write(json.dumps(said(4)._asdict()).replace("2001-02-03", "yesterday").encode() + b"\n")
        file.write(json.dumps(said(5)._asdict()).encode()[:60])
    assert sorted(read(archive)[0].values()) == [said(1)]
    add(archive, [said(2)])
    standing, faulty = read(archive)
    assert sorted(standing.values()) == [said(1), said(2)]
    assert faulty > 4


@pytest.mark.parametrize("at", ["zzz", "2026-01-01T00:00:00"])
def test_a_line_that_names_no_instant_is_none(archive: Root, at: str) -> None:
    add(archive, [said(1)])
    with (folder_of(archive) / names(archive)[-1]).open("ab") as file:
        file.write(json.dumps(said(1)._asdict() | {"decided_at": at}).encode() + b"\n")
    standing, faulty = read(archive)
    assert (list(standing.values()), faulty) == ([said(1)], 1)


def test_a_file_that_cannot_be_written_anew_grows_and_takes_every_line_once(
    archive: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decision_log, "GROWTH_BYTES", 0)
    folder_of(archive).mkdir(parents=True)
    (folder_of(archive) / "dates-999999.jsonl").touch()
    for turn in range(3):
        add(archive, [said(turn)])
    lines = (folder_of(archive) / "dates-999999.jsonl").read_text("utf-8").splitlines()
    assert (names(archive), len(lines)) == (["dates-999999.jsonl"], 3)


def test_a_file_of_which_most_is_out_of_date_is_written_anew(archive: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision_log, "GROWTH_BYTES", 2_000)
    for turn in range(60):
        add(archive, [said(n, f"20{turn:02d}-01-01 12:00") for n in range(5)])
    found = names(archive)
    assert len(found) == 1 and found[0] > "dates-000003.jsonl"
    assert (folder_of(archive) / found[0]).stat().st_size < 8_000
    assert sorted(read(archive)[0].values()) == [said(n, "2059-01-01 12:00") for n in range(5)]


def test_a_new_file_that_was_cut_off_before_the_old_one_went_says_the_same(archive: Root) -> None:
    add(archive, [said(1), said(2)])
    add(archive, [said(2, "", "forgotten")])
    old = folder_of(archive) / "dates-000001.jsonl"
    (folder_of(archive) / "dates-000002.jsonl").write_bytes(
        b'{"size_bytes":5}\n' + json.dumps(said(1)._asdict()).encode() + b"\n"
    )
    add(archive, [said(3)])
    assert sorted(read(archive)[0].values()) == [said(1), said(3)]
    assert b"forgotten" in old.read_bytes()


def test_names_of_people_that_are_no_text_are_kept_as_far_as_they_are(archive: Root) -> None:
    add(archive, [said(1, by="Zoë\n\ud800")])
    assert read(archive)[0][f"{1:064x}"].decided_by == "Zoë\n?"


def decide(services: Services, path: bytes, text: str) -> None:
    read_contents(services, [rows(services)[path]])
    decide_unread(services, path, text)


def decide_unread(services: Services, path: bytes, text: str) -> None:
    with services.db.transaction() as conn:
        date_decisions.write(conn, [DateDecision(rows(services)[path].id, "set", text, "local", "anna", WHEN)])


def standing(services: Services) -> list[str]:
    return sorted(note.text for note in read(services.root(RootKind.ARCHIVE))[0].values())


def test_decisions_are_written_once_and_those_taken_back_with_them(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": make_jpeg(), "b.jpg": make_jpeg(seed=2)})
    take_stock(services)
    archive = services.root(RootKind.ARCHIVE)
    assert write_pending(services.db, archive) == 0
    decide(services, b"a.jpg", "1999-01-01 12:00")
    decide(services, b"b.jpg", "1998-01-01 12:00")
    assert write_pending(services.db, archive) >= 2
    assert write_pending(services.db, archive) == 0
    assert standing(services) == ["1998-01-01 12:00", "1999-01-01 12:00"]
    with services.db.transaction() as conn:
        date_decisions.drop(conn, [rows(services)[b"a.jpg"].id])
    write_pending(services.db, archive)
    assert standing(services) == ["1998-01-01 12:00"]


def test_a_decision_about_a_file_that_was_not_read_is_kept_once_dedup_has_read_it(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": make_jpeg(), "b.jpg": make_jpeg(seed=2) + b"unlike"})
    take_stock(services)
    archive = services.root(RootKind.ARCHIVE)
    decide_unread(services, b"a.jpg", "1999-01-01 12:00")
    assert write_pending(services.db, archive) == 0
    run_dedup(services)
    assert [path for path, asset in rows(services).items() if asset.sha256 is not None] == [b"a.jpg"]
    assert write_pending(services.db, archive) >= 1
    assert standing(services) == ["1999-01-01 12:00"]


def test_an_archive_that_has_no_such_file_gets_all_that_stands(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": make_jpeg(), "b.jpg": make_jpeg(seed=2)})
    take_stock(services)
    archive = services.root(RootKind.ARCHIVE)
    decide(services, b"a.jpg", "1999-01-01 12:00")
    write_pending(services.db, archive)
    for name in names(archive):
        (folder_of(archive) / name).unlink()
    decide(services, b"b.jpg", "1998-01-01 12:00")
    write_pending(services.db, archive)
    assert standing(services) == ["1998-01-01 12:00", "1999-01-01 12:00"]


def test_while_the_archive_is_away_nothing_is_written_and_nothing_is_forgotten(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": make_jpeg()})
    take_stock(services)
    archive = services.root(RootKind.ARCHIVE)
    decide(services, b"a.jpg", "1999-01-01 12:00")
    marker = Path(os.fsdecode(archive.path)) / ".media-pipeline-root"
    content = marker.read_bytes()
    marker.unlink()
    with pytest.raises(RootUnavailable):
        write_pending(services.db, archive)
    assert not folder_of(archive).exists()
    marker.write_bytes(content)
    assert write_pending(services.db, archive) >= 1
    assert standing(services) == ["1999-01-01 12:00"]
