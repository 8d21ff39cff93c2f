"""What is measured: a picture and a clip, by our backends and by the code that diffusers' own pages show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..place import HERE

Plain = Callable[[Any, Any, Path], None]  # Pipeline, callback, file.
PROMPT = "a robot in a mustard-yellow scarf folds a paper boat at a kitchen table in the evening light"
PLAIN: Mapping[str, Any] = {"offload": "none", "compile": False, "attention": "", "cache": {}, "quantization": {}}
_TINY: Mapping[str, Any] = {**PLAIN, "device": "cpu", "dtype": "float32", "steps": 3}


class Subject(NamedTuple):
    """A step of a render: what is said of it in tables, its params, and what the plain code would be."""

    name: str
    params: Any
    steps: int  # Denoising steps of the profile; fewer may be made, and the rest reckoned.
    plain: Plain
    output: str
    inputs: Mapping[str, Path]


def still(model: str, profile: str, full: bool, **changes: Any) -> Subject:
    """A picture of 1024 x 1024 by the stills of a profile; tiny where there is no GPU."""
    from engine.backends.flux import FluxParams

    params = {**_profile(profile, "still")[0], "model": model, "revision": "", "template": "{{ prompt }}"}
    side, small = (1024, {}) if full else (64, {**_TINY, "call": {"max_sequence_length": 64}})
    said = {"prompt": PROMPT, "width": side, "height": side, "seed": 3, **params, **small, **changes}
    made = FluxParams(**said)
    return Subject(f"{side} x {side}, {made.steps} steps", made, made.steps, _picture(made), "image", {})


def clip(model: str, profile: str, full: bool, room: Path, steps: int, **changes: Any) -> Subject:
    """A clip at the size of a profile's model, in as many steps as are worth the time."""
    from engine.backends.wan import WanParams

    params, limits = _profile(profile, "clip")
    width, height = SIZES[params.get("pixels", 0)] if full else (64, 64)
    small = {} if full else {**_TINY, "call": {"max_sequence_length": 32}}
    length = {"frames": limits["frames"] if full else 8, "fps": str(limits["fps"])}
    said = {"prompt": PROMPT, "number": 1, "width": width, "height": height, "seed": 3, **length, **params}
    made = WanParams(**{**said, "model": model, "revision": "", **small, "steps": steps, **changes})
    name = f"{width} x {height}, {made.frames + 1} frames"
    first = _first(room, width, height)
    return Subject(name, made, params["steps"], _movement(made, first), "video", {"first": first})


SIZES = {0: (832, 480), 901_120: (1280, 704)}  # By the pixels that a profile allows; 0 where it says nothing.


def backend(subject: Subject) -> Any:
    """The backend of ours that makes a subject."""
    from engine.backends.flux import Flux
    from engine.backends.wan import Wan

    return Flux() if subject.output == "image" else Wan()


def _profile(name: str, kind: str) -> tuple[dict[str, Any], Mapping[str, Any]]:
    from engine.profile import load_profile

    choice = load_profile(name, HERE).kinds[kind]
    return dict(choice.params), choice.limits


def _picture(params: Any) -> Plain:
    def plain(pipe: Any, after: Any, file: Path) -> None:
        pipe(
            prompt=params.prompt,
            width=params.width,
            height=params.height,
            num_inference_steps=params.steps,
            guidance_scale=params.guidance,
            max_sequence_length=params.call["max_sequence_length"],
            generator=_seeded(),
            callback_on_step_end=after,
        ).images[0].save(file.with_suffix(".png"))

    return plain


def _movement(params: Any, first: Path) -> Plain:
    def plain(pipe: Any, after: Any, _: Path) -> None:
        from PIL import Image

        pipe(
            image=Image.open(first),
            prompt=params.prompt,
            negative_prompt=params.negative,
            width=params.width,
            height=params.height,
            num_frames=params.frames + 1,
            num_inference_steps=params.steps,
            guidance_scale=params.guidance,
            generator=_seeded(),
            callback_on_step_end=after,
            **params.call,
        )

    return plain


def _seeded() -> Any:
    import torch

    return torch.Generator("cpu").manual_seed(3)


def _first(room: Path, width: int, height: int) -> Path:
    """A picture to start from: a slope of colours."""
    import numpy as np
    from PIL import Image

    down, across = np.mgrid[0:height, 0:width]
    picture = np.stack([across * 255 / width, down * 255 / height, np.full((height, width), 128)], -1)
    file = room / f"first-{width}x{height}.png"
    Image.fromarray(picture.astype("uint8")).save(file)
    return file
