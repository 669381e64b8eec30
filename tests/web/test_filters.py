"""How pages write instants and sizes."""

from __future__ import annotations

import pytest

from app.model.counting import size_in_words
from app.web.filters import instant, opening, size, told

EXACT = "2026-05-06T07:08:09.123456+00:00"


def test_an_instant_is_shown_for_people_with_the_exact_value_beside_it() -> None:
    shown = str(instant(EXACT))
    assert shown == f'<time datetime="{EXACT}" title="{EXACT}">2026-05-06 07:08:09 UTC</time>'
    assert str(instant("<yesterday>")) == "&lt;yesterday&gt;"
    assert str(instant(None)) == "–"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (EXACT, EXACT),
        ("2026-05-06T09:08:09.123456789+02:00", "2026-05-06T09:08:09.123456789+02:00"),
        ("2026-05-06T07:08:09Z", "2026-05-06T07:08:09Z"),
        ("2026-05-06 07:08:09 UTC", "2026-05-06T07:08:09+00:00"),
    ],
)
def test_an_instant_in_a_sentence_is_shown_like_any_other(written: str, kept: str) -> None:
    shown = str(told(f"Waiting for <phone>: last seen {written}, at the latest."))
    time = f'<time datetime="{kept}" title="{kept}">2026-05-06 07:08:09 UTC</time>'
    assert shown == f"Waiting for &lt;phone&gt;: last seen {time}, at the latest."


def test_a_sentence_without_an_instant_stays_as_it_is() -> None:
    assert str(told("2024/05/06 has 31 files & more")) == "2024/05/06 has 31 files &amp; more"
    assert str(told(None)) == ""


def test_a_command_of_ours_in_a_sentence_is_code_and_the_name_of_a_file_is_not() -> None:
    shown = str(told("`media-pipeline why <b>` tells more of `<i>.jpg`."))
    assert shown == "<code>media-pipeline why &lt;b&gt;</code> tells more of `&lt;i&gt;.jpg`."


def test_a_sentence_opens_with_a_capital_and_keeps_those_that_it_has() -> None:
    assert opening("is no zone; write one such as Europe/Berlin") == "Is no zone; write one such as Europe/Berlin"
    assert opening("") == ""


@pytest.mark.parametrize("size_bytes", [0, 999, 408_909, 25_777_275_573])
def test_a_size_on_a_page_reads_as_it_does_in_a_report(size_bytes: int) -> None:
    assert size(size_bytes) == size_in_words(size_bytes)
    assert size(None) == "unknown"
