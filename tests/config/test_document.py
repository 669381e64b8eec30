"""Reading YAML: what it means, what is refused, and how fast."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config.document import MAX_BYTES, read_document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 15", 15),
        ("a: -3", -3),
        ("a: 1.5", 1.5),
        ("a: true", True),
        ("a: no", False),
        ("a: On", True),
        ("a:", None),
        ("a: ~", None),
        ("a: 'no'", "no"),
        ('a: "15"', "15"),
        ("a: 0777", "0777"),
        ("a: 60:30", "60:30"),
        ("a: 0x1f", "0x1f"),
        ("a: 1_000", "1_000"),
        ("a: .inf", ".inf"),
        ("a: 2024-01-01", "2024-01-01"),
        ("a: [1, two]", [1, "two"]),
        ("\ufeffa: 1\r\n", 1),
    ],
)
def test_a_plain_value_means_what_it_says(text: str, value: object) -> None:
    document = read_document(text)
    assert document.problems == []
    assert document.values == {"a": value}
    assert type(document.values["a"]) is type(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", "twice"),
        ("a: {b: 1, b: 2}\n", "twice"),
        ("a: &x 1\n", "anchors"),
        ("a: *x\n", "aliases"),
        ("a: !!python/object/apply:os.system [ls]\n", "tags"),
        ("a: !secret x\n", "tags"),
        ("? [1, 2]\n: x\n", "single word"),
        ("a: 1\n---\nb: 2\n", "more than one"),
        ("- a\n- b\n", "list of sections"),
        ("just words", "list of sections"),
        ("a: [1\nb: 2\n", "not YAML"),
        ("a: \x00\n", "not YAML"),
        ("a: '\ud800'", "UTF-8"),
        ("a: " + "x" * MAX_BYTES, "larger than 256 KiB"),
    ],
)
def test_a_trick_or_a_slip_is_named_as_a_fault(text: str, words: str) -> None:
    assert any(words in problem.message for problem in read_document(text).problems)


def test_a_key_that_is_there_twice_keeps_the_first_value_and_names_both_lines() -> None:
    document = read_document("batch:\n  max_files: 1\n  max_files: 2\n")
    (problem,) = document.problems
    assert document.values == {"batch": {"max_files": 1}}
    assert (problem.path, problem.line) == ("batch.max_files", 3)
    assert "line 2" in problem.message


@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000,
        "{a: " * 20_000,
        "- " * 20_000 + "x",
        "? " * 20_000,
        "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*a, *a, *a]\n" for i in range(30)),
    ],
    ids=["lists", "mappings", "dashes", "keys", "aliases"],
)
def test_a_bomb_is_refused_at_once(text: str) -> None:
    began = time.process_time()
    assert read_document(text).problems
    assert time.process_time() - began < 0.1


def test_twenty_levels_are_read_and_twenty_one_refused() -> None:
    assert read_document("{a: " * 19 + "1" + "}" * 19).problems == []
    assert "20 levels" in read_document("{a: " * 21 + "1" + "}" * 21).problems[0].message


@given(st.text())
def test_no_text_makes_reading_fail(text: str) -> None:
    read_document(text)


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20))
def test_every_scalar_span_lies_on_its_own_source(value: object) -> None:
    import json

    text = "é: ü\nkey: " + json.dumps(value, ensure_ascii=True) + "\n"
    document = read_document(text)
    span = document.spans.get(("key",))
    if isinstance(value, str) and not document.problems and span is not None:
        assert json.loads(text[span.start : span.end]) == value
