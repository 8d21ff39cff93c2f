"""A pipeline of diffusers in memory, the LoRAs that it has on, and its call.

The library's own loops run, with the arguments that the library documents, so the numbers are the library's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

from ..errors import BackendError
from ..kinds import Tell
from . import model_folder
from .diffusion import explained, freed, library, made, placed, quiet
from .diffusion_knobs import Knobs, arguments
from .lora import Look, Loras
from .memory_need import need, refuse


class Resident:
    """At most one pipeline, made of the text that `diffusion_knobs.spec` gives, and the LoRAs that it has on."""

    def __init__(self) -> None:
        self.pipe: Any = None
        self.spec = ""
        self._loras: Loras | None = None
        self._attention = ""

    def load(self, spec: str) -> None:
        """Bring a pipeline into memory; raises BackendError."""
        self.unload()
        said = json.loads(spec)
        folder = model_folder.find(said["model"], said["revision"]).path
        model_folder.look_over(said["model"], folder)
        with quiet(), explained(said["model"]):
            device = placed(said["device"])
            refuse(said, folder, device)
            self.pipe = made(said, folder, device)
        self.spec, self._attention = spec, said["attention"]
        self._loras = Loras(self.pipe)

    def unload(self) -> None:
        """Give its memory back."""
        self.pipe, self._loras, self.spec = None, None, ""
        freed()

    def draw(self, params: Knobs, said: Mapping[str, Any], look: Any, tell: Tell) -> Any:
        """Call the pipeline; `look` is the persona's LoRA and its weight, or None. Returns the library's output."""
        if self.pipe is None or self._loras is None:
            raise BackendError("no model is in memory")
        torch = library("torch")
        watch = Watch(self.pipe, tell)
        attention = library("diffusers.models.attention_dispatch").attention_backend
        try:
            with quiet(), explained(params.model), attention(self._attention) if self._attention else nullcontext():
                self._loras.put_on([*_own(params), *([look] if look else [])])
                return self.pipe(
                    **{**arguments(params), **said},
                    generator=torch.Generator("cpu").manual_seed(said_seed(params)),
                    output_type="np",
                    callback_on_step_end=watch,
                )
        except BaseException as problem:
            self.pipe.maybe_free_model_hooks()  # What the library does where a call ends well.
            problem.__traceback__ = None  # Its frames hold the step's tensors.
            freed()
            raise


class Watch:
    """Hears of each denoising step: tells of it, looks for what is no number, and stops where nobody wants it."""

    def __init__(self, pipe: Any, tell: Tell) -> None:
        self._tell = tell
        self._pipe = pipe
        tell.progress(0, 1)

    def __call__(self, pipe: Any, step: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
        total = int(pipe.num_timesteps)
        latents = values.get("latents")
        if latents is not None and not bool(latents.isfinite().all()):
            message = f"the model's numbers ran out of range at denoising step {step + 1} of {total}"
            raise BackendError(message, "Set dtype: bfloat16 or float32, or a guidance that is lower.")
        # An exception, where the library has a flag: that would still decode a picture that nobody wants.
        self._tell.progress(step + 1, total + 1)
        return values


def size(spec: str) -> int:
    """Bytes that the weights of a pipeline take in memory, as the heads of its files say."""
    said = json.loads(spec)
    return need(said, model_folder.lies(said["model"], said["revision"])).host


def said_seed(params: Any) -> int:
    """The seed that the plan gave."""
    return int(params.seed)


def _own(params: Knobs) -> Iterator[Look]:
    """The profile's LoRAs: files of models on this machine, and how strong they are."""
    for lora in params.loras:
        found = model_folder.find(lora["model"], lora.get("revision", ""))
        yield Look(found.path / lora["file"], float(lora.get("weight", 1)), str(lora.get("part", "")))
