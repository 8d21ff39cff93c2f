"""One sentence from text to samples and times: said, held against what is expected, said again where it failed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

import numpy as np

from ..errors import BackendError
from ..kinds import Tell
from . import espeak_text, nemo_guard, nemo_speak, nemo_text, nemo_timing
from .espeak import Espeak
from .nemo_model import seeded
from .nemo_speak import Asked, Floats, Manner, Spoken

AGAIN = 0x9E3779B1  # From the seed of one try to that of the next.
REST = 0.3  # Seconds of silence in place of a text with nothing to say.
Finished = tuple[bytes, dict[str, Any]]  # Samples (16 bits) and timing.


class Sentence:
    """What a step says; `params` are NemoParams, `reference` is as `nemo_speak.heard` gives it."""

    def __init__(self, model: Any, params: Any, reference: Floats | None, espeak: Espeak, tell: Tell) -> None:
        self._model, self._params, self.tell = model, params, tell
        tokenizer = nemo_speak.tokenizer_of(model, params.language)
        self._encode = nemo_speak.sayable(model, tokenizer)
        knows = _dictionary(model, tokenizer)
        self.said = nemo_text.prepared(params.text, params.pronunciation, params.language, knows)
        self._leave_out()
        self._phones, self._expected = nemo_timing.phoned(self.said, params.language, espeak, tell)
        whose = (reference, params.speaker)
        half = params.dtype == "bfloat16"
        self.asked = Asked(self.said.text, tokenizer, params.language, *whose, _manner(model, params), half)

    def spoken(self) -> Finished:
        """Say it. Raises BackendError where no try came out well."""
        tries, spoken = self.tries(), None
        while True:
            try:
                seeded(tries.send(spoken))
            except StopIteration as end:
                finished: Finished = end.value
                return finished
            spoken = nemo_speak.say(self._model, self.asked, self.tell)

    def tries(self) -> Generator[int, Spoken | None, Finished]:
        """Yields the seed of each try, and is sent what was said with it. Raises BackendError where none was good."""
        params, failed = self._params, list[str]()
        if not self.said.words:
            return self._nothing()
        for number in range(1 + (params.retries if params.guard else 0)):
            spoken = yield (params.seed + number * AGAIN) % 2**63
            assert spoken is not None  # noqa: S101
            if not np.isfinite(spoken.sound).all():
                raise BackendError("the model's sound is no numbers", "Set dtype: float32, or fetch the model again.")
            spans = nemo_timing.spans(spoken, self.said, self._encode, nemo_speak.hop(self._model))
            wrong = self._faults(spoken, spans)
            if not wrong:
                notes = [*self.said.notes, *(f"said {number + 1} times: {_listed(failed)}" for _ in failed[:1])]
                return self._finished(spoken, spans, notes)
            failed.append(", ".join(wrong))
        message = f"the model did not say {params.text[:60]!r} well in {len(failed)} tries: {_listed(failed)}"
        raise BackendError(message, "Raise take:, reword the sentence, or set guard: false in the profile to hear it.")

    def _nothing(self) -> Finished:
        """A short rest in place of a text that has nothing to say ("…")."""
        text, rate = self._params.text, int(self._model.output_sample_rate)
        samples = int(rate * REST)
        silent = espeak_text.timing(text, espeak_text.said(text, {}), {"rate": rate, "samples": samples, "events": []})
        return bytes(2 * samples), silent

    def _faults(self, spoken: Spoken, spans: nemo_timing.Spans) -> list[str]:
        if not self._params.guard:
            return []
        reached = [word.said if end else "" for word, (_, end) in zip(self.said.words, spans, strict=False)]
        rate, hop = int(self._model.output_sample_rate), nemo_speak.hop(self._model)
        return nemo_guard.faults(spoken, self._expected, rate, hop, reached)

    def _finished(self, spoken: Spoken, spans: nemo_timing.Spans, notes: list[str]) -> Finished:
        params, rate = self._params, int(self._model.output_sample_rate)
        sound = np.clip(np.rint(spoken.sound * 32767), -32768, 32767).astype("<i2")
        timing = nemo_timing.timing(self.said, spoken, spans, rate, self._phones)
        if timing is None:
            timing = nemo_timing.stretched(params.text, sound, params.language, rate, self.tell)
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


def _manner(model: Any, params: Any) -> Manner:
    """What is 0 in a profile is as the model has it."""
    steps = round(params.seconds * model.output_sample_rate / nemo_speak.hop(model)) if params.seconds else None
    return Manner(params.temperature or None, params.topk or None, params.cfg_scale or None, steps)


def _dictionary(model: Any, tokenizer: str) -> Callable[[str], bool]:
    """Whether the model's dictionary has a word; without a dictionary it has all."""
    words = getattr(getattr(model.tokenizer.tokenizers[tokenizer], "g2p", None), "phoneme_dict", None)
    return lambda word: not isinstance(words, dict) or bool({word, word.lower(), word.upper()} & words.keys())


def _listed(failed: list[str]) -> str:
    return "; ".join(_numbered(failed))


def _numbered(failed: list[str]) -> Iterator[str]:
    for number, wrong in enumerate(failed, 1):
        yield f"in try {number} {wrong}"
