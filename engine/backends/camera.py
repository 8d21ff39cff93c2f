"""clip.camera: the words of a video prompt become a camera path over the still.

"slow push in", "pan left", "tilt up", "pull back", "orbit", "handheld", "hold" and their kin are understood,
several at once too. A prompt that names no movement gets a gentle drift, whose direction the still decides:
every clip of a chain reads the same still, so the chain is one movement.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from ..kinds import Clip, Inputs, Tell
from . import Light, recipe
from .recipe import CameraPath, Sway

_SIDEWAYS = r"\b(?:camera|pan|drift|slid|glid|sweep|track|truck|float|mov|scroll|swing|push|doll)\w*"
_UPRIGHT = r"\b(?:tilt|cran|pedestal|boom|ris|pan|drift|glid|float|scroll|mov)\w*"
_FEW = r"\W+(?:\w+\W+){0,3}?"  # Up to three words may stand between a verb and its direction.

# Each movement, and how prompts ask for it.
MOVEMENTS = {
    "push": [
        rf"\b(?:push|zoom|doll|mov|lean|clos|creep|track|truck)\w*{_FEW}(?:in|forwards?|closer)\b",
        r"\b(?:zoom|doll)\w*\W+(?:\w+\W+)?(?:into|on|onto)\b",
        r"\b(?:slow|slight|subtle|gentle|quick|fast)\W+(?:push|zoom|dolly)(?:-in)?\b(?!\W+(?:out|back|away|left|right))",
        r"\bcloser\b|\bpush-in\b|\bclose on\b",
    ],
    "pull": [
        rf"\b(?:pull|zoom|doll|mov|lean|track|truck|draw)\w*{_FEW}(?:back|backwards?|out|away)\b",
        r"\breveal\w*\b|\bpull-?back\b|\bwiden\w*\b",
    ],
    "left": [rf"{_SIDEWAYS}{_FEW}left(?:wards?)?\b(?!\W+to\W+(?:the\W+)?right)", r"\bright to left\b"],
    "right": [rf"{_SIDEWAYS}{_FEW}right(?:wards?)?\b(?!\W+to\W+(?:the\W+)?left)", r"\bleft to right\b"],
    "up": [rf"{_UPRIGHT}{_FEW}up(?:wards?)?\b", r"\bcamera rises\b"],
    "down": [rf"{_UPRIGHT}{_FEW}down(?:wards?)?\b"],
    "orbit": [r"\b(?:orbit|arc|circl|revolv)\w*\b", r"\baround (?:him|her|them|it)\b"],
    "handheld": [r"\bhand-?\s?held\b", r"\bshak[ey]\w*\b"],
    "hold": [
        r"\bstatic\b|\bmotionless\b|\bunmoving\b|\block(?:ed)?[- ]off\b",
        r"\bfixed (?:camera|shot)\b|\bno (?:camera )?(?:movement|motion)\b|\bcamera (?:is |stays |remains )?still\b",
        r"\bholds?\b(?!\s+(?:an?|the|his|her|its|their|up|out|it)\b)",
        r"\bstill\b(?=\s*(?:$|[,.;]|shot|frame|camera|image))",
    ],
}
PACES = {
    "slow": [r"\b(?:slow|lazy|unhurried|calm)\w*\b"],
    "fast": [r"\b(?:fast|quick|rapid|swift|snap|whip|sudden)\w*\b"],
    "gentle": [r"\b(?:gentl|subtl|slight|soft|tiny|barely|little)\w*\b"],
}
_ASKED = {name: "|".join(ways) for name, ways in (MOVEMENTS | PACES).items()}
_AFTER = {"slow": 11.0, "fast": 3.0}  # Seconds in which the speed falls to 1/e.
_SIZE = 0.5  # Of a gentle movement, beside a plain one.


@dataclass(frozen=True)
class CameraParams(Clip):
    """The camera's knobs: how far in it goes, and the zoom that leaves it room to move sideways.

    Both are factors of the picture's size; their product is best kept below the still's `limits.scale`.
    """

    push: float = 1.22
    room: float = 1.2


class Camera(Light):
    """Writes a recipe: a camera path that depends on the prompt, the still and the knobs alone."""

    kind = "clip"
    name = "camera"
    version = "1"
    likeness = False
    Params = CameraParams

    def check(self, params: CameraParams) -> list[str]:
        knobs = {"push": params.push, "room": params.room}
        return [
            f"clip.camera: {knob} is {value}; it takes 1 to 3" for knob, value in knobs.items() if not 1 <= value <= 3
        ]

    def run(self, params: CameraParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        first = inputs["first"]
        path = path_for(params.prompt, _chooser(params.prompt, first), push=params.push, room=params.room)
        facts = {"frames": params.frames, "number": params.number, "width": params.width, "height": params.height}
        recipe.write(out / "video", recipe.camera(path, fps=params.fps, **facts))
        shutil.copyfile(first, out / "last")
        tell.progress(1, 1)


def movements(prompt: str) -> set[str]:
    """The movements and paces that a prompt asks for; a hold gives way to any movement."""
    found = {name for name, pattern in _ASKED.items() if re.search(pattern, prompt, re.IGNORECASE)}
    return found if found <= {"hold", *PACES} else found - {"hold"}


def path_for(prompt: str, chooser: int, *, push: float = 1.22, room: float = 1.2) -> CameraPath:
    """The camera path that a prompt asks for; `chooser` picks what the prompt leaves open."""
    asked = movements(prompt)
    if "hold" in asked:
        return CameraPath(zoom=(1.0, 1.0))
    if asked <= PACES.keys():
        return _drift(chooser, room)
    size = _SIZE if "gentle" in asked else 1.0
    aside = asked & {"left", "right", "up", "down", "orbit"}
    return CameraPath(
        zoom=_zoom(asked, room if aside else 1.0, 1 + (push - 1) * size),
        x=_along(asked, "left", "right", size),
        y=_along(asked, "up", "down", size),
        sways=_sways(asked, size),
        ease=0.4 if "fast" in asked else 0.8,
        fade=next((seconds for pace, seconds in _AFTER.items() if pace in asked), 7.0),
    )


def _zoom(asked: set[str], base: float, push: float) -> tuple[float, float]:
    if "handheld" in asked:
        base = max(base, 1.06)
    near = base * push
    if "push" in asked:
        return base, near
    return (near, base) if "pull" in asked else (base, base)


def _along(asked: set[str], low: str, high: str, size: float) -> tuple[float, float]:
    """From one side of the room to the other; a movement both ways has no direction."""
    if (low in asked) == (high in asked):
        return 0.0, 0.0
    reach = 0.75 * size
    return (reach, -reach) if low in asked else (-reach, reach)


def _sways(asked: set[str], size: float) -> tuple[Sway, ...]:
    sways: tuple[Sway, ...] = ()
    period = 9.0 if "fast" in asked else 24.0 if "slow" in asked else 16.0
    if "orbit" in asked:
        sways += (Sway("x", 0.7 * size, period), Sway("y", 0.3 * size, period, 0.25))
    if "handheld" in asked:
        sways += (
            Sway("x", 0.25 * size, 3.1),
            Sway("x", 0.1 * size, 1.7),
            Sway("y", 0.25 * size, 2.3),
            Sway("y", 0.1 * size, 1.3),
        )
    # A sway beside a pan must stay within what the pan leaves of the room.
    spare = 0.25 if asked & {"left", "right", "up", "down"} else 1.0
    return tuple(sway._replace(size=sway.size * spare) for sway in sways)


def _drift(chooser: int, room: float) -> CameraPath:
    """A gentle default: a little nearer or farther, and a little to one side."""
    near, far = 1 + (room - 1) * 0.7, 1 + (room - 1) * 0.3
    across = 0.6 if chooser & 1 else -0.6
    rise = 0.35 if chooser & 2 else -0.35
    return CameraPath(zoom=(far, near) if chooser & 4 else (near, far), x=(-across, across), y=(-rise, rise), fade=10.0)


def _chooser(prompt: str, first: Path) -> int:
    """A number that every clip of a chain agrees on; the clips' own seeds differ."""
    digest = hashlib.sha256(prompt.encode() + b"\0")
    with first.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.digest()[0]
