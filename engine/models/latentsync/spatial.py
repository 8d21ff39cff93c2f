"""The spatial transformer: each frame looks at itself and at what it hears (specification, section 3.5)."""

from __future__ import annotations

from diffusers.models.attention import FeedForward
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from .config import UNetConfig
from .layers import GroupNorm, called, folded, unfolded


class Listening(nn.Module):
    """Self-attention, attention to the sound, feed-forward; each on normed tokens, each added."""

    def __init__(self, config: UNetConfig, width: int, heads: int) -> None:
        super().__init__()
        head = width // heads
        self.norm1 = nn.LayerNorm(width)
        self.attn1 = Attention(width, heads=heads, dim_head=head)
        self.norm2 = nn.LayerNorm(width) if config.add_audio_layer else None
        self.attn2: Attention | None = None
        if config.add_audio_layer:
            self.attn2 = Attention(width, config.cross_attention_dim, heads=heads, dim_head=head)
        self.norm3 = nn.LayerNorm(width)
        self.ff = FeedForward(width, activation_fn="geglu")

    def forward(self, tokens: Tensor, audio: Tensor | None) -> Tensor:
        """(b*f, h*w, C), (b*f, S, D) -> (b*f, h*w, C)."""
        tokens = tokens + self.attn1(self.norm1(tokens))
        if self.attn2 is not None and self.norm2 is not None and audio is not None:
            tokens = tokens + self.attn2(self.norm2(tokens), audio)
        return tokens + called(self.ff, self.norm3(tokens))


class SpatialTransformer(nn.Module):
    """Normed frame by frame, with an epsilon of its own; diffusers' own cannot go without the sound."""

    def __init__(self, config: UNetConfig, width: int, heads: int) -> None:
        super().__init__()
        inner = width // heads * heads
        self.norm = GroupNorm(config.norm_num_groups, width, eps=1e-6)
        self.proj_in = nn.Conv2d(width, inner, 1)
        self.transformer_blocks = nn.ModuleList([Listening(config, inner, heads)])
        self.proj_out = nn.Conv2d(inner, width, 1)

    def forward(self, hidden: Tensor, audio: Tensor | None) -> Tensor:
        """(b, C, f, h, w), (b*f, S, D) -> (b, C, f, h, w)."""
        frames = called(self.proj_in, self.norm(folded(hidden)))
        tokens = frames.flatten(2).transpose(1, 2)
        for block in self.transformer_blocks:
            tokens = block(tokens, audio)
        frames = tokens.transpose(1, 2).reshape(frames.shape)
        return hidden + unfolded(called(self.proj_out, frames), len(hidden))
