"""A sentence said by a voice that is being trained, as the speech backend would say it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..backends import nemo_model, nemo_speak
from . import levelled


class Quiet:
    """Nobody waits for progress."""

    def progress(self, done: int, total: int) -> None:
        """Say nothing."""


def say(model: Any, text: str, language: str, example: Path, out: Path, seed: int) -> None:
    """Write a sentence as a WAV at the model's rate, in the voice of an example recording.

    A model that has speakers of its own is told the first. The same seed says the same.
    """
    example_sound = None if model.has_baked_context_embedding else nemo_speak.heard(example, model, Quiet())
    tokenizer = nemo_speak.tokenizer_of(model, language)
    nemo_model.seeded(seed)
    model.eval()
    half = model.device.type == "cuda"
    asked = nemo_speak.Asked(text, tokenizer, language, example_sound, half=half)
    said = nemo_speak.say(model, asked, Quiet())
    for part in [getattr(model, name, None) for name in ("decoder", "local_transformer")]:
        if part is not None:  # Or the next step of a training would be a word of this sentence.
            part.reset_cache(use_cache=False)
    made = np.rint(np.clip(np.nan_to_num(said.sound), -1, 1) * 32767).astype(np.int16)
    levelled.write(out, made, int(model.output_sample_rate))
