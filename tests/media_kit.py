"""Small media files for tests, made on the spot."""

from __future__ import annotations

import json
import struct
import wave
from pathlib import Path

import av
import numpy as np
from PIL import Image


def tone(seconds: float, rate: int = 44100, channels: int = 1) -> np.ndarray:
    """A tone between two stretches of silence of 0.3 s, as int16, channels side by side."""
    count = round(seconds * rate)
    at = np.arange(count) / rate
    sound = 9000 * np.sin(2 * np.pi * 440 * at) * ((at > 0.3) & (at < seconds - 0.3))
    return np.repeat(np.rint(sound).astype("<i2"), channels)


def wav(path: Path, seconds: float = 1.5, rate: int = 44100, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(tone(seconds, rate, channels).tobytes())
    return path


def movie(path: Path, frames: int = 30, size: tuple[int, int] = (64, 48), container: str = "mp4") -> Path:
    """Frame k is grey of level 40 + 5k (modulo 200); 10 frames a second."""
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream("libx264", rate=10, options={"threads": "1", "qp": "10"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            picture = np.full((size[1], size[0], 3), 40 + 5 * number % 200, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))
    return path


def sound_file(path: Path, codec: str, container: str, seconds: float = 1.5) -> Path:
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(seconds, 48000)[None, :], format="s16", layout="mono")
        frame.rate = 48000
        resampler = av.AudioResampler(stream.format, "mono", 48000, frame_size=stream.frame_size or 1024)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return path


def spoken_film(path: Path, seconds: float) -> Path:
    """A grey picture, 10 frames a second, with a tone."""
    silent, sound = movie(path.with_name("silent.mp4"), round(seconds * 10)), path.with_name("sound.m4a")
    sound_file(sound, "aac", "mp4", seconds)
    with av.open(str(silent)) as picture, av.open(str(sound)) as voice, av.open(str(path), "w") as file:
        sources = (picture.streams.video[0], voice.streams.audio[0])
        for source, stream in zip(sources, [file.add_stream_from_template(source) for source in sources], strict=True):
            for packet in source.container.demux(source):
                if packet.dts is not None:
                    packet.stream = stream
                    file.mux(packet)
    return path


def drawn(path: Path, size: tuple[int, int] = (80, 60), mode: str = "RGB", colour: object = (200, 30, 40)) -> Path:
    Image.new(mode, size, colour).save(path)  # type: ignore[arg-type]
    return path


def weights(file: Path, value: float = 1.0) -> Path:
    """A safetensors file with one number in it."""
    head = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    file.write_bytes(struct.pack("<Q", len(head)) + head + struct.pack("<f", value))
    return file
