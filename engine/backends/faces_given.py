"""A face that an author points at: both eyes in the first frame, followed from there by what is drawn around them.

For faces that no finder takes for one: drawn ones, animals, robots. What is followed is the upper face (Lucas and
Kanade: "An iterative image registration technique", IJCAI 1981), each frame against the first, so that nothing drifts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from ..errors import BackendError
from .faces import Face, Pixels, Points, points_of

_APART = 32  # Pixels from eye to eye in which it is followed, where there are as many.
_MOST, _LEAST = 80, 6  # Places that are followed; fewer tell nothing.
_OFF = 1.0  # Pixels by which a place may miss itself on its way there and back.
_HOLDS = 0.4  # The share of places that must agree, or the face is not there.
_BETWEEN = 0.42  # Of a box's width, as the cascades have it: from eye to eye.


class Given:
    """Follows one face; `eyes` are `x` and `y` of the eye at the picture's left and of the other, as shares of it."""

    def __init__(self, eyes: Sequence[Mapping[str, float]]) -> None:
        self._shares = np.array([[eye["x"], eye["y"]] for eye in eyes], np.float64)
        self._first: _Reference | None = None
        self._scale = 1.0

    def faces(self, frame: Pixels) -> list[Face]:
        """The face, if what is around its eyes is in the frame (H, W, 3), RGB. Raises BackendError in the first."""
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        if self._first is None:
            eyes = self._shares * grey.shape[::-1]
            self._scale = min(1.0, _APART / max(_apart(eyes), 1e-9))
            self._first = _Reference(self._small(grey), eyes * self._scale)
        found = self._first.eyes(self._small(grey))
        return [] if found is None else [_face(found / self._scale)]

    def _small(self, grey: Any) -> Any:
        how: dict[str, Any] = {"fx": self._scale, "fy": self._scale, "interpolation": cv2.INTER_AREA}
        return cv2.resize(grey, None, **how) if self._scale < 1 else grey


class _Reference:
    """The first frame, and where the places of its upper face were last."""

    def __init__(self, grey: Any, eyes: Points) -> None:
        self._grey, self._eyes = grey, eyes
        apart = _apart(eyes)
        found = cv2.goodFeaturesToTrack(grey, _MOST, 0.01, max(2.0, apart / 12), mask=_upper(grey, eyes, apart))
        if found is None or len(found) < _LEAST:
            message = "there is nothing to follow around the eyes that the profile names"
            raise BackendError(message, "Name where they are in a scene's first frame, as shares of its size.")
        self._places = self._last = found
        side = max(7, round(apart / 3) | 1)
        self._how: dict[str, Any] = {"winSize": (side, side), "maxLevel": 3}

    def eyes(self, grey: Any) -> Points | None:
        """(2, 2) in another frame; None where they are not seen."""
        there = self._flow(self._grey, grey, self._places, self._last)
        back = self._flow(grey, self._grey, there, self._places)
        good = np.linalg.norm(back - self._places, axis=2)[:, 0] < _OFF
        if good.sum() < _LEAST:
            return None
        turn, held = cv2.estimateAffinePartial2D(self._places[good], there[good], ransacReprojThreshold=_OFF)
        if turn is None or held.sum() < max(_LEAST, _HOLDS * len(self._places)):
            return None
        self._last = cv2.transform(self._places, turn)
        return np.asarray(self._eyes @ turn[:, :2].T + turn[:, 2], np.float64)

    def _flow(self, one: Any, other: Any, places: Any, guess: Any) -> Any:
        flags = cv2.OPTFLOW_USE_INITIAL_FLOW
        found, _, _ = cv2.calcOpticalFlowPyrLK(one, other, places, guess.copy(), flags=flags, **self._how)
        return found


def _apart(eyes: Points) -> float:
    return float(np.linalg.norm(eyes[1] - eyes[0]))


def _upper(grey: Any, eyes: Points, apart: float) -> Any:
    """A mask of the face from the brows to the nose: below it a mouth moves by itself."""
    mask = np.zeros_like(grey)
    x, y = eyes.mean(axis=0)
    left, right = (int(np.clip(x + way * 0.9 * apart, 0, grey.shape[1])) for way in (-1, 1))
    top, bottom = (int(np.clip(y + way * apart, 0, grey.shape[0])) for way in (-0.6, 0.5))
    mask[top:bottom, left:right] = 255
    return mask


def _face(eyes: Points) -> Face:
    """As a finder would have it around these eyes."""
    side = _apart(eyes) / _BETWEEN
    x, y = eyes.mean(axis=0)
    return Face((float(x - side / 2), float(y - 0.375 * side), side, side), points_of(*eyes))
