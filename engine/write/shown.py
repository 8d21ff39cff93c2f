"""Lists, tables, code and graphs as scenes that show them, in step with what is said."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any

from ..backends.cues import folded, found
from ..document import parse
from ..show_mistakes import mistakes
from .cut import joined, most, whole
from .hand import board_text
from .notes import Block, Point
from .pace import count
from .vocabulary import small_words

Scene = dict[str, Any]
MOST_POINTS, POINT, TITLE = 5, 60, 70  # Points on a slide, and characters (wide ones count twice).
_LINES, _COLUMNS = 16, 84  # Of code in one picture.
_READ = 0.6  # Seconds that a line of code is looked at when nobody speaks.


def slides(points: Sequence[Point], title: str, intro: str, language: str) -> Iterator[Scene]:
    """Slides of a few points each, whose narration reads the points in full."""
    said = [whole(point.text, language) for point in points]
    limit = 2 * most(language)
    start = 0
    while start < len(points):
        end, length = start, 0
        while end < len(points) and end - start < MOST_POINTS:
            length += sum(count(sentence, language) for sentence in said[end])
            if end > start and length > limit:
                break
            end += 1
        if len(points) - end == 1 and end - start > 2:  # No point stands alone on the last slide.
            end -= 1
        opening = whole(intro, language) if start == 0 and intro else []
        yield _slide(points[start:end], said[start:end], opening, title, language)
        start = end


def long_points(points: Sequence[Point], language: str) -> bool:
    """Whether points are paragraphs rather than points: too long to stand on a slide."""
    return sum(count(point.text, language) for point in points) > 0.6 * most(language) * len(points)


def _slide(points: Sequence[Point], said: Sequence[list[str]], opening: list[str], title: str, language: str) -> Scene:
    spoken = [opening, *said]
    firsts = list(accumulate(len(folded(" ".join(part))) for part in spoken))
    narration = joined([sentence for part in spoken for sentence in part], language)
    bullets: list[Any] = []
    for text, at in zip(map(_bullet, points), _cues(narration, firsts), strict=True):
        bullets.append({"text": text, "at": at} if at else text)
    return {"narration": narration, "show": {"slide": {"title": short(title, TITLE), "bullets": bullets}}}


def _cues(narration: str, firsts: Sequence[int]) -> list[str]:
    """The fewest words of each point's beginning that are found just there; `firsts` are the places of their words."""
    words = folded(narration)
    chosen: list[str] = []
    for first, end in pairwise(firsts):
        kept = [cue for cue in chosen if cue]
        sizes = range(1, min(8, end - first) + 1)
        cues = (
            _cue(words[first : first + size]) for size in sizes if _telling(words[first : first + size], end - first)
        )
        chosen.append(next((cue for cue in cues if found([*kept, cue], words)[-1] == first), "")[:200])
    return chosen


def _cue(words: Sequence[str]) -> str:
    """Words as one cue; Chinese and Japanese ones are characters."""
    return re.sub(r"(?<=[\u3040-\u9fff]) (?=[\u3040-\u9fff])", "", " ".join(words))


def _telling(words: Sequence[str], most_words: int) -> bool:
    """Whether words say enough to wait for them: one that is not small, or three."""
    if len(words) in {3, most_words}:
        return True
    return len("".join(words)) > 1 and any(word not in small_words() for word in words)


def _bullet(point: Point) -> str:
    """A point as it stands on a slide: its lead, if it has one, else its beginning."""
    text = point.lead or point.text.replace("\n", " ")
    lead, mark, rest = text.partition(": ")
    if mark and len(lead.split()) <= 6 and len(rest.split()) >= 3:
        text = lead
    return short(text, POINT).rstrip(".;,:。")


def short(text: str, width: int) -> str:
    """A text, or its beginning up to the end of a clause or word, that is so wide at most."""
    text = " ".join(text.split())
    if _width(text) <= width:
        return text
    head = text
    while _width(head) >= width:
        head = head[: len(head) - max(1, (_width(head) - width) // 2)]
    cut = max(head.rfind(mark) for mark in (", ", "; ", ": ", " – ", " — ", ". "))
    if cut > width // 3:
        return head[:cut].rstrip(" ,;:–—.")
    return (head.rsplit(" ", 1)[0] if " " in head[width // 3 :] else head).rstrip(" ,;:–—.") + "…"


def _width(text: str) -> int:
    return sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def code(block: Block, narration: Sequence[str], note: Callable[[str, int], None]) -> Iterator[Scene]:
    """Code, in pieces that can be read; the first has the narration, the others are silent."""
    from ..backends.code_lines import lexer_names, lines_of

    language = block.language if block.language in lexer_names() else "text"
    lines = list(_broken(lines_of(block.text)))
    if len(lines) != len(lines_of(block.text)):
        note("lines of code that are too long to be read are broken", block.line)
    for number, part in enumerate(_parts(lines)):
        scene: Scene = {"show": {"code": {"language": language, "text": "\n".join(part) + "\n"}}}
        if number == 0 and narration:
            scene["narration"] = " ".join(narration)
        else:
            scene["duration"] = round(min(20.0, 3 + _READ * len(part)))
        yield scene


def _broken(lines: Sequence[str]) -> Iterator[str]:
    """Lines of code no wider than can be read."""
    for line in lines:
        if _width(line) <= _COLUMNS:
            yield line
            continue
        indent = line[: len(line) - len(line.lstrip())][: _COLUMNS // 2]
        wide = _COLUMNS if line.isascii() else _COLUMNS // 2
        yield from textwrap.wrap(line, wide, subsequent_indent=indent + "    ", break_on_hyphens=False) or [""]


def _parts(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    """Lines in as few pieces as fit a picture, cut at an empty line where there is one."""
    start = 0
    while start < len(lines):
        end = min(len(lines), start + _LINES)
        if end < len(lines):
            end = next((n for n in range(end, start + _LINES // 3, -1) if not lines[n].strip()), end)
        part = list(lines[start:end])
        while part and not part[0].strip():
            part.pop(0)
        if any(line.strip() for line in part):
            yield part
        start = end


def diagram(block: Block, narration: Sequence[str]) -> Scene | None:
    """A graph in Graphviz's language, its nodes lit as they are named; None if it cannot be drawn."""
    scene: Scene = {"show": {"diagram": {"dot": block.text}}}
    if narration:
        scene["narration"] = " ".join(narration)
    else:
        scene["duration"] = 6
    if wrong(scene):
        return None
    steps = _lit(block.text, str(scene.get("narration", "")))
    lit: Scene = {**scene, "show": {"diagram": {"dot": block.text, "steps": steps}}}
    return lit if steps and not wrong(lit) else scene


def _lit(dot: str, narration: str) -> list[dict[str, Any]]:
    """Where the narration says what stands in a node."""
    from ..backends import diagram as drawn

    words = narration.split()
    places: dict[int, dict[str, Any]] = {}
    for node in drawn.read(dot).nodes:
        label = " ".join(folded(" ".join(node.lines) or node.name))
        place = found([label], words)[0] if label else None
        if place is not None and place not in places:
            places[place] = {"at": label, "highlight": [node.name]}
    return [places[place] for place in sorted(places)]


def wrong(scene: Scene) -> list[str]:
    """What `mikebot check` would say of what a scene shows."""
    said = {"id": "a", "on_screen": False, **scene}
    document = parse(board_text({"title": "T"}, [said]).encode(), "scene")
    if document.mistakes or document.data["scenes"] != [said]:
        return [mistake.message for mistake in document.mistakes] or ["it does not read back"]
    return [mistake.message for mistake in mistakes(document, 0, document.data["scenes"][0], None)]
