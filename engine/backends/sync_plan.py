"""What is done with each frame of a talking video: where its mouth is made anew, how strongly, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate, groupby
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendError
from .faces_track import SHOWN, Seen

Matrix = NDArray[np.float32]
_BEFORE, _AFTER = Fraction(3, 25), Fraction(1, 5)  # Seconds around words: lips open before they are heard.
_FADE = 0.16  # Seconds in which a mouth that was made goes over into one that was there.
_TOLD = 6  # Spans that are told at most.


class Plan(NamedTuple):
    """By frame of the film: its matrix (frame -> crop), and the share of what is made, 0 where it stays as it is."""

    matrices: Sequence[Matrix | None]
    strengths: Sequence[float]
    stretches: Sequence[range]  # Frames that windows may see together.
    note: str


def planned(
    seen: Sequence[Seen],
    matrices: Sequence[Matrix | None],
    spoken: Sequence[bool],
    fps: Fraction,
    least: float,
    fading: bool = True,
) -> Plan:
    """A plan for every frame of the film; raises BackendError where too few of those that show a face can be used."""
    note = _told(seen, spoken, fps, least)
    marks = [one.track if one.reason == "" and said else -1 for one, said in zip(seen, spoken, strict=True)]
    stretches = list(_runs(marks))
    strengths = [0.0] * len(seen)
    fade = round(_FADE * fps) if fading else 0
    for stretch in stretches:
        for frame in stretch:
            strengths[frame] = _strength(frame, stretch, marks, fade)
    return Plan(matrices, strengths, stretches, note)


def words_heard(timing: Mapping[str, Any], frames: int, fps: Fraction, silence: float) -> list[bool]:
    """Which frames are spoken over: all but silences of so many seconds; all of them where no words are known."""
    words = sorted((Fraction(word[0], timing["rate"]), Fraction(word[1], timing["rate"])) for word in timing["words"])
    if not words or not silence:
        return [True] * frames
    heard = [True] * frames
    ends = [Fraction(0), *accumulate((end for _, end in words), max)]
    begins = [*(begin for begin, _ in words), frames / fps]
    for end, begin in zip(ends, begins, strict=True):
        if begin - end >= silence:
            start = ceil((end + _AFTER) * fps) if end else 0
            stop = int((begin - _BEFORE) * fps) if begin < frames / fps else frames
            heard[start:stop] = [False] * len(heard[start:stop])
    return heard


def _runs(marks: Sequence[int]) -> Iterator[range]:
    """Stretches of one person's frames."""
    frame = 0
    for mark, group in groupby(marks):
        length = len(list(group))
        if mark >= 0:
            yield range(frame, frame + length)
        frame += length


def _strength(frame: int, stretch: range, marks: Sequence[int], fade: int) -> float:
    """1, but falling towards frames that stay as they are."""
    after = marks[stretch.stop] < 0 if stretch.stop < len(marks) else False
    before = marks[stretch.start - 1] < 0 if stretch.start else False
    shares = [1.0]
    shares += [(frame - stretch.start + 1) / (fade + 1)] if before else []
    shares += [(stretch.stop - frame) / (fade + 1)] if after else []
    return min(shares)


def _told(seen: Sequence[Seen], spoken: Sequence[bool], fps: Fraction, least: float) -> str:
    """What stays as it is, and why, in seconds of the scene; "" if nothing does that should not."""
    reasons = [one.reason if said else "" for one, said in zip(seen, spoken, strict=True)]
    if not any(reasons):
        return ""
    counted = [one.reason for one, said in zip(seen, spoken, strict=True) if said and one.reason in SHOWN]
    if not counted:
        return f"no lips follow the voice: {_spans(reasons, fps)}"
    follow = counted.count("")
    share = f"{100 * follow // len(counted)}%"  # Never more than there are: 89.9 % are too few, and are not called 90.
    if follow < least * len(counted):
        few = f"lips can follow the voice in only {share} of the frames that show a face"
        message = f"{few}: {_spans(reasons, fps)}"
        hint = "Take another picture or clip, say whose face with which: or where with eyes:, or lower least:."
        raise BackendError(message, hint)
    return f"lips follow the voice in {share} of the frames that show a face; not in {_spans(reasons, fps)}"


def _spans(reasons: Sequence[str], fps: Fraction) -> str:
    said, frame = [], 0
    for reason, group in groupby(reasons):
        length = len(list(group))
        if reason:
            said.append(f"{float(frame / fps):.2f}-{float((frame + length) / fps):.2f} s ({reason})")
        frame += length
    more = [f"{len(said) - _TOLD} more"] if len(said) > _TOLD else []
    return ", ".join([*said[:_TOLD], *more])
