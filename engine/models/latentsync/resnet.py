"""The residual block (specification, section 3.4): its norms see all frames of a window at once."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from .config import UNetConfig
from .layers import FrameConv, GroupNorm, called


class Resnet(nn.Module):
    """Two convolutions around the time embedding; diffusers' own takes one frame at a time and would norm it alone."""

    def __init__(self, config: UNetConfig, taken: int, made: int, scale: float = 1.0) -> None:
        super().__init__()
        groups, eps = config.norm_num_groups, config.norm_eps
        self.norm1 = GroupNorm(groups, taken, eps)
        self.conv1 = FrameConv(taken, made, 3, padding=1)
        self.time_emb_proj = nn.Linear(4 * config.block_out_channels[0], made)
        self.norm2 = GroupNorm(groups, made, eps)
        self.conv2 = FrameConv(made, made, 3, padding=1)
        self.conv_shortcut = FrameConv(taken, made, 1) if taken != made else None
        self._scale = scale

    def forward(self, hidden: Tensor, time: Tensor) -> Tensor:
        """(b, C, f, h, w), (b, 4 C0) -> (b, C', f, h, w)."""
        made = self.conv1(functional.silu(self.norm1(hidden)))
        made = made + called(self.time_emb_proj, functional.silu(time))[:, :, None, None, None]
        made = called(self.conv2, functional.silu(self.norm2(made)))
        kept = hidden if self.conv_shortcut is None else called(self.conv_shortcut, hidden)
        return (kept + made) / self._scale
