"""Which frames a window takes, and how windows that overlap become one row of frames (specification, 6, 9 and 12)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from ...errors import BackendError

WINDOW = 16  # Frames that the models were trained on at once.


def ping_pong(number: int, count: int) -> int:
    """Which of `count` pictures is shown as frame `number`: forth, back, forth; the last ones twice in a row."""
    turn, place = divmod(number, count)
    return place if turn % 2 == 0 else count - 1 - place


def windows(frames: int, length: int = WINDOW, overlap: int = 0) -> list[range]:
    """The frames of each window. Without overlap the last is short, as upstream's; else it begins earlier."""
    if not 0 <= overlap < length:
        raise BackendError(f"windows of {length} frames cannot overlap by {overlap}", "Let them overlap by less.")
    starts = list(range(0, max(frames - overlap, 1), length - overlap)) if frames else []
    if overlap and frames > length:
        starts[-1] = frames - length
    return [range(start, min(start + length, frames)) for start in starts]


def crossfaded(made: Iterable[tuple[range, Tensor]]) -> Iterator[tuple[int, Tensor]]:
    """Every frame once, with its number; where windows (f, ...) overlap, one fades into the next.

    Takes windows as they are made, in order; holds no more than one.
    """
    held: Tensor | None = None
    numbers = range(0)
    for span, frames in made:
        if held is not None:
            shared = max(numbers.stop - span.start, 0)
            yield from zip(numbers, held[: len(numbers) - shared], strict=False)
            frames = _faded(held[len(held) - shared :], frames)  # noqa: PLW2901  # From here on it is that.
        held, numbers = frames, span
    if held is not None:
        yield from zip(numbers, held, strict=True)


def _faded(old: Tensor, new: Tensor) -> Tensor:
    """A window whose first frames come gradually out of those of the window before it."""
    share = torch.linspace(0, 1, len(old) + 2)[1:-1].to(new).reshape(-1, *[1] * (new.dim() - 1))
    return torch.cat([old + share * (new[: len(old)] - old), new[len(old) :]])
