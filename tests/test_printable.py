"""Names as people see them: whatever is shown can be given back."""

from __future__ import annotations

import os

from hypothesis import example, given
from hypothesis import strategies as st

from app.errors import from_printable, printable, readings

NAMES = st.binary(max_size=40) | st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass"))
#: Names made of what escapes are made of.
TRICKY = st.lists(
    st.sampled_from([b"\\", b"x", b"u", b"U", b"n", b"t", b"\n", b"a0", b"e9", b"0000", b"\xe9", b"\xc2\xa0", b"/"])
).map(b"".join)


@given(NAMES | TRICKY)
@example(b"caf\xe9 \n\x1b[31m.jpg")
@example(b"back\\slash\\n.jpg")
@example(b"\xed\xb2\xa9")
@example("no\u00a0break \U000e0041 \u202e".encode())
def test_what_is_shown_of_a_name_leads_back_to_it(name: bytes) -> None:
    shown = printable(name)
    assert shown.isprintable()
    assert from_printable(shown) == name
    assert readings(shown)[0] == name


@given(NAMES | TRICKY, NAMES | TRICKY)
@example(b"\xa0", "\u00a0".encode())
@example(b"a\\n", b"a\n")
def test_two_names_never_look_alike(one: bytes, other: bytes) -> None:
    assert (printable(one) == printable(other)) == (one == other)


@given(NAMES | TRICKY)
def test_a_name_may_also_be_given_as_it_is_spelled(name: bytes) -> None:
    assert name in readings(os.fsdecode(name))


@given(st.text(max_size=30))
@example("\\xzz")
@example("\\U00110000")
@example("\\ud800")
def test_a_text_that_shows_no_name_is_not_taken_for_one(text: str) -> None:
    path = from_printable(text)
    assert path is None or printable(path) == text
