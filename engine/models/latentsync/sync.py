"""Windows: faces and what they hear in, faces whose mouths say it out (specification, sections 8 and 9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .condition import Draws, Faces, condition, decoded, draws, prepared
from .denoise import Heard, denoised, first_noise, unheard
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

    def windows(
        self, faces: Tensor, audio: Tensor, steps: int = 20, guidance: float = 1.5, *, tell: Heard = unheard
    ) -> Tensor:
        """As `synced`: windows of equal length (b, f, ...), in their order in the video."""
        noise = [draws(self._source, len(window), self._resolution) for window in faces]
        return synced(self._unet, self._vae, faces, audio, self._noise, noise, steps, guidance, tell=tell)


def synced(
    unet: UNet3D,
    vae: Any,
    faces: Tensor,
    audio: Tensor,
    noise: Tensor,
    vae_noise: Sequence[Draws],
    steps: int = 20,
    guidance: float = 1.5,
    *,
    tell: Heard = unheard,
) -> Tensor:
    """Windows at once, with every random number given: (b, f, 3, R, R), about -1..1, on the processor.

    faces: (b, f, 3, R, R) in 0..255; audio: (b, f, S, D); noise: (1, 4, 1, R/8, R/8); vae_noise: one for each window.
    """
    with torch.no_grad():
        seen = [prepared(window) for window in faces]
        known = [condition(vae, window, drawn) for window, drawn in zip(seen, vae_noise, strict=True)]
        latents = denoised(unet, noise, torch.cat(known), audio, steps, guidance, tell=tell)
        made = [decoded(vae, window.transpose(0, 1)).cpu() for window in latents]
        return torch.stack([composited(mouths, window) for mouths, window in zip(made, seen, strict=True)])


def composited(made: Tensor, faces: Faces) -> Tensor:
    """(f, 3, R, R): what was made, in the hole of what was there; neither feathered nor clamped yet."""
    return made * (1 - faces.mask) + faces.whole * faces.mask
