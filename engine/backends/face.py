"""A talk's face in the planes of a still: its mouth and lids painted in, its head turned as it is drawn."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from fractions import Fraction
from typing import Any

from ..errors import BackendError
from . import blinks, head, turned
from .lids import Lids
from .lips import Lips
from .picture import Pixels, Planes, warp
from .recipe import View

_FINE = 24000  # Poses are told apart to this part of the portrait's height, and rolls to a hundredth of a degree.


class Face:
    """Shows each frame's mouth and eyes; without a mouth in the recipe there is no face."""

    def __init__(self, talk: Mapping[str, Any], rgb: Pixels, planes: Planes, rate: Fraction) -> None:
        mouth, face = talk["mouth"], talk.get("face") or {}
        self._planes, self._rate, self._shapes = planes, rate, mouth["shapes"]
        self._lips = Lips(rgb, planes, mouth["box"])
        self._lids = [Lids(rgb, planes, eye) for eye in face.get("eyes", ())]
        self._blinks = face.get("blinks", ()) if self._lids else ()
        self._path = head.path_of(face["head"]) if face.get("head") else None
        self._room = turned.room(face, planes.size) if self._path else None
        self._shown: Hashable = None

    def key(self, frame: int) -> Hashable:
        """Equal for frames that look the same."""
        pose = self.pose(frame)
        moved = (round(pose.x * _FINE), round(pose.y * _FINE), round(pose.roll * 100)) if pose else None
        return self._state(frame), moved

    def pose(self, frame: int) -> head.Pose | None:
        """Where the head is; None where it keeps still."""
        return self._path.at(frame / float(self._rate)) if self._path else None

    def _paint(self, frame: int) -> None:
        """Make the still's planes show a frame's mouth and eyes."""
        state = self._state(frame)
        if state != self._shown:
            shape, lid = state
            self._lips.show(*shape)
            for eye in self._lids:
                eye.show(lid)
            self._shown = state

    def draw(self, frame: int, view: View, out: Planes) -> None:
        """Fill `out` with what a view sees: the head in its pose, and the rest around it."""
        self._paint(frame)
        pose = self.pose(frame)
        box = turned.region(self._planes, view, self._room, out) if self._room else None
        warp(self._planes, view, out, box)
        if pose is not None and self._room is not None and box is not None:
            turned.turn(self._planes, view, pose, self._room, out, box)

    def _state(self, frame: int) -> tuple[tuple[int, ...], int]:
        """The mouth's shape and how far the lids are down; past the narration the mouth rests."""
        lid = blinks.lid(self._blinks, frame, self._rate)
        try:
            return tuple(self._shapes[frame]) if frame < len(self._shapes) else (0,), lid
        except TypeError as error:
            raise BackendError(f"a talk's recipe does not say how the mouth moves: {error}") from error
