"""A face back into its frame, as upstream does it: the whole crop, softly (specification, section 10)."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .align import Floats, crop_size
from .warp import OUTSIDE, Pixels, inverse, sampled, whole_levels


def paste(frame: Pixels, face: Tensor, matrix: Floats, rounded: bool = False) -> Pixels:
    """A frame (H, W, 3) with a face (3, R, R), about -1..1, where the matrix (frame -> crop) had taken it from."""
    sharp, soft = shares(matrix, face.shape[-1], frame.shape)
    new = sharp * levels(face, inverse(matrix), frame.shape)
    old = torch.from_numpy(frame.transpose(2, 0, 1).astype(np.float32))
    return whole_levels(soft * new + (1 - soft) * old, rounded)


def levels(face: Tensor, matrix: Floats, frame: tuple[int, ...]) -> Tensor:
    """A face (3, R, R), about -1..1, and its matrix (crop -> frame) -> (3, height, width) of the frame, in 0..255."""
    width, height = crop_size(face.shape[-1])
    image = face[None].cpu().float()
    small = functional.interpolate(image, (height, width), mode="bicubic", align_corners=False, antialias=True)[0]
    placed = sampled(small, matrix, (frame[0], frame[1]), OUTSIDE)
    return (placed / 2 + 0.5).clamp(0, 1) * 255


def shares(matrix: Floats, resolution: int, frame: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Where in a frame of (height, width) its crop lies, a pixel smaller; and the share that a pasted face has there.

    Both (height, width) in 0..1. The share is smaller again, and soft, by a twentieth of the crop's side.
    """
    width, height = crop_size(resolution)
    ones = sampled(torch.ones(1, height, width), inverse(matrix), (frame[0], frame[1]), 0)[0].numpy()
    sharp = cv2.erode(ones, np.ones((2, 2)))
    edge = int(np.sqrt(sharp.sum())) // 20
    inner = cv2.erode(sharp, np.ones((2 * edge, 2 * edge)))  # A box of none is one of 3 x 3 to OpenCV, as upstream's.
    return torch.from_numpy(sharp), _blurred(torch.from_numpy(inner), edge)


def _blurred(image: Tensor, edge: int) -> Tensor:
    """(height, width) through a bell of 2 * edge + 1 pixels, mirrored at the borders."""
    sigma = 0.3 * (edge - 1) + 0.8
    bell = torch.exp(-torch.arange(-edge, edge + 1).square() / (2 * sigma**2))
    bell = bell / bell.sum()
    rim = functional.pad(image[None, None], [edge] * 4, mode="reflect")
    rows = functional.conv2d(rim, bell[None, None, None])
    return functional.conv2d(rows, bell[None, None, :, None])[0, 0]
