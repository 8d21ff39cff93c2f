"""Words and phones of an English recording, found by pocketsphinx: forced alignment, window after window.

A recording is cut where it pauses, into windows of half a minute, so that memory does not grow with its length.
How many words a window holds is found by the decoder: any word may be the last, and what follows the window's
last inner pause is aligned again with the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..kinds import SAMPLE_RATE
from .arpabet import mnemonic
from .heard import Pause
from .joining import Interval, Sound

LONG, LEAST = 30, 10  # Seconds of a window, at most and at least.
QUICK = 7  # Words a second that nobody exceeds.
STEP = SAMPLE_RATE // 100  # The decoder's frame.
LATE = SAMPLE_RATE // 125  # It looks at 25.6 ms: the border of two frames lies 8 ms after the start of the second.
SKIP = 1e-30  # How unlikely it is that a word of the text is not said.
SKIPPED = 4  # Words in a row that may be left out.
# Another text is aligned too, if its length allows; but its words sound unlike their phones. In the decoder's units
# a frame, people's right texts had 5 to 19 as a whole, also in noise, espeak-ng's up to 41, wrong ones 45 and more;
# the worst twelve words of a right text had 51, of one with a foreign sentence 69.
UNLIKE = 43
GROUP, UNLIKE_HERE = 12, 60
_DOWN = 3
_BREATH = 15  # Frames of silence that part two phrases.


class Word(NamedTuple):
    """Where a word of the text lies, and its phones, in samples; how unlike those it sounds (0: not at all)."""

    number: int
    start: int
    end: int
    phones: list[Interval]
    unlike: int


class Lost(Exception):
    """From this word and this sample on, the recording does not say the text."""

    def __init__(self, found: list[Word], word: int, sample: int) -> None:
        super().__init__(f"word {word}")
        self.found, self.word, self.sample = found, word, sample


def decoder() -> Any:
    """Beams so wide that a correct text is not given up; the noise that it adds to silence is always the same."""
    from pocketsphinx import Decoder

    beams = {"beam": 1e-100, "wbeam": 1e-80, "pbeam": 1e-100}
    return Decoder(samprate=16000, lm=None, dither=True, seed=1, loglevel="FATAL", bestpath=False, **beams)


def aligned(
    engine: Any, names: Sequence[str], sound: Sound, silences: Sequence[Pause], alive: Callable[[], None]
) -> list[Word]:
    """Every word by its name in the decoder's dictionary. Raises Lost."""
    found: list[Word] = []
    done, start = 0, 0
    gain = 20000 / max(1, int(np.abs(sound[::7].astype(np.int32)).max()))
    while done < len(names):
        alive()
        end = _cut(start, len(sound), silences)
        last = end == len(sound)
        some = names[done:] if last else names[done : done + QUICK * (end - start) // SAMPLE_RATE + 20]
        words, resume = _window(engine, some, _sixteen(sound[start:end], gain), last)
        if not words:
            raise Lost(found, done, start)
        found += _unbroken([_placed(word, done, start, len(sound)) for word in words], found, done)
        done, start = done + words[-1].number + 1, (len(sound) if last else start + resume)
        if last:
            break
    if len(names) - done > SKIPPED:
        raise Lost(found, done, start)
    if unlike(found) > UNLIKE:
        raise Lost([], 0, 0)
    return found


def unlike(words: Sequence[Word]) -> float:
    """How unlike their phones words sound, a frame."""
    return sum(word.unlike for word in words) * STEP / max(1, sum(word.end - word.start for word in words))


def _unbroken(words: Sequence[Word], found: list[Word], done: int) -> Sequence[Word]:
    """Words between which few are left out, and which sound like it. Raises Lost."""
    for place, word in enumerate(words):
        if unlike(words[max(0, min(place, len(words) - GROUP)) :][:GROUP]) > UNLIKE_HERE:
            raise Lost([*found, *words[:place]], done, words[place - 1].end if place else word.start)
        if word.number - done > SKIPPED:
            raise Lost([*found, *words[:place]], done, words[place - 1].end if place else word.start)
        done = word.number + 1
    return words


def _window(engine: Any, names: Sequence[str], pcm: Any, last: bool) -> tuple[list[Word], int]:
    """Its words, counted and timed from its own beginning, and the sample at which the next one begins."""
    heard, resume = _heard(engine, names, pcm, last)
    cut = pcm[: -(-resume // _DOWN)]
    segments = _decode(engine, [names[number] for number in heard], cut) if heard else []
    places = [place for place, part in enumerate(segments) if _is_word(part[0])]
    if not heard or len(places) != len(heard):
        return [], 0
    phones = _phones(engine, cut)
    spans = [(segments[place][1] * STEP, segments[place][2] * STEP) for place in places]
    found = [Word(number, *span, *phones[place]) for number, span, place in zip(heard, spans, places, strict=True)]
    return found, resume


def _heard(engine: Any, names: Sequence[str], pcm: Any, last: bool) -> tuple[list[int], int]:
    """Which words can be heard; some that cannot are left out only where the whole text does not fit."""
    for skip in (0.0, SKIP):
        segments = _decode(engine, names, pcm, not last, skip)
        words = sum(_is_word(name) for name, _, _ in segments)
        if words and (skip or not last or words == len(names)):
            break
    else:
        return [], 0
    keep, resume = (len(segments), len(pcm) * _DOWN) if last else _until(segments, len(pcm) * _DOWN)
    numbers: list[int] = []
    for name, _, _ in segments[:keep]:
        if _is_word(name):
            numbers.append(names.index(name.partition("(")[0], numbers[-1] + 1 if numbers else 0))
    return numbers, resume


def _decode(
    engine: Any, names: Sequence[str], pcm: Any, early: bool = False, skip: float = 0.0
) -> list[tuple[str, int, int]]:
    """Words and silences with their first frames and those after their last; nothing if the text does not fit.

    With `early`, any word may be the last; with `skip`, any may be left out.
    """
    count = len(names)
    arcs: list[tuple[Any, ...]] = [(place, place + 1, 1.0, name) for place, name in enumerate(names)]
    if skip:
        arcs += [(place, place + 1, skip) for place in range(count)]
    if early:
        arcs += [(place, count, 1.0) for place in range(1, count)]
    engine.add_fsg("text", engine.create_fsg("text", 0, count, arcs))
    engine.activate_search("text")
    _hear(engine, pcm)
    return [(part.word, part.start_frame, part.end_frame + 1) for part in engine.seg() or ()]


def _phones(engine: Any, pcm: Any) -> list[tuple[list[Interval], int]]:
    """The phones of each segment of the last hypothesis and how unlike they sound, from a second pass."""
    engine.set_alignment()
    _hear(engine, pcm)
    found = []
    for word in engine.get_alignment():
        parts = [(part.start * STEP, (part.start + part.duration) * STEP, mnemonic(part.name)) for part in word]
        found.append(([part for part in parts if part[2]], -word.score))
    return found


def _hear(engine: Any, pcm: Any) -> None:
    engine.start_utt()
    engine.process_raw(pcm.tobytes(), full_utt=True)
    engine.end_utt()


def _until(segments: Sequence[tuple[str, int, int]], samples: int) -> tuple[int, int]:
    """How many segments are certain, those before the last inner pause, and where the next window begins."""
    words = [place for place, part in enumerate(segments) if _is_word(part[0])]
    for place in range(words[-1], words[0], -1):
        name, start, end = segments[place]
        if not _is_word(name) and end - start >= _BREATH and end * STEP * 2 > samples:
            return place, (start + end) // 2 * STEP
    return len(segments), samples


def _cut(start: int, samples: int, silences: Sequence[Pause]) -> int:
    """The end of a window: in the middle of a pause, where there is one."""
    if samples - start <= LONG * SAMPLE_RATE:
        return samples
    middles = [(pause.start + pause.end) // 2 for pause in silences]
    within = [at for at in middles if start + LEAST * SAMPLE_RATE < at <= start + LONG * SAMPLE_RATE]
    return within[-1] if within else start + LONG * SAMPLE_RATE


def _placed(word: Word, done: int, start: int, samples: int) -> Word:
    def at(sample: int) -> int:
        return min(sample + start + LATE, samples)

    phones = [(at(first), at(after), name) for first, after, name in word.phones]
    return Word(word.number + done, at(word.start), at(word.end), phones, word.unlike)


def _is_word(name: str) -> bool:
    return name[:1] not in {"<", "[", "("}


def _sixteen(sound: Sound, gain: float) -> Any:
    """At 16 kHz, which is what the model was trained on, and loud enough."""
    taps = np.arange(-48, 49) / _DOWN
    weights = (np.sinc(taps * 0.93) * np.kaiser(97, 8)).astype(np.float32)
    low = np.convolve(sound.astype(np.float32), weights / weights.sum(), "same")[::_DOWN]
    return np.clip(np.rint(low * gain), -32768, 32767).astype("<i2")
