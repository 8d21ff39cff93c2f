"""Mouth shapes from phones: how far open and how wide a mouth is at every frame.

Phones are espeak-ng's mnemonics (Kirshenbaum's ASCII IPA, more or less, in every language): their letters tell
the mouth's shape, and marks for stress, length and tone do not matter.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction

LEAD = Fraction(1, 25)  # Seconds by which lips come before the sound.
_STEPS = 4  # Looks at the phones in a frame.
_MARKS = "',_|%=:;-*!0123456789^\""

# Openness and width, from 0 to 1, by the first letter of a phone.
_CLOSED = (0.0, 0.5)
_SHAPES: dict[str, tuple[float, float]] = {
    **dict.fromkeys("mbp", _CLOSED),
    **dict.fromkeys("fv", (0.12, 0.6)),
    **dict.fromkeys("wWuUyYoOQ", (0.4, 0.05)),
    **dict.fromkeys("iIjeE", (0.4, 1.0)),
    **dict.fromkeys("aA&V", (0.95, 0.6)),
    **dict.fromkeys("@3R", (0.5, 0.45)),
    **dict.fromkeys("szSZC", (0.2, 0.75)),
    **dict.fromkeys("tdnlTDrJL", (0.3, 0.55)),
    **dict.fromkeys("kgxhqNGHX?", (0.4, 0.5)),
}
_WIDER_OPEN = {"o": 0.5, "O": 0.75, "Q": 0.8, "e": 0.5, "E": 0.65, "u": 0.25, "w": 0.22, "y": 0.3}
_OTHER = (0.35, 0.5)

Shape = tuple[float, float]


def shape_of(phone: str, share: float = 0.0) -> Shape:
    """Openness and width of a phone; `share` is how much of it is over, for diphthongs."""
    letters = phone.strip(_MARKS) or phone
    vowels = [letter for letter in letters if letter in "aAeEiIoOuUyYV@3Q&"]
    letter = vowels[1] if len(vowels) > 1 and share > 0.5 else letters[:1]
    openness, width = _SHAPES.get(letter, _OTHER)
    return _WIDER_OPEN.get(letter, openness), width


def from_phones(phones: Sequence[Sequence[int | str]], rate: int, frames: int, fps: Fraction) -> list[Shape]:
    """The mouth at every frame: each phone's shape, smoothed over about two frames; lips that close, close."""
    starts = [int(phone[0]) for phone in phones]
    looks = [
        _at(phones, starts, (Fraction(n, _STEPS) / fps + LEAD) * rate) for n in range(-_STEPS, (frames + 1) * _STEPS)
    ]
    return [_smooth(looks[n * _STEPS : (n + 3) * _STEPS]) for n in range(frames)]


def from_energies(energies: Sequence[float]) -> list[Shape]:
    """The mouth at every frame, where there are no phones: open as far as the sound is loud."""
    loud = sorted(energies)[len(energies) * 95 // 100] if energies else 0.0
    if loud <= 0:
        return [(0.0, 0.5)] * len(energies)
    return [(min(1.0, (energy / loud) ** 0.7) if energy > loud * 0.06 else 0.0, 0.5) for energy in energies]


def _at(phones: Sequence[Sequence[int | str]], starts: Sequence[int], sample: Fraction) -> Shape | None:
    """The shape at one moment; None at rest."""
    number = bisect_right(starts, sample) - 1
    if number < 0:
        return None
    start, end, name = phones[number]
    if sample >= int(end):
        return None
    return shape_of(str(name), float((sample - int(start)) / (int(end) - int(start))))


def _smooth(looks: Sequence[Shape | None]) -> Shape:
    """The mean over three frames, the middle one counting double; closed where the middle is closed lips."""
    middle = looks[_STEPS : 2 * _STEPS]
    if sum(look is not None and look[0] == 0 for look in middle) * 2 >= _STEPS:
        return _CLOSED
    weighed = [*looks, *middle]
    openness = sum(look[0] for look in weighed if look is not None) / len(weighed)
    widths = [look[1] for look in weighed if look is not None]
    return openness, sum(widths) / len(widths) if widths else 0.5
