"""A faint room in place of digital silence: pink noise that goes on across every joint.

The room must not depend on where a scene stands in the film, or inserting one would encode all sounds behind it
again; and at a joint both scenes must hear the same. So all borders sound alike: around each, the same piece of
noise (BORDER), into which a scene's own noise is led on both sides.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from ..kinds import SAMPLE_RATE
from .loudness import Sound

LEVEL = -62.0  # dBFS, root mean square of each channel.
LOOP = 1 << 19  # Samples of noise (11 s) that are repeated: it was made in circles.
LOWEST, HIGHEST = 60.0, 9000.0  # Hertz; below and above, the noise falls off.
BORDER = SAMPLE_RATE // 4  # Samples of every border's noise on each side of it; the second half leads over.


def tone(channels: int, before: int, samples: int, after: int) -> Sound:
    """The room of a scene and of what is around it, channels x (before + samples + after)."""
    return np.stack([_channel(_noise(k), _noise(k + 2), before, samples, after) for k in range(channels)])


def _channel(inside: Sound, border: Sound, before: int, samples: int, after: int) -> Sound:
    """Noise of equal power throughout: what leads over does it by sine and cosine."""
    row = np.resize(np.roll(inside, before), before + samples + after)
    half = min(BORDER, samples // 2)
    for place, first, end in ((0, -before, half), (samples, samples - half, samples + after)):
        at = np.arange(first, end)
        away = np.minimum(at, samples - 1 - at)
        ours = np.clip(2 * away / BORDER - 1, 0, 1) * np.pi / 2
        part = row[before + first : before + end]
        part[:] = np.sin(ours) * part + np.cos(ours) * border[(at - place) % LOOP]
    return row


@cache
def _noise(number: int) -> Sound:
    """Pink noise whose end meets its begin."""
    draw = np.random.Generator(np.random.PCG64(number))
    hertz = np.fft.rfftfreq(LOOP, 1 / SAMPLE_RATE)
    shape = 1 / np.sqrt(np.maximum(hertz, LOWEST))
    shape *= (hertz / LOWEST) ** 2 / (1 + (hertz / LOWEST) ** 2) / (1 + (hertz / HIGHEST) ** 4)
    turned = np.exp(2j * np.pi * draw.random(len(hertz)))
    noise = np.fft.irfft(shape * turned, LOOP)
    quiet: Sound = (noise * (10 ** (LEVEL / 20) / np.sqrt(np.mean(noise**2)))).astype(np.float32)
    return quiet
