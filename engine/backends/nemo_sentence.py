"""One sentence from text to samples and times: said, held against what is expected, said again where it failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..errors import BackendError
from ..kinds import Tell
from . import nemo_guard, nemo_speak, nemo_text, nemo_timing
from .espeak import Espeak
from .nemo_model import seeded
from .nemo_speak import Floats, Manner, Spoken

AGAIN = 0x9E3779B1  # From the seed of one try to that of the next.


class Sentence:
    """What a step says; `params` are NemoParams, `reference` is as `nemo_speak.heard` gives it."""

    def __init__(self, model: Any, params: Any, reference: Floats | None, espeak: Espeak, tell: Tell) -> None:
        self._model, self._params, self._reference, self._tell = model, params, reference, tell
        self._tokenizer = nemo_speak.tokenizer_of(model, params.language)
        self._encode = nemo_speak.sayable(model, self._tokenizer)
        knows = _dictionary(model, self._tokenizer)
        self.said = nemo_text.prepared(params.text, params.pronunciation, params.language, knows)
        self._leave_out()
        self._phones, self._expected = nemo_timing.phoned(self.said, params.language, espeak, tell)

    def spoken(self) -> tuple[bytes, dict[str, Any]]:
        """Samples (16 bits) and timing. Raises BackendError where no try came out well."""
        params, failed = self._params, list[str]()
        for number in range(1 + (params.retries if params.guard else 0)):
            seeded((params.seed + number * AGAIN) % 2**63)
            spoken = self._say()
            spans = nemo_timing.spans(spoken, self.said, self._encode, nemo_speak.hop(self._model))
            wrong = self._faults(spoken, spans)
            if not wrong:
                notes = [*self.said.notes, *(f"said {number + 1} times: {_listed(failed)}" for _ in failed[:1])]
                return self._finished(spoken, spans, notes)
            failed.append(", ".join(wrong))
        message = f"the model did not say {params.text[:60]!r} well in {len(failed)} tries: {_listed(failed)}"
        raise BackendError(message, "Raise take:, reword the sentence, or set guard: false in the profile to hear it.")

    def _say(self) -> Spoken:
        params, model = self._params, self._model
        steps = round(params.seconds * model.output_sample_rate / nemo_speak.hop(model)) if params.seconds else None
        asked = (params.temperature or None, params.topk or None, params.cfg_scale or None, steps)
        half = params.dtype == "bfloat16"
        whose = (self._reference, params.speaker)
        spoken = nemo_speak.say(
            model, self.said.text, self._tokenizer, params.language, *whose, Manner(*asked), half, self._tell
        )
        if not np.isfinite(spoken.sound).all():
            raise BackendError("the model's sound is no numbers", "Set dtype: float32, or fetch the model again.")
        return spoken

    def _faults(self, spoken: Spoken, spans: nemo_timing.Spans) -> list[str]:
        if not self._params.guard:
            return []
        reached = [word.said if end else "" for word, (_, end) in zip(self.said.words, spans, strict=False)]
        rate, hop = int(self._model.output_sample_rate), nemo_speak.hop(self._model)
        return nemo_guard.faults(spoken, self._expected, rate, hop, reached)

    def _finished(self, spoken: Spoken, spans: nemo_timing.Spans, notes: list[str]) -> tuple[bytes, dict[str, Any]]:
        params, rate = self._params, int(self._model.output_sample_rate)
        sound = np.clip(np.rint(spoken.sound * 32767), -32768, 32767).astype("<i2")
        timing = nemo_timing.timing(self.said, spoken, spans, rate, self._phones)
        if timing is None:
            timing = nemo_timing.stretched(params.text, sound, params.language, rate, self._tell)
            notes = [*notes, f"the model did not tell its words' times: they are {timing['method']}"]
        return sound.tobytes(), timing | ({"note": "; ".join(notes)} if notes else {})

    def _leave_out(self) -> None:
        """Words for which the model has no sounds. Raises BackendError where those are most of them."""
        spoken = [word for word in self.said.words if self._encode(word.said)]
        lost = [word.said for word in self.said.words if word not in spoken and any(c.isalnum() for c in word.said)]
        if len(lost) > len(spoken):
            message = f"the model has no sounds for {' '.join(lost)[:60]!r} in {self._params.language!r}"
            raise BackendError(message, "Is the storyboard's language: right? Write numbers and signs as words.")
        notes = [f"left out, because the model has no sounds for it: {', '.join(lost)}"] if lost else []
        self.said = self.said._replace(words=spoken, notes=[*self.said.notes, *notes])


def _dictionary(model: Any, tokenizer: str) -> Callable[[str], bool]:
    """Whether the model's dictionary has a word; without a dictionary it has all."""
    words = getattr(getattr(model.tokenizer.tokenizers[tokenizer], "g2p", None), "phoneme_dict", None)
    return lambda word: not isinstance(words, dict) or bool({word, word.lower(), word.upper()} & words.keys())


def _listed(failed: list[str]) -> str:
    return "; ".join(_numbered(failed))


def _numbered(failed: list[str]) -> Iterator[str]:
    for number, wrong in enumerate(failed, 1):
        yield f"in try {number} {wrong}"
