"""A recording cut at its pauses into utterances of two to fifteen seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..backends.heard import Pause, pauses, voiced
from ..backends.joining import Sound
from ..kinds import SAMPLE_RATE

SHORT, LONG = 2 * SAMPLE_RATE, 15 * SAMPLE_RATE
REST = 0.6  # Seconds of silence after which a new utterance begins.
NEAR = 1.2  # Seconds of silence across which what is too short joins its neighbour.
MARGIN = SAMPLE_RATE // 10  # Of silence that is left at both ends.

Weigh = Callable[[Pause], float]


class Span(NamedTuple):
    """A stretch of a recording, in samples; it begins and ends in a pause."""

    start: int
    end: int

    @property
    def samples(self) -> int:
        return self.end - self.start


def cut(sound: Sound, weigh: Weigh = lambda pause: (pause.end - pause.start) / SAMPLE_RATE) -> list[Span]:
    """Every stretch in which something is heard; a long one is cut at its best pause, by weight.

    What has no pause stays longer than LONG, what stands alone shorter than SHORT: the caller says so.
    """
    heard = voiced(sound)
    silences = pauses(heard)
    if not heard.any():
        return [Span(0, len(sound))]
    rests = [pause for pause in silences if pause.end - pause.start >= REST * SAMPLE_RATE]
    spans = _joined([one for span in _between(rests, len(sound)) for one in _halved(span, silences, weigh)])
    return [_framed(span, silences, len(sound)) for span in spans]


def _between(rests: Sequence[Pause], samples: int) -> list[Span]:
    starts = [0, *(rest.end for rest in rests)]
    ends = [*(rest.start for rest in rests), samples]
    return [Span(a, b) for a, b in zip(starts, ends, strict=True) if b > a]


def _halved(span: Span, silences: Sequence[Pause], weigh: Weigh) -> list[Span]:
    """A span, or its pieces on both sides of its best pause, until none is too long or none can be cut."""
    inner = [p for p in silences if p.start > span.start + SHORT // 2 and p.end < span.end - SHORT // 2]
    if span.samples <= LONG or not inner:
        return [span]
    best = max(inner, key=lambda pause: (weigh(pause), -abs(pause.start + pause.end - span.start - span.end)))
    left, right = Span(span.start, best.start), Span(best.end, span.end)
    return [*_halved(left, silences, weigh), *_halved(right, silences, weigh)]


def _joined(spans: Sequence[Span]) -> list[Span]:
    """What is too short together with what follows soon, or with what came just before."""
    found: list[Span] = []
    for span in spans:
        before = found[-1] if found else None
        near = before is not None and span.start - before.end <= NEAR * SAMPLE_RATE
        if (
            before is not None
            and near
            and min(before.samples, span.samples) < SHORT
            and span.end - before.start <= LONG
        ):
            found[-1] = Span(before.start, span.end)
        else:
            found.append(span)
    return found


def _framed(span: Span, silences: Sequence[Pause], samples: int) -> Span:
    """With a little of the silence around it, never more than half of what is there."""
    before = next((p for p in silences if p.end == span.start), None)
    after = next((p for p in silences if p.start == span.end), None)
    lead = min(MARGIN, (before.end - before.start) // 2) if before else 0
    tail = min(MARGIN, (after.end - after.start) // 2) if after else 0
    return Span(max(0, span.start - lead), min(samples, span.end + tail))
