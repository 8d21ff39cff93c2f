"""The mouth at every frame: phones run into each other, but lips that meet, meet, and nothing jumps.

Each moment's shape is the mean of the phones around it, by their weight (coarticulation). Then frames are pinned:
shut in every m, b and p, on the lip in every f and v. Last, openness is held below a slope on both sides of every
frame, which leaves what is pinned and bounds what two neighbours may differ by.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import phones
from .phones import APART, ON_LIP, REST, TOGETHER, Shape

LEAD = Fraction(1, 25)  # Seconds by which lips come before the sound.
SLOPE = 12.0  # Of openness in a second, at most.
_TICK = Fraction(1, 100)
_NEAR, _FAR = 6, 11  # Ticks to both sides that openness and width look at: lips round early.

Phone: TypeAlias = Sequence[int | str]
Numbers: TypeAlias = NDArray[np.float64]


def from_phones(said: Sequence[Phone], rate: int, frames: int, fps: Fraction) -> list[Shape]:
    """The mouth at every frame of a narration whose phones are [start, end, name], in samples."""
    openness, width, teeth = _curves(said, rate, frames, fps)
    shut = {frame for phone in said if _letter(phone) in phones.SHUT for frame in _held(phone, rate, fps)}
    bitten = {_bite(phone, rate, fps, shut) for phone in said if _letter(phone) in phones.BITTEN}
    for frame in _within(bitten, frames):
        openness[frame], teeth[frame] = min(0.32, max(0.22, float(openness[frame]))), ON_LIP
    for frame in _within(shut, frames):
        openness[frame], teeth[frame] = 0.0, APART
    return [
        Shape(float(o), float(w), int(t)) if o else REST
        for o, w, t in zip(calmed(openness, fps), width, teeth, strict=True)
    ]


def from_energies(energies: Sequence[float], fps: Fraction) -> list[Shape]:
    """The mouth at every frame, where there are no phones: open as far as the sound is loud."""
    loud = sorted(energies)[len(energies) * 95 // 100] if energies else 0.0
    if loud <= 0:
        return [REST] * len(energies)
    level = [min(1.0, (energy / loud) ** 0.7) if energy > loud * 0.06 else 0.0 for energy in energies]
    return [Shape(float(openness)) for openness in calmed(np.array(level), fps)]


def calmed(openness: Numbers, fps: Fraction) -> Numbers:
    """The most that is below `openness` everywhere, at rest on both ends, and nowhere steeper than SLOPE."""
    step = SLOPE / float(fps)
    calm, last = openness.copy(), 0.0
    for frame in range(len(calm)):
        last = calm[frame] = min(calm[frame], last + step)
    last = 0.0
    for frame in reversed(range(len(calm))):
        last = calm[frame] = min(calm[frame], last + step)
    return calm


def _curves(said: Sequence[Phone], rate: int, frames: int, fps: Fraction) -> tuple[Numbers, Numbers, NDArray[np.int64]]:
    """Openness, width and teeth in the middle of each frame, before anything is pinned."""
    ticks = _FAR * 2 + int((frames / fps + LEAD) / _TICK) + 2
    shapes, weights = _ticked(said, rate, ticks)
    at = np.array([float(((frame + Fraction(1, 2)) / fps + LEAD) / _TICK) for frame in range(frames)]) + _FAR
    openness = np.interp(at, np.arange(ticks), _mean(shapes[:, 0], np.abs(weights), _NEAR))
    width = np.interp(at, np.arange(ticks), _mean(shapes[:, 1], np.where(weights > 0, weights, 0.02), _FAR))
    teeth = shapes[np.minimum(at.astype(int), ticks - 1), 2].astype(np.int64)
    # Teeth meet only where the mouth is nearly shut; on the lip they are where a frame is pinned.
    return openness, width, np.where((teeth == TOGETHER) & (openness < 0.5), TOGETHER, APART)


def _ticked(said: Sequence[Phone], rate: int, ticks: int) -> tuple[Numbers, Numbers]:
    """Shape and weight in each tick; silence is at rest, and weighs -1: it has no width of its own."""
    shapes, weights = np.tile(np.array(REST, float), (ticks, 1)), np.full(ticks, -1.0)
    for start, end, name in said:
        first, last = (_FAR + round(int(edge) / rate / _TICK) for edge in (start, end))
        for tick in range(first, min(max(last, first + 1), ticks)):
            share = (tick - first + 0.5) / max(1, last - first)
            shapes[tick] = phones.shape_of(str(name), share)
            weights[tick] = phones.weight_of(str(name), share)
    return shapes, weights


def _mean(values: Numbers, weights: Numbers, reach: int) -> Numbers:
    window = np.hanning(2 * reach + 1)
    return np.asarray(np.convolve(values * weights, window, "same") / np.convolve(weights, window, "same"))


def _held(phone: Phone, rate: int, fps: Fraction) -> Iterable[int]:
    """The frames in which lips are shut: while the phone is heard, but not its burst; one frame at least."""
    start, end = (Fraction(int(edge), rate) * fps for edge in phone[:2])
    last = start + (end - start) * Fraction(3, 4)
    return [frame for frame in range(int(start), int(last) + 1) if start <= frame + Fraction(1, 2) < last] or [
        int((start + end) / 2)
    ]


def _bite(phone: Phone, rate: int, fps: Fraction, shut: set[int]) -> int:
    """The frame in which teeth are on the lip: the middle one, or the next that is not shut."""
    middle = int((Fraction(int(phone[0])) + int(phone[1])) / 2 / rate * fps)
    return next((frame for frame in (middle, middle - 1, middle + 1) if frame not in shut), middle)


def _letter(phone: Phone) -> str:
    return phones.letter_of(str(phone[2]))


def _within(wanted: Iterable[int], frames: int) -> list[int]:
    return [frame for frame in wanted if 0 <= frame < frames]
