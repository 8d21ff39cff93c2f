"""Writes narration, music and picture of a film apart, one scene after the other."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from ..errors import BackendError
from ..kinds import SAMPLE_RATE, Inputs, Tell, numbered
from . import aac, level
from .loudness import Sound
from .sound import Aac


class _Share:
    """Progress of one piece of the work among several."""

    def __init__(self, tell: Tell, number: int, count: int) -> None:
        self._tell, self._number, self._count = tell, number, count

    def progress(self, done: int, total: int) -> None:
        """Say how far the piece is, as a part of the whole."""
        self._tell.progress(100 * self._number + 100 * done // max(1, total), 100 * self._count)


def make(params: Any, inputs: Inputs, out: Path, tell: Tell) -> None:
    """Write `narration`, `music` and `picture`."""
    sounds = [Aac.Params(**said) for said in params.sounds]
    tell.progress(0, 100 * (len(sounds) + 1))
    shapes = {sound.channels for sound in sounds}
    if len(shapes) != 1:
        raise BackendError("the scenes' sounds do not have the same channels", "Plan the film again.")
    with wave.open(str(out / "narration"), "wb") as narration, wave.open(str(out / "music"), "wb") as music:
        for file in (narration, music):
            file.setparams((shapes.copy().pop(), 2, SAMPLE_RATE, 0, "NONE", ""))
        for voice, bed in _scenes(sounds, inputs, tell):
            narration.writeframes(_pcm(voice))
            music.writeframes(_pcm(bed))
    _picture(inputs["film"], out / "picture", _Share(tell, len(sounds), len(sounds) + 1))


def _scenes(sounds: list[Any], inputs: Inputs, tell: Tell) -> Iterator[tuple[Sound, Sound]]:
    """Voice and what is below it of each scene, channels x samples."""
    for number, sound in enumerate(sounds, 1):
        files = {name: inputs.get(numbered(name, number)) for name in ("audio", "footage")}
        mine = Inputs({name: path for name, path in files.items() if path is not None})
        if "music" in inputs:
            mine["music"] = inputs["music"]
        found = level.parts(sound, mine, _Share(tell, number - 1, len(sounds) + 1))
        before = aac.around(sound.phase, sound.samples)[0]
        yield found.voice, found.bed[:, before : before + sound.samples]


def _pcm(sound: Sound) -> bytes:
    return np.rint(np.clip(sound.T, -1, 1) * 32767).astype("<i2").tobytes()


def _picture(film: Path, path: Path, tell: Tell) -> None:
    """The film's picture, copied packet by packet."""
    options = {"fflags": "+bitexact", "movflags": "+faststart"}
    with av.open(str(film)) as given, av.open(str(path), "w", format="mp4", options=options) as written:
        source = given.streams.video[0]
        stream = written.add_stream_from_template(source)
        for number, packet in enumerate(given.demux(source)):
            if packet.dts is None:
                continue
            packet.stream = stream
            written.mux(packet)
            if number % 256 == 0:
                tell.progress(number, max(1, source.frames))
    tell.progress(1, 1)
