"""What a scene shows, state by state, in one file: an animated PNG whose own picture is the whole.

A viewer that knows no animation shows the whole; the animation's pictures are the states, the first before any
cue. Neighbours that look the same are kept once, so which picture a state has stands in the PNG's text, under PLACE.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BackendError

if TYPE_CHECKING:
    from PIL.Image import Image

PLACE = "mikebot:states"  # Holds a list: the picture of each state, from 0.
_SECOND = 1000  # Milliseconds that a state stands where somebody opens the file in a browser.


def write(states: Sequence[Image], whole: Image, out: Path) -> None:
    """Write the states and the whole, all RGB and of one size."""
    from PIL import PngImagePlugin

    pictures: list[Image] = []
    numbers: list[int] = []
    for state in states:
        if not pictures or state.tobytes() != pictures[-1].tobytes():
            pictures.append(state)
        numbers.append(len(pictures) - 1)
    if len(pictures) == 1 and pictures[0].tobytes() == whole.tobytes():
        pictures, numbers = [], []
    notes = PngImagePlugin.PngInfo()
    notes.add_text(PLACE, json.dumps(numbers, separators=(",", ":")))
    moving = {"save_all": True, "default_image": True, "append_images": pictures, "duration": _SECOND}
    whole.save(out, format="PNG", pnginfo=notes, compress_level=6, **(moving if pictures else {}))


class States(Sequence["Image"]):
    """The picture of each state, in order, one in memory at a time; a PNG without states is its own only one."""

    def __init__(self, path: Path) -> None:
        try:
            self._bytes = path.read_bytes()
            self._file = self._opened()
            self._numbers = json.loads(getattr(self._file, "text", {}).get(PLACE, "[]"))
            self.size = self._file.size
        except (OSError, SyntaxError, ValueError) as problem:
            raise _damaged(problem) from None

    def _opened(self) -> Any:
        from PIL import Image

        file = Image.open(BytesIO(self._bytes), formats=["PNG"])
        file.load()
        return file

    def __len__(self) -> int:
        return len(self._numbers) or 1

    def __getitem__(self, number: Any) -> Any:
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        try:
            if self._numbers:
                if self._numbers[number] + 1 < self._file.tell():
                    self._file = self._opened()  # Pillow does not find its way back over the file's own picture.
                self._file.seek(self._numbers[number] + 1)  # The file's own picture stands before the animation.
            return self._file.convert("RGB")
        except (OSError, SyntaxError, ValueError, EOFError) as problem:
            raise _damaged(problem) from None


def _damaged(problem: Exception) -> BackendError:
    return BackendError(f"what the scene shows cannot be read: {problem}", "`mikebot verify` finds damage.")
