"""Several sentences by Magpie at once, each with random numbers of its own.

What a sentence draws does not depend on those beside it, and its sound is made of its codes alone. So it is what it
would be by itself, but where sums that a larger batch adds in another order tip a draw: on a processor hardly ever, and
then from that frame on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, TypeVar

from ..errors import Cancelled, MikebotError
from ..kinds import Tell
from . import nemo_speak
from .nemo_model import seeded
from .nemo_sentence import Finished, Sentence
from .nemo_speak import Asked, Chunk, Spoken

Made = TypeVar("Made")


def attempt(make: Callable[[], Made]) -> Made | Exception:
    """What is made, or why one of several steps ends without the others."""
    try:
        return make()
    except (MikebotError, Cancelled) as error:
        return error


def together(model: Any, sentences: Sequence[Sentence | Exception]) -> list[Finished | Exception]:
    """Say sentences, each as often as it needs: in every round all that are left. What failed before stays as it is."""
    ends: dict[int, Finished | Exception] = {n: one for n, one in enumerate(sentences) if isinstance(one, Exception)}
    begun = {number: one for number, one in enumerate(sentences) if isinstance(one, Sentence)}
    tries = {number: one.tries() for number, one in begun.items()}
    heard: Mapping[int, Spoken | Exception | None] = dict.fromkeys(tries)
    while heard:
        seeds: dict[int, int] = {}
        for number, spoken in heard.items():
            try:
                if isinstance(spoken, Exception):
                    raise spoken
                seeds[number] = tries[number].send(spoken)
            except StopIteration as end:
                ends[number] = end.value
            except (MikebotError, Cancelled) as error:
                ends[number] = error
        heard = _round(model, {number: begun[number] for number in seeds}, seeds)
    return [ends[number] for number in range(len(sentences))]


def _round(model: Any, sentences: Mapping[int, Sentence], seeds: Mapping[int, int]) -> dict[int, Spoken | Exception]:
    """One try of each: together those that may be, the others one by one."""
    said: dict[int, Spoken | Exception] = {}
    groups: dict[Any, dict[int, Chunk]] = {}
    for number, sentence in sentences.items():
        chunks, asked = list(nemo_speak.chunked(model, sentence.asked)), sentence.asked
        if len(chunks) == 1 and model.local_transformer_type.value in {"none", "autoregressive"}:
            groups.setdefault((asked.manner, asked.half, asked.reference is None), {})[number] = chunks[0]
        else:
            seeded(seeds[number])
            said[number] = attempt(lambda one=sentence: nemo_speak.say(model, one.asked, one.tell))  # type: ignore[misc]
    for chunks_of in groups.values():
        asked_of = [sentences[number].asked for number in chunks_of]
        tells = [_Patient(sentences[number].tell) for number in chunks_of]
        own = [seeds[number] for number in chunks_of]
        found = attempt(lambda: _say(model, list(chunks_of.values()), asked_of, own, tells))  # noqa: B023 (Called now.)
        for place, (number, tell) in enumerate(zip(chunks_of, tells, strict=True)):
            said[number] = found if isinstance(found, Exception) else Cancelled() if tell.stale else found[place]
    return said


def _say(
    model: Any, chunks: Sequence[Chunk], asked: Sequence[Asked], seeds: Sequence[int], tells: Sequence[_Patient]
) -> list[Spoken]:
    """A chunk each, until the last of them ends, or nobody wants any of them."""
    state = model.create_chunk_state(batch_size=len(chunks))
    before = len(state.last_attended_timesteps)
    with nemo_speak.decoding(model, asked[0], 1, [*tells, _Wanted(tells)]), _rows(model.device, seeds):
        said = model.generate_speech(
            nemo_speak.batch(model, chunks, asked),
            chunk_state=state,
            end_of_text=[True] * len(chunks),
            beginning_of_text=True,
            use_cfg=True,
            use_local_transformer_for_inference=model.local_transformer_type.value != "none",
        )
        most, steps = nemo_speak.most(model), state.last_attended_timesteps[before:]
        lengths = [int(length) for length in said.predicted_codes_lens]
        attended = [nemo_speak.frames(model, steps, row, length) for row, length in enumerate(lengths)]
    return [
        nemo_speak.spoken(model, said.predicted_codes[row, :, :length], attended[row], [chunk], length < most)
        for row, (chunk, length) in enumerate(zip(chunks, lengths, strict=True))
    ]


class _Patient:
    """Hears that one sentence of several is not wanted any more, and lets the others go on."""

    def __init__(self, tell: Tell) -> None:
        self.stale = False
        self._tell = tell

    def progress(self, done: int, total: int) -> None:
        """Hand on how far it is."""
        if self.stale:
            return
        try:
            self._tell.progress(done, total)
        except Cancelled:
            self.stale = True


class _Wanted:
    """Ends what is being said when none of it is wanted."""

    def __init__(self, tells: Sequence[_Patient]) -> None:
        self._tells = tells

    def progress(self, done: int, total: int) -> None:
        """Look whether anyone is left."""
        if all(tell.stale for tell in self._tells):
            raise Cancelled


def _rows(device: Any, seeds: Sequence[int]) -> Any:
    """While it lasts, each row of what is drawn has the random numbers that it has alone.

    With guidance the rows are there twice, and a sentence alone draws for both of its rows: row i and row i + count.
    """
    torch = import_module("torch")
    own = [torch.Generator(device).manual_seed(seed) for seed in seeds]

    class Rows(torch.overrides.TorchFunctionMode):  # type: ignore[misc, name-defined]
        """Sees the calls of torch's functions."""

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is not torch.multinomial:
                return func(*args, **(kwargs or {}))
            shares, count = args
            drawn = shares.new_empty((len(shares), count), dtype=torch.long)
            for row, generator in enumerate(own):
                mine = shares[row :: len(own)].contiguous()
                drawn[row :: len(own)] = torch.multinomial(mine, count, generator=generator)
            return drawn

    return Rows()
