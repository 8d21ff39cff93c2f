"""Frames folded into the batch and back, and what works on one frame at a time (specification, sections 1 and 3)."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn


def folded(video: Tensor) -> Tensor:
    """(b, C, f, h, w) -> (b*f, C, h, w), the frame fastest."""
    return video.transpose(1, 2).flatten(0, 1)


def unfolded(frames: Tensor, batch: int) -> Tensor:
    """(b*f, C, h, w) -> (b, C, f, h, w)."""
    return frames.reshape(batch, -1, *frames.shape[1:]).transpose(1, 2)


class FrameConv(nn.Conv2d):
    """A convolution over height and width, the same for every frame of (b, C, f, h, w)."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  # The name that torch gave it.
        """(b, C, f, h, w) -> (b, C', f, h', w')."""
        return unfolded(super().forward(folded(input)), len(input))


class GroupNorm(nn.GroupNorm):
    """Norms (n, C, ...) over all that follows C.

    As three dimensions, whose order in memory torch cannot doubt: its other kernel takes a square from a square, and
    where a group has few numbers (one place, two channels) little of the difference is left. A number that is its
    whole group is its own mean: torch would refuse it in a batch of one, and else leave a thousandfold rounding error.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """(n, C, ...) -> the same."""
        flat = input.flatten(2)
        if flat.shape[1:].numel() == self.num_groups:
            return self.bias[:, None].expand_as(flat).reshape(input.shape)
        return super().forward(flat).reshape(input.shape)


def called(layer: nn.Module, *given: Tensor | None) -> Tensor:
    """What a layer makes of tensors: torch types the call as anything."""
    return cast("Tensor", layer(*given))
