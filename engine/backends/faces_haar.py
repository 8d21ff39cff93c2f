"""Faces by the cascades that come with OpenCV 4: no file to fetch, steady on frontal faces, blind to most others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..errors import BackendError
from .faces import Box, Face, Pixels, Points, points_of

_LONGEST = 640  # Pixels of a frame's longer side in which faces are looked for.
_EYES = 160  # Pixels of a face's side in which its eyes are.
_LEAST = 24  # Pixels of the smallest face that the cascades know.
_USUAL = ((0.29, 0.375), (0.71, 0.375))  # Where eyes lie in a box of the frontal cascade.
_FAR = 0.11  # Of the box: an eye that is further from there is none.


class Haar:
    """Frontal faces with their eyes; where there is none, faces seen from a side."""

    def __init__(self) -> None:
        self._front = _cascade("frontalface_alt2")
        self._side = _cascade("profileface")
        self._eye = _cascade("eye")

    def faces(self, frame: Pixels) -> list[Face]:
        """Every face in a frame (H, W, 3), RGB."""
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        scale = min(1.0, _LONGEST / max(grey.shape))
        small = grey if scale == 1 else cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        front = [_box(found, scale) for found in _found(self._front, small)]
        if front:
            return [Face(box, self._points(grey, box)) for box in front]
        mirrored = [(small.shape[1] - x - w, y, w, h) for x, y, w, h in _found(self._side, small[:, ::-1].copy())]
        sides = [_box(found, scale) for found in (*_found(self._side, small), *mirrored)]
        return [Face(box, points_of(*_usual(box)), turned=True) for box in sides[:1]]

    def _points(self, grey: Any, box: Box) -> Points:
        """From the eyes where both are found, and else from the box."""
        left, top, width, height = box
        part = grey[max(int(top), 0) : int(top + 0.6 * height), max(int(left), 0) : int(left + width)]
        scale = _EYES / width
        seen = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        found = [(x + w / 2, y + h / 2) for x, y, w, h in _found(self._eye, seen, 4)]
        middles = [np.array(one) / scale + (max(int(left), 0), max(int(top), 0)) for one in found]
        eyes = [_nearest(middles, place, width) for place in _usual(box)]
        return points_of(*(eyes if all(eye is not None for eye in eyes) else _usual(box)))


def _nearest(middles: list[Any], place: Any, width: float) -> Any:
    """The eye that lies next to where one is expected; None if none does."""
    near = [one for one in middles if np.linalg.norm(one - place) < _FAR * width]
    return min(near, key=lambda one: float(np.linalg.norm(one - place)), default=None)


def _usual(box: Box) -> list[Any]:
    left, top, width, height = box
    return [np.array([left + x * width, top + y * height]) for x, y in _USUAL]


def _found(cascade: Any, grey: Any, neighbours: int = 5) -> list[tuple[int, ...]]:
    """Boxes in an order that does not depend on which thread was first."""
    found = cascade.detectMultiScale(grey, 1.1, neighbours, minSize=(_LEAST, _LEAST))
    return sorted(tuple(int(value) for value in box) for box in found)


def _box(found: tuple[int, ...], scale: float) -> Box:
    left, top, width, height = (value / scale for value in found)
    return left, top, width, height


def _cascade(name: str) -> Any:
    if not hasattr(cv2, "CascadeClassifier"):
        message = f"OpenCV {cv2.__version__} has no cascades, which find faces"
        raise BackendError(message, "pip install 'opencv-python-headless<5', or set faces: yunet in the profile.")
    folder = Path(cv2.__file__).parent / "data"
    return cv2.CascadeClassifier(str(folder / f"haarcascade_{name}.xml"))
