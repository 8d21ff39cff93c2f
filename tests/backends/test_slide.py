"""Slides: points that come in step, type as large as it fits, too much of it refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from shown_kit import board, pictures, rows

from engine.backends import boards, slide
from engine.backends.fonts import LONGEST, length, wrap
from engine.backends.themes import THEMES
from engine.errors import BackendError
from engine.frame import board as board_of

POINTS = ["Read from the top", {"text": "The first match wins", "at": "first"}, "It alone", {"text": "No", "at": "no"}]
SHOW = {"title": "Three rules", "bullets": POINTS}


def test_points_come_with_their_words_and_one_without_with_the_one_before(tmp_path: Path) -> None:
    start, first, last = pictures(tmp_path, "slide", SHOW)
    two, one = rows(start, first), rows(first, last)
    assert max(two) < min(one)
    assert len(two) > 1.5 * len(one)  # Two points, then one.


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", [(640, 360), (360, 640), (360, 360)])
def test_nothing_leaves_the_room(tmp_path: Path, theme: str, size: tuple[int, int]) -> None:
    (picture,) = pictures(tmp_path, "slide", {"title": "Rules", "bullets": ["Read from the top"]}, size, theme=theme)
    room = board_of(*size, beside=False)
    assert picture.getpixel((2, 2)) == THEMES[theme].ground
    empty = picture.copy()
    empty.paste(THEMES[theme].ground, (0, 0, *size))
    touched = rows(picture, empty)
    assert touched[0] >= room.y - 1
    assert touched[-1] <= room.y + room.height + 1


def test_lines_are_of_like_length() -> None:
    lines = slide.balanced("A firewall reads each packet and asks one question of it", 40, 700)
    assert len(lines) == 2
    widths = [length(line, 40) for line in lines]
    assert min(widths) > 0.7 * max(widths)


def test_too_much_text_is_refused_with_what_fits(tmp_path: Path) -> None:
    with pytest.raises(BackendError) as caught:
        board(tmp_path, "slide", {"title": "Everything", "bullets": ["word " * 31] * 7}, (360, 360), beside=True)
    message = str(caught.value)
    assert message.startswith("the slide cannot be shown: 1095 characters in 7 points do not fit: about ")
    assert message.endswith(" can be read at this size")


@pytest.mark.parametrize("text", ["防火墙读每一个数据包", "Donaudampfschiff-fahrtsgesellschaft", "مرحبا بالعالم"])
def test_type_is_as_large_as_fits_in_any_script(text: str) -> None:
    """Larger ones are passed over by the length of the text alone: none of them would have done."""
    points, room = [text[:8] * 9] * 6, board_of(640, 360, False)
    found = slide.layout(text, points, 640, 360, False).size
    most = round(boards.MOST * boards.unit(640, 360))

    def fits(size: int) -> bool:
        title = wrap(text, round(size * 1.65), room.width, True, LONGEST)
        lines = [wrap(point, size, room.width - size * 1.15, False, LONGEST) for point in points]
        large = slide.Layout(size, title, lines)
        return slide._high(large) <= room.height and len(title) <= 3 and slide._within(large, room.width)

    assert found < most
    assert [size for size in range(found, most + 1) if fits(size)] == [found]


def test_a_slide_may_have_a_title_alone(tmp_path: Path) -> None:
    (picture,) = pictures(tmp_path, "slide", {"title": "Firewalls"})
    assert len(set(picture.getdata())) > 10
