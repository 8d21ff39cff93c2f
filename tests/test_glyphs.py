"""Letters: which fonts have them, what is said of those that none has, and how lines of any script are set."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image, ImageDraw

from engine.backends import bidi, breaks, fonts
from engine.digests import Digests
from engine.errors import BackendError
from engine.glyphs import missing
from engine.load import Loaded, load

ROOT = Path(__file__).parents[1]
HIEROGLYPH = "\U00013000"


def test_the_table_is_that_of_the_fonts() -> None:
    done = subprocess.run([sys.executable, "tools/font_coverage.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    "text", ["plain", "Grüße, “so” – ok…", "Привет", "مرحبا", "שלום", "你好，世界", "नमस्ते", "สวัสดี"]
)
def test_a_script_that_ships_with_the_engine(text: str) -> None:
    assert missing(text) == ""
    assert inked(text).any()


def test_what_no_font_has() -> None:
    assert missing(f"a{HIEROGLYPH}b{HIEROGLYPH}\ufe0f\u200d") == HIEROGLYPH


def font_of(path: Path, letter: str) -> None:
    """A font with one letter: a filled square."""
    pen = TTGlyphPen(None)
    for number, corner in enumerate([(100, 0), (900, 0), (900, 800), (100, 800)]):
        (pen.lineTo if number else pen.moveTo)(corner)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "square"])
    builder.setupCharacterMap({ord(letter): "square"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "square": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (500, 0), "square": (1000, 100)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Square", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


def read(root: Path, text: str) -> Loaded:
    project = root / "projects" / "film"
    project.mkdir(parents=True, exist_ok=True)
    (root / "personas").mkdir(exist_ok=True)
    scene = f'{{id: a, on_screen: false, narration: Hi., image_prompt: "{text}", video_prompt: still}}'
    (project / "storyboard.yaml").write_text(f"title: T\nscenes:\n  - {scene}\n", "utf-8")
    return load(project / "storyboard.yaml", root, Digests())


def test_a_warning_names_the_letter_and_the_remedy(tmp_path: Path) -> None:
    (warning,) = read(tmp_path, f"a {HIEROGLYPH}").warnings
    assert warning.message == "no font has U+13000 EGYPTIAN HIEROGLYPH A001: a box is drawn in its place"
    assert warning.hint == "put a font that has it into fonts/ at the workspace's root"
    assert (warning.line, warning.severity) == (3, "warning")


def test_a_font_of_the_authors_own_is_read_where_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "fonts").mkdir()
    font_of(tmp_path / "fonts" / "square.ttf", HIEROGLYPH)
    loaded = read(tmp_path, f"a {HIEROGLYPH}")
    assert loaded.warnings == []
    assert [font.path.name for font in loaded.board.fonts] == ["square.ttf"]
    assert read(tmp_path, "a desk").board.fonts == ()
    box = inked(HIEROGLYPH)
    fonts.use([tmp_path / "fonts" / "square.ttf"])
    try:
        assert (inked(HIEROGLYPH) != box).any()
    finally:
        fonts.use(())


def test_a_file_that_is_no_font(tmp_path: Path) -> None:
    (tmp_path / "fonts").mkdir()
    shutil.copyfile(ROOT / "README.md", tmp_path / "fonts" / "odd.ttf")
    messages = [warning.message for warning in read(tmp_path, HIEROGLYPH).warnings]
    assert messages[0] == "fonts/odd.ttf is no font"


def inked(text: str, size: int = 40) -> np.ndarray:
    picture = Image.new("L", (900, 80))
    fonts.draw(ImageDraw.Draw(picture), (10, 55), text, size, 255)  # type: ignore[arg-type]
    return np.asarray(picture) > 128


def test_arabic_letters_join() -> None:
    """Shaped, a word is narrower than its letters, each alone."""
    word = "مرحبا"
    assert fonts.length(word, 40) < 0.9 * sum(fonts.length(letter, 40) for letter in word)


def test_a_line_from_right_to_left() -> None:
    """The first word of an Arabic or Hebrew line is the rightmost; numbers in it run from left to right."""
    texts = [run.text.strip() for run in fonts.runs("שלום 123 abc", 40)]
    assert texts[-1] == "שלום"
    assert bidi.rightmost_first("שלום 123")
    assert not bidi.rightmost_first("say שלום")


def test_right_to_left_needs_raqm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts.features, "check", lambda _: False)
    with pytest.raises(BackendError, match="cannot set text from right to left"):
        fonts.runs("שלום", 40)


def test_chinese_breaks_between_letters_but_not_before_a_full_stop() -> None:
    text = "防火墙是网络安全的第一道防线，它检查每一个数据包。"
    lines = fonts.wrap(text, 40, 300)
    assert "".join(lines) == text
    assert all(fonts.length(line, 40) <= 300 for line in lines)
    assert not any(line[0] in breaks.NO_START for line in lines)


def test_words_stay_whole_where_they_can() -> None:
    assert fonts.wrap("The quick brown fox", 40, 250) == ["The quick", "brown fox"]
    assert all(fonts.length(line, 20) <= 400 for line in fonts.wrap("x" * 100, 20, 400))
