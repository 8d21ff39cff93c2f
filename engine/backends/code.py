"""still.code: source text in the theme's colours, with its lines appearing and lighting up state by state."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BackendError
from ..frame import Box
from ..kinds import Inputs, Still, Tell
from . import Light, boards, code_lines

if TYPE_CHECKING:
    from PIL.Image import Image

    from .code_set import Setting

_DIM, LIT = 0.5, 0.16  # How much is left of what does not light up; how much of the accent lies under what does.


@dataclass(frozen=True)
class CodeParams(Still):
    """`numbers`: whether lines are numbered."""

    numbers: bool = True


class Code(Light):
    """Sets code as large as it fits; every state is drawn at the film's size."""

    kind = "still"
    name = "code"
    version = "2"
    Params = CodeParams

    def check(self, params: CodeParams) -> list[str]:
        return boards.refusals(params)

    def run(self, params: CodeParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        from . import fonts, states

        tell.progress(0, 2)
        fonts.use(inputs.many("font"))
        said: Mapping[str, Any] = params.show or {}
        try:
            text = inputs["source"].read_text("utf-8-sig") if "source" in inputs else said["text"]
            sheet = _Sheet(params, said, text)
        except (boards.TooMuch, UnicodeDecodeError, ValueError, KeyError) as problem:
            raise BackendError(f"the code cannot be shown: {problem}") from None
        tell.progress(1, 2)
        count = len(said.get("steps", ())) + 1
        states.write([sheet.state(number) for number in range(count)], sheet.whole(), out / "image")
        tell.progress(2, 2)


class _Sheet:
    """One piece of code, laid out."""

    def __init__(self, params: CodeParams, said: Mapping[str, Any], text: str) -> None:
        from . import code_set

        lines = code_lines.lines_of(text)
        self.params, self.theme, self.language = params, boards.theme_of(params), said["language"]
        self.tint = code_lines.mixed(self.theme.accents[0], self.theme.panel, LIT)
        self.lines = code_lines.window(said.get("lines"), len(lines))
        if not self.lines or max(self.lines) > len(lines):
            raise ValueError(f"lines {said.get('lines')} are asked for, and there are {len(lines)}")
        texts = [lines[line - 1] for line in self.lines]
        skip = code_set.indent(texts)
        pieces = code_lines.coloured(lines, self.language, self.theme)
        self.pieces = {line: _without(pieces[line - 1], skip) for line in self.lines}
        self.digits = len(str(max(self.lines))) if params.numbers else 0
        size = params.width, params.height, params.beside, self.digits
        self.set = code_set.setting([text[skip:] for text in texts], *size)
        steps = said.get("steps", ())
        self.shows = [code_lines.ranges(step.get("show"), range(0)) for step in steps]
        self.lights = [code_lines.ranges(step.get("highlight"), range(0)) for step in steps]
        self.box = _panel(boards.room_of(params), self.set, len(self.lines))

    def whole(self) -> Image:
        """Every line, none lit."""
        return self._drawn(set(self.lines), ())

    def state(self, number: int) -> Image:
        """What is seen after so many steps."""
        from .code_set import visible

        return self._drawn(visible(self.lines, self.shows, number), self.lights[number - 1] if number else ())

    def _drawn(self, seen: set[int], lit: Collection[int]) -> Image:
        picture = boards.ground(self.params)
        self._head(picture)
        for row, line in enumerate(self.lines):
            if line in seen:
                self._line(picture, row, line, line in lit, bool(lit))
        return picture

    def _head(self, picture: Image) -> None:
        from PIL import ImageDraw

        from .code_set import head, margin
        from .fonts import draw

        size, theme = self.set.size, self.theme
        rim = code_lines.mixed(theme.muted, theme.panel, 0.35)
        boards.panel(picture, self.box, size * 0.5, theme.panel, rim, size / 16)
        label = code_lines.lexer_names().get(self.language.strip().lower(), self.language)
        at = self.box.x + margin(size), self.box.y + head(size) * 0.62
        bar = Box(round(at[0]), round(at[1] - size * 0.62), max(1, round(size * 0.2)), max(1, round(size * 0.68)))
        boards.panel(picture, bar, size * 0.1, theme.accents[0])
        draw(ImageDraw.Draw(picture), (at[0] + size * 0.55, at[1]), label, max(1, round(size * 0.8)), theme.muted)

    def _line(self, picture: Image, row: int, line: int, lit: bool, some: bool) -> None:
        from PIL import ImageDraw

        from .code_set import head, margin
        from .fonts import draw, length

        size, leading, gutter = self.set
        top = self.box.y + head(size) + leading * row
        if lit:
            self._light(picture, top)
        drawer, base = ImageDraw.Draw(picture), top + leading / 2 + size * 0.36
        share = _DIM if some and not lit else 1.0
        x = self.box.x + margin(size)
        if self.digits:
            fill = code_lines.mixed(self.theme.muted, self.theme.panel, 1.0 if lit else min(share, 0.75))
            draw(drawer, (x, base), f"{line:>{self.digits}}", size, fill, mono=True)
        x += gutter
        for piece in self.pieces[line]:
            plain = code_lines.readable(piece.fill, self.tint) if lit else piece.fill
            fill = code_lines.mixed(plain, self.theme.panel, share)
            draw(drawer, (x, base), piece.text, size, fill, bold=piece.bold, mono=True)
            x += length(piece.text, size, bold=piece.bold, mono=True)

    def _light(self, picture: Image, top: float) -> None:
        """What lies under a line that is lit: a tint of the accent, and a bar at the panel's edge."""
        thick = max(1, round(self.set.size * 0.16))
        row = Box(
            self.box.x + thick // 2, round(top), self.box.width - thick, round(top + self.set.leading) - round(top)
        )
        picture.paste(self.tint, (row.x, row.y, row.x + row.width, row.y + row.height))
        picture.paste(self.theme.accents[0], (row.x, row.y, row.x + thick, row.y + row.height))


def _panel(room: Box, setting: Setting, lines: int) -> Box:
    """As wide as the room and as high as the code, in the middle."""
    from .code_set import head, margin

    high = min(room.height, round(head(setting.size) + setting.leading * lines + margin(setting.size)))
    return Box(room.x, room.y + (room.height - high) // 2, room.width, high)


def _without(pieces: list[code_lines.Piece], skip: int) -> list[code_lines.Piece]:
    """A line's pieces without its first characters."""
    found = []
    for piece in pieces:
        text = piece.text[skip:]
        skip = max(0, skip - len(piece.text))
        if text:
            found.append(piece._replace(text=text))
    return found
