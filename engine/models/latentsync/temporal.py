"""The temporal module: each place of the picture looks along the frames (specification, section 3.6)."""

from __future__ import annotations

import math

import torch
from diffusers.models.attention import FeedForward
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from ...errors import BackendError
from .config import TemporalConfig
from .layers import GroupNorm, called, folded

_GROUPS = 32  # Whatever `norm_num_groups` says.


def positions(length: int, width: int) -> Tensor:
    """The table (1, length, width) that tells frames apart: sines on even channels, cosines on odd ones."""
    frequency = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    angle = torch.arange(length)[:, None] * frequency
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[None, :, :width]


class Places(nn.Module):
    """Adds the table's rows to the frames of a window."""

    pe: Tensor

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        self.register_buffer("pe", positions(length, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, f, C) -> (n, f, C); raises BackendError where there are more frames than rows."""
        frames, most = tokens.shape[1], self.pe.shape[1]
        if frames > most:
            raise BackendError(f"a window has {frames} frames, and the model knows {most}", "Use shorter windows.")
        return tokens + self.pe[:, :frames]


class TemporalAttention(Attention):
    """Attention over frames, whose queries, keys and values all know their place in the window."""

    def __init__(self, config: TemporalConfig, width: int) -> None:
        heads = config.num_attention_heads
        super().__init__(width, heads=heads, dim_head=width // heads)
        length = config.temporal_position_encoding_max_len
        self.pos_encoder = Places(length, width) if config.temporal_position_encoding else None

    def forward(self, tokens: Tensor) -> Tensor:  # type: ignore[override]
        """(n, f, C) -> (n, f, C)."""
        placed = tokens if self.pos_encoder is None else called(self.pos_encoder, tokens)
        made: Tensor = super().forward(placed)
        return made


class TemporalBlock(nn.Module):
    """Attentions over frames, then a feed-forward; each on normed tokens, each added."""

    def __init__(self, config: TemporalConfig, width: int) -> None:
        super().__init__()
        kinds = config.attention_block_types
        self.attention_blocks = nn.ModuleList(TemporalAttention(config, width) for _ in kinds)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in kinds)
        self.ff = FeedForward(width, activation_fn="geglu")
        self.ff_norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, f, C) -> (n, f, C)."""
        for attention, norm in zip(self.attention_blocks, self.norms, strict=True):
            tokens = tokens + attention(norm(tokens))
        return tokens + called(self.ff, self.ff_norm(tokens))


class TemporalTransformer(nn.Module):
    """Normed frame by frame; every place (row, column) is a sequence of frames."""

    def __init__(self, config: TemporalConfig, width: int) -> None:
        super().__init__()
        heads = config.num_attention_heads
        inner = width // heads // config.temporal_attention_dim_div * heads
        self.norm = GroupNorm(_GROUPS, width, eps=1e-6)
        self.proj_in = nn.Linear(width, inner)
        blocks = (TemporalBlock(config, inner) for _ in range(config.num_transformer_block))
        self.transformer_blocks = nn.ModuleList(blocks)
        self.proj_out = nn.Linear(inner, width)
        if config.zero_initialize:
            nn.init.zeros_(self.proj_out.weight)
            nn.init.zeros_(self.proj_out.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """(b, C, f, h, w) -> (b, C, f, h, w)."""
        batch, channels, frames, height, width = hidden.shape
        normed = called(self.norm, folded(hidden)).reshape(batch, frames, channels, height, width)
        tokens = called(self.proj_in, normed.permute(0, 3, 4, 1, 2).flatten(0, 2))
        for block in self.transformer_blocks:
            tokens = block(tokens)
        made = called(self.proj_out, tokens).reshape(batch, height, width, frames, channels)
        return hidden + made.permute(0, 4, 3, 1, 2)


class TemporalModule(nn.Module):
    """The name under which checkpoints keep a temporal transformer."""

    def __init__(self, config: TemporalConfig, width: int) -> None:
        super().__init__()
        self.temporal_transformer = TemporalTransformer(config, width)

    def forward(self, hidden: Tensor) -> Tensor:
        """(b, C, f, h, w) -> (b, C, f, h, w)."""
        return called(self.temporal_transformer, hidden)
