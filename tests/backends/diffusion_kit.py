"""Tiny models in a folder, the params that fit them, and the library called directly on the same weights."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import tiny_diffusion
import tiny_places
from contract_kit import Heard

from engine.backends.flux import Flux, FluxParams
from engine.backends.wan import Wan, WanParams
from engine.kinds import Inputs

PORTRAIT = Path(__file__).parents[2] / "personas/mikebot/portrait.png"
KONTEXT = {"max_sequence_length": 64, "_auto_resize": False}
KLEIN = {"max_sequence_length": 64, "text_encoder_out_layers": (0, 1, 2)}
STILLS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "flux": ("FluxPipeline", {"max_sequence_length": 64}),
    "kontext": ("FluxKontextPipeline", KONTEXT),
    "klein": ("Flux2KleinPipeline", KLEIN),
    "qwen": ("QwenImagePipeline", {"max_sequence_length": 64}),
}
CLIPS = {"wan21-i2v": "WanImageToVideoPipeline", "wan21-flf2v": "WanImageToVideoPipeline"}
CLIPS |= {"wan22-a14b": "WanImageToVideoPipeline", "wan22-ti2v": "WanImageToVideoPipeline"}
CLIPS |= {"wan-vace": "WanVACEPipeline"}


def models() -> Path:
    """The folder of all tiny models: built once a process, and named by MIKEBOT_MODELS from then on."""
    return tiny_places.name(_built())


@cache
def _built() -> Path:
    import torch

    torch.set_num_threads(1)  # As workers are: the same numbers however many cores there are.
    folder = Path(tempfile.mkdtemp(prefix="tiny-models-"))
    atexit.register(shutil.rmtree, folder, True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tiny_diffusion.build(folder, *tiny_diffusion.MODELS)
        for seed in (1, 2):
            tiny_diffusion.lora(folder / "looks", folder / "flux", seed, f"{seed}.safetensors")
    return folder


def still(name: str = "flux", **changes: Any) -> FluxParams:
    """Params of a picture of 64 x 48 by a tiny model."""
    pipeline, call = STILLS[name]
    said: dict[str, Any] = {"prompt": "a red door", "width": 64, "height": 48, "seed": 3, "pipeline": pipeline}
    said |= {"model": name, "dtype": "float32", "device": "cpu", "steps": 2, "call": call}
    return FluxParams(**said | changes)


def clip(name: str = "wan21-i2v", **changes: Any) -> WanParams:
    """Params of a clip of eight frames by a tiny model."""
    said: dict[str, Any] = {"prompt": "he waves", "number": 1, "frames": 8, "fps": "16", "width": 64, "height": 64}
    said |= {"seed": 3, "pipeline": CLIPS[name], "model": name, "dtype": "float32", "device": "cpu", "steps": 2}
    return WanParams(**said | {"call": {"max_sequence_length": 32}} | changes)


class Bench:
    """One backend with its model in memory, as a worker has it."""

    def __init__(self, params: FluxParams | WanParams) -> None:
        models()
        self.backend: Any = Flux() if isinstance(params, FluxParams) else Wan()
        assert self.backend.check(params) == []
        self.backend.load(self.backend.model(params))

    def run(self, params: Any, out: Path, tell: Any = None, **inputs: Path) -> Path:
        """The folder of a step's outputs."""
        out.mkdir(parents=True, exist_ok=True)
        self.backend.run(params, Inputs(inputs), out, tell or Heard())
        return out


def library(name: str, pipeline: str, **said: Any) -> Any:
    """What the library gives when it is called as its own documentation has it."""
    import diffusers
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = getattr(diffusers, pipeline).from_pretrained(models() / name, dtype=torch.float32)
        pipe.set_progress_bar_config(disable=True)
        return pipe(generator=torch.Generator("cpu").manual_seed(3), **said)
