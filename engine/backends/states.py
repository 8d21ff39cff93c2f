"""What a scene shows, state by state, in one file: an animated PNG whose own picture is the whole.

A viewer that knows no animation shows the whole; the animation's pictures are the states, the first before any
cue. Neighbours that look the same are kept once, so which picture a state has stands in the PNG's text, under PLACE.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

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


def read(path: Path) -> list[Image]:
    """The picture of each state, in order; a PNG without states is its own only one."""
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as file:
            file.load()
            numbers = json.loads(getattr(file, "text", {}).get(PLACE, "[]"))
            return _states(file, numbers) if numbers else [file.convert("RGB")]
    except (OSError, SyntaxError, ValueError, TypeError, IndexError) as problem:
        raise BackendError(
            f"what the scene shows cannot be read: {problem}", "`mikebot verify` finds damage."
        ) from None


def _states(file: Image, numbers: list[int]) -> list[Image]:
    """Each picture decoded once; the file's own picture, which stands before the animation, left out."""
    pictures = []
    for number in range(max(numbers) + 1):
        file.seek(number + 1)
        pictures.append(file.convert("RGB"))
    return [pictures[number] for number in numbers]
