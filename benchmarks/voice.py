"""A film's sentences by NeMo's Magpie, eight at once beside one by one, on this machine's processor.

The model is a tiny one with random weights: what it says is noise, and its figures are none of a real one. The ratio
shows what is gained where a step of the decoder costs more to start than to compute, as on a GPU. All sentences are
made equally long: several at once take as long as the longest of them.
"""

from __future__ import annotations

import os
import sys
import time
import wave
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from engine.backends.nemo import Nemo, NemoParams
from engine.kinds import Inputs, Part

from .place import HERE, Options
from .table import Figure

sys.path.insert(0, str(HERE / "tests"))

AT_ONCE, TIMES = 8, 3
FRAMES = 40  # Of codes in each sentence: the most that the tiny model makes.
WORDS = ("this", "door", "is", "red", "that", "one", "blue", "hello", "world", "two", "three", "a", "test")


def figures(options: Options) -> Iterator[Figure]:
    """Sentences a second, both ways; nothing where NeMo is not installed."""
    if find_spec("nemo") is None:
        print("voice: NeMo is not installed: pip install 'mikebot[voice]'", file=sys.stderr)
        return
    import tiny_voice
    import torch

    torch.set_num_threads(1)  # As in a worker.
    folder = options.room / "voice"
    tiny_voice.build(folder)
    before = os.environ.get("MIKEBOT_MODELS")
    os.environ["MIKEBOT_MODELS"] = str(folder)
    try:
        one, many = _measured(folder)
    finally:
        os.environ.pop("MIKEBOT_MODELS") if before is None else os.environ.update(MIKEBOT_MODELS=before)
    what = f"voice: sentences a second, {AT_ONCE} at once (tiny random model, processor)"
    yield Figure(what, many, "/s", more=True, peer="one by one", peer_value=one)


def _measured(folder: Path) -> tuple[float, float]:
    """Sentences a second one by one, and at once: the better of several turns."""
    backend = Nemo()
    parts = list(_parts(folder))
    backend.load(backend.model(parts[0].params))
    backend._model.inference_parameters.min_generated_frames = FRAMES
    backend.run_many(parts)  # The first is slower.
    found = []
    for several in ([[part] for part in parts], [parts]):
        found.append(max(len(parts) / _seconds(backend, several) for _ in range(TIMES)))
    return found[0], found[1]


def _seconds(backend: Nemo, several: Sequence[Sequence[Part]]) -> float:
    begun = time.perf_counter()
    for parts in several:
        backend.run_many(parts) if len(parts) > 1 else backend.run(*parts[0])
    return time.perf_counter() - begun


def _parts(folder: Path) -> Iterator[Part]:
    reference = folder / "reference.wav"
    with wave.open(str(reference), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(22050)
        file.writeframes((8000 * np.sin(np.arange(2 * 22050) * 0.06)).astype("<i2").tobytes())
    deaf = SimpleNamespace(progress=lambda *_: None)
    for number in range(AT_ONCE):
        text = " ".join(WORDS[(number + place) % len(WORDS)] for place in range(10))
        params = NemoParams(text, model="magpie", codec="codec", device="cpu", guard=False, seed=number, batch=AT_ONCE)
        (out := folder / str(number)).mkdir()
        yield Part(params, Inputs(voice=reference), out, deaf)
