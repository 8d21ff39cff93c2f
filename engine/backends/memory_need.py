"""How much memory a pipeline's weights need, told before any is read: arithmetic on the heads of its files.

What a step works with (latents, activations) comes on top, so what does not fit here fits nowhere; the contrary is
not promised. All figures are bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import OutOfMemory
from . import memory
from .diffusion_knobs import CASTED
from .known_models import KNOWN
from .model_folder import BYTES, components, header

MACHINE = "this machine"
_FLOAT = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0}
_FLOATS = {"F64", "F32", "F16", "BF16"}  # Only numbers of these types become those that the profile names.
# Of each weight of a linear layer: four bits, and a scale of 32 bits to each 64 of them (NF4 of bitsandbytes).
_QUANTIZED = {"bitsandbytes_4bit": 0.5 + 4 / 64, "bitsandbytes_8bit": 1.0, "torchao": 1.0, CASTED: 1.0}
_TABLES = ("shared", "embed_tokens", "token_embedding", "position_embedding", "relative_attention_bias")


class Need(NamedTuple):
    """What the parts of a pipeline take, the device at once, and the machine's own memory beside it."""

    parts: Mapping[str, int]
    device: int
    host: int

    @property
    def largest(self) -> str:
        """The part that takes the most."""
        return max(self.parts, key=lambda part: self.parts[part])


class _Tensor(NamedTuple):
    name: str
    numbers: int
    kind: str
    linear: bool  # Whether a quantization takes it.


def need(said: Mapping[str, Any], folder: Path) -> Need:
    """What the weights in a folder need. Raises BackendError.

    `said` are a profile's params, or the spec of what is to be resident.
    """
    parts = {part: list(_tensors(folder / part)) for part in components(said["model"], folder)}
    return _summed(said, {part: tensors for part, tensors in parts.items() if tensors})


def need_of(said: Mapping[str, Any]) -> Need | None:
    """The same for a model that is not here; None where nothing is known of it."""
    known = KNOWN.get(said.get("model", ""))
    if known is None:
        return None
    parts = {part: [_Tensor("", round(billions * 1e9), "F32", True)] for part, billions in known.parts.items()}
    return _summed(said, parts)


def refuse(said: Mapping[str, Any], folder: Path, device: str) -> None:
    """Raise OutOfMemory, before anything is loaded, where a pipeline's weights do not fit into what is free."""
    wanted = need(said, folder)
    problem = None
    if device == "cuda":
        name, free = _card()
        problem = refusal(said, wanted, free, name)
    elif device == "cpu":
        problem = refusal(said, wanted._replace(device=wanted.host), memory.spare(), MACHINE)
    if problem is not None:
        raise problem


def refusal(said: Mapping[str, Any], wanted: Need, free: int, device: str) -> OutOfMemory | None:
    """Why a pipeline cannot be brought into what is free on a device, and what to change; None if its weights fit."""
    if wanted.device <= free:
        return None
    message = f"the model {said['model']} needs {gigabytes(wanted.device)} of memory for its weights"
    message += f"{_share(said, wanted)}, and {device} has {gigabytes(free)} free"
    return OutOfMemory(message, _less(said, wanted, free, device))


def _card() -> tuple[str, int]:
    """The GPU's name, and the bytes of it that no model has; what torch keeps for the next one counts as free."""
    torch = import_module("torch")
    kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
    return torch.cuda.get_device_name(), int(torch.cuda.mem_get_info()[0] + kept)


def gigabytes(size: float) -> str:
    """A size as people read it."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"


def _share(said: Mapping[str, Any], wanted: Need) -> str:
    return f" (its largest part, the {wanted.largest})" if said.get("offload") in {"model", "auto"} else ""


def _less(said: Mapping[str, Any], wanted: Need, free: int, device: str) -> str:
    """The first change of the profile that would do."""
    if device == MACHINE:
        return "Use a smaller model, or a machine with more memory."
    largest = wanted.parts[wanted.largest]
    if said.get("offload", "none") == "none" and largest <= free:
        return f"Set offload: model; then {gigabytes(largest)} at once are enough."
    quarter = _QUANTIZED["bitsandbytes_4bit"] / _FLOAT["bfloat16"]
    if not said.get("quantization") and largest * quarter <= free:
        parts = ", ".join(part for part, size in wanted.parts.items() if size > free)
        return f"Set offload: model, and quantization: {{backend: bitsandbytes_4bit, components: [{parts}]}}."
    return "Set offload: group, which keeps a few layers at a time on the device, or use a smaller model."


def _summed(said: Mapping[str, Any], tensors: Mapping[str, list[_Tensor]]) -> Need:
    sizes = {part: [_bytes(said, part, tensor) for tensor in of] for part, of in tensors.items()}
    parts = {part: round(sum(of)) for part, of in sizes.items()}
    total, largest = sum(parts.values()), max(parts.values(), default=0)
    layer = round(max((size for of in sizes.values() for size in of), default=0))
    at_once = {"none": total, "model": largest, "auto": largest}.get(
        said.get("offload", "none"), min(largest, 2 * layer)
    )
    return Need(parts, at_once, total)


def _bytes(said: Mapping[str, Any], part: str, tensor: _Tensor) -> float:
    """What a tensor takes once it is as the profile wants it."""
    if tensor.kind not in _FLOATS:
        return tensor.numbers * BYTES.get(tensor.kind, 1)
    quantization = said.get("quantization") or {}
    backend = quantization.get("backend", "")
    takes = part.startswith(("transformer", "unet")) if backend == CASTED else part in _components(quantization)
    if backend and takes and tensor.linear:
        return tensor.numbers * _QUANTIZED[backend]
    return tensor.numbers * _FLOAT[_dtype(said.get("dtype", "bfloat16"), part)]


def _components(quantization: Mapping[str, Any]) -> list[str]:
    return list(quantization.get("components", ["transformer"])) if quantization else []


def _dtype(said: Any, part: str) -> str:
    if not isinstance(said, Mapping):
        return str(said)
    return str(said.get(part, said.get("default", "float32")))  # What diffusers takes where none is named.


def _tensors(folder: Path) -> Iterator[_Tensor]:
    """The tensors of a part, as the heads of its files tell them."""
    for file in sorted(folder.glob("*.safetensors")):
        for name, about in header(file, file.name).items():
            linear = len(about["shape"]) == 2 and not any(word in name for word in _TABLES)
            yield _Tensor(name, prod(about["shape"]), about["dtype"], linear)
