"""talk.mouth: a face that follows the voice, written as a recipe beside the chain's camera paths."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..errors import BackendError
from ..frame import Box
from ..kinds import Inputs, Talk, Tell, rate
from . import Light, layout, phones, recipe

OPENNESS, WIDTHS = 16, 6  # Shapes run from 0 to these, both ends included.
_PLACE = f"{layout.PLACE}\0".encode()


@dataclass(frozen=True)
class MouthParams(Talk):
    """How far the mouth opens and how far the head moves, as factors; whether eyes blink."""

    strength: float = 1.0
    head: float = 1.0
    blinks: bool = True


class Mouth(Light):
    """Writes a recipe: the camera's, a mouth shape a frame, blinks and the head's path; no face without a portrait."""

    kind = "talk"
    name = "mouth"
    version = "2"
    likeness = False
    Params = MouthParams

    def check(self, params: MouthParams) -> list[str]:
        wrong = []
        if not 0 <= params.strength <= 2:
            wrong.append(f"talk.mouth: strength is {params.strength}; it takes 0 to 2")
        if not 0 <= params.head <= 1:
            wrong.append(f"talk.mouth: head is {params.head}; it takes 0 to 1")
        return wrong

    def run(self, params: MouthParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        tell.progress(0, 2)
        clips = [recipe.read(path) for path in inputs.many("clip")]
        if not clips or None in clips:
            raise BackendError(
                "talk.mouth moves the mouth of a still, not of real video", "Use the clip backend camera."
            )
        told = _told(params, inputs)
        tell.progress(1, 2)
        recipe.write(out / "video", {"recipe": "talk", "clips": clips, **told})
        tell.progress(2, 2)


def _told(params: MouthParams, inputs: Inputs) -> dict[str, Any]:
    """The recipe's `mouth` and `face`; both None where there is no portrait, or no place for a mouth."""
    from . import living, mouthing

    persona, still = params.persona or {}, inputs.get("still")
    placed = portrait_place(still) if still is not None and persona.get("mouth") else None
    if placed is None:
        return {"mouth": None, "face": None}
    timing, fps = json.loads(inputs["timing"].read_bytes()), rate(params.fps)
    energies = _energies(inputs["audio"], params.frames, fps)
    if timing["phones"]:
        shapes = mouthing.from_phones(timing["phones"], timing["rate"], params.frames, fps)
    else:
        shapes = mouthing.from_energies(energies, fps)
    if not params.blinks:
        persona = {**persona, "eyes": []}
    steps = [_steps(shape, params.strength) for shape in shapes]
    face = living.face(persona, placed, timing, shapes, energies, fps, params.head)
    return {"mouth": {"box": living.part(persona["mouth"], placed), "shapes": steps}, "face": face}


def mouth_box(still: Path | None, persona: Mapping[str, Any] | None) -> list[float] | None:
    """Where the mouth lies in the still: its middle, width and height as shares of the still; None if nowhere."""
    mouth = (persona or {}).get("mouth")
    placed = portrait_place(still) if still is not None and mouth else None
    if placed is None or not mouth:
        return None
    from .living import part

    return part(mouth, placed)


def portrait_place(still: Path) -> tuple[Box, tuple[int, int]] | None:
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
                return Box(*json.loads(data[len(_PLACE) :])), size
    return None


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


def _steps(shape: phones.Shape, strength: float) -> list[int]:
    """A shape in whole steps; at rest it has neither width nor teeth."""
    openness = round(min(1.0, max(0.0, shape.open * strength)) * OPENNESS)
    return [openness, round(shape.width * WIDTHS), shape.teeth] if openness else [0]
