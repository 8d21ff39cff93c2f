"""talk.mouth: a drawn mouth that follows the phones, written as a recipe beside the chain's camera paths."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..errors import BackendError
from ..kinds import Inputs, Talk, Tell, rate
from . import Light, layout, phones, recipe

OPENNESS, WIDTHS = 8, 4  # Shapes run from 0 to these, both ends included.
_PLACE = f"{layout.PLACE}\0".encode()


@dataclass(frozen=True)
class MouthParams(Talk):
    """The mouth's knob: how far it opens, as a factor."""

    strength: float = 1.0


class Mouth(Light):
    """Writes a recipe: the camera's, and one mouth shape a frame; no mouth where the still shows no portrait."""

    kind = "talk"
    name = "mouth"
    version = "1"
    Params = MouthParams

    def check(self, params: MouthParams) -> list[str]:
        if 0 <= params.strength <= 2:
            return []
        return [f"talk.mouth: strength is {params.strength}; it takes 0 to 2"]

    def run(self, params: MouthParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        tell.progress(0, 2)
        clips = [recipe.read(path) for path in inputs.many("clip")]
        if not clips or None in clips:
            raise BackendError(
                "talk.mouth moves the mouth of a still, not of real video", "Use the clip backend camera."
            )
        box = mouth_box(inputs.get("still"), params.persona)
        shapes = _shapes(params, inputs) if box else []
        tell.progress(1, 2)
        mouth = {"box": box, "shapes": shapes} if box else None
        recipe.write(out / "video", {"recipe": "talk", "clips": clips, "mouth": mouth})
        tell.progress(2, 2)


def mouth_box(still: Path | None, persona: Mapping[str, Any] | None) -> list[float] | None:
    """Where the mouth lies in the still: its middle, width and height as shares of the still; None if nowhere."""
    mouth = (persona or {}).get("mouth")
    placed = portrait_place(still) if still is not None and mouth else None
    if placed is None or not mouth:
        return None
    (x, y, w, h), (width, height) = placed
    box = (
        (x + mouth["x"] * w) / width,
        (y + mouth["y"] * h) / height,
        mouth["width"] * w / width,
        mouth["height"] * h / height,
    )
    return [round(share, 5) for share in box]


def portrait_place(still: Path) -> tuple[layout.Box, tuple[int, int]] | None:
    """The box that the still's maker noted for the portrait, and the still's size, both in pixels."""
    with still.open("rb") as file:
        if file.read(8) != b"\x89PNG\r\n\x1a\n":
            return None
        size = (0, 0)
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind in {b"IDAT", b"IEND"} or length > 1 << 20:
                return None
            data = file.read(length + 4)[:length]
            if kind == b"IHDR":
                size = struct.unpack_from(">II", data)
            elif kind == b"tEXt" and data.startswith(_PLACE):
                return layout.Box(*json.loads(data[len(_PLACE) :])), size
    return None


def _shapes(params: MouthParams, inputs: Inputs) -> list[list[int]]:
    timing = json.loads(inputs["timing"].read_bytes())
    fps = rate(params.fps)
    if timing["phones"]:
        shapes = phones.from_phones(timing["phones"], timing["rate"], params.frames, fps)
    else:
        shapes = phones.from_energies(_energies(inputs["audio"], params.frames, fps))
    return [[_step(openness * params.strength, OPENNESS), _step(width, WIDTHS)] for openness, width in shapes]


def _energies(audio: Path, frames: int, fps: Fraction) -> list[float]:
    """How loud the sound is during each frame."""
    import wave

    import numpy as np

    with wave.open(str(audio)) as file:
        each = Fraction(file.getframerate()) / fps
        found = []
        for frame in range(frames):
            count = int((frame + 1) * each) - int(frame * each)
            heard = np.frombuffer(file.readframes(count), "<i2").astype(np.float64)
            found.append(float(np.sqrt(np.mean(heard**2))) if heard.size else 0.0)
    return found


def _step(value: float, steps: int) -> int:
    return round(min(1.0, max(0.0, value)) * steps)
