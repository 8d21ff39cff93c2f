"""joint.moviepy: the way from one scene into the next, drawn from what both are drawn from and encoded once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import BackendError
from ..kinds import Inputs, Joint, Tell
from . import Light
from .scene import X264Params

STYLES = ("crossfade", "fade", "dip")


@dataclass(frozen=True)
class JointParams(Joint):
    """No knobs: it is encoded as the scene is that it leads into."""


class Moviepy(Light):
    """MoviePy mixes the planes of both scenes, frame by frame; captions lie over the mix."""

    kind = "joint"
    name = "moviepy"
    version = "2"
    Params = JointParams

    def check(self, params: JointParams) -> list[str]:
        return [] if params.style in STYLES else [f"a joint is one of {', '.join(STYLES)}, not {params.style!r}"]

    def run(self, params: JointParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        from . import mixed, pictures
        from .encode import encoder

        if reasons := self.check(params):
            raise BackendError(reasons[0])
        try:
            scene = X264Params(**params.entering)
            left = None if params.leaving is None else X264Params(**params.leaving)
        except TypeError as problem:
            raise BackendError(f"a scene beside the joint was not made by scene.x264: {problem}") from problem

        def alive() -> None:
            tell.progress(0, params.frames)

        entering, mouth = pictures.uncaptioned(scene, inputs, alive)
        leaving = None if left is None else pictures.uncaptioned(left, _leaving(inputs), alive)[0]
        start = 0 if left is None else left.frames
        mix = mixed.Mixed(params, entering, leaving, start)
        frames = pictures.captioned(scene, inputs, mix, mouth)
        with encoder(out / "video", scene) as film:
            for number in range(params.frames):
                tell.progress(number, params.frames)
                frames.key(number)
                frames.draw(number, film.planes)
                film.add()
        tell.progress(params.frames, params.frames)


def _leaving(inputs: Inputs) -> Inputs:
    """The inputs of the scene that is left, under the names that a scene knows."""
    before = "leaving_"
    return Inputs({name.removeprefix(before): path for name, path in inputs.items() if name.startswith(before)})
