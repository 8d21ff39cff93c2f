"""The mouth model in memory: LatentSync's U-Net, the VAE that it was trained with, and Whisper's ear."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import BackendError
from . import model_folder
from .diffusion import library, placed, quiet
from .sync_knobs import VAE_FILES, file_of

_FETCH = "Fetch stabilityai/sd-vae-ft-mse, whose latents LatentSync was trained on."


class Models(NamedTuple):
    """What must be resident, and for which resolution of the face."""

    unet: Any
    vae: Any
    ear: Any
    resolution: int


def load(spec: str) -> Models:
    """Bring the models that `sync_knobs.spec` names into memory. Raises BackendError."""
    from ..models.latentsync import checkpoint

    said = json.loads(spec)
    with quiet():
        device, dtype = placed(said["device"]), getattr(library("torch"), said["dtype"])
        weights = file_of(said["model"], said["revision"], said["file"])
        vae = _vae(said, dtype, device)
        ear = checkpoint.load_whisper(file_of(said["model"], said["revision"], said["whisper"]), device)
        unet = checkpoint.load_unet(weights, said["resolution"], _config(weights), dtype=dtype, device=device)
    _hears(unet, ear, said)
    if said["compile"]:
        unet.compile()
    return Models(unet, vae, ear, said["resolution"])


def size(spec: str) -> int:
    """Bytes that the models take in memory, as the sizes of their files say: the public ones hold 32-bit numbers."""
    said = json.loads(spec)
    files = [file_of(said["model"], said["revision"], said["file"])]
    files.append(file_of(said["vae"], said["vae_revision"], VAE_FILES[1]))
    share = 1.0 if said["dtype"] == "float32" else 0.5
    return round(sum(file.stat().st_size for file in files) * share)


def _config(weights: Path) -> Mapping[str, Any] | None:
    """Upstream's constructor arguments, where they lie beside the weights; the public models need none."""
    file = weights.with_suffix(".json")
    if not file.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(file.read_bytes())
    except ValueError:
        raise BackendError(f"{file.name} is no configuration: it cannot be read as JSON", "Remove it.") from None
    return found


def _vae(said: Mapping[str, Any], dtype: Any, device: str) -> Any:
    diffusers = library("diffusers")
    folder = model_folder.lies(said["vae"], said["vae_revision"])
    file_of(said["vae"], said["vae_revision"], VAE_FILES[0])
    model_folder.header(file_of(said["vae"], said["vae_revision"], VAE_FILES[1]), f"the VAE {said['vae']}")
    try:
        vae = diffusers.AutoencoderKL.from_pretrained(folder, dtype=dtype, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError, RuntimeError) as problem:
        brief = str(problem).strip().split("\n")[0][:200]
        raise BackendError(f"the VAE {said['vae']} cannot be loaded: {brief}", _FETCH) from None
    scale = 2 ** (len(vae.config.block_out_channels) - 1)
    if vae.config.latent_channels != 4 or scale != 8:
        message = f"the VAE {said['vae']} makes {vae.config.latent_channels} channels of 1/{scale} of the size"
        raise BackendError(f"{message}, and LatentSync reads 4 of 1/8", _FETCH)
    broken = next((name for name, value in vae.named_parameters() if not bool(value.isfinite().all())), "")
    if broken:
        raise BackendError(f"the VAE {said['vae']} is damaged: {broken} has values that are no numbers", _FETCH)
    return vae.to(device).eval().requires_grad_(False)


def _hears(unet: Any, ear: Any, said: Mapping[str, Any]) -> None:
    """Raise BackendError where the ear is another than the one that the U-Net was trained with."""
    wide, asked = ear.config.d_model, unet.config.cross_attention_dim
    if unet.config.add_audio_layer and wide != asked:
        message = f"{said['whisper']} hears {wide} numbers a step, and {said['file']} listens to {asked}"
        raise BackendError(message, "Use the whisper/tiny.pt that lies beside LatentSync's weights.")
