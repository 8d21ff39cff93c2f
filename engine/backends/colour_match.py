"""Colours of a clip held to those of its beginning, or of the scene's still: what a chain of clips drifts by.

Mean and spread of each channel of CIELAB are brought to those of the pictures that are matched: at the clip's first
frame to where it starts, at its last to the reference, and in between on the way from one to the other. So no
clip jumps where the one before it ended.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
_FARTHEST = 1.25  # What is in the picture may change: contrast is not stretched to any length for it.


class Change(NamedTuple):
    """What a channel is multiplied by, and what is added."""

    gain: Floats
    offset: Floats


def matched(frames: Pixels, first: Pixels, reference: Pixels) -> Pixels:
    """Frames (RGB) whose first has the colours of `first`, and whose last those of `reference`."""
    begin = _change(_lab(frames[0]), _lab(first))
    end = _change(_lab(frames[-1]), _lab(reference))
    out = np.empty_like(frames)
    for number, frame in enumerate(frames):
        share = np.float32(number / max(1, len(frames) - 1))
        gain = begin.gain + (end.gain - begin.gain) * share
        offset = begin.offset + (end.offset - begin.offset) * share
        out[number] = _rgb(_lab(frame) * gain + offset)
    return out


def _change(source: Floats, target: Floats) -> Change:
    mean, spread = source.mean((0, 1)), source.std((0, 1))
    gain = np.clip(target.std((0, 1)) / np.maximum(spread, 1e-3), 1 / _FARTHEST, _FARTHEST).astype(np.float32)
    return Change(gain, np.asarray(target.mean((0, 1)) - gain * mean, np.float32))


def _lab(picture: Pixels) -> Floats:
    return np.asarray(cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def _rgb(lab: Floats) -> Pixels:
    rgb = np.clip(cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB), 0, 1)
    return np.asarray(np.rint(rgb * 255), np.uint8)
