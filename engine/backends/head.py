"""How a head moves while it speaks: it never quite rests, turns with each sentence, and nods where the voice rises.

A function of time alone, like a camera's path, so that it is smooth at any rate and goes on past a scene's end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from ..errors import BackendError

FAR, ROLL = 0.006, 0.8  # At most: a share of the portrait's height, and degrees.
_TURN, _NOD = 0.9, 0.75  # Seconds that a turn and a nod take.
_PERIODS = ((5.3, 8.9), (4.1, 7.3), (6.7, 11.3))  # Seconds of the two swings of x, y and roll.
_SWING = (0.0010, 0.0006, 0.14)  # How far each of two swings goes, at most.
_POSE = (0.0026, 0.0010, 0.40)  # How far a sentence's pose lies from the middle, at most.
_DEEP = 0.0026  # How far down the deepest nod goes.


class Pose(NamedTuple):
    """Where the head is: shares of the portrait's height to the right and down, and degrees clockwise."""

    x: float = 0.0
    y: float = 0.0
    roll: float = 0.0


class HeadPath(NamedTuple):
    """The phases of the swings, poses taken up from a second on, and nods: when they are deepest, and how deep."""

    phases: tuple[float, ...]
    turns: tuple[tuple[float, float, float, float], ...] = ()
    nods: tuple[tuple[float, float], ...] = ()
    size: float = 1.0

    def at(self, seconds: float) -> Pose:
        """The pose at a time counted from the scene's start."""
        x, y, roll = (self._swing(axis, seconds) + self._posed(axis, seconds) for axis in range(3))
        y += sum(_DEEP * deep * _bump((seconds - when) / _NOD) for when, deep in self.nods)
        most = self.size
        return Pose(x * most, y * most, roll * most)

    def _swing(self, axis: int, seconds: float) -> float:
        return _SWING[axis] * sum(
            math.sin(2 * math.pi * (seconds / period + self.phases[2 * axis + number]))
            for number, period in enumerate(_PERIODS[axis])
        )

    def _posed(self, axis: int, seconds: float) -> float:
        """The pose in force; from one to the next it takes its time."""
        posed = 0.0
        for when, *pose in self.turns:
            posed += (pose[axis] - posed) * _eased((seconds - when) / _TURN)
        return posed


def path(chance: Random, sentences: Sequence[float], stresses: Sequence[tuple[float, float]], size: float) -> HeadPath:
    """A path for sentences that begin at these seconds, and for stresses (seconds, how strong from 0 to 1)."""
    turns, side = [], chance.choice((-1, 1))
    for start in sentences:
        side = -side
        x, y, roll = (most * chance.uniform(0.4, 1) for most in _POSE)
        turns.append((round(start - 0.3, 2), _rounded(x * side), _rounded(-y), _rounded(roll * side)))
    phases = tuple(round(chance.random(), 3) for _ in range(6))
    nods = tuple((round(when, 2), round(deep, 2)) for when, deep in stresses)
    return HeadPath(phases, tuple(turns), nods, size)


def path_of(said: Mapping[str, Any]) -> HeadPath:
    """The path that a recipe holds. Raises BackendError where it is none."""
    try:
        turns = tuple((float(t), float(x), float(y), float(r)) for t, x, y, r in said["turns"])
        nods = tuple((float(when), float(deep)) for when, deep in said["nods"])
        found = HeadPath(tuple(map(float, said["phases"])), turns, nods, float(said["size"]))
        found.at(1.0)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise BackendError(f"a talk's recipe does not say how the head moves: {error!r}") from error
    return found


def _rounded(value: float) -> float:
    return round(value, 5)


def _eased(share: float) -> float:
    """From 0 to 1 with no jerk at either end."""
    share = min(1.0, max(0.0, share))
    return share**3 * (share * (6 * share - 15) + 10)


def _bump(share: float) -> float:
    """1 at 0, and 0 from one half on to both sides."""
    return (1 - (2 * share) ** 2) ** 3 if abs(share) < 0.5 else 0.0
