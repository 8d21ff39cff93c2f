"""What a face does beside speaking: the part of a talk's recipe that tells its blinks and its head.

All of it is drawn by lot from the narration's own content, so the same narration has the same face.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from random import Random
from typing import Any

from ..frame import Box
from . import blinks, head
from .phones import Shape

_PAUSE = 0.2  # Seconds of a mouth at rest that part two sentences.
_APART = 0.9  # Seconds between two nods, at least.


def face(
    persona: Mapping[str, Any],
    placed: tuple[Box, tuple[int, int]],
    timing: Mapping[str, Any],
    shapes: Sequence[Shape],
    energies: Sequence[float],
    fps: Fraction,
    size: float,
) -> dict[str, Any]:
    """Eyes, blinks (seconds) and the head's path, for a portrait in its box on a still."""
    (x, y, width, height), (across, down) = placed
    eyes = [part(eye, placed) for eye in persona.get("eyes", ())]
    silences = _silences(shapes, fps)
    chance = Random(_seed(timing))  # noqa: S311 - for looks alone.
    place = (x / across, y / down, width / across, height / down)
    return {
        "eyes": eyes,
        "blinks": blinks.plan(chance, len(shapes) / float(fps), [start for start, _ in silences]) if eyes else [],
        "place": [round(share, 5) for share in place],
        "chin": round((y + _chin(persona) * height) / down, 5),
        "head": head.path(chance, [end for _, end in silences], _stresses(energies, fps), size)._asdict()
        if size
        else None,
    }


def part(region: Mapping[str, float], placed: tuple[Box, tuple[int, int]]) -> list[float]:
    """A region of the portrait (its middle and size) as shares of the still."""
    (x, y, width, height), (across, down) = placed
    middle = (x + region["x"] * width) / across, (y + region["y"] * height) / down
    shares = (*middle, region["width"] * width / across, region["height"] * height / down)
    return [round(share, 5) for share in shares]


def _chin(persona: Mapping[str, Any]) -> float:
    """Where the head ends, in the portrait: half as far below the mouth as the mouth is below the eyes."""
    mouth, eyes = persona["mouth"], persona.get("eyes", ())
    if not eyes:
        return float(min(0.95, mouth["y"] + mouth["height"] * 1.5))
    return float(min(0.95, mouth["y"] + 0.55 * (mouth["y"] - sum(eye["y"] for eye in eyes) / len(eyes))))


def _seed(timing: Mapping[str, Any]) -> str:
    said = json.dumps([timing["words"], timing["phones"]], ensure_ascii=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _silences(shapes: Sequence[Shape], fps: Fraction) -> list[tuple[float, float]]:
    """When the mouth comes to rest and when it opens again, in seconds; the last rest has no end in the scene."""
    found, start = [], 0
    for frame, shape in enumerate(shapes):
        if shape.open == 0:
            continue
        if frame - start >= _PAUSE * fps:
            found.append((float(start / fps), float(frame / fps)))
        start = frame + 1
    return found


def _stresses(energies: Sequence[float], fps: Fraction) -> list[tuple[float, float]]:
    """When the voice is loudest, and how much so: peaks of the loudness of a fifth of a second, well apart."""
    reach = max(1, round(fps / 10))
    soft = [sum(energies[max(0, n - reach) : n + reach + 1]) / (2 * reach + 1) for n in range(len(energies))]
    loudest = max(soft, default=0.0)
    found: list[tuple[float, float]] = []
    for number in sorted(range(len(soft)), key=lambda n: (-soft[n], n)):
        when = float((number + Fraction(1, 2)) / fps)
        if loudest <= 0 or soft[number] < 0.6 * loudest:
            break
        if all(abs(when - other) >= _APART for other, _ in found):
            found.append((when, soft[number] / loudest))
    return sorted(found)
