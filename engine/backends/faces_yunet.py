"""Faces by OpenCV's YuNet, a file of 230 kB that knows eyes, nose and mouth.

Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 20:5 (2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..errors import BackendError
from .faces import Face, Pixels, points_of

_LONGEST = 640  # Pixels of a frame's longer side: the model was made for faces of 10 to 300 pixels.
_SURE = 0.7
_ASIDE = 0.35  # Of the eyes' distance: a nose that is further from their middle belongs to a face seen from the side.


class YuNet:
    """The model of a file. Raises BackendError where OpenCV cannot read it."""

    def __init__(self, file: Path) -> None:
        try:
            self._model: Any = cv2.FaceDetectorYN.create(str(file), "", (320, 320), _SURE)
        except cv2.error:
            hint = "Fetch it again, or set faces: haar in the profile."
            raise BackendError(f"{file.name} cannot be read: it is cut off, damaged, or something else", hint) from None

    def faces(self, frame: Pixels) -> list[Face]:
        """Every face in a frame (H, W, 3), RGB."""
        scale = min(1.0, _LONGEST / max(frame.shape[:2]))
        small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else frame
        self._model.setInputSize((small.shape[1], small.shape[0]))
        _, found = self._model.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        return [face_of(row, scale) for row in sorted(map(tuple, found if found is not None else ()))]


def face_of(row: Sequence[float], scale: float = 1.0) -> Face:
    """A row of the model: box, then the person's right eye, left eye, nose and corners of the mouth, then how sure."""
    values = np.asarray(row[:14], np.float64) / scale
    left, right, nose = values[4:10].reshape(3, 2)  # The person's right eye is at the picture's left.
    across = right - left
    aside = float((nose - (left + right) / 2) @ across) / max(float(across @ across), 1e-9)
    turned = abs(aside) > _ASIDE or float(np.linalg.norm(across)) < 0.25 * values[2]
    box = (float(values[0]), float(values[1]), float(values[2]), float(values[3]))
    return Face(box, points_of(left, right, nose), turned)
