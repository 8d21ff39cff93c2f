"""Only what was made anew back into its frame: every other pixel stays as it was, bit for bit.

In place of `paste`, which takes the upper face and the ground around it through two more resamplings (specification,
section 12: loss of quality in the whole frame).
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .align import Floats, crop_size
from .mask import keep_levels
from .paste import levels
from .warp import Pixels, inverse, sampled


class Box(NamedTuple):
    """The part of a frame that a crop covers, with a rim of two pixels."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left


def paste_mouth(frame: Pixels, face: Tensor, matrix: Floats, strength: float = 1.0) -> Pixels:
    """A frame (H, W, 3) with the mouth of a face (3, R, R), about -1..1; `strength` below 1 fades it in or out."""
    resolution = face.shape[-1]
    box = covered(matrix, resolution, frame.shape)
    pasted = frame.copy()
    if 0 in box.size:
        return pasted
    back = inverse(matrix)
    back[:, 2] -= box.left, box.top
    share = strength * sampled(torch.from_numpy(feathered(resolution))[None], back, box.size, 0)[0].numpy()[..., None]
    new = levels(face, back, box.size).permute(1, 2, 0).numpy()
    old = pasted[box.top : box.bottom, box.left : box.right]
    np.copyto(old, np.rint(old + share * (new - old)).astype(np.uint8), where=share > 0)
    return pasted


def covered(matrix: Floats, resolution: int, frame: tuple[int, ...]) -> Box:
    """The box of a frame of (height, width) that its crop was taken from; empty where that is beside the frame."""
    width, height = crop_size(resolution)
    corners = np.array([[0, 0, 1], [width - 1, 0, 1], [0, height - 1, 1], [width - 1, height - 1, 1]])
    places = corners @ inverse(matrix).T
    low, high = np.floor(places.min(axis=0)) - 2, np.ceil(places.max(axis=0)) + 3
    left, right = np.clip([low[0], high[0]], 0, frame[1]).astype(int)
    top, bottom = np.clip([low[1], high[1]], 0, frame[0]).astype(int)
    return Box(int(top), int(bottom), int(left), int(right))


@cache
def feathered(resolution: int) -> NDArray[np.float32]:
    """(h, w) of the crop: 1 deep inside the hole of the mask, falling to 0 where it ends; never above 0 beyond it."""
    edge = max(resolution // 32, 1)
    hole = (keep_levels(resolution) == 0).astype(np.float32)
    inner = cv2.erode(hole, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * edge + 1, 2 * edge + 1)))
    soft = cv2.blur(inner, (2 * edge + 1, 2 * edge + 1)) * hole
    return np.asarray(cv2.resize(soft, crop_size(resolution), interpolation=cv2.INTER_AREA), np.float32)
