"""A hold is dropped only when what it holds is certainly elsewhere."""

from __future__ import annotations

import os

from app.files.holds import Hold, drop_holds, hold_place
from app.model import Place, RootKind
from tests.files.library import Library

CONTENT, OTHER = b"the only copy", b"of one length"


def held(library: Library) -> Hold:
    """An asset at its home, and a hold of it."""
    library.write(library.ingest, {b"1.jpg": CONTENT})
    (asset,) = library.know([b"1.jpg"])
    home = Place(library.ingest, b"1.jpg")
    place = hold_place(library.roots[RootKind.STAGING], "batch_001", asset)
    os.makedirs(os.path.dirname(place.absolute))
    os.link(home.absolute, place.absolute)
    return Hold(asset, place, home)


def put_at_home(hold: Hold, content: bytes) -> None:
    """As a peer does: another file takes the name."""
    os.unlink(hold.home.absolute)
    with open(hold.home.absolute, "wb") as file:
        file.write(content)


def test_a_hold_goes_when_its_file_is_at_home_under_its_name_or_as_a_copy(library: Library) -> None:
    hold = held(library)
    assert [one.hold for one in drop_holds(library.db, [hold])] == [hold]
    os.link(hold.home.absolute, hold.place.absolute)
    put_at_home(hold, CONTENT)
    assert [one.hold for one in drop_holds(library.db, [hold])] == [hold]
    assert (os.path.lexists(hold.place.absolute), library.files(library.ingest)) == (False, {b"1.jpg": CONTENT})


def test_a_hold_stays_while_other_content_or_nothing_is_at_its_files_place(library: Library) -> None:
    hold = held(library)
    put_at_home(hold, OTHER)
    assert drop_holds(library.db, [hold]) == []
    os.unlink(hold.home.absolute)
    assert drop_holds(library.db, [hold]) == []
    with open(hold.place.absolute, "rb") as file:
        assert file.read() == CONTENT
