"""What the author brings in place of what would be made: still.given, clip.given, narration.given."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .. import probe
from ..errors import BackendError
from ..kinds import Clip, Inputs, Narration, Still, Tell
from . import Light
from .aligners import ALIGNERS, MISSING, sphinx_installed


@dataclass(frozen=True)
class PictureParams(Still):
    """`fit`: fill (cut what is too much) or fit (all of the picture, on a ground); the plan passes the scene's."""

    fit: str = "fill"


@dataclass(frozen=True)
class FootageParams(Clip):
    """No knobs."""


@dataclass(frozen=True)
class RecordingParams(Narration):
    """`quiet`: seconds of digital silence at the head and at the tail, added where the recording has less.

    `aligner`: pocketsphinx (English), espeak (any language that espeak-ng speaks) or auto, the better that is there.
    """

    quiet: float = 0.1
    aligner: str = "auto"


class Picture(Light):
    """The author's picture, upright: scaled to cover the still and cut around its middle, or all of it on a ground."""

    kind = "still"
    name = "given"
    version = "2"
    Params = PictureParams

    def check(self, params: PictureParams) -> list[str]:
        return [] if params.fit in {"fill", "fit"} else [f"fit is {params.fit!r}; it takes fill or fit"]

    def run(self, params: PictureParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        from . import covering

        tell.progress(0, 1)
        source = _given(inputs, "image", "picture")
        try:
            probe.image(source)
            covering.picture(source, params.width, params.height, out / "image", params.fit)
        except (probe.Unreadable, OSError) as problem:
            raise _refused("picture", problem) from None
        tell.progress(1, 1)


class Footage(Light):
    """The author's video: `video` is their file unchanged, `last` its last frame at the film's size."""

    kind = "clip"
    name = "given"
    version = "2"
    Params = FootageParams

    def run(self, params: FootageParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        from . import covering

        tell.progress(0, 2)
        source = _given(inputs, "video", "video")
        try:
            probe.video(source)
            covering.last_frame(source, params.width, params.height, out / "last", tell)
        except probe.Unreadable as problem:
            raise _refused("video", problem) from None
        tell.progress(1, 2)
        shutil.copyfile(source, out / "video")
        tell.progress(2, 2)


class Recording(Light):
    """The author's recording as a narration: its words and phones are found in it (align.py)."""

    kind = "narration"
    name = "given"
    version = "2"
    Params = RecordingParams

    def check(self, params: RecordingParams) -> list[str]:
        wrong = []
        if not 0.1 <= params.quiet <= 10:
            wrong.append(f"quiet is {params.quiet}, but must be from 0.1 to 10 seconds")
        if params.aligner not in ALIGNERS:
            wrong.append(f"aligner is {params.aligner!r}; it takes one of {', '.join(ALIGNERS)}")
        if params.aligner == "pocketsphinx" and not sphinx_installed():
            wrong.append(MISSING)
        return wrong

    def run(self, params: RecordingParams, inputs: Inputs, out: Path, tell: Tell) -> Mapping[str, int]:
        from . import align, joining, recording

        reasons = self.check(params)
        if reasons:
            raise BackendError(reasons[0])
        tell.progress(0, 1)
        source = _given(inputs, "recording", "recording")
        try:
            probe.audio(source)
            sound = recording.framed(recording.decoded(source, tell), params.quiet)
        except probe.Unreadable as problem:
            raise _refused("recording", problem) from None
        joining.write(sound, align.timing(params.text, sound, params.language, params.aligner, tell), out)
        tell.progress(1, 1)
        return {"samples": len(sound)}


def _given(inputs: Inputs, name: str, what: str) -> Path:
    if name not in inputs:
        raise BackendError(f"no {what} was given to a step that shows one", f"Name a file under `{name}`.")
    return inputs[name]


def _refused(what: str, problem: Exception) -> BackendError:
    hint = problem.hint if isinstance(problem, probe.Unreadable) else probe.CUT
    said = problem.message if isinstance(problem, probe.Unreadable) else str(problem)
    return BackendError(f"the {what} that was given: {said}", hint)
