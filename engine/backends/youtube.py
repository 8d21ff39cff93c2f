"""What a film's uploader pastes below it: title, chapters, and that the film is made by machines."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

SHORTEST = 10  # Seconds; YouTube shows no chapters if one is shorter,
FEWEST = 3  # or if there are fewer, or the first does not start at 0:00.
MADE = {
    "compositeSynthetic": "This film was drawn and spoken by programs: its voice and its pictures are synthetic.",
    "trainedAlgorithmicMedia": "This film was made with generative models: its voice and its pictures are synthetic.",
    "compositeWithTrainedAlgorithmicMedia": "This film has parts made with generative models: voice and pictures.",
}


def text(title: str, chapters: Sequence[str], frames: Sequence[int], fps: Fraction, source: str) -> str:
    """Title, chapters and disclosure. A scene shorter than ten seconds goes into the chapter before it."""
    starts = [sum(frames[:number], Fraction(0)) / fps for number in range(len(frames))]
    total = sum(frames) / fps
    listed: list[tuple[Fraction, str]] = []
    for start, chapter in zip(starts, chapters, strict=True):
        if not listed or start - listed[-1][0] >= SHORTEST:
            listed.append((start, chapter))
    if len(listed) > 1 and total - listed[-1][0] < SHORTEST:
        listed.pop()
    lines = [f"{_clock(start)} {chapter}" for start, chapter in listed] if len(listed) >= FEWEST else []
    said = MADE.get(source, f"How this film came to be, in IPTC's terms: {source}.")
    return "\n\n".join(part for part in (title, "\n".join(lines), said) if part) + "\n"


def _clock(start: Fraction) -> str:
    seconds = int(start)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"
