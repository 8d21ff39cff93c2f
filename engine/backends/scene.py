"""scene.x264: the picture of one scene, drawn from recipes or taken from real video, encoded once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..errors import BackendError
from ..kinds import Inputs, Scene, Tell, rate
from . import Light, recipe

if TYPE_CHECKING:
    from .picture import Planes

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_BETWEEN_WORDS = 8  # Frames between two words to whoever waits: a tenth of a second.


class Frames(Protocol):
    """Where a scene's pictures come from. Asked for frames 0, 1, 2, ... in order."""

    def key(self, frame: int) -> Hashable:
        """Equal for neighbours that look the same."""

    def draw(self, frame: int, out: Planes) -> None:
        """Fill `out` with a frame."""


@dataclass(frozen=True)
class X264Params(Scene):
    """libx264's knobs. All scenes of a film need the same: the film joins them without encoding again."""

    preset: str = "veryfast"
    crf: int = 22  # Quality: 0 is lossless, 51 the worst; 18 to 23 are usual.
    seek: int = 2  # Seconds between key frames, at most.
    brisk: bool = True  # Skip searches that pay on filmed pictures and hardly on drawn ones.


class X264(Light):
    """Draws every frame once and encodes it once, in memory that does not depend on the scene's length."""

    kind = "scene"
    name = "x264"
    version = "5"
    Params = X264Params

    def check(self, params: X264Params) -> list[str]:
        wrong = []
        if params.preset not in PRESETS:
            wrong.append(f"scene.x264: preset is {params.preset!r}; it takes one of {', '.join(PRESETS)}")
        if not 0 <= params.crf <= 51:
            wrong.append(f"scene.x264: crf is {params.crf}; it takes 0 to 51")
        if params.seek < 1:
            wrong.append(f"scene.x264: seek is {params.seek}; it takes 1 or more seconds")
        return wrong

    def run(self, params: X264Params, inputs: Inputs, out: Path, tell: Tell) -> None:
        from .encode import encoder

        done = 0

        def alive() -> None:
            tell.progress(done, params.frames)

        frames = _frames(params, inputs, alive)
        with encoder(out / "video", params) as film:
            shown: Hashable = None
            for done in range(params.frames):
                if done % _BETWEEN_WORDS == 0:
                    alive()
                key = frames.key(done)
                if key != shown:
                    frames.draw(done, film.planes)
                    shown = key
                film.add()
        tell.progress(params.frames, params.frames)


def _frames(params: X264Params, inputs: Inputs, alive: Callable[[], None]) -> Frames:
    """Pictures from the scene's recipes, if it has any, else from its video."""
    size, clips = (params.width, params.height), inputs.many("clip")
    if "board" in inputs:
        frames = _shown(params, inputs, alive)
    elif clips:
        frames = _pictures(params, clips, inputs.get("still"), size, alive)
    else:
        raise BackendError("a scene has no clip to show")
    if params.burn and "timing" in inputs:
        from .burn import Burned

        return Burned(frames, inputs["timing"], size, params.frames, rate(params.fps))
    return frames


def _shown(params: X264Params, inputs: Inputs, alive: Callable[[], None]) -> Frames:
    """What the scene shows, with the persona's pictures, if there are any, in their window."""
    from .shown import Shown, starts, window

    size, clips = (params.width, params.height), inputs.many("clip")
    inside = window(*size).width, window(*size).height
    person = _pictures(params, clips, inputs.get("still"), inside, alive) if clips else None
    turns = starts(params.cues, inputs.get("timing"), rate(params.fps))
    return Shown(inputs["board"], turns, size, params.theme, person)


def _pictures(
    params: X264Params, clips: list[Path], still: Path | None, size: tuple[int, int], alive: Callable[[], None]
) -> Frames:
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
