"""Stills, scenes and decoded frames for the tests of the picture's backends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw, PngImagePlugin

from engine.backends.camera import Camera
from engine.backends.scene import X264
from engine.kinds import Inputs, numbered


class Quiet:
    """Listens and says nothing."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, int]] = []

    def progress(self, done: int, total: int) -> None:
        self.heard.append((done, total))


def save(path: Path, pixels: Any, portrait: list[float] | None = None) -> Path:
    notes = PngImagePlugin.PngInfo()
    if portrait:
        notes.add_text("mikebot:portrait", json.dumps(portrait))
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    picture.save(path, format="PNG", pnginfo=notes, compress_level=1)
    return path


def dots(width: int, height: int) -> Image.Image:
    """Soft white dots on grey, easy to find to a hundredth of a pixel."""
    y, x = np.mgrid[:height, :width].astype(float)
    bump = np.zeros((height, width))
    for cy in np.linspace(0.3, 0.7, 3) * height:
        for cx in np.linspace(0.3, 0.7, 3) * width:
            bump += np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * 9.0**2))
    return Image.fromarray(np.uint8(np.repeat((60 + 180 * bump)[..., None], 3, 2)))


def face(width: int, height: int) -> tuple[Image.Image, list[float]]:
    """A plain head with a closed mouth, and the box it was placed in."""
    picture = Image.new("RGB", (width, height), (38, 52, 74))
    draw, side = ImageDraw.Draw(picture), height * 0.8
    x, y = width * 0.5, height * 0.2
    draw.rounded_rectangle((x, y, x + side, y + side), side * 0.2, fill=(170, 188, 200))
    for eye in (0.3, 0.7):
        draw.ellipse(
            (x + side * (eye - 0.07), y + side * 0.3, x + side * (eye + 0.07), y + side * 0.44), fill=(30, 40, 60)
        )
    draw.rounded_rectangle((x + side * 0.35, y + side * 0.69, x + side * 0.65, y + side * 0.72), 4, fill=(40, 50, 70))
    return picture, [x, y, side, side]


MOUTH = {"x": 0.5, "y": 0.705, "width": 0.3, "height": 0.1}


def clips(out: Path, still: Path, prompt: str, size: tuple[int, int], count: int = 1, frames: int = 125) -> list[Path]:
    found, first = [], still
    for number in range(1, count + 1):
        folder = out / f"clip{number}"
        folder.mkdir(parents=True)
        params = Camera.Params(
            prompt=prompt, number=number, frames=frames, fps="25", width=size[0], height=size[1], seed=number * 7
        )
        Camera().run(params, Inputs(first=first), folder, Quiet())
        first = folder / "last"
        found.append(folder / "video")
    return found


def scene(out: Path, videos: list[Path], frames: int, size: tuple[int, int], **more: Any) -> Path:
    out.mkdir(parents=True)
    inputs = Inputs({numbered("clip", n): path for n, path in enumerate(videos, 1)})
    for name in ("still", "timing"):
        if name in more:
            inputs[name] = more.pop(name)
    tell = more.pop("tell", Quiet())
    X264().run(X264.Params(frames=frames, width=size[0], height=size[1], **{"fps": "25", **more}), inputs, out, tell)
    return out / "video"


def decoded(video: Path, pixels: str = "rgb24") -> list[Any]:
    with av.open(str(video)) as container:
        return [frame.to_ndarray(format=pixels) for frame in container.decode(video=0)]
