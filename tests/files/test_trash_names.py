"""The trash may hold what a former database left there, under the ids of its own moves."""

from __future__ import annotations

import pytest

from app.files import trash
from app.files.recover import recover
from tests.files.library import Library

RIGHT, WRONG = b"the planned content", b"some other content!"


class Killed(BaseException):
    """Ends a move where it is, as a crash would."""


@pytest.mark.parametrize("stranger", [RIGHT, WRONG])
def test_trash_of_a_former_database_is_never_taken_for_the_source_of_a_move_that_was_cut_off(
    two_mounts: Library, monkeypatch: pytest.MonkeyPatch, stranger: bytes
) -> None:
    library = two_mounts
    library.write(library.ingest, {b"1.jpg": RIGHT, **{b".mp-trash/%d" % n: stranger for n in range(1, 4)}})

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(trash, "_take", die)
        library.run([library.move_to(library.know([b"1.jpg"])[0], b"1.jpg")])
    recover(library.db)
    assert library.rows("state, trashed_at IS NOT NULL") == [("DONE", 1)]
    assert library.files(library.archive) == {b"1.jpg": RIGHT}
    assert library.files(library.ingest) == {}
    assert sorted(library.trash()) == sorted([RIGHT, stranger, stranger, stranger])
