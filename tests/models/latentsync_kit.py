"""Upstream's numbers, and models of LatentSync of a few thousand weights.

A part of the numbers lies in tests/fixtures; all of them in `shared`, a folder beside the repository. What is only
there is skipped where it is not, and the test says so.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file
from torch import Tensor

from engine.models.latentsync.unet import UNet3D

torch.set_num_threads(1)  # As workers are: the same numbers however many cores there are, and sooner.
ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "latentsync" / "fixtures"
OWN = ROOT / "tests" / "fixtures" / "latentsync"


def place(name: str) -> Path:
    """A file of the fixtures, the whole one if it is there."""
    found = next((folder / name for folder in (SHARED, OWN) if (folder / name).is_file()), None)
    if found is None:
        pytest.skip(f"upstream's numbers are not here: {name} of shared/latentsync/fixtures, beside the repository")
    return found


def parts(start: str) -> list[str]:
    """The folders of the fixtures whose names begin so: more may lie there than upstream's two."""
    return sorted({folder.name for root in (SHARED, OWN) for folder in root.glob(f"{start}*")})


def tensors(name: str) -> dict[str, Tensor]:
    return load_file(place(name))


def said(name: str) -> Any:
    return json.loads(place(name).read_text("utf-8"))


def case_of(tensors: dict[str, Tensor], number: int) -> dict[str, Tensor]:
    """The tensors of one case, without the number in their names."""
    start = f"case{number}."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}


def upstream_unet(name: str) -> UNet3D:
    unet = UNet3D(**said(f"{name}/config.json"))
    unet.load_state_dict(tensors(f"{name}/weights.safetensors"), strict=True)
    return unet.eval()


SMALL = {
    "block_out_channels": [32, 64],
    "down_block_types": ["CrossAttnDownBlock3D", "DownBlock3D"],
    "up_block_types": ["UpBlock3D", "CrossAttnUpBlock3D"],
    "attention_head_dim": 2,
    "cross_attention_dim": 12,
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "motion_module_kwargs": {"num_attention_heads": 4, "zero_initialize": False},
}


def small_unet(**changed: Any) -> UNet3D:
    """A U-Net of two levels with random weights, the same each time."""
    torch.manual_seed(5)
    return UNet3D(**{**SMALL, **changed}).eval().requires_grad_(False)


def small_vae() -> AutoencoderKL:
    torch.manual_seed(6)
    blocks = {"down_block_types": ["DownEncoderBlock2D"] * 4, "up_block_types": ["UpDecoderBlock2D"] * 4}
    sizes = {"block_out_channels": [8, 8, 8, 8], "layers_per_block": 1, "norm_num_groups": 4, "sample_size": 64}
    return AutoencoderKL(**blocks, **sizes).eval().requires_grad_(False)


def furthest(one: Tensor, other: Tensor) -> float:
    """The largest difference."""
    return float((one.double() - other.double()).abs().max())


def differing(one: Tensor, other: Tensor) -> float:
    """The share of values that differ."""
    return float((one != other).double().mean())
