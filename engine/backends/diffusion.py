"""A pipeline of diffusers, made as a profile says: only the library's own classes, from files."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from textwrap import shorten
from typing import Any

from ..errors import BackendError, Cancelled, OutOfMemory
from .accelerator import NO_DEVICE, Trouble, trouble
from .diffusion_knobs import CASTED
from .memory import free

_FILLED = 0.7  # Of the device's memory: the rest is for what a step works with.
_LESS = "Set offload: model, a quantization, or fewer pixels in the profile."


def library(name: str) -> Any:
    """A large library, once it is needed; its types are loose enough that none are asked of it."""
    return import_module(name)


def placed(device: str) -> str:
    """The device that is meant; BackendError where it is not there."""
    torch = library("torch")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return next(name for name, is_there in there.items() if is_there)
    if not there[device]:
        found = trouble(torch) if device == "cuda" else None
        why = found or Trouble(f"torch {torch.__version__} sees none", NO_DEVICE)
        raise BackendError(f"the profile asks for {device}, and {why.message}", why.hint)
    return device


def made(said: Mapping[str, Any], folder: Any, device: str) -> Any:
    """A pipeline as the profile says it, from its folder onto its device."""
    diffusers = library("diffusers")
    diffusers.utils.logging.set_verbosity_error()  # What matters of it is said here, once.
    diffusers.utils.logging.disable_progress_bar()
    library("transformers").utils.logging.set_verbosity_error()
    library("transformers").utils.logging.disable_progress_bar()
    cls: Any = getattr(diffusers, said["pipeline"])
    if not issubclass(cls, diffusers.DiffusionPipeline):
        raise BackendError(f"{said['pipeline']} is no pipeline of diffusers")
    options: dict[str, Any] = {"dtype": _dtype(said["dtype"]), "local_files_only": True, "use_safetensors": True}
    pipe = cls.from_pretrained(str(folder), **options, **_quantization(said["quantization"]))
    pipe.set_progress_bar_config(disable=True)
    if said["scheduler"]:
        config = {name: value for name, value in said["scheduler"].items() if name != "class"}
        pipe.scheduler = getattr(diffusers, said["scheduler"]["class"]).from_config(pipe.scheduler.config, **config)
    if said["tiling"]:
        pipe.vae.enable_tiling()
    if said["quantization"].get("backend") == CASTED:
        _cast(pipe, said["quantization"].get("options", {}))
    _put(pipe, said["offload"], device)
    for part in _denoisers(pipe):
        if said["cache"]:
            part.enable_cache(_cache(pipe, said["cache"]))
        if said["compile"]:
            part.compile_repeated_blocks()  # Not fullgraph: that fails once sizes and LoRAs are more than torch keeps.
    return pipe


def _cast(pipe: Any, options: Mapping[str, str]) -> None:
    """Keep the transformers' weights in eight bits; `options` may name other types."""
    torch = library("torch")
    types = {name: getattr(torch, value) for name, value in options.items()}
    for part in _denoisers(pipe):
        part.enable_layerwise_casting(**{"storage_dtype": torch.float8_e4m3fn, "compute_dtype": part.dtype, **types})


def _put(pipe: Any, offload: str, device: str) -> None:
    """Onto the device, whole or part by part as it is needed."""
    if offload == "auto":
        offload = "none" if device != "cuda" or _weights(pipe) <= _FILLED * free() else "model"
    if offload == "none":
        pipe.to(device)
    elif device == "cpu":
        raise BackendError(f"offload: {offload} moves a model off a GPU, and there is none", "Set offload: none.")
    elif offload == "model":
        pipe.enable_model_cpu_offload(device=device)
    elif offload == "sequential":
        pipe.enable_sequential_cpu_offload(device=device)
    else:
        torch = library("torch")
        devices = {"onload_device": torch.device(device), "offload_device": torch.device("cpu")}
        pipe.enable_group_offload(**devices, offload_type="leaf_level", use_stream=device == "cuda")


def _weights(pipe: Any) -> int:
    """Bytes that a pipeline's networks hold, as they are now: quantized ones are small already."""
    networks = [part for part in pipe.components.values() if hasattr(part, "parameters")]
    return sum(held.numel() * held.element_size() for part in networks for held in part.parameters())


def _denoisers(pipe: Any) -> list[Any]:
    """The transformers of a pipeline: Wan 2.2 A14B has two."""
    named = pipe.components.items()
    return [part for name, part in named if name.startswith(("transformer", "unet")) and part is not None]


def _dtype(said: Any) -> Any:
    torch = library("torch")
    if isinstance(said, dict):
        return {name: getattr(torch, value) for name, value in said.items()}
    return getattr(torch, said)


def _cache(pipe: Any, said: Mapping[str, Any]) -> Any:
    options = {name: value for name, value in said.items() if name != "class"}
    if said["class"] == "PyramidAttentionBroadcastConfig":
        options["current_timestep_callback"] = lambda: pipe.current_timestep
    return getattr(library("diffusers"), said["class"])(**options)


def _quantization(said: Mapping[str, Any]) -> dict[str, Any]:
    """What from_pretrained is told; `options` are those of the configuration: each library has a class of its own."""
    if not said or said["backend"] == CASTED:
        return {}
    components = said.get("components", ["transformer"])
    mapping = {name: _config(said["backend"], said.get("options", {}), _owner(name)) for name in components}
    return {"quantization_config": library("diffusers").PipelineQuantizationConfig(quant_mapping=mapping)}


def _owner(component: str) -> Any:
    """The library that a part of a pipeline is a class of."""
    return library("transformers" if component.startswith(("text_encoder", "image_encoder")) else "diffusers")


def _config(backend: str, said: Mapping[str, Any], owner: Any) -> Any:
    torch = library("torch")
    options = {name: getattr(torch, value) if name.endswith("dtype") else value for name, value in said.items()}
    if backend == "torchao":
        kind = getattr(library("torchao.quantization"), options.pop("quant_type", "Int8WeightOnlyConfig"))
        return owner.TorchAoConfig(kind(), **options)
    return owner.BitsAndBytesConfig(**{f"load_in_{backend.removeprefix('bitsandbytes_')}": True, **options})


def freed() -> None:
    """Give back what nothing holds any more, to the device too."""
    gc.collect()
    torch = library("torch")
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of the libraries: what matters of them is said here, once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def explained(model: str) -> Iterator[None]:
    """Errors of the libraries as ours, where their cause is known."""
    try:
        yield
    except (BackendError, Cancelled):
        raise
    except Exception as problem:  # Each library has its own errors, and most say little.
        said = str(problem).lower()
        if isinstance(problem, MemoryError) or "out of memory" in said or "can't allocate memory" in said:
            raise OutOfMemory(f"there is too little memory for the model {model}", _LESS) from None
        lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
        brief = f": {shorten(lines[0], 300, placeholder=' ...')}" if lines else ""
        message = f"the model {model} failed: {type(problem).__name__}{brief}"
        raise BackendError(message, "Is it whole, and does the profile fit it?") from problem
