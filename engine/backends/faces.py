"""Faces in a frame: who finds them, and the three points that the mouth model is aligned by.

frame ── FaceFinder ──► faces ── faces_track ──► one person's ── faces_smooth ──► matrices
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendError
from . import model_folder

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]
YUNET, YUNET_FILE = "opencv/face_detection_yunet", "face_detection_yunet_2023mar.onnx"
HAAR = "haar"
BETTER = (
    f"faces are found by OpenCV's own cascades; steadier: put {YUNET_FILE} of OpenCV's model zoo into a folder {YUNET} "
    f"below one that {model_folder.VARIABLE} names"
)


Box = tuple[float, float, float, float]  # Left, top, width, height.


class Face(NamedTuple):
    """A face in pixels of its frame; `turned`: it is seen from the side, so that its points mean little."""

    box: Box
    points: Points  # (3, 2): the brow at the picture's left, the brow at its right, the nose.
    turned: bool = False

    @property
    def width(self) -> float:
        """Of its box."""
        return self.box[2]

    @property
    def middle(self) -> Points:
        """Of its box."""
        left, top, width, height = self.box
        return np.array([left + width / 2, top + height / 2])


class FaceFinder(Protocol):
    """Finds faces; asked for the frames of a video in their order."""

    def faces(self, frame: Pixels) -> list[Face]:
        """Every face in a frame (H, W, 3), RGB."""


def named(wanted: str) -> str:
    """Which finder a profile's `faces` means here, with the digest of its file; part of keys, as results depend on it.

    Nothing named is YuNet where its file is, and else the cascades that come with OpenCV.
    """
    if wanted not in {"", "yunet"}:
        return wanted
    try:
        file = yunet_file()
    except BackendError:
        return wanted or HAAR
    return f"yunet:{model_folder.digest(file.parent, [file])}"


def finder(name: str) -> FaceFinder:
    """The finder of a name that `named` gave. Raises BackendError where its file is missing or is another."""
    if name == HAAR:
        from .faces_haar import Haar

        return Haar()
    from .faces_yunet import YuNet

    file = yunet_file()
    if name not in {"yunet", here := f"yunet:{model_folder.digest(file.parent, [file])}"}:
        raise BackendError(f"{YUNET_FILE} is another than the one that was planned: {here}", "Render again.")
    return YuNet(file)


def yunet_file() -> Path:
    """Where OpenCV's landmark model lies. Raises BackendError."""
    file = model_folder.lies(YUNET) / YUNET_FILE
    if not file.is_file():
        raise BackendError(f"{YUNET} has no {YUNET_FILE}", "Put it there, or set faces: haar in the profile.")
    return file


def points_of(left: Any, right: Any, nose: Any = None) -> Points:
    """(3, 2) from the middles of both eyes; `nose`: how far it is to one side is taken from it.

    The proportions are those of one photograph (specification of LatentSync, section 13), not calibrated beyond it.
    """
    one, other = np.asarray(left, np.float64), np.asarray(right, np.float64)
    across = other - one
    down = np.array([-across[1], across[0]])
    middle = (one + other) / 2
    aside = 0.0 if nose is None else float((np.asarray(nose) - middle) @ across / max(float(across @ across), 1e-9))
    brows = one - 0.06 * across - 0.27 * down, other + 0.06 * across - 0.27 * down
    return np.array([*brows, middle + aside * across + 0.47 * down])
