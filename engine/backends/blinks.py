"""When eyes blink: every few seconds, at a pause if one is near, as long as a blink takes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random

FIRST, LEAST, MOST = 0.3, 2.0, 6.0  # Seconds: none before, and from one blink to the next.
LONG = 0.2  # Seconds that a blink takes.
LIDS = 4  # Steps from open to shut.
_AFTER = 6.0  # Seconds past the scene's end that are planned too: the next scene may fade in over them.
_SHUT, _OPENS = 0.36, 0.5  # Shares of a blink: down by the first, up again from the second.


def plan(chance: Random, seconds: float, pauses: Sequence[float]) -> list[float]:
    """The seconds at which a scene's blinks begin; `pauses` are when the voice falls silent."""
    found: list[float] = []
    last = 0.0
    wanted = chance.uniform(0.8, 3.5)
    while wanted < seconds + _AFTER:
        least = last + LEAST if found else FIRST
        near = [pause for pause in pauses if abs(pause - wanted) < 1.0 and least <= pause <= last + MOST]
        last = round(_nearest(near, wanted) if near else wanted, 2)
        found.append(last)
        wanted = last + min(MOST, max(LEAST + 0.2, chance.lognormvariate(1.2, 0.35)))
    return found


def lid(starts: Sequence[float], frame: int, rate: Fraction) -> int:
    """How far the lids are down in a frame, from 0 to LIDS; shut in the frame in whose time they close."""
    long = Fraction(LONG)
    for start in starts:
        share = float((frame - round(Fraction(start) * rate) + Fraction(1, 2)) / rate / long)
        if 0 <= share < 1:
            return round(_down(share) * LIDS)
    return 0


def _nearest(moments: Sequence[float], wanted: float) -> float:
    return min(moments, key=lambda moment: abs(moment - wanted))


def _down(share: float) -> float:
    if share < _SHUT:
        return share / _SHUT
    return 1.0 if share < _OPENS else 1 - (share - _OPENS) / (1 - _OPENS)
