"""Pictures brought to a size: scaled until they cover it, then cut around their middle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from .. import probe
from ..kinds import Tell


def picture(source: Path, width: int, height: int, out: Path) -> None:
    """Write a picture file as PNG, upright, without transparency (black shows through)."""
    with Image.open(source, formats=probe.PICTURES) as file:
        file.draft("RGB", (width * 2, height * 2))  # A large JPEG is decoded at a half, a quarter or an eighth.
        _write(_opaque(ImageOps.exif_transpose(file)), width, height, out)


def last_frame(source: Path, width: int, height: int, out: Path, tell: Tell) -> None:
    """Write the last frame of a video as PNG, upright."""
    with probe.open_media(source) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        last = _last(container, stream, tell)
        turns = round(last.rotation / 90) % 4
        _write(last.to_image().rotate(turns * 90, expand=True), width, height, out)


def _last(container: Any, stream: Any, tell: Tell) -> Any:
    """Decode from the last key frame on; from the beginning where that finds nothing."""
    for start in (stream.duration, 0):
        if start is None:
            continue
        container.seek((stream.start_time or 0) + start if start else 0, stream=stream)
        last = None
        for frame in container.decode(stream):
            last = frame
            tell.progress(0, 2)
        if last is not None:
            return last
    raise probe.Unreadable("nothing in it can be decoded", probe.CUT)


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":  # 16 bits a channel: Pillow would clip, not scale.
        image = image.convert("I").point(lambda level: level / 256).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image)
    return image.convert("RGB")


def _write(image: Image.Image, width: int, height: int, out: Path) -> None:
    fitted = ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    fitted.save(out, "PNG", compress_level=1)
