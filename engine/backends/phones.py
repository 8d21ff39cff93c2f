"""What a mouth does for a phone: how far open, how wide, with which teeth showing, and how much it insists.

Phones are espeak-ng's mnemonics (Kirshenbaum's ASCII IPA, more or less, in every language): their letters tell
the mouth's shape, and marks for stress, length and tone do not matter.
"""

from __future__ import annotations

from typing import NamedTuple

APART, TOGETHER, ON_LIP = range(3)  # Teeth: what the opening shows, upper on lower (s), upper on the lip (f).
SHUT = "mbp"
BITTEN = "fv"
_MARKS = "',_|%=:;-*!0123456789^\""
_VOWELS = "aAeEiIoOuUyYV@3Q0&"


class Shape(NamedTuple):
    """Openness and width from 0 to 1, and the teeth."""

    open: float
    width: float = 0.5
    teeth: int = APART


REST = Shape(0.0)

# Openness, width, and what the phone weighs beside its neighbours, by its first letter.
_SHAPES: dict[str, tuple[float, float, float]] = {
    **dict.fromkeys(SHUT, (0.0, 0.5, 1.0)),
    **dict.fromkeys(BITTEN, (0.28, 0.6, 1.2)),
    **dict.fromkeys("wWuUyYoOQ", (0.4, 0.05, 1.2)),
    **dict.fromkeys("iIjeE", (0.4, 1.0, 1.0)),
    **dict.fromkeys("aA&V", (0.95, 0.6, 1.2)),
    **dict.fromkeys("0", (0.8, 0.25, 1.2)),
    **dict.fromkeys("@3R", (0.5, 0.45, 0.8)),
    **dict.fromkeys("szC", (0.32, 0.8, 0.8)),
    **dict.fromkeys("SZ", (0.34, 0.3, 0.9)),
    **dict.fromkeys("tdnlTDrJL", (0.3, 0.55, 0.5)),
    **dict.fromkeys("kgxhqNGHX?", (0.4, 0.5, 0.3)),
}
_WIDER_OPEN = {"o": 0.5, "O": 0.75, "Q": 0.8, "e": 0.5, "E": 0.65, "u": 0.25, "w": 0.22, "y": 0.3}
_OTHER = (0.35, 0.5, 0.5)


def letter_of(phone: str, share: float = 0.0) -> str:
    """The letter that gives a phone its shape; `share` is how much of it is over, for diphthongs and affricates."""
    letters = phone.strip(_MARKS) or phone
    vowels = [letter for letter in letters if letter in _VOWELS]
    if share > 0.5 and len(vowels) > 1:
        return vowels[1]
    if share > 0.3 and letters[:2] in {"tS", "dZ", "ts", "dz"}:
        return letters[1]
    return letters[:1]


def shape_of(phone: str, share: float = 0.0) -> Shape:
    """The mouth of a phone by itself."""
    letter = letter_of(phone, share)
    openness, width, _ = _SHAPES.get(letter, _OTHER)
    teeth = ON_LIP if letter in BITTEN else TOGETHER if letter in "szSZC" else APART
    return Shape(_WIDER_OPEN.get(letter, openness), width, teeth)


def weight_of(phone: str, share: float = 0.0) -> float:
    """How far it draws its neighbours towards itself: the tongue makes a k whatever the lips do."""
    return _SHAPES.get(letter_of(phone, share), _OTHER)[2]
