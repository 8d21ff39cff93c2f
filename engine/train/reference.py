"""What would spoil an imitation of a reference recording, by the measures that recordings of a training are held to."""

from __future__ import annotations

from pathlib import Path

from ..backends.heard import pauses, voiced
from ..kinds import SAMPLE_RATE
from . import faults, recordings
from .cutting import LONG, SHORT, Span

BEST = (5, 20)  # Seconds.


def doubts(file: Path) -> list[str]:
    """What speaks against a recording, the worst first; nothing where it seems good. Raises probe.Unreadable."""
    found = recordings.decoded(file)
    span = Span(0, len(found.sound))
    measured = faults.measured(found, span, pauses(voiced(found.sound)))
    worst = faults.fault(measured, min(max(span.samples, SHORT), LONG))
    seconds = span.samples / SAMPLE_RATE
    length = f"it lasts {seconds:.1f} s; {BEST[0]} to {BEST[1]} s are best"
    return [*filter(None, [worst]), *([] if BEST[0] <= seconds <= BEST[1] else [length])]
