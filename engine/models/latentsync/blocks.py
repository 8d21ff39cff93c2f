"""The levels of the U-Net: down, middle and up (specification, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

from diffusers.models.downsampling import Downsample2D
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, cat, nn

from .config import UNetConfig
from .layers import called, folded, unfolded
from .resnet import Resnet
from .spatial import SpatialTransformer
from .temporal import TemporalModule


class Level(nn.Module):
    """Layers, each a residual block, then a spatial transformer and a temporal module where the level has them."""

    def __init__(self, resnets: Sequence[Resnet], attentions: Sequence[nn.Module], motions: Sequence[nn.Module]):
        super().__init__()
        self.resnets = nn.ModuleList(resnets)
        self.attentions = nn.ModuleList(attentions)
        self.motion_modules = nn.ModuleList(motions)

    def layer(self, number: int, hidden: Tensor, time: Tensor, audio: Tensor | None) -> Tensor:
        """One layer: (b, C, f, h, w) -> (b, C', f, h, w)."""
        return self.looked(number, called(self.resnets[number], hidden, time), audio)

    def looked(self, number: int, hidden: Tensor, audio: Tensor | None) -> Tensor:
        """What of a layer comes after its residual block."""
        if len(self.attentions):
            hidden = called(self.attentions[number], hidden, audio)
        return called(self.motion_modules[number], hidden) if len(self.motion_modules) else hidden


class Down(Level):
    """A level on the way down: what every layer makes is kept for the way up."""

    def __init__(self, config: UNetConfig, level: int) -> None:
        made, layers = config.block_out_channels[level], config.layers_per_block
        taken = [config.block_out_channels[max(level - 1, 0)], *[made] * (layers - 1)]
        resnets = [Resnet(config, width, made) for width in taken]
        attends = config.down_block_types[level].startswith("CrossAttn")
        super().__init__(resnets, *_looks(config, level, layers, attends, config.moves(level, decoder=False)))
        last = level == len(config.block_out_channels) - 1
        halves = [] if last else [Downsample2D(made, use_conv=True, padding=config.downsample_padding, name="op")]
        self.downsamplers = nn.ModuleList(halves)

    def forward(self, hidden: Tensor, time: Tensor, audio: Tensor | None, skips: list[Tensor]) -> Tensor:
        """(b, C, f, h, w) -> half of it where there is a level below; pushes onto `skips`."""
        for number in range(len(self.resnets)):
            hidden = self.layer(number, hidden, time, audio)
            skips.append(hidden)
        for half in self.downsamplers:
            hidden = unfolded(half(folded(hidden)), len(hidden))
            skips.append(hidden)
        return hidden


class Middle(Level):
    """Between down and up: a transformer between two residual blocks."""

    def __init__(self, config: UNetConfig) -> None:
        width, level = config.block_out_channels[-1], len(config.block_out_channels) - 1
        resnets = [Resnet(config, width, width, config.mid_block_scale_factor) for _ in range(2)]
        moves = config.use_motion_module and config.motion_module_mid_block
        super().__init__(resnets, *_looks(config, level, 1, attends=True, moves=moves))

    def forward(self, hidden: Tensor, time: Tensor, audio: Tensor | None) -> Tensor:
        """(b, C, f, h, w) -> (b, C, f, h, w)."""
        return called(self.resnets[1], self.layer(0, hidden, time, audio), time)


class Up(Level):
    """A level on the way up: every layer takes what one on the way down has kept."""

    def __init__(self, config: UNetConfig, number: int) -> None:
        widths = config.block_out_channels[::-1]
        level, layers, made = len(widths) - 1 - number, config.layers_per_block + 1, widths[number]
        hidden = [widths[max(number - 1, 0)], *[made] * (layers - 1)]
        kept = [*[made] * (layers - 1), widths[min(number + 1, len(widths) - 1)]]
        resnets = [Resnet(config, one + other, made) for one, other in zip(hidden, kept, strict=True)]
        attends = config.up_block_types[number].startswith("CrossAttn")
        super().__init__(resnets, *_looks(config, level, layers, attends, config.moves(level, decoder=True)))
        doubles = [Upsample2D(made, use_conv=True)] if level else []
        self.upsamplers = nn.ModuleList(doubles)

    def forward(self, hidden: Tensor, time: Tensor, audio: Tensor | None, skips: list[Tensor]) -> Tensor:
        """(b, C, f, h, w) -> double of it where there is a level above; pops from `skips`."""
        for number in range(len(self.resnets)):
            hidden = self.layer(number, cat([hidden, skips.pop()], dim=1), time, audio)
        for double in self.upsamplers:
            size = tuple(skips[-1].shape[-2:])  # Twice, or one less: an odd size was rounded up when it was halved.
            hidden = unfolded(double(folded(hidden), size), len(hidden))
        return hidden


def _looks(
    config: UNetConfig, level: int, layers: int, attends: bool, moves: bool
) -> tuple[list[nn.Module], list[nn.Module]]:
    """The spatial transformers and the temporal modules of a level's layers."""
    width, heads, temporal = config.block_out_channels[level], config.heads[level], config.motion_module_kwargs
    spatial: list[nn.Module] = [SpatialTransformer(config, width, heads) for _ in range(layers if attends else 0)]
    return spatial, [TemporalModule(temporal, width) for _ in range(layers if moves else 0)]
