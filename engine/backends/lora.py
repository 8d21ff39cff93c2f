"""LoRAs on a pipeline: several at once, each with its weight, never fused, and gone when others are put on.

A fused LoRA leaves rounding behind when it is taken off; an adapter beside the weights leaves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import BackendError
from .model_folder import header


class Look(NamedTuple):
    """A LoRA's file, its weight, and the transformer that it is for; of two, both where none is said."""

    file: Path
    weight: float
    part: str = ""


PARTS = ("transformer", "transformer_2")  # Wan 2.2 A14B has two: the first for much noise, the second for little.
_OTHER = "Name a LoRA that was trained for this model, or a profile with the model that it was trained for."
_LAYER = re.compile(r"(?P<part>\w+?)\.(?P<layer>.+)\.lora(_(?P<side>[AB])|\.(?P<old>down|up))\.weight")
_BESIDE = re.compile(r".*(alpha|lora_B\.bias)")  # Keys that go with a layer and need no pair.
_DAMAGED = "Export the LoRA again, and check that its file is whole."


class Loras:
    """The LoRAs that a pipeline has on."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe
        self._on: list[tuple[Path, str]] = []

    def put_on(self, wanted: Sequence[tuple[Path, float] | Look]) -> None:
        """Have these on and no others. Raises BackendError for one that does not fit the pipeline."""
        looks = [Look(*look) for look in wanted]
        files = [(look.file, look.part) for look in looks]
        if files != self._on:
            self._take_off()
            try:
                for number, look in enumerate(looks):
                    self._put_on(look, f"look{number}")
            except BaseException:
                self._on = files
                self._take_off()
                raise
            self._on = files
        if looks:
            self._pipe.set_adapters([f"look{number}" for number in range(len(looks))], [look.weight for look in looks])

    def _take_off(self) -> None:
        if self._on:
            self._pipe.unload_lora_weights()
            self._on = []

    def _put_on(self, look: Look, name: str) -> None:
        if not hasattr(self._pipe, "load_lora_weights"):
            hint = "Use another pipeline, or a persona without a look."
            raise BackendError(f"{type(self._pipe).__name__} takes no LoRA", hint)
        header(look.file, "the LoRA")
        tensors = _tensors(look.file)
        _finite(tensors)
        _check(self._pipe, _keys(self._pipe, tensors))
        for second in self._seconds(look.part):
            # By its path, not its tensors: what it was trained with (alpha, rank) stands in the file's head.
            where = {"load_into_transformer_2": True} if second else {}
            weights = {"weight_name": "look.safetensors", "adapter_name": name}
            self._pipe.load_lora_weights(str(look.file), **weights, **where)

    def _seconds(self, part: str) -> list[bool]:
        """For each transformer that a LoRA is put on, whether it is the second."""
        there = [name for name in PARTS if getattr(self._pipe, name, None) is not None] or [PARTS[0]]
        if part and part not in there:
            hint = f"Write part: {', or '.join(there)}."
            raise BackendError(f"{type(self._pipe).__name__} has no {part} that a LoRA could change", hint)
        return [name == PARTS[1] for name in there if part in ("", name)]


def _tensors(file: Path) -> dict[str, Any]:
    from importlib import import_module

    try:
        return dict(import_module("safetensors.torch").load_file(str(file)))
    except Exception as problem:
        raise BackendError(f"the LoRA is damaged: {problem}", _DAMAGED) from None


def _finite(tensors: Mapping[str, Any]) -> None:
    wrong = next((key for key, tensor in tensors.items() if not bool(tensor.isfinite().all())), "")
    if wrong:
        raise BackendError(f"the LoRA has values that are no numbers, in '{wrong}'", _DAMAGED)


def _keys(pipe: Any, tensors: dict[str, Any]) -> dict[str, Any]:
    """A LoRA's tensors by the names that diffusers gives them, whoever trained it."""
    try:
        said = pipe.lora_state_dict(tensors)
    except Exception:  # Each trainer's format has a converter, and each fails in its own way.
        raise BackendError(f"the LoRA's tensors are not named as {_model(pipe)} needs them", _OTHER) from None
    return dict(said[0] if isinstance(said, tuple) else said)


def _check(pipe: Any, tensors: Mapping[str, Any]) -> None:
    """Whether every tensor belongs to a layer of the pipeline, and every layer has both of its tensors."""
    sides: dict[tuple[str, str], dict[str, Any]] = {}
    for key, tensor in tensors.items():
        match = _LAYER.fullmatch(key)
        if match is not None:
            side = match["side"] or {"down": "A", "up": "B"}[match["old"]]
            sides.setdefault((match["part"], match["layer"]), {})[side] = tensor
        elif not _BESIDE.fullmatch(key):
            raise BackendError(f"the LoRA has a tensor that belongs to no LoRA: '{key}'", _DAMAGED)
    if not sides:
        raise BackendError("the LoRA has no tensors", _DAMAGED)
    for (part, layer), found in sides.items():
        missing = {"A", "B"} - found.keys()
        if missing:
            raise BackendError(f"the LoRA is not whole: '{part}.{layer}' has no lora_{missing.pop()}", _DAMAGED)
        if part.startswith(("transformer", "unet")):
            _fits(pipe, part, layer, found)


def _fits(pipe: Any, part: str, layer: str, found: Mapping[str, Any]) -> None:
    """Whether the pipeline has a layer, of the size that a LoRA was made for."""
    try:
        there = getattr(pipe, part).get_submodule(layer)
    except AttributeError:
        message = f"the LoRA is made for another model: it changes '{part}.{layer}', which {_model(pipe)} does not have"
        raise BackendError(message, _OTHER) from None
    sizes = (getattr(there, "in_features", None), getattr(there, "out_features", None))
    wants = (found["A"].shape[1], found["B"].shape[0])
    if None not in sizes and wants != sizes:
        message = f"the LoRA is made for another model: '{part}.{layer}' takes {wants[0]} numbers and gives {wants[1]}"
        raise BackendError(f"{message} there, and {sizes[0]} and {sizes[1]} here", _OTHER)


def _model(pipe: Any) -> str:
    return type(getattr(pipe, "transformer", None) or pipe).__name__
