"""What each frame of a video hears of a sound (specification, section 5, points 6 and 7)."""

from __future__ import annotations

from torch import Tensor, stack

from ...errors import BackendError
from .whisper import STEPS

REACH = (2, 2)  # Frames of 25 a second that are heard before and after: upstream's `audio_feat_length`.


def frame_count(steps: int, fps: float = 25) -> int:
    """Frames that upstream makes of a sound of so many steps: one or two more than it lasts."""
    frame = 0
    while int(frame * STEPS / fps) <= steps:
        frame += 1
    return frame + 1


def step_indices(frame: int, steps: int, fps: float = 25, reach: tuple[int, int] = REACH) -> list[int]:
    """The steps that a frame hears; before the first and after the last, those again."""
    centre = int(frame * STEPS / fps)
    before, after = 2 * reach[0], 2 * (reach[1] + 1)
    return [min(max(step, 0), steps - 1) for step in range(centre - before, centre + after)]


def heard(features: Tensor, frame: int, fps: float = 25, reach: tuple[int, int] = REACH) -> Tensor:
    """(T, S, D) -> (10 * S, D): what one frame hears, step after step; raises BackendError where there is no sound."""
    steps, _, width = features.shape
    if not steps:
        raise BackendError("the sound is too short: it is less than 20 ms", "Give a longer one, or silence.")
    return features[step_indices(frame, steps, fps, reach)].reshape(-1, width)


def chunks(features: Tensor, fps: float = 25, reach: tuple[int, int] = REACH) -> Tensor:
    """(T, S, D) -> (frames, 10 * S, D): what every frame hears, as many frames as upstream makes."""
    return stack([heard(features, frame, fps, reach) for frame in range(frame_count(len(features), fps))])
