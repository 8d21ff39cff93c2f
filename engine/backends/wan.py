"""clip.wan: movement from a picture, by any image-to-video pipeline of diffusers, on the library's own classes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import BackendError
from ..kinds import Clip, Inputs, Tell, rate
from . import model_folder, prompt_text, signatures
from .diffusion_knobs import Knobs, Misfit, misfits, needed
from .piped import Piped, longest, noted

_TAKES = ("image", "video")
_MATCHES = ("", "first", "still")
_WANTED = "Set limits: {anchor: true} beside the clip's backend, so that clips read the scene's still."


@dataclass(frozen=True)
class WanParams(Knobs, Clip):
    """`anchor`: each clip ends at the scene's still. `match`: colours are held to those of first, or of still."""

    pixels: int = 399_360  # 832 x 480.
    anchor: bool = False
    match: str = ""


class Wan(Piped):
    """WanImageToVideoPipeline (2.1, 2.2 A14B, 2.2 TI2V-5B), WanVACEPipeline and their kin.

    The model makes one frame more than the clip has: its first is the picture that it starts from, which the clip
    before has shown already, and is left out.
    """

    kind = "clip"
    name = "wan"
    version = "1"
    Params = WanParams

    @staticmethod
    def misfits(params: Mapping[str, Any]) -> Iterator[Misfit]:
        """What is wrong with a profile's params."""
        yield from misfits(params, _TAKES)
        if params.get("match", "") not in _MATCHES:
            yield Misfit(("match",), f"match cannot be '{params['match']}'", "It takes first or still.")
        found = signatures.pipeline(str(params.get("pipeline", "")))
        if found is not None and "num_frames" not in found.call:
            yield Misfit(("pipeline",), f"{found.name} makes no clips", "Name a pipeline that takes num_frames.")
        if params.get("anchor") and found is not None and not {"last_image", "mask"} & found.call.keys():
            yield Misfit(("anchor",), f"{found.name} cannot be told where a clip ends", "Remove anchor:.")

    def check(self, params: WanParams) -> list[str]:
        reasons = needed(params, _TAKES)
        if find_spec("ftfy") is None and params.pipeline.startswith("Wan"):
            reasons.append(f"{params.pipeline} needs ftfy: pip install ftfy")  # diffusers fails without, in the middle.
        return reasons or _unanchored(params.model, model_folder.lies(params.model, params.revision), params.anchor)

    def run(self, params: WanParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        from PIL import Image

        from . import lossless
        from .sized import finite, fitted

        pipe = self._resident.pipe
        size = fitted(params.width, params.height, params.pixels, _multiple(pipe))
        first = _opened(inputs["first"], size)
        still = _opened(inputs["still"], size) if "still" in inputs else None
        said = _arguments(pipe, params, size, first, still)
        drawn = self._resident.draw(params, said, None, tell)
        video = finite(drawn.frames, "the clip")[0]
        frames = _kept(_bytes(video), params, first, still)
        lossless.write(out / "video", frames, rate(params.fps))
        notes = noted(_notes(params, size, len(video), pipe))
        Image.fromarray(frames[-1]).save(out / "last", "PNG", pnginfo=notes, compress_level=1)
        tell.progress(1, 1)


def _arguments(pipe: Any, params: WanParams, size: tuple[int, int], first: Any, still: Any) -> dict[str, Any]:
    """What the plan says to the pipeline's call."""
    if params.anchor and still is None:
        raise BackendError("anchor: a clip was not given the still that it is to end at", _WANTED)
    width, height = size
    frames = _frames(pipe, params.frames)
    said: dict[str, Any] = {"prompt": params.prompt, "width": width, "height": height, "num_frames": frames}
    takes = signatures.call(params.pipeline)
    if "image" in takes:
        said["image"] = first
        if params.anchor:
            said["last_image"] = still
    else:
        said |= _masked(frames, first, still if params.anchor else None)
    if "frame_rate" in takes:
        said["frame_rate"] = float(rate(params.fps))
    return said


def _masked(frames: int, first: Any, last: Any) -> dict[str, Any]:
    """A video of which the first frame is known, perhaps the last too, and what is to be made is white in the mask."""
    from PIL import Image

    between, known = Image.new("RGB", first.size, (128, 128, 128)), Image.new("L", first.size, 0)
    made = Image.new("L", first.size, 255)
    video, mask = [first, *[between] * (frames - 1)], [known, *[made] * (frames - 1)]
    if last is not None:
        video[-1], mask[-1] = last, known
    return {"video": video, "mask": mask}


def _bytes(video: Any) -> Any:
    """Frames as whole numbers, one by one: all at once would hold two more clips of 32-bit numbers in memory."""
    import numpy as np

    return np.stack([(frame * 255).round().astype("uint8") for frame in video])


def _kept(frames: Any, params: WanParams, first: Any, still: Any) -> Any:
    """The frames that the plan counts on, in colours that are held to where the profile says."""
    import numpy as np

    if params.match:
        from .colour_match import matched

        if params.match == "still" and still is None:
            raise BackendError("match: a clip was not given the still whose colours it is to have", _WANTED)
        start = np.asarray(first)
        frames = matched(frames[: params.frames + 1], start, np.asarray(still) if params.match == "still" else start)
    return frames[1 : params.frames + 1]


def _opened(picture: Path, size: tuple[int, int]) -> Any:
    """A picture at the model's size; the last frame of a clip of the same chain has it already."""
    from PIL import Image

    from .. import probe
    from .sized import delivered

    with Image.open(picture, formats=probe.PICTURES) as file:
        return delivered(file.convert("RGB"), *size)


def _frames(pipe: Any, wanted: int) -> int:
    """The fewest frames that the model can make which hold so many beside the first: 4k + 1 for Wan."""
    step = int(getattr(pipe, "vae_scale_factor_temporal", getattr(pipe, "vae_temporal_compression_ratio", 4)))
    return -(-wanted // step) * step + 1


def _multiple(pipe: Any) -> int:
    """What both sides of a clip must be multiples of: a patch of latents."""
    scale = int(getattr(pipe, "vae_scale_factor_spatial", getattr(pipe, "vae_spatial_compression_ratio", 8)))
    patch = getattr(getattr(pipe.transformer, "config", None), "patch_size", 2)
    return scale * int(patch if isinstance(patch, int) else max(patch[1:]))


def _notes(params: WanParams, size: tuple[int, int], frames: int, pipe: Any) -> list[str]:
    """What a step did that its params do not say."""
    made = f"made at {size[0]} x {size[1]}, {frames} frames, of which the clip has {params.frames}"
    return [made, *prompt_text.read(pipe, params.prompt, longest(params))]


def _unanchored(model: str, folder: Path, anchor: bool) -> list[str]:
    """Why a model would not do with a picture to end at, or without one: some take it and pay it no heed."""
    index = json.loads((folder / "model_index.json").read_bytes())
    if index.get("_class_name") != "WanImageToVideoPipeline":
        return []
    sees = json.loads((folder / "transformer" / "config.json").read_bytes())
    if not anchor:
        wants = f"anchor: {model} was trained to end at a picture. Set anchor: true, and limits: {{anchor: true}}"
        return [wants] if sees.get("pos_embed_seq_len") else []
    if index.get("expand_timesteps"):
        return [f"anchor: {model} pays no heed to the picture that a clip is to end at. Remove anchor:"]
    if sees.get("image_dim") and not sees.get("pos_embed_seq_len"):
        return [f"anchor: {model} was not trained to end at a picture. Use a FLF2V model, or remove anchor:"]
    return []
