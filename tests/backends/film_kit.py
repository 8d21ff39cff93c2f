"""Scenes, sounds and films for the tests of sound and film: small, drawn and synthesised, of known content."""

from __future__ import annotations

import json
import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from engine.backends.film import Mp4
from engine.backends.sound import Aac
from engine.kinds import PACKET, SAMPLE_RATE, Inputs, first_sample, numbered, rate

WIDTH, HEIGHT = 64, 48


class Quiet:
    """Told of progress, keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def progress(self, done: int, total: int) -> None:
        self.told.append((done, total))


def write_wav(path: Path, sound: np.ndarray[Any, Any], hertz: int = SAMPLE_RATE, channels: int = 1) -> Path:
    """Samples from -1 to 1 as 16-bit PCM."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(hertz)
        file.writeframes(np.round(np.asarray(sound) * 32767).astype("<i2").tobytes())
    return path


def voice(samples: int, seed: int = 0, loud: float = 0.1) -> np.ndarray[Any, Any]:
    """Something with the ups and downs of speech, 0.25 s of silence at both ends."""
    time = np.arange(samples) / SAMPLE_RATE
    turn = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2.1 * time + seed)) / SAMPLE_RATE
    tone = sum(np.sin(k * turn) / k for k in range(1, 12))
    swell = np.clip(np.sin(2 * np.pi * 3.3 * time + seed) + 0.4, 0, 1)
    inside = (time >= 0.25) & (time < samples / SAMPLE_RATE - 0.25)
    return tone * swell * inside * loud


def write_scene(
    path: Path,
    frames: int,
    fps: str = "25",
    shade: int = 60,
    options: str = "",
    size: tuple[int, int] = (WIDTH, HEIGHT),
    grain: int = 0,
) -> Path:
    """A scene of a shade that changes with every frame, encoded as the x264 backend does, with B-frames."""
    width, height = size
    noise = np.random.default_rng(abs(shade)).integers(0, grain + 1, (height, width))
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as file:
        stream = file.add_stream("libx264", rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.thread_count = 1
        stream.options = {"preset": "veryfast", "x264-params": f"scenecut=0:open-gop=0:bframes=3{options}"}
        for number in range(frames):
            picture = np.full((height * 3 // 2, width), 128, np.uint8)
            picture[:height] = np.clip(shade + number % 25 * 4 + np.roll(noise, number, 1), 0, 255)
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts = number
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def make_sound(folder: Path, sound: np.ndarray[Any, Any] | None, samples: int, phase: int = 0, **knobs: Any) -> Path:
    """Run sound.aac; the folder then holds packets and levels."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = Inputs()
    if sound is not None:
        inputs["audio"] = write_wav(folder / "audio.wav", sound)
    params = Aac.Params(**{"samples": samples, "phase": phase, "loudness": -16.0, **knobs})
    Aac().run(params, inputs, folder, Quiet())
    return folder


def make_film(
    folder: Path,
    frames: Sequence[int],
    sounds: Sequence[np.ndarray[Any, Any] | None],
    fps: str = "25",
    words: dict[int, list[list[Any]]] | None = None,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    grain: int = 0,
    **said: Any,
) -> tuple[Mp4.Params, Inputs]:
    """Scenes and sounds for a film, ready to be joined."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs, start, words = Inputs(), 0, words or {}
    for number, (count, sound) in enumerate(zip(frames, sounds, strict=True), 1):
        begin, end = first_sample(start, rate(fps)), first_sample(start + count, rate(fps))
        made = make_sound(folder / f"sound{number}", sound, end - begin, begin % PACKET)
        scene = folder / f"scene{number}.mp4"
        inputs[numbered("scene", number)] = write_scene(scene, count, fps, 40 + 20 * number, "", size, grain)
        inputs[numbered("packets", number)] = made / "packets"
        inputs[numbered("levels", number)] = made / "levels"
        start += count
    for number, index in enumerate(sorted(words), 1):
        path = folder / f"timing{number}.json"
        path.write_text(json.dumps({"rate": SAMPLE_RATE, "samples": 0, "words": words[index], "phones": []}))
        inputs[numbered("timing", number)] = path
    params = {
        "title": "What is <a> firewall & why?",
        "language": "en",
        "fps": fps,
        "width": size[0],
        "height": size[1],
        "frames": tuple(frames),
        "chapters": tuple(f"Scene {n}" for n in range(1, len(frames) + 1)),
        "spoken": tuple(sorted(words)),
    }
    return Mp4.Params(**{**params, **said}), inputs


def join(folder: Path, params: Mp4.Params, inputs: Inputs) -> Path:
    """Run film.mp4; the folder then holds film, vtt, srt, poster and loudness."""
    folder.mkdir(parents=True, exist_ok=True)
    Mp4().run(params, inputs, folder, Quiet())
    return folder


def heard(film: Path) -> np.ndarray[Any, Any]:
    """The film's sound, decoded in sequence: no time stamp is looked at but that the first is 0."""
    with av.open(str(film)) as file:
        frames = list(file.decode(audio=0))
    assert frames[0].pts == 0
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def seen(film: Path) -> tuple[list[int], list[float]]:
    """The film's frames, decoded in sequence: times in ticks, and mean luma."""
    with av.open(str(film)) as file:
        frames = list(file.decode(video=0))
    return [int(f.pts or 0) for f in frames], [float(f.to_ndarray()[:HEIGHT].mean()) for f in frames]
