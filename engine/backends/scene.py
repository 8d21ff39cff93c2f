"""scene.x264: the picture of one scene, drawn from recipes or taken from real video, encoded once."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

from ..kinds import Inputs, Scene, Tell
from . import Light

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_BETWEEN_WORDS = 8  # Frames between two words to whoever waits: a tenth of a second.


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
    version = "7"
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
        from .pictures import frames_of

        done = 0

        def alive() -> None:
            tell.progress(done, params.frames)

        frames = frames_of(params, inputs, alive)
        with encoder(out / "video", params) as film:
            shown: Hashable = None
            for done in range(params.head, params.frames):
                if done % _BETWEEN_WORDS == 0:
                    alive()
                key = frames.key(done)
                if key != shown:
                    frames.draw(done, film.planes)
                    shown = key
                film.add()
        tell.progress(params.frames, params.frames)
