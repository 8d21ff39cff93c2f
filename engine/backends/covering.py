"""Pictures brought to a size: scaled until they cover it and cut around their middle, or shown whole on a ground."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from .. import probe
from ..kinds import Tell


def picture(source: Path, width: int, height: int, out: Path, fit: str = "fill") -> None:
    """Write a picture file as PNG, upright, without transparency (black shows through); of an animation, its first."""
    with Image.open(source, formats=probe.PICTURES) as file:
        file.draft("RGB", (width * 2, height * 2))  # A large JPEG is decoded at a half, a quarter or an eighth.
        image = _opaque(ImageOps.exif_transpose(file))
    covering = ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    _save(_whole(image, covering) if fit == "fit" else covering, out)


def last_frame(source: Path, width: int, height: int, out: Path, tell: Tell) -> None:
    """Write the last frame of a video as PNG: upright, in the shape of its pixels and the film's colours."""
    import av
    from av.video.reformatter import Colorspace

    from .decoded import Frame, pixel_of
    from .footage import shown

    with probe.open_media(source) as container:
        stream = probe.stream_of(container, "video", probe.VIDEO_HINT)
        last = Frame(_last(container, stream, tell), pixel_of(stream))
        frame = av.VideoFrame.from_ndarray(_i420(shown(last, width, height)), "yuv420p")
    _save(Image.fromarray(frame.to_ndarray(format="rgb24", src_colorspace=Colorspace.ITU709)), out)


def _last(container: Any, stream: Any, tell: Tell) -> Any:
    """Decode from the last key frame on; from the beginning where that finds nothing."""
    from .decoded import progressive

    for start in (stream.duration, 0):
        if start is None:
            continue
        container.seek((stream.start_time or 0) + start if start else 0, stream=stream)
        last = None
        for frame in progressive(container.decode(stream), stream):
            last = frame
            tell.progress(0, 2)
        if last is not None:
            return last
    raise probe.Unreadable("nothing in it can be decoded", probe.CUT)


def _i420(planes: Any) -> Any:
    """Planes of even size, one below the other, as PyAV takes them."""
    width = planes.y.shape[1]
    return np.concatenate([np.ascontiguousarray(plane).reshape(-1, width) for plane in planes])


def _whole(image: Image.Image, covering: Image.Image) -> Image.Image:
    """All of a picture in the middle of a soft, dark copy of itself."""
    from . import ground

    shape = Fraction(image.width), Fraction(image.height)
    size = ground.within(shape, *covering.size)
    if size == covering.size:
        return covering
    whole = Image.fromarray(ground.soft_picture(np.asarray(covering)))
    place = (covering.width - size[0]) // 2, (covering.height - size[1]) // 2
    whole.paste(image.resize(size, Image.Resampling.LANCZOS), place)
    return whole


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":  # 16 bits a channel: Pillow would clip, not scale.
        image = image.convert("I").point(lambda level: level / 256).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image)
    return image.convert("RGB")


def _save(image: Image.Image, out: Path) -> None:
    image.save(out, "PNG", compress_level=1)
