"""How a scene's params and inputs become pictures, for what encodes scenes and what encodes the ways into them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..errors import BackendError
from ..kinds import Inputs, Scene, rate
from . import fonts, recipe

if TYPE_CHECKING:
    from ..frame import Box
    from .picture import Planes

Alive = Callable[[], None]


class Frames(Protocol):
    """Where a scene's pictures come from. Asked for frames in order; they go on past the scene's end."""

    def key(self, frame: int) -> Hashable:
        """Equal for neighbours that look the same."""

    def draw(self, frame: int, out: Planes) -> None:
        """Fill `out` with a frame."""


def frames_of(params: Scene, inputs: Inputs, alive: Alive) -> Frames:
    """A scene's pictures with its captions, where they are burned in."""
    bare, mouth = uncaptioned(params, inputs, alive)
    return captioned(params, inputs, bare, mouth)


def captioned(params: Scene, inputs: Inputs, below: Frames, mouth: Box | None) -> Frames:
    """Other pictures with a scene's captions over them, off the mouth; as they are where none are burned in."""
    if not params.burn or "timing" not in inputs:
        return below
    from .burn import Burned

    fonts.use(inputs.many("font"))
    size = params.width, params.height
    return Burned(below, inputs["timing"], size, params.frames, rate(params.fps), params.theme, mouth)


def uncaptioned(params: Scene, inputs: Inputs, alive: Alive) -> tuple[Frames, Box | None]:
    """Pictures from the scene's recipes, if it has any, else from its video; and where a mouth goes in them."""
    from .drawn import Drawn

    size, clips = (params.width, params.height), inputs.many("clip")
    if "board" in inputs:
        return _shown(params, inputs, alive), None
    if not clips:
        raise BackendError("a scene has no clip to show")
    frames = _pictures(params, clips, inputs.get("still"), size, alive)
    return frames, frames.mouth_box(params.frames) if isinstance(frames, Drawn) else None


def _shown(params: Scene, inputs: Inputs, alive: Alive) -> Frames:
    """What the scene shows, with the persona's pictures, if there are any, in their window."""
    from .shown import Shown, starts, window

    size, clips = (params.width, params.height), inputs.many("clip")
    inside = window(*size).width, window(*size).height
    person = _pictures(params, clips, inputs.get("still"), inside, alive) if clips else None
    turns = starts(params.cues, inputs.get("timing"), rate(params.fps))
    return Shown(inputs["board"], turns, size, params.theme, person)


def _pictures(params: Scene, clips: list[Path], still: Path | None, size: tuple[int, int], alive: Alive) -> Frames:
    recipes = [found for found in map(recipe.read, clips) if found is not None]
    if not recipes:
        from .footage import Footage

        return Footage(clips, size, rate(params.fps), alive, Fraction(params.start), params.fit)
    if len(recipes) < len(clips):
        raise BackendError("some clips of a scene are recipes and some are real video", "Use one clip backend.")
    if still is None:
        raise BackendError("a camera recipe needs the still it moves over", "Set `recipe: true` in the clip's limits.")
    from .drawn import Drawn

    return Drawn(recipes, still, size, rate(params.fps))
