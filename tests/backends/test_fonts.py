"""Lines of any script: which way they run, and where they end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from engine.backends import bidi, breaks, fonts

ALPHABET = "abz אבגعبد12٣٤ ()[]+-,.:/%!?»\u05b0\u064b،؟"


def seen(text: str, leftward: bool | None = None) -> str:
    """A line as it stands from left to right, letter by letter; brackets that are mirrored are turned."""
    base = bidi.rightmost_first(text) if leftward is None else leftward
    turned = str.maketrans("()[]", ")(][")
    levels = bidi.levels(text, base)
    return "".join(
        bidi.ordered([(level, c.translate(turned) if level % 2 else c) for level, c in zip(levels, text, strict=True)])
    )


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ("abc אבג 123", "abc 123 גבא"),  # A number after Hebrew goes with it, in English too.
        ("אבג 123 דה", "הד 123 גבא"),
        ("אבג 10-20.", ".10-20 גבא"),
        ("مرحب ١٢-٣٤", "٣٤-١٢ بحرم"),  # Between Arabic digits, a hyphen parts two numbers.
        ("مرحب 12-34", "34-12 بحرم"),
        ("אבג 50%", "50% גבא"),
        ("אבג -5", "5- גבא"),
        ("אבג (דה) וז", "זו (הד) גבא"),
        ("אבג (abc) דה", "הד (abc) גבא"),
        ("אבג abc (def)", "abc (def) גבא"),
        ("אבג TCP/IP v2.0 דה", "הד TCP/IP v2.0 גבא"),
        ("אבג!", "!גבא"),
        ("Say שלום!", "Say םולש!"),
        ("Say (שלום) twice.", "Say (םולש) twice."),
        ("abc [אב] 1", "abc [בא] 1"),
        ("שָׁ a", "a \u05c1\u05b8ש"),
    ],
)
def test_the_order_in_which_a_line_stands(text: str, stands: str) -> None:
    assert seen(text) == stands


def drawn(text: str, leftward: bool) -> list[int]:
    """Where ink lies, column by column, as we set a line."""
    picture = Image.new("L", (1400, 90))
    fonts.draw(ImageDraw.Draw(picture), (10, 60), text, 40, 255, leftward=leftward)  # type: ignore[arg-type]
    return columns(picture)


def columns(picture: Image.Image) -> list[int]:
    ink = np.asarray(picture, dtype=np.int64).sum(axis=0)
    return [int(value) for value in ink]


@settings(max_examples=150, deadline=None)
@given(st.text("אבגד12 ()[]+-,.:/%!?»", min_size=1, max_size=14), st.booleans())
def test_it_stands_as_fribidi_has_it(text: str, leftward: bool) -> None:
    """One font for everything: then raqm orders, mirrors and shapes the whole line by itself."""
    face = fonts._face("DejaVuSans.ttf", 40)
    one = pytest.MonkeyPatch()
    one.setattr(fonts, "_named", lambda letter, *_: ["DejaVuSans.ttf"] * len(letter))
    one.setattr(fonts, "_first", lambda *_: "DejaVuSans.ttf")
    try:
        ours = drawn(text, leftward)
    finally:
        one.undo()
    picture = Image.new("L", (1400, 90))
    way = "rtl" if leftward else "ltr"
    ImageDraw.Draw(picture).text((10, 60), text, fill=255, font=face, anchor="ls", direction=way)
    theirs = columns(picture)
    inked = [np.flatnonzero(np.array(line)) for line in (ours, theirs)]
    assert len(inked[0]) == pytest.approx(len(inked[1]), abs=16)
    if len(inked[0]):  # Between runs there is no kerning, and a run begins at a fraction of a pixel.
        centres = [float(np.average(np.arange(1400), weights=np.array(line))) for line in (ours, theirs)]
        assert centres[0] == pytest.approx(centres[1], abs=8)


def test_a_wrapped_line_runs_as_its_paragraph_does() -> None:
    """The second line begins with Latin; its full stop is on the left all the same."""
    assert seen("HTTP שלום.", leftward=True) == ".םולש HTTP"
    assert drawn("HTTP שלום.", True) != drawn("HTTP שלום.", False)
    assert [run.text for run in fonts.runs("HTTP.", 40, leftward=True)] == [".", "HTTP"]


def test_a_mark_that_the_font_of_its_letter_lacks_takes_the_letter_along() -> None:
    letter = "q\u0489"
    runs = fonts.runs(letter, 40)
    assert [run.text for run in runs] == [letter]
    assert fonts._has(str(runs[0].face.path), "\u0489")


WORDS = st.sampled_from(
    ["firewall", "a", "well-known", "https://example.org/a/very/long/path", "防火墙，", "「网络」", "ที่อยู่ไอพี", "น้ำ",
     "नमस्ते", "क्षत्रिय", "e\u0301e\u0301", "👨‍👩‍👧‍👦", "👍🏽", "🇩🇪", "10\u00a0km", "שָׁלוֹם", "مرحبا", "x" * 40, "ไม่", "—"]
)  # fmt: skip
TEXTS = st.lists(st.tuples(WORDS, st.sampled_from([" ", "  ", "\n", "", "\t"])), max_size=9).map(
    lambda parts: "".join(word + space for word, space in parts)
)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.integers(20, 500))
def test_wrapped_lines_fit_and_give_the_words_back(text: str, width: int) -> None:
    lines = fonts.wrap(text, 20, width)
    assert "".join("".join(lines).split(" ")) == "".join(regex.split(r"[ \n\t]+", text))
    for line in lines:
        assert fonts.length(line, 20) <= width or len(breaks.clusters(line)) == 1
        assert line == line.strip(" ") != ""


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.integers(20, 500))
def test_no_letter_is_parted_from_its_marks(text: str, width: int) -> None:
    letters = [letter for letter in regex.findall(r"\X", text) if letter.strip(" \n\t")]
    lines = fonts.wrap(text, 20, width)
    assert [letter for line in lines for letter in regex.findall(r"\X", line) if letter != " "] == letters


@pytest.mark.parametrize("text", ["", " ", "\n", " \t\n "])
def test_nothing_is_no_line(text: str) -> None:
    assert fonts.wrap(text, 20, 100) == []


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("two  words\nand more ", ["two ", "words ", "and ", "more"]),
        ("10\u00a0km away", ["10\u00a0km ", "away"]),
        ("10\u202f000\u2060x y", ["10\u202f000\u2060x ", "y"]),
        ("ab\u200bcd", ["ab\u200b", "cd"]),
        ("他说：「好。」了", ["他", "说：", "「好。」", "了"]),
        ("ファイアー ウォール", ["ファ", "イ", "アー ", "ウォー", "ル"]),
        ("แพ็กเก็ตที่เข้ามา", ["แพ็ก", "เก็ต", "ที่", "เข้า", "มา"]),
        ("ต่าง ๆ", ["ต่าง ๆ"]),
        ("well-known and/or", ["well-known ", "and/or"]),
    ],
)
def test_where_a_line_may_end(text: str, pieces: list[str]) -> None:
    assert breaks.pieces(text) == pieces


def test_a_long_word_is_cut_behind_a_slash_or_a_hyphen_before_it_is_cut_anywhere() -> None:
    assert fonts.wrap("see example.org/some/long/path/of/it", 20, 190) == [
        "see",
        "example.org/some/",
        "long/path/of/it",
    ]
    assert fonts.wrap("counter-revolutionary", 20, 150) == ["counter-", "revolutionary"]
    assert fonts.wrap("fire\u00adwall", 20, 60) == ["fire-", "wall"]
    assert fonts.wrap("fire\u00adwall", 20, 600) == ["fire\u00adwall"]
    assert fonts.length("fire\u00adwall", 20) == fonts.length("firewall", 20)


def test_a_font_beside_us_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is one from here, and not from the folder of the engine's fonts."""
    (tmp_path / "mine.ttf").write_bytes((fonts.FOLDER / "DejaVuSans.ttf").read_bytes())
    monkeypatch.chdir(tmp_path)
    assert fonts.covers(Path("mine.ttf"), "a")
