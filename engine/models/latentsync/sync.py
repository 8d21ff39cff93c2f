"""One window: faces and what they hear in, faces whose mouths say it out (specification, sections 8 and 9)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .condition import Draws, Faces, condition, decoded, draws, prepared
from .denoise import Heard, denoised, first_noise
from .unet import UNet3D


class Sync:
    """The U-Net, the VAE (an AutoencoderKL of diffusers), and a video's noise.

    The noise is one frame's for all of them, and one draw for each window in turn: the same seed and the same windows
    give the same video.
    """

    def __init__(self, unet: UNet3D, vae: Any, resolution: int, seed: int = 1247) -> None:
        self._unet, self._vae, self._resolution = unet, vae, resolution
        self._source = torch.Generator("cpu").manual_seed(seed)
        self._noise = first_noise(self._source, resolution)

    def window(
        self, faces: Tensor, audio: Tensor, steps: int = 20, guidance: float = 1.5, *, tell: Heard = lambda *_: None
    ) -> Tensor:
        """(f, 3, R, R) in 0..255 and (f, S, D) -> (f, 3, R, R), about -1..1, on the processor."""
        noise = draws(self._source, len(faces), self._resolution)
        return synced(self._unet, self._vae, faces, audio, self._noise, noise, steps, guidance, tell=tell)


def synced(
    unet: UNet3D,
    vae: Any,
    faces: Tensor,
    audio: Tensor,
    noise: Tensor,
    vae_noise: Draws,
    steps: int = 20,
    guidance: float = 1.5,
    *,
    tell: Heard = lambda *_: None,
) -> Tensor:
    """As `Sync.window`, with every random number given: noise (1, 4, 1, R/8, R/8)."""
    with torch.no_grad():
        seen = prepared(faces)
        known = condition(vae, seen, vae_noise)
        latents = denoised(unet, noise, known, audio[None], steps, guidance, tell=tell)
        return composited(decoded(vae, latents[0].transpose(0, 1)).cpu(), seen)


def composited(made: Tensor, faces: Faces) -> Tensor:
    """(f, 3, R, R): what was made, in the hole of what was there; neither feathered nor clamped yet."""
    return made * (1 - faces.mask) + faces.whole * faces.mask
