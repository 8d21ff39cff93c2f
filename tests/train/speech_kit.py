"""Recordings as people bring them, made by espeak-ng and numpy: good ones, and all sorts of bad ones."""

from __future__ import annotations

import struct
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np

from engine.backends import espeak_text
from engine.backends.espeak import Espeak, EspeakParams

RATE = 22050
VOICE, MAN = "en-us+f2", "en-us+m3"
FIREWALL = [
    "A firewall reads each packet, and asks one question.",
    "Does anybody expect you?",
    "If nobody does, the packet is dropped without a word.",
    "That is the whole secret, and it fits on a postcard.",
]
DOORS = [
    "Every second, strangers knock on the door of your computer.",
    "Most of them are machines, and they do not even know your name.",
    "They try every door in the street, one after the other.",
]


class Quiet:
    """Nobody waits for progress."""

    def progress(self, done: int, total: int) -> None:
        """Say nothing."""


def said(text: str, folder: Path, voice: str = VOICE, pitch: int = 50) -> Any:
    """A text as espeak-ng says it, at RATE; by a process of its own: the first words of one are always the same."""
    out = folder / "said"
    params = EspeakParams(text, voice=voice, pitch=pitch)
    Espeak().answer(params, espeak_text.said(text, {}), out, Quiet())
    with wave.open(str(out)) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)
    out.unlink()
    return sound


def talk(sentences: list[str], folder: Path, **how: Any) -> Any:
    """Sentences in a row, with pauses, in a quiet room."""
    rest = np.zeros(RATE * 8 // 10)
    whole = np.concatenate([part for text in sentences for part in (said(text, folder, **how), rest)])
    return whole + np.random.default_rng(0).normal(0, 2, len(whole))


def noisy(sound: Any, decibels: float) -> Any:
    """With noise so far below."""
    return sound + np.random.default_rng(1).normal(0, np.std(sound) * 10 ** (-decibels / 20), len(sound))


def by_telephone(sound: Any) -> Any:
    """At 8 kHz, with nothing above 3.6 kHz."""
    taps = np.sinc(np.arange(-60, 61) * 7200 / RATE) * np.hamming(121) * 7200 / RATE
    return np.interp(np.arange(0, len(sound), RATE / 8000), np.arange(len(sound)), np.convolve(sound, taps, "same"))


def chords(seconds: float) -> Any:
    """Music: held notes that fade."""
    at = np.arange(int(RATE * seconds)) / RATE
    return 3000 * sum(np.sin(2 * np.pi * tone * at) * np.exp(-((at * 2) % 1)) for tone in (220, 277, 330, 440, 554))


def wav(path: Path, sound: Any, rate: int = RATE) -> Path:
    """Write a WAV; what is too loud is cut off, as a recorder does."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(np.clip(sound, -32768, 32767).astype("<i2").tobytes())
    return path


def mp3(path: Path, sound: Any) -> bytes:
    """An MP3 with a header that says how many frames it has."""
    with av.open(str(path), "w", format="mp3") as out:
        voice = out.add_stream("libmp3lame", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(sound.astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        for part in av.AudioResampler(format="fltp", layout="mono", rate=RATE, frame_size=1152).resample(frame):
            out.mux(voice.encode(part))
        out.mux(voice.encode())
    return path.read_bytes()


def floats(sound: Any) -> bytes:
    """A WAV of 32-bit floats, which may hold anything."""
    data = (sound / 32768).astype("<f4").tobytes()
    head = struct.pack("<4sI8sIHHIIHH", b"RIFF", 36 + len(data), b"WAVEfmt ", 16, 3, 1, RATE, RATE * 4, 4, 32)
    return head + struct.pack("<4sI", b"data", len(data)) + data


def film(path: Path, sound: Any) -> Path:
    """A video with a grey picture and a sound."""
    with av.open(str(path), "w") as out:
        picture = out.add_stream("libx264", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 36, "yuv420p"
        voice = out.add_stream("aac", rate=48000, layout="mono")
        for _ in range(len(sound) * 25 // RATE):
            out.mux(picture.encode(av.VideoFrame.from_ndarray(np.full((36, 64, 3), 99, np.uint8), format="rgb24")))
        out.mux(picture.encode())
        frame = av.AudioFrame.from_ndarray(sound.astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        for part in av.AudioResampler(format="fltp", layout="mono", rate=48000, frame_size=1024).resample(frame):
            out.mux(voice.encode(part))
        out.mux(voice.encode())
    return path


def take(folder: Path, name: str, sentences: list[str], **how: Any) -> Path:
    """A good recording with its text beside it."""
    (folder / f"{name}.txt").write_text(" ".join(sentences), encoding="utf-8")
    return wav(folder / f"{name}.wav", talk(sentences, folder, **how))
