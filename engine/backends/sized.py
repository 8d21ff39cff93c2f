"""Pictures between a model's sizes and those that are asked for, and whether what a model gave is a picture at all."""

from __future__ import annotations

from typing import Any

from ..errors import BackendError


def fitted(width: int, height: int, pixels: int, multiple: int) -> tuple[int, int]:
    """The size that a model is asked for: the shape that is wanted, within a number of pixels, in its multiples."""
    scale = min(1.0, (pixels / (width * height)) ** 0.5)
    across, down = (max(multiple, int(side * scale + 1e-9) // multiple * multiple) for side in (width, height))
    return across, down


def delivered(picture: Any, width: int, height: int) -> Any:
    """A picture (Pillow) at a size: scaled until it covers it, and cut around its middle. The one place for this."""
    from PIL import Image, ImageOps

    if picture.size == (width, height):
        return picture
    return ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)


def finite(pictures: Any, what: str) -> Any:
    """Pictures whose every value is a number; BackendError otherwise, and not a black picture."""
    import numpy as np

    if not np.isfinite(pictures).all():
        hint = "Set dtype: bfloat16 or float32; Wan also takes {default: bfloat16, vae: float32}."
        raise BackendError(f"{what} came out of the model with values that are no numbers", hint)
    return pictures
