"""A face out of its frame, in the model's size (specification, section 7, from "Warp" on).

OpenCV's own warp places samples to 1/32 of a pixel only, so torch's is used.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from .align import Floats, crop_size

Pixels = NDArray[np.uint8]
OUTSIDE = 127.0  # What lies beyond the edges of a picture.


def sampled(image: Tensor, matrix: Floats, size: tuple[int, int], outside: float) -> Tensor:
    """(C, h, w) through a matrix that maps its pixels to those of the result, of (height, width) -> (C, height, width).

    Bilinear, pixel centres at whole coordinates; what lies outside is blended in by its share.
    """
    grid = _grid(matrix, tuple(image.shape[1:]), size)
    whole = functional.grid_sample(image[None], grid, padding_mode="zeros", align_corners=True)[0]
    if not outside:
        return whole
    share = functional.grid_sample(torch.ones_like(image[None, :1]), grid, padding_mode="zeros", align_corners=True)[0]
    return whole + outside * (1 - share)


def crop(frame: Pixels, matrix: Floats, resolution: int, rounded: bool = False) -> Pixels:
    """A frame (H, W, 3) and its matrix -> the crop (h, w, 3), in the proportions of a face."""
    width, height = crop_size(resolution)
    image = torch.from_numpy(np.ascontiguousarray(frame.transpose(2, 0, 1), np.float32))
    return whole_levels(sampled(image, matrix, (height, width), OUTSIDE), rounded)


def face(cropped: Pixels, resolution: int) -> Pixels:
    """A crop (h, w, 3) -> the face (R, R, 3) that the model sees: stretched to a square."""
    return np.asarray(cv2.resize(cropped, (resolution, resolution), interpolation=cv2.INTER_LANCZOS4), np.uint8)


def whole_levels(image: Tensor, rounded: bool) -> Pixels:
    """(3, h, w) in 0..255 -> (h, w, 3); upstream cuts off what is behind the point, which is half a level too dark."""
    levels = (image.round() if rounded else image).clamp(0, 255)
    return np.ascontiguousarray(levels.byte().permute(1, 2, 0).cpu().numpy())


def inverse(matrix: Floats) -> Floats:
    """(2, 3) -> (2, 3): the way back."""
    return np.asarray(torch.inverse(_square(matrix))[:2].numpy(), np.float32)


def _grid(matrix: Floats, source: tuple[int, ...], size: tuple[int, int]) -> Tensor:
    """(1, height, width, 2): where in the source each pixel of the result comes from, from -1 to 1."""
    wide = (max(size[0], 2), max(size[1], 2))  # Of a single row or column torch would take the middle for its place.
    there = _normal(wide) @ (_square(matrix) @ torch.inverse(_normal(source)))
    grid = functional.affine_grid(torch.inverse(there)[None, :2], [1, 1, *wide], align_corners=True)
    return grid[:, : size[0], : size[1]]


def _square(matrix: Floats) -> Tensor:
    return torch.from_numpy(np.vstack([matrix, [0, 0, 1]]).astype(np.float32))


def _normal(size: tuple[int, ...]) -> Tensor:
    """(3, 3): pixels of a picture of (height, width) -> -1..1."""
    height, width = (max(side - 1, 1) for side in size)
    return torch.tensor([[2 / width, 0, -1], [0, 2 / height, -1], [0, 0, 1]])
