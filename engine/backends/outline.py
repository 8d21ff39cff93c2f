"""Outlines as coverage: what share of each pixel a shape covers, from 0 to 1. Every shape changes without a jump."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

_FINE = 4  # Drawn this much larger, then averaged: smooth edges.
_PART = 16  # Corners are set to this part of a fine pixel.
_ARC = np.linspace(0, math.pi / 2, 14)

Edges = tuple[float, float, float, float]  # Left, top, right, bottom.
Cover = NDArray[np.float32]


def mouth(size: tuple[int, int], edges: Edges, openness: float, width: float) -> Cover:
    """A slit that opens: rounded at both ends, then nearly straight above and deep below, or round all over."""
    left, top, right, bottom = edges
    wide, tall = right - left, bottom - top
    opened, spread = eased(openness / 0.5), eased((width - 0.05) / 0.45)
    slit = min(wide, tall) / 2
    above = (slit + (wide / 2 - slit) * opened * (1 - 0.72 * spread), slit + (0.32 * tall - slit) * opened * spread)
    below = (slit + (wide / 2 - slit) * opened, slit + (0.62 * tall - slit) * opened * spread)
    return _filled(size, _rounded(edges, above, below))


def ellipse(size: tuple[int, int], edges: Edges) -> Cover:
    """An ellipse."""
    half = (edges[2] - edges[0]) / 2, (edges[3] - edges[1]) / 2
    return _filled(size, _rounded(edges, half, half))


def box(size: tuple[int, int], edges: Edges) -> Cover:
    """A rectangle."""
    return _filled(size, _rounded(edges, (0, 0), (0, 0)))


def eased(share: float) -> float:
    """From 0 to 1, level at both ends."""
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)


def _rounded(edges: Edges, above: tuple[float, float], below: tuple[float, float]) -> NDArray[np.float64]:
    """A rectangle whose upper and lower corners are quarters of ellipses with these half axes."""
    left, top, right, bottom = edges
    across, down = np.cos(_ARC), np.sin(_ARC)
    (ax, ay), (bx, by) = above, below
    x = [
        right - ax + ax * across,
        (left + ax - ax * across)[::-1],
        left + bx - bx * across,
        (right - bx + bx * across)[::-1],
    ]
    y = [top + ay - ay * down, (top + ay - ay * down)[::-1], bottom - by + by * down, (bottom - by + by * down)[::-1]]
    return np.stack([np.concatenate(x), np.concatenate(y)], axis=1)


def _filled(size: tuple[int, int], points: NDArray[np.float64]) -> Cover:
    fine = np.zeros((size[1] * _FINE, size[0] * _FINE), np.uint8)
    corners = np.round((points * _FINE - 0.5) * _PART).astype(np.int32)
    cv2.fillPoly(fine, [corners], 255, shift=int(math.log2(_PART)))
    return np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
