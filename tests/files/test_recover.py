"""Recovery decides from what is on disk: every combination of facts that matters, made by hand."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Connection

from app.db import moves
from app.db.moves import Intent
from app.errors import RootUnavailable
from app.files.directory import signature_of
from app.files.move_directory import move_directory
from app.files.recover import recover
from app.files.roots import MARKER_NAME
from app.model import Asset, AssetStatus, Place, RootKind
from tests.files.library import Library

RIGHT, WRONG, PARTIAL = b"the planned content", b"some other content!", b"the pla"

SOURCE, TARGET, TEMP, TRASH = b"in/1.jpg", b"out/1.jpg", b"out/.mp-" + b"0" * 32 + b".part", b".mp-trash/1"


@dataclass(frozen=True)
class Case:
    """What is found after a crash, and what must be there after recovery. `s`, `t`, `d`, `x` as in safety tables."""

    name: str
    state: str
    s: bytes | None = None
    t: bytes | None = None
    d: bytes | None = None
    x: bytes | None = None
    keep: bool = False
    method: str | None = None
    ends: str = "DONE"
    after: dict[str, bytes] = field(default_factory=dict)


CASES = [
    Case("nothing was done yet", "PLANNED", s=RIGHT, ends="ABORTED", after={"s": RIGHT}),
    Case("the rename was done", "PLANNED", d=RIGHT, after={"d": RIGHT}),
    Case(
        "the rename was done and a new file took the old name",
        "PLANNED",
        s=WRONG,
        d=RIGHT,
        after={"s": WRONG, "d": RIGHT},
    ),
    Case("the source changed before the move", "PLANNED", s=WRONG, ends="ABORTED", after={"s": WRONG}),
    Case(
        "the target was taken by other content",
        "PLANNED",
        s=RIGHT,
        d=WRONG,
        ends="ABORTED",
        after={"s": RIGHT, "d": WRONG},
    ),
    Case("the copy was incomplete", "PLANNED", s=RIGHT, t=PARTIAL, ends="ABORTED", after={"s": RIGHT}),
    Case("the copy was complete and had no name yet", "PLANNED", s=RIGHT, t=RIGHT, ends="ABORTED", after={"s": RIGHT}),
    Case("the copy had its name", "PLANNED", s=RIGHT, d=RIGHT, after={"d": RIGHT, "x": RIGHT}),
    Case("the temporary file is the only copy", "PLANNED", t=RIGHT, ends="QUARANTINE", after={"t": RIGHT}),
    Case("only a part of it is left", "PLANNED", t=PARTIAL, ends="QUARANTINE", after={"t": PARTIAL}),
    Case(
        "a changed source and a whole copy",
        "PLANNED",
        s=WRONG,
        t=RIGHT,
        ends="QUARANTINE",
        after={"s": WRONG, "t": RIGHT},
    ),
    Case("it is nowhere", "PLANNED", ends="QUARANTINE"),
    Case(
        "a stranger is at the target and the source is gone", "PLANNED", d=WRONG, ends="QUARANTINE", after={"d": WRONG}
    ),
    Case("the source was not taken yet", "PLACED", s=RIGHT, d=RIGHT, after={"d": RIGHT, "x": RIGHT}),
    Case("the source was taken", "PLACED", d=RIGHT, x=RIGHT, after={"d": RIGHT, "x": RIGHT}),
    Case("the source was taken and dropped", "PLACED", d=RIGHT, after={"d": RIGHT}),
    Case("a replaced source was taken", "PLACED", d=RIGHT, x=WRONG, after={"s": WRONG, "d": RIGHT}),
    Case(
        "a replaced source was taken and its name taken again",
        "PLACED",
        s=RIGHT,
        d=RIGHT,
        x=WRONG,
        ends="QUARANTINE",
        after={"s": RIGHT, "d": RIGHT, "x": WRONG},
    ),
    Case("the source was replaced before it was taken", "PLACED", s=WRONG, d=RIGHT, after={"s": WRONG, "d": RIGHT}),
    Case(
        "the target is damaged and the source is in the trash",
        "PLACED",
        d=WRONG,
        x=RIGHT,
        ends="ABORTED",
        after={"s": RIGHT, "d": WRONG},
    ),
    Case("the target is gone and the source is in the trash", "PLACED", x=RIGHT, ends="ABORTED", after={"s": RIGHT}),
    Case("the target is gone and the source is there", "PLACED", s=RIGHT, ends="ABORTED", after={"s": RIGHT}),
    Case(
        "the target is damaged and a stranger is at the source",
        "PLACED",
        s=WRONG,
        d=WRONG,
        x=RIGHT,
        ends="QUARANTINE",
        after={"s": WRONG, "d": WRONG, "x": RIGHT},
    ),
    Case("all is gone", "PLACED", ends="QUARANTINE"),
    Case(
        "a copy that is to be kept beside its source",
        "PLANNED",
        s=RIGHT,
        d=RIGHT,
        keep=True,
        after={"s": RIGHT, "d": RIGHT},
    ),
    Case("a copy whose source has gone since", "PLANNED", d=RIGHT, keep=True, after={"d": RIGHT}),
    Case("a copy that was not begun", "PLANNED", s=RIGHT, keep=True, ends="ABORTED", after={"s": RIGHT}),
    Case(
        "an empty placeholder of ours",
        "PLANNED",
        s=RIGHT,
        d=b"",
        method="placeholder",
        ends="ABORTED",
        after={"s": RIGHT},
    ),
    Case("an empty file that is not ours", "PLANNED", s=RIGHT, d=b"", ends="ABORTED", after={"s": RIGHT, "d": b""}),
]


def places(library: Library) -> dict[str, Place]:
    return {
        "s": Place(library.ingest, SOURCE),
        "t": Place(library.archive, TEMP),
        "d": Place(library.archive, TARGET),
        "x": Place(library.ingest, TRASH),
    }


def make_row(library: Library, asset: Asset, case: Case) -> int:
    seen = signature_of(os.lstat(places(library)["s"].absolute)) if case.s is not None else asset.signature
    intent = Intent(
        "sort", None, None, asset.id, False, case.keep, True, library.ingest.id, SOURCE, library.archive.id, TARGET,
        TEMP.rpartition(b"/")[2], asset.digest, asset.digest_algorithm, len(RIGHT), 1, seen.inode + 1_000_000, 1,
        case.method, "batched",
    )  # fmt: skip
    with library.db.transaction() as conn:
        (row_id,) = moves.plan(conn, [intent], "")
        if case.state == "PLACED":
            moves.mark_placed(conn, [(row_id, "copy", 1, library.ingest.id, TRASH)])
    return row_id


def prepare(library: Library, case: Case) -> Asset:
    library.write(library.ingest, {SOURCE: RIGHT})
    (asset,) = library.know([SOURCE])
    os.unlink(places(library)["s"].absolute)
    for key, place in places(library).items():
        content = getattr(case, key)
        if content is not None:
            library.write(place.root, {place.path: content})
    make_row(library, asset, case)
    return asset


def on_disk(library: Library) -> dict[str, bytes]:
    found = {}
    for key, place in places(library).items():
        if os.path.lexists(place.absolute):
            with open(place.absolute, "rb") as file:
                found[key] = file.read()
    # Recovery takes a source to a name of its own.
    taken = library.trash()
    assert len(taken) <= 1
    return found | ({"x": taken[0]} if taken else {})


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.state}: {case.name}")
def test_recovery_goes_by_what_is_on_disk(any_library: Library, case: Case) -> None:
    library = any_library
    prepare(library, case)
    recover(library.db)
    assert library.rows() == [(case.ends,)]
    assert on_disk(library) == case.after
    (asset,) = library.assets()
    at_target = case.ends == "DONE"
    assert asset.root_id == (library.archive.id if at_target else library.ingest.id)
    assert asset.status is (AssetStatus.BATCHED if at_target else AssetStatus.UNIQUE)
    kind = "move.quarantined" if case.ends == "QUARANTINE" else "move.recovered"
    assert library.events() == [kind]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.state}: {case.name}")
def test_recovery_done_twice_changes_nothing_more(library: Library, case: Case) -> None:
    prepare(library, case)
    recover(library.db)
    first = (on_disk(library), library.rows("*"), library.assets(), library.events())
    assert recover(library.db).total == 0
    assert (on_disk(library), library.rows("*"), library.assets(), library.events()) == first


def test_a_linked_second_name_of_ours_is_finished_as_a_move(library: Library) -> None:
    prepare(library, Case("", "PLANNED", s=RIGHT, method="link"))
    os.makedirs(library.archive.path + b"/out", exist_ok=True)
    os.link(places(library)["s"].absolute, places(library)["d"].absolute)
    recover(library.db)
    assert on_disk(library) == {"d": RIGHT}
    assert library.rows() == [("DONE",)]
    assert os.stat(places(library)["d"].absolute).st_nlink == 1


def test_a_hard_link_of_the_users_keeps_both_its_names(library: Library) -> None:
    prepare(library, Case("", "PLANNED", s=RIGHT))
    os.makedirs(library.archive.path + b"/out", exist_ok=True)
    os.link(places(library)["s"].absolute, places(library)["d"].absolute)
    recover(library.db)
    assert on_disk(library) == {"s": RIGHT, "d": RIGHT}
    assert library.rows() == [("ABORTED",)]


def test_a_file_that_had_changed_before_our_rename_goes_back_to_its_name(library: Library) -> None:
    prepare(library, Case("", "PLANNED", d=WRONG))
    inode = os.stat(places(library)["d"].absolute).st_ino
    with library.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE moves SET src_inode = ?", (inode,))
    recover(library.db)
    assert on_disk(library) == {"s": WRONG}
    assert library.rows() == [("ABORTED",)]


def test_the_same_content_at_another_assets_place_is_not_taken_over(library: Library) -> None:
    prepare(library, Case("", "PLANNED", s=RIGHT, d=RIGHT))
    library.know([TARGET], root=library.archive)
    recover(library.db)
    assert on_disk(library) == {"s": RIGHT, "d": RIGHT}
    assert library.rows() == [("ABORTED",)]


def test_recovery_stops_at_an_unmounted_root_and_leaves_its_rows_open(library: Library) -> None:
    prepare(library, Case("", "PLANNED", d=RIGHT))
    os.unlink(library.archive.path + b"/" + MARKER_NAME)
    with pytest.raises(RootUnavailable):
        recover(library.db)
    assert library.rows() == [("PLANNED",)]


def test_recovery_binds_a_batched_asset_to_its_batch(library: Library) -> None:
    asset = prepare(library, Case("", "PLANNED", d=RIGHT))
    with library.db.transaction() as conn:
        conn.exec_driver_sql(
            "INSERT INTO batches (id, name, status, target, transfer_mode, peer_policy, created_at) "
            "VALUES (7, 'b', 'PENDING', 'none', 'move', 'keep', '')"
        )
        conn.exec_driver_sql("UPDATE moves SET batch_id = 7")
    recover(library.db)
    assert [(a.id, a.batch_id) for a in library.assets()] == [(asset.id, 7)]


def test_recovery_records_a_kept_source(library: Library) -> None:
    prepare(library, Case("", "PLANNED", s=RIGHT, d=RIGHT, keep=True))
    recover(library.db)
    with library.db.reading() as conn:
        kept = conn.exec_driver_sql("SELECT root_id, path FROM kept_copies").all()
    assert [tuple(row) for row in kept] == [(library.ingest.id, SOURCE)]


@pytest.mark.parametrize("renamed", [False, True])
def test_an_interrupted_rename_of_a_folder_is_finished_or_undone(library: Library, renamed: bool) -> None:
    staging = library.roots[RootKind.STAGING]
    library.write(staging, {b"b1/1.jpg": b"one"})
    source, target = Place(staging, b"b1"), Place(library.archive, b"b1")

    def interrupt(_conn: Connection) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move_directory(library.db, source, target, run_id=None, batch_id=None, purpose="publish", settle=interrupt)
    if not renamed:
        os.rename(target.absolute, source.absolute)
    recover(library.db)
    assert library.rows() == [("DONE" if renamed else "ABORTED",)]
    assert library.files(library.archive) == ({b"b1/1.jpg": b"one"} if renamed else {})
    assert library.files(staging) == ({} if renamed else {b"b1/1.jpg": b"one"})
