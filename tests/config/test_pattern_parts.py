"""Reading patterns: their fields, and every fault with its place and what may stand there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config.filing_fields import FOLDER_FIELDS, NAME_FIELDS
from app.config.months import NAMES, language_of, month_name
from app.config.pattern_parts import Field, read_pattern
from app.config.patterns import folder_pattern_problem, name_pattern_problem
from tests.config.test_checks import problems_of


def test_a_pattern_is_read_into_text_and_fields() -> None:
    read = read_pattern("a{{{year:04d}}}/{camera_model|no camera}{month:2}", FOLDER_FIELDS)
    assert not read.faults
    assert read.parts == (
        "a", "{", Field("year", "04"), "}", "/", Field("camera_model", "", "no camera"), Field("month", "2")
    )  # fmt: skip
    assert read.fields == {"year", "camera_model", "month"}


@pytest.mark.parametrize(
    ("pattern", "position", "words"),
    [
        ("{yaer}", 1, "did you mean {year}?"),
        ("{year}/{Month}", 8, "did you mean {month}?"),
        ("{year}/{monthname}", 8, "did you mean {month_name}?"),
        ("{year}/{week:>9}", 8, "write {week} or {week:02d}"),
        ("{year}/{source:03d}", 8, "write {source} or {source|text when there is none}"),
        ("{year|none}", 1, "write {year} or {year:02d}"),
        ("{year}/{month", 8, "this { has no partner"),
        ("{year}/month}", 13, "this } has no partner"),
        ("{year}/{{month}", 15, "this } has no partner"),
        ("{year.__class__}", 1, "is not a form that is allowed"),
        ("{}", 1, "only {year}, {month}"),
        ("{counter}", 1, "cannot be used here"),
        ("{year:099999999d}", 1, "is not a form that is allowed"),
    ],
)
def test_a_fault_says_where_it_is_and_what_is_allowed(pattern: str, position: int, words: str) -> None:
    told = folder_pattern_problem(pattern)
    assert told is not None
    assert told.startswith(f"at character {position}: ")
    assert words in told


@pytest.mark.parametrize(
    "pattern",
    [
        "{year}{month:02d}{day:02d}_{counter:03d}",
        "{name}",
        "{year}-{month_short} {camera_model|camera} {group}",
        "IMG_{counter:06d}",
        "",
    ],
)
def test_a_name_pattern_that_tells_files_apart_is_taken(pattern: str) -> None:
    assert problems_of(sorter={"name_pattern": pattern}) == {}


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("photo", "must use a field"),
        ("{year}/{counter}", "at character 7: a name holds no /"),
        (".{counter}", "must not begin like that"),
        ("{counter}?", "must not be empty or use any of"),
        ("{counter}" + "x" * 130, "longer than"),
    ],
)
def test_a_name_pattern_that_gives_no_safe_name_is_refused(pattern: str, words: str) -> None:
    assert words in (name_pattern_problem(pattern) or "")
    assert words in problems_of(sorter={"name_pattern": pattern})["sorter.name_pattern"]


@given(st.text(max_size=40))
def test_what_is_no_field_stands_as_it_is_written(text: str) -> None:
    read = read_pattern(text, NAME_FIELDS)
    if read.faults:
        assert all(1 <= fault.position <= len(text) for fault in read.faults)
    elif not read.fields:
        assert "".join(str(part) for part in read.parts) == text.replace("{{", "{").replace("}}", "}")


@pytest.mark.parametrize(
    ("code", "month", "name", "short"),
    [
        ("en", 9, "September", "Sep"),
        ("de", 3, "März", "Mär"),
        ("de_AT", 12, "Dezember", "Dez"),
        ("pt-BR", 3, "março", "mar"),
        ("fr", 8, "août", "août"),
        ("no", 5, "mai", "mai"),
        ("pl", 1, "styczeń", "sty"),
        ("ru", 5, "май", "май"),
        ("ga", 9, "Meán Fómhair", "MFómh"),
        ("zh", 11, "十一月", "11月"),
    ],
)
def test_months_have_their_names_in_many_languages(code: str, month: int, name: str, short: str) -> None:
    language = language_of(code)
    assert language is not None
    assert (month_name(month, language, short=False), month_name(month, language, short=True)) == (name, short)


def test_every_language_has_twelve_different_months_that_every_disk_takes() -> None:
    for language in NAMES:
        for short in (False, True):
            names = [month_name(month, language, short=short) for month in range(1, 13)]
            assert len({name.casefold() for name in names}) == 12, language
            assert not [name for name in names if name != name.strip(" .") or "/" in name]


def test_a_language_whose_months_are_not_known_is_a_fault() -> None:
    assert "write one of bg, ca" in problems_of(sorter={"language": "tlh"})["sorter.language"]
