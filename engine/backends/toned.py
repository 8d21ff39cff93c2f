"""High dynamic range brought to the film's: PQ and HLG to BT.709 as a screen of 203 cd/m2 shows it.

Highlights are rolled off as ITU-R BT.2390 does (annex 5: a Hermite spline in PQ), from a screen of 1,000 cd/m2,
by the largest of red, green and blue, so that hues stay. Reference white (203 cd/m2) comes out at 88 %.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .picture import Pixels

PQ, HLG = 16, 18  # H.273: transfer characteristics.
WIDE = 9  # H.273: colour primaries of BT.2020.
PEAK, WHITE = 1000.0, 203.0  # cd/m2
_FINE = 4096
# BT.2087: the primaries of BT.2020 to those of BT.709, in light.
_TO_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32)


def needed(transfer: int, primaries: int) -> bool:
    """Would the pictures look pale if they were taken for BT.709?"""
    return transfer in {PQ, HLG} or primaries == WIDE


def toned(rgb: NDArray[np.uint16], transfer: int, primaries: int) -> Pixels:
    """RGB of 16 bits in its own curve and primaries as 8-bit RGB of BT.709."""
    light: Any = np.take(_light(transfer), rgb)
    if transfer == HLG:  # BT.2100: what a screen makes of the scene's light.
        weights = np.array([[0.2627, 0.6780, 0.0593]], np.float32)
        light *= np.maximum(cv2.transform(light, weights), 1e-6)[..., None] ** np.float32(0.2) * (PEAK / WHITE)
    if primaries == WIDE:
        light = cv2.transform(light, _TO_709)
    if transfer in {PQ, HLG}:
        light *= np.take(_rolled(), _step(light.max(axis=2)))[..., None]
    return np.asarray(np.take(_coded(), _step(light)), np.uint8)


def _step(light: Any) -> NDArray[np.uint16]:
    """Where light of 0 to PEAK stands in the tables: finer in the dark."""
    return np.asarray(np.sqrt(np.clip(light * (WHITE / PEAK), 0, 1)) * (_FINE - 1) + 0.5, np.uint16)


def _steps() -> NDArray[np.float64]:
    return np.square(np.arange(_FINE) / (_FINE - 1)) * (PEAK / WHITE)


@cache
def _light(transfer: int) -> NDArray[np.float32]:
    """Light by code value, in reference whites: of the screen, for HLG of the scene (0 to 1)."""
    code = np.arange(65536) / 65535
    if transfer == PQ:
        return np.minimum(_pq_light(code), PEAK).astype(np.float32) / np.float32(WHITE)
    if transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12).astype(np.float32)
    return (code**2.4).astype(np.float32)


@cache
def _rolled() -> NDArray[np.float32]:
    """By how much light is dimmed, by how bright it is."""
    steps = _steps()
    top = _pq_code(np.array(PEAK))
    code = _pq_code(steps * WHITE) / top
    most = _pq_code(np.array(WHITE)) / top
    knee = 1.5 * most - 0.5
    t = np.clip((code - knee) / (1 - knee), 0, 1)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    out = _pq_light(np.where(code < knee, code, spline) * top) / WHITE
    return np.where(steps > 0, out / np.maximum(steps, 1e-9), 1).astype(np.float32)


@cache
def _coded() -> Pixels:
    """The 8-bit code of light, for a screen with BT.1886's curve. Rolled light is at most one reference white."""
    return np.asarray(np.rint(np.clip(_steps(), 0, 1) ** (1 / 2.4) * 255), np.uint8)


def _pq_light(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """SMPTE ST 2084, in cd/m2."""
    root = code ** (1 / 78.84375)
    light: NDArray[np.float64] = (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578)
    return light * 10000


def _pq_code(light: NDArray[np.float64]) -> NDArray[np.float64]:
    power = (light / 10000) ** 0.1593017578
    code: NDArray[np.float64] = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    return code
