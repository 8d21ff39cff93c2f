"""How time, memory, arithmetic and distance are measured on a device, or on a processor where there is none."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any


class Steps:
    """When each denoising step was done: by the device's clock, so that asking costs no wait."""

    def __init__(self) -> None:
        self._marks: list[Any] = []

    def progress(self, *_: int) -> None:
        """What a backend of ours tells; the first word comes before the first step, the last after the last."""
        self._marks.append(_now())

    def after(self, *given: Any) -> Any:
        """What a pipeline of the library calls."""
        self._marks.append(_now())
        return given[-1]

    def seconds(self, steps: int, told: bool) -> float:
        """The usual seconds of a step; `told`: whether a backend spoke of what comes before and after, too."""
        marks = self._marks[1 : steps + 1] if told else self._marks[:steps]
        return statistics.median(_between(one, two) for one, two in pairwise(marks))


def _now() -> Any:
    import torch

    if not torch.cuda.is_available():
        return time.perf_counter()
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def _between(one: Any, two: Any) -> float:
    return two - one if isinstance(one, float) else one.elapsed_time(two) / 1000


def timed(work: Callable[[], Any]) -> float:
    """Seconds until a device has done what it was asked for."""
    settled()
    start = time.perf_counter()
    work()
    settled()
    return time.perf_counter() - start


def settled() -> None:
    """Wait for the device."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def rate(device: str) -> float:
    """Operations a second of the device's own product of matrices: 8192 squared in bfloat16, 256 in float32 without."""
    import torch

    size, dtype = (8192, torch.bfloat16) if device == "cuda" else (256, torch.float32)
    one, two = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    timed(lambda: one @ two)
    return 2 * size**3 * 50 / timed(lambda: [one @ two for _ in range(50)])


def operations(model: Any, work: Callable[[], Any]) -> int:
    """Multiplications and additions of every call of a model during some work, by the shapes of what it multiplies."""
    from torch.utils.flop_counter import FlopCounterMode

    found, forward = [], model.forward

    def counted(*args: Any, **said: Any) -> Any:
        with FlopCounterMode(display=False) as counter:
            given = forward(*args, **said)
        found.append(counter.get_total_flops())
        return given

    model.forward = counted
    try:
        work()
    finally:
        model.forward = forward
    return sum(found)


def forget() -> None:
    """From now on, `peak` counts anew."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak() -> float:
    """The most memory of the device that tensors took, in GB."""
    import torch

    return torch.cuda.max_memory_allocated() / 1e9 if torch.cuda.is_available() else 0.0


def held() -> float:
    """What tensors take of the device now, in GB."""
    import torch

    return torch.cuda.memory_allocated() / 1e9 if torch.cuda.is_available() else 0.0


def distance(one: Path, two: Path) -> float:
    """How far two pictures or clips are from each other: PSNR in dB; 99 where they are the same."""
    import numpy as np

    error = np.mean((_pixels(one) - _pixels(two)) ** 2)
    return 99.0 if error == 0 else float(10 * np.log10(255**2 / error))


def _pixels(file: Path) -> Any:
    import av
    import numpy as np

    with av.open(str(file)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(np.float32)
