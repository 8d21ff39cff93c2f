"""The 3-D U-Net that predicts the noise in a window of mouths (specification, sections 3.1 to 3.3)."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from torch import Tensor, nn
from torch.nn import functional

from .blocks import Down, Middle, Up
from .config import configured
from .layers import FrameConv, GroupNorm, called


class UNet3D(nn.Module):
    """The network of LatentSync; without arguments, that of both public models. Takes upstream's argument names."""

    def __init__(self, **said: Any) -> None:
        super().__init__()
        config = configured(said)
        first, levels = config.block_out_channels[0], range(len(config.block_out_channels))
        self.config = config
        self.conv_in = FrameConv(config.in_channels, first, 3, padding=1)
        self.time_proj = Timesteps(first, config.flip_sin_to_cos, config.freq_shift)
        self.time_embedding = TimestepEmbedding(first, 4 * first)
        self.down_blocks = nn.ModuleList(Down(config, level) for level in levels)
        self.mid_block = Middle(config)
        self.up_blocks = nn.ModuleList(Up(config, number) for number in levels)
        self.conv_norm_out = GroupNorm(config.norm_num_groups, first, config.norm_eps)
        self.conv_out = FrameConv(first, config.out_channels, 3, padding=1)

    @property
    def dtype(self) -> torch.dtype:
        """The type of its numbers."""
        return self.conv_in.weight.dtype

    @property
    def device(self) -> torch.device:
        """Where it lies."""
        return self.conv_in.weight.device

    def forward(self, sample: Tensor, timestep: Tensor | float, encoder_hidden_states: Tensor | None = None) -> Tensor:
        """The noise in `sample`.

        sample: (b, in_channels, f, h, w): noisy latents 0-3, mask 4, masked latents 5-8, reference latents 9-12;
        timestep: one for all, or (b,); encoder_hidden_states: what each frame hears, (b*f, S, D) with the frame
        fastest, or (b, f, S, D), or None. Returns (b, out_channels, f, h, w).
        """
        time = self._time(timestep, sample)
        audio = encoder_hidden_states
        audio = audio.flatten(0, 1) if audio is not None and audio.dim() == 4 else audio
        hidden = called(self.conv_in, 2 * sample - 1 if self.config.center_input_sample else sample)
        skips = [hidden]
        for down in self.down_blocks:
            hidden = down(hidden, time, audio, skips)
        hidden = called(self.mid_block, hidden, time, audio)
        for up in self.up_blocks:
            hidden = up(hidden, time, audio, skips)
        return called(self.conv_out, functional.silu(self.conv_norm_out(hidden)))

    def _time(self, timestep: Tensor | float, sample: Tensor) -> Tensor:
        """(b, 4 C0); the waves are made in 32 bits whatever the model's numbers are."""
        steps = torch.as_tensor(timestep, device=sample.device).reshape(-1).expand(len(sample))
        return called(self.time_embedding, called(self.time_proj, steps).to(sample.dtype))
