"""From noise to the latents of mouths (specification, sections 4 and 9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from diffusers import DDIMScheduler
from torch import Tensor

from ...errors import BackendError
from .layers import called
from .unet import UNet3D

Heard = Callable[[int, int], None]  # Told of steps that are done, and of how many there are.


def unheard(_done: int, _total: int) -> None:
    """Tells nobody."""


def scheduler() -> Any:
    """The noise schedule that the models were trained with."""
    return DDIMScheduler(  # type: ignore[no-untyped-call]
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="epsilon",
        timestep_spacing="leading",
    )


def first_noise(source: torch.Generator, resolution: int) -> Tensor:
    """(1, 4, 1, R/8, R/8): the noise of one frame, which every frame of a video begins with."""
    return torch.randn(1, 4, 1, resolution // 8, resolution // 8, generator=source)


def denoised(
    unet: UNet3D,
    noise: Tensor,
    condition: Tensor,
    audio: Tensor,
    steps: int = 20,
    guidance: float = 1.5,
    *,
    tell: Heard = unheard,
) -> Tensor:
    """The latents of windows: (b, 4, f, h, w), in 32 bits.

    noise: (b or 1, 4, f or 1, h, w); condition: (b, 9, f, h, w), as `condition.condition` makes it; audio:
    (b, f, S, D). With guidance above 1, silence is asked too, and what the sound changes is made stronger.
    `tell` may raise, to stop. Raises BackendError where the model's numbers run out of range.
    """
    plan = scheduler()
    plan.set_timesteps(steps, device=unet.device)
    known = condition.to(unet.device, unet.dtype)
    heard = audio.to(unet.device, unet.dtype)
    latents: Tensor = noise.to(unet.device, torch.float32).expand(len(known), -1, known.shape[2], -1, -1)
    latents = latents * plan.init_noise_sigma
    for number, step in enumerate(plan.timesteps):
        found = _predicted(unet, latents, step, known, heard, guidance)
        latents = plan.step(found, step, latents).prev_sample
        if not bool(latents.isfinite().all()):
            message = f"the mouth model's numbers ran out of range at denoising step {number + 1} of {steps}"
            raise BackendError(message, "Set dtype: bfloat16 or float32, or a guidance that is lower.")
        tell(number + 1, steps)
    return latents


def _predicted(unet: UNet3D, latents: Tensor, step: Tensor, known: Tensor, heard: Tensor, guidance: float) -> Tensor:
    """The noise in latents (b, 4, f, h, w)."""
    given = torch.cat([latents.to(known), known], dim=1)
    if guidance <= 1:
        return called(unet, given, step, heard).float()
    both = torch.cat([torch.zeros_like(heard), heard])
    silent, spoken = called(unet, torch.cat([given, given]), step, both).float().chunk(2)
    return silent + guidance * (spoken - silent)
