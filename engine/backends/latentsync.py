"""talk.latentsync: lips in real video that follow the voice, by LatentSync 1.5 or 1.6."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import BackendError
from ..kinds import Inputs, Tell, rate
from . import faces_finder, recipe, sync_knobs
from .sync_knobs import LatentSyncParams

_LOOKING = 0.2  # Of a step's progress: finding faces.
_FINE = 1000  # Steps of its progress.


class LatentSync:
    """Reads the chain's clips, writes them with other mouths, in their own size and at the film's rate.

    Where there is no face that the model can use, frames stay as they are, and the video says so of itself.
    """

    kind = "talk"
    name = "latentsync"
    version = "2"
    exact = False  # On a processor it is; a GPU adds in any order.
    remarks = True
    Params = LatentSyncParams

    misfits = staticmethod(sync_knobs.misfits)
    settled = staticmethod(sync_knobs.settled)
    wants = staticmethod(sync_knobs.wants)

    def __init__(self) -> None:
        self._models: Any = None

    def advice(self) -> list[str]:
        """What would be better on this machine, though nothing is missing."""
        return [faces_finder.BETTER] if faces_finder.named("") == faces_finder.HAAR else []

    def check(self, params: LatentSyncParams) -> list[str]:
        return sync_knobs.needed(params)

    def model(self, params: LatentSyncParams) -> str:
        return sync_knobs.spec(params)

    def size(self, model: str) -> int:
        """Bytes that the models take in memory, as far as their files say."""
        from .sync_models import size

        return size(model)

    def load(self, model: str) -> None:
        from .sync_models import load

        self.unload("")
        self._models = load(model)

    def unload(self, model: str) -> None:
        from .memory import tidy

        self._models = None
        tidy()

    def run(self, params: LatentSyncParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        tell.progress(0, _FINE)
        if self._models is None:
            raise BackendError("no model is in memory")
        clips = inputs.many("clip")
        if not clips or any(recipe.read(clip) is not None for clip in clips):
            raise BackendError(
                "talk.latentsync moves the lips of real video, and of no recipes", "Use the talk backend mouth."
            )
        _run(self._models, params, inputs, out / "video", tell)
        tell.progress(_FINE, _FINE)


def _run(models: Any, params: LatentSyncParams, inputs: Inputs, out: Path, tell: Tell) -> None:
    """Both passes over the frames."""
    from . import lossless, sync_film, sync_plan, sync_sound

    params = sync_film.settled(params)
    fps = rate(params.fps)
    timing = json.loads(inputs["timing"].read_bytes())
    spoken = sync_plan.words_heard(timing, params.frames, fps, params.silence)
    sound = sync_sound.read(inputs["audio"], 0.0 if params.parity else float(params.frames / fps))

    far = _Progress(tell)
    shown = sync_film.Shown(inputs.many("clip"), params.frames, fps)
    finder = faces_finder.finder(faces_finder.named(params.faces), params.eyes)
    plan = sync_film.looked(shown, finder, params, spoken, models.resolution, far.looking)
    hearing = sync_sound.Hearing(models.ear, sound, params.hearing, float(25 if params.own_rate else fps))
    mouths = sync_film.Mouths(models, plan, params, hearing, far.speaking)
    frames = mouths.frames(shown.frames())
    first = next(frames)
    with lossless.writing(out, first.shape[:2], fps, plan.note) as add:
        add(first)
        for number, frame in enumerate(frames, 1):
            far.speaking(number / params.frames)
            add(frame)


class _Progress:
    """Both passes in one count, which never falls: frames are written after their window is made."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._most = 0

    def looking(self, share: float) -> None:
        self._far(_LOOKING * share)

    def speaking(self, share: float) -> None:
        self._far(_LOOKING + (1 - _LOOKING) * share)

    def _far(self, share: float) -> None:
        self._most = max(self._most, int(_FINE * share))
        self._tell.progress(self._most, _FINE)
