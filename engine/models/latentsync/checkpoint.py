"""The public files of LatentSync, read strictly: what does not fit is refused (specification, section 1)."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from ...errors import BackendError
from . import whisper
from .temporal import positions
from .unet import UNet3D

RESOLUTIONS = (256, 512)  # What 1.5 and 1.6 were trained on. Nothing in a file says which it is.
# Digests (SHA-256) of the public U-Net files and their resolution, as projects that use them agree on them.
KNOWN: Mapping[str, int] = {
    "6440b49a7ccceff56cdc001f5f17605216337f5bbd66fa360139768926e23f51": 256,
    "0a478e89eb660f82da4c35dbdde8a5adfb27f99d1b4e50edd03729e1e98316d3": 512,
}
_TABLE = ".pos_encoder.pe"  # Follows from its shape, so a file may have it or not.
_TEMPORAL = ".motion_modules."
_FETCH = "Fetch latentsync_unet.pt of LatentSync 1.5 (resolution 256) or 1.6 (512)"
_FETCH_WHISPER = "Fetch whisper/tiny.pt, which lies beside it"


class Misfit(NamedTuple):
    """How a file's tensors differ from a model's, by name."""

    missing: Sequence[str]
    strange: Sequence[str]
    shaped: Sequence[str]


def load_unet(
    file: Path,
    resolution: int,
    config: Mapping[str, Any] | None = None,
    *,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
    known: Mapping[str, int] = KNOWN,
) -> UNet3D:
    """The U-Net of a .pt or .safetensors file, ready to be asked; raises BackendError where the file is another.

    `config`: upstream's constructor arguments, of the public models if there are none. `resolution`: what the profile
    says, refused where the file is known to be for another.
    """
    _for_this(file, resolution, known)
    with torch.device("meta"):
        unet = UNet3D(**(config or {}))
    state = tensors(file)
    _fits(file, unet, state)
    for name, empty in unet.state_dict().items():
        if name.endswith(_TABLE) and name not in state:
            state[name] = positions(*empty.shape[1:])
    wanted = {name: state[name].to(device, dtype) for name in unet.state_dict()}
    unet.load_state_dict(wanted, strict=True, assign=True)
    return unet.eval().requires_grad_(False)


def load_whisper(file: Path, device: str = "cpu") -> WhisperEncoder:
    """The encoder of OpenAI's tiny.pt (`dims` and `model_state_dict`); raises BackendError where it is another file."""
    said = _unpickled(file, _FETCH_WHISPER)
    dims, state = said.get("dims"), said.get("model_state_dict")
    if not isinstance(dims, dict) or not _named(state):
        raise BackendError(f"{file.name} is no model of Whisper as OpenAI keeps them", f"{_FETCH_WHISPER}.")
    _finite(file, state, _FETCH_WHISPER)
    ear = whisper.encoder(dims, state)
    torch.nn.Module.to(ear, device)
    return ear


def tensors(file: Path) -> dict[str, Tensor]:
    """The U-Net's tensors in a file, by name, on the processor; raises BackendError where it cannot be read."""
    if file.suffix == ".safetensors":
        try:
            return load_file(file)
        except (OSError, SafetensorError) as problem:
            raise _unread(file, problem, _FETCH) from None
    said = _unpickled(file, _FETCH)
    state = said.get("state_dict", said)
    if not _named(state):
        raise BackendError(f"{file.name} holds no tensors by name", f"{_FETCH}.")
    return dict(state)


def misfit(unet: UNet3D, state: Mapping[str, Tensor]) -> Misfit:
    """What a file lacks, what it has too much, and what has another shape; positional tables may come or go."""
    wanted = unet.state_dict()
    return Misfit(
        [name for name in wanted if name not in state and not name.endswith(_TABLE)],
        [name for name in state if name not in wanted and not name.endswith(_TABLE)],
        [name for name in wanted if name in state and state[name].shape != wanted[name].shape],
    )


def _fits(file: Path, unet: UNet3D, state: Mapping[str, Tensor]) -> None:
    """Raise BackendError for a file of another model, or one that is damaged."""
    if unet.config.use_motion_module and not any(_TEMPORAL in name for name in state):
        message = f"{file.name} has no temporal layers, so it is of LatentSync 1.0 or of something else"
        raise BackendError(message, f"{_FETCH}.")
    found = misfit(unet, state)
    if any(found):
        raise BackendError(f"{file.name} is not the U-Net that is asked for: {_told(found, unet, state)}", f"{_FETCH}.")
    _finite(file, state, _FETCH)


def _named(state: object) -> TypeGuard[dict[str, Tensor]]:
    """Whether it is tensors by name."""
    return isinstance(state, dict) and all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in state.items()
    )


def _finite(file: Path, state: Mapping[str, Tensor], fetch: str) -> None:
    """Raise BackendError where a weight is no number: all that is computed of it would be none either."""
    broken = next((name for name, value in state.items() if not bool(value.isfinite().all())), "")
    if broken:
        raise BackendError(f"{file.name} is damaged: {broken} has values that are no numbers", f"{fetch}.")


def _told(found: Misfit, unet: UNet3D, state: Mapping[str, Tensor]) -> str:
    said = [
        f"{what} {len(names):,} tensors, such as {names[0]}"
        for what, names in (("it lacks", found.missing), ("it has beyond it", found.strange))
        if names
    ]
    if found.shaped:
        name = found.shaped[0]
        shapes = f"{tuple(state[name].shape)} and not {tuple(unet.state_dict()[name].shape)}"
        said.append(f"{len(found.shaped):,} tensors have another shape, such as {name}, which has {shapes}")
    return "; ".join(said)


def _for_this(file: Path, resolution: int, known: Mapping[str, int]) -> None:
    """Raise BackendError where a file is known to be for another resolution; reads it only if any are known."""
    if not file.is_file():
        raise BackendError(f"{file.name} is not there", f"{_FETCH}, and put it where the profile says.")
    meant = known.get(_digest(file), resolution) if known else resolution
    if meant != resolution:
        message = f"{file.name} is for faces of {meant} x {meant}, and the profile says {resolution}"
        raise BackendError(message, f"Set resolution: {meant}, or use the other file: mouths would be blurred.")


def _digest(file: Path) -> str:
    """SHA-256, which the hub's cache has as the name of the file that a link leads to."""
    name = file.resolve().name
    if re.fullmatch(r"[0-9a-f]{64}", name):
        return name
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _unpickled(file: Path, fetch: str) -> dict[str, Any]:
    """What torch has saved, tensors and plain values only: nothing in the file can run."""
    try:
        said = torch.load(file, "cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except Exception as problem:  # What a damaged pickle stumbles over may be anything.
        raise _unread(file, problem, fetch) from None
    if not isinstance(said, dict):
        raise BackendError(f"{file.name} is no checkpoint: it holds a {type(said).__name__}", f"{fetch}.")
    return said


def _unread(file: Path, problem: Exception, fetch: str) -> BackendError:
    why = "it is not there" if isinstance(problem, FileNotFoundError) else "it is cut off, damaged, or something else"
    return BackendError(f"{file.name} cannot be read: {why}", f"{fetch}.")
