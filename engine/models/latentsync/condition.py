"""What the U-Net is told of the picture: mask, masked face and whole face, as latents (specification, section 8)."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from .mask import keep_levels

SCALING = 0.18215  # Latents are the VAE's times this, whatever its own configuration says; nothing is added.
LATENT = 8  # Pixels a side to one latent.


class Faces(NamedTuple):
    """A window's faces in -1..1 and their mask in 0..1 (1 is kept), each (f, 3 or 1, R, R)."""

    whole: Tensor
    masked: Tensor
    mask: Tensor


class Draws(NamedTuple):
    """The noise with which the VAE is sampled: for masked faces, for whole ones, each (f, 4, R/8, R/8)."""

    masked: Tensor
    whole: Tensor


def prepared(faces: Tensor) -> Faces:
    """(f, 3, R, R) in 0..255 -> what the VAE is given; the hole is mid-grey."""
    whole = faces.contiguous().float() / 127.5 - 1  # Else the VAE would add in another order.
    mask = torch.from_numpy(keep_levels(faces.shape[-1]) / 255).to(whole.device)[None, None]
    masked = (whole * mask).float()  # In 64 bits until here.
    return Faces(whole, masked, mask.float().expand(len(faces), -1, -1, -1))


def latent_mask(faces: Faces) -> Tensor:
    """(f, 1, R/8, R/8): the nearest pixel's, 1 is kept."""
    side = faces.mask.shape[-1] // LATENT
    return functional.interpolate(faces.mask, (side, side), mode="nearest")


def draws(source: torch.Generator, frames: int, resolution: int) -> Draws:
    """The next noise of a window, in upstream's order."""
    size = (frames, 4, resolution // LATENT, resolution // LATENT)
    return Draws(torch.randn(size, generator=source), torch.randn(size, generator=source))


def encoded(vae: Any, images: Tensor, noise: Tensor) -> Tensor:
    """(f, 3, R, R) in -1..1 -> (f, 4, R/8, R/8): a sample of the VAE's posterior, not its middle."""
    found = vae.encode(images.to(vae.device, vae.dtype)).latent_dist
    drawn: Tensor = found.mean + found.std * noise.to(found.mean)
    return SCALING * drawn.float()


def decoded(vae: Any, latents: Tensor) -> Tensor:
    """(f, 4, R/8, R/8) -> (f, 3, R, R), about -1..1, in 32 bits."""
    made: Tensor = vae.decode((latents / SCALING).to(vae.device, vae.dtype)).sample
    return made.float()


def condition(vae: Any, faces: Faces, noise: Draws) -> Tensor:
    """(1, 9, f, R/8, R/8): mask 0, masked face 1-4, whole face 5-8; windows are stacked along the first axis."""
    masked = encoded(vae, faces.masked, noise.masked)
    whole = encoded(vae, faces.whole, noise.whole)
    return torch.cat([latent_mask(faces).to(masked), masked, whole], dim=1).transpose(0, 1)[None]
