"""still.flux: a picture made by any text-to-image or editing pipeline of diffusers, on the library's own classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BackendError
from ..kinds import Inputs, Still, Tell
from . import prompt_text, signatures
from .diffusion_knobs import Knobs, Misfit, misfits, needed
from .piped import Piped, longest, noted

_TAKES = ("prompt",)


@dataclass(frozen=True)
class FluxParams(Knobs, Still):
    """`template` makes the prompt (prompt_text); `portrait`: whether a pipeline that takes a picture is given it."""

    template: str = prompt_text.DEFAULT
    portrait: bool = True


class Flux(Piped):
    """FluxPipeline, FluxKontextPipeline, Flux2KleinPipeline, QwenImagePipeline and their kin."""

    kind = "still"
    name = "flux"
    version = "1"
    Params = FluxParams

    @staticmethod
    def misfits(params: Mapping[str, Any]) -> Iterator[Misfit]:
        """What is wrong with a profile's params."""
        yield from misfits(params, _TAKES)
        problem = prompt_text.wrong(params["template"]) if isinstance(params.get("template"), str) else ""
        if problem:
            yield Misfit(("template",), problem)

    def check(self, params: FluxParams) -> list[str]:
        return needed(params, _TAKES)

    def run(self, params: FluxParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        from PIL import Image

        from .sized import delivered, finite, fitted

        pipe = self._resident.pipe
        width, height = fitted(params.width, params.height, params.pixels, _multiple(pipe))
        text = prompt_text.filled(params.template, _said(params))
        said = _arguments(params, inputs, text, width, height)
        drawn = self._resident.draw(params, said, _look(params, inputs), tell)
        picture = finite(drawn.images, "the picture")[0]
        image = Image.fromarray((picture * 255).round().astype("uint8"))
        notes = noted(_notes(params, (width, height), prompt_text.read(pipe, text, longest(params))))
        delivered(image, params.width, params.height).save(out / "image", "PNG", pnginfo=notes, compress_level=1)
        tell.progress(1, 1)


def _said(params: FluxParams) -> dict[str, Any]:
    """What the template can name."""
    return {"persona": params.persona, "prompt": params.prompt, "style": params.style, "theme": params.theme}


def _arguments(params: FluxParams, inputs: Inputs, text: str, width: int, height: int) -> dict[str, Any]:
    """What the plan says to the pipeline's call."""
    takes = signatures.call(params.pipeline)
    said: dict[str, Any] = {"prompt": text, "width": width, "height": height}
    if "max_area" in takes and "max_area" not in params.call:
        said["max_area"] = width * height  # Or Kontext would choose another size.
    if "image" in takes and params.portrait and "portrait" in inputs:
        said["image"] = _opened(inputs["portrait"])
    if takes.get("image") == signatures.REQUIRED and "image" not in said:
        message = f"{params.pipeline} changes a picture, and the scene has no persona on screen with a portrait"
        raise BackendError(message, "Use a pipeline that also draws from words alone, such as FluxKontextPipeline.")
    return said


def _opened(portrait: Path) -> Any:
    """A portrait as models were shown photographs: no transparency, on white."""
    from PIL import Image

    from .. import probe

    with Image.open(portrait, formats=probe.PICTURES) as file:
        image = file.convert("RGBA")
    ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(ground, image).convert("RGB")


def _look(params: FluxParams, inputs: Inputs) -> tuple[Path, float] | None:
    """The persona's LoRA and its weight."""
    if "look" not in inputs:
        return None
    return inputs["look"], float((params.persona or {}).get("weight", 1))


def _multiple(pipe: Any) -> int:
    """What both sides of a picture must be multiples of: a patch of two latents."""
    return int(getattr(pipe, "vae_scale_factor", 8)) * 2


def _notes(params: FluxParams, size: tuple[int, int], unread: Sequence[str]) -> list[str]:
    """What a step did that its params do not say."""
    rounded = f"drawn at {size[0]} x {size[1]}, delivered at {params.width} x {params.height}"
    return [*([rounded] if size != (params.width, params.height) else []), *unread]
