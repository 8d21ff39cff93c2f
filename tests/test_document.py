"""YAML 1.2 as editors read it, with the place of everything, by the C parser and by the pure one."""

from __future__ import annotations

from typing import Any

import pytest

from engine.document import Document, Span, parse

TEXT = """\
title: What?   # why
format: {width: 64, height: 36}
scenes:
  - id: a
    narration: >-
      One
      two.

  # between
  - id: 'b'
    duration: 2.50
"""


def read(text: str, pure: bool) -> Document:
    return parse(text.encode(), "x.yaml", pure=pure)


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize(
    ("path", "span"),
    [
        (("title",), Span(1, 8, 1, 13)),
        (("format",), Span(2, 9, 2, 32)),
        (("format", "height"), Span(2, 29, 2, 31)),
        (("scenes", 0), Span(4, 5, 7, 11)),
        (("scenes", 0, "narration"), Span(5, 16, 7, 11)),
        (("scenes", 1, "id"), Span(10, 9, 10, 12)),
        ((), Span(1, 1, 11, 19)),
    ],
)
def test_every_value_has_its_place(pure: bool, path: tuple[str | int, ...], span: Span) -> None:
    assert read(TEXT, pure).place(path) == span


@pytest.mark.parametrize("pure", [False, True])
def test_every_key_has_its_place(pure: bool) -> None:
    assert read(TEXT, pure).key_place(("scenes", 0, "narration")) == Span(5, 5, 5, 14)


@pytest.mark.parametrize("pure", [False, True])
def test_a_number_is_kept_as_it_is_written(pure: bool) -> None:
    assert read(TEXT, pure).written(("scenes", 1, "duration")) == "2.50"


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("1:30", "1:30"),
        ("2026-11-24", "2026-11-24"),
        ("0123", 123),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e-5", 1e-5),
        ("1_000", "1_000"),
        ("True", True),
        ("~", None),
        ("'7'", "7"),
        ("", None),
    ],
)
def test_plain_text_is_yaml_1_2(pure: bool, written: str, value: Any) -> None:
    data = read(f"on: {written}\n", pure).data
    assert data == {"on": value}
    assert type(data["on"]) is type(value)


@pytest.mark.parametrize("pure", [False, True])
def test_columns_count_characters(pure: bool) -> None:
    document = read("title: '👩🏽‍🚀'\n'é': {a: 1, a: 2}\n", pure)
    assert [str(mistake) for mistake in document.mistakes] == [
        "x.yaml:2:13: duplicate key 'a'\n  'é': {a: 1, a: 2}\n              ^\n"
        "  the first is in line 2; keep one of the two"
    ]


@pytest.mark.parametrize("pure", [False, True])
def test_a_mistake_in_an_alias_is_placed_where_it_is_written(pure: bool) -> None:
    document = read("a: &x {k: 1}\nb: *x\n", pure)
    assert document.data == {"a": {"k": 1}, "b": {"k": 1}}
    assert document.place(("b",)) == Span(2, 4, 2, 6)
    assert document.place(("b", "k")) == Span(1, 11, 1, 12)


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    document = read("a: !x 1\na: 2\n<<: 3\nb: .inf\n", False)
    assert [mistake.message for mistake in document.mistakes] == [
        "the tag !x is not read",
        "duplicate key 'a'",
        "merge keys (<<) are not read",
        ".inf is not a number that can be used here",
    ]


def test_ten_thousand_levels_are_refused_whoever_counts_them() -> None:
    """The composer stops at 64; a parser that looks ahead may give up before it is asked."""
    (mistake,) = parse(b"title: " + b"[" * 10_000, "board.yaml").mistakes
    assert mistake.message == "nested more than 64 levels deep"
    assert mistake.hint == "a storyboard needs 4"
