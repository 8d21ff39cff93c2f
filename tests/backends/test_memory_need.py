"""What a model needs of memory is told from the heads of its files, as the library then has it; and too little, too."""

from __future__ import annotations

import json
import re
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest
from diffusion_kit import CLIPS, STILLS, Bench, clip, models, still

from engine.backends.accelerator import told
from engine.backends.known_models import KNOWN
from engine.backends.memory_need import Need, gigabytes, need, need_of, refusal
from engine.errors import OutOfMemory

FLUX = "black-forest-labs/FLUX.1-dev"


def held(pipe: Any) -> dict[str, int]:
    """Bytes of the weights of each part of a pipeline in memory, those that it shares counted once."""
    parts = {name: part for name, part in pipe.components.items() if hasattr(part, "parameters")}
    return {name: sum(weight.nbytes for weight in part.parameters()) for name, part in parts.items()}


@pytest.mark.parametrize("name", [*STILLS, *CLIPS])
def test_the_arithmetic_is_what_the_library_has_in_memory(name: str) -> None:
    params = still(name) if name in STILLS else clip(name, anchor=name == "wan21-flf2v")
    bench = Bench(params)
    found = need({"model": name, "dtype": "float32", "offload": "none"}, models() / name)
    there = held(bench.backend._resident.pipe)
    assert found.parts.keys() == there.keys()
    for part, size in there.items():
        assert found.parts[part] == pytest.approx(size, rel=0.01), part  # Buffers are in the files, too.
    assert found.device == found.host == sum(found.parts.values())


def test_half_as_wide_is_half_as_much_and_parts_may_differ() -> None:
    models()
    whole = need({"model": "flux", "dtype": "float32"}, models() / "flux").parts
    half = need({"model": "flux", "dtype": "bfloat16"}, models() / "flux").parts
    assert {part: 2 * size for part, size in half.items()} == pytest.approx(whole, rel=0.01)
    mixed = need({"model": "flux", "dtype": {"default": "bfloat16", "vae": "float32"}}, models() / "flux").parts
    assert mixed == half | {"vae": whole["vae"]}


def test_offloading_needs_the_largest_part_and_quantizing_less_of_it() -> None:
    said: dict[str, Any] = {"model": FLUX, "dtype": "bfloat16"}
    whole, parted = need_of(said), need_of(said | {"offload": "model"})
    assert whole is not None
    assert parted is not None
    assert (whole.device, whole.largest) == (whole.host, "transformer")
    assert (parted.device, parted.host) == (23_800_000_000, whole.host)
    four = need_of(said | {"quantization": {"backend": "bitsandbytes_4bit", "components": ["transformer"]}})
    eight = need_of(said | {"quantization": {"backend": "layerwise"}})
    assert four is not None
    assert eight is not None
    assert (four.parts["transformer"], eight.parts["transformer"]) == (6_693_750_000, 11_900_000_000)
    assert four.parts["text_encoder_2"] == eight.parts["text_encoder_2"] == whole.parts["text_encoder_2"]
    assert need_of({"model": "nobody/knows"}) is None


NEED = Need({"transformer": 24_000_000_000, "text_encoder": 10_000_000_000}, 34_000_000_000, 34_000_000_000)


@pytest.mark.parametrize(
    ("offload", "free", "said"),
    [
        (
            "none",
            25e9,
            f"the model {FLUX} needs 34.0 GB of memory for its weights, and a GPU has 25.0 GB free\n"
            "  Set offload: model; then 24.0 GB at once are enough.",
        ),
        (
            "model",
            16e9,
            f"the model {FLUX} needs 24.0 GB of memory for its weights (its largest part, the transformer), "
            "and a GPU has 16.0 GB free\n"
            "  Set offload: model, and quantization: {backend: bitsandbytes_4bit, components: [transformer]}.",
        ),
        (
            "model",
            4e9,
            f"the model {FLUX} needs 24.0 GB of memory for its weights (its largest part, the transformer), "
            "and a GPU has 4.0 GB free\n"
            "  Set offload: group, which keeps a few layers at a time on the device, or use a smaller model.",
        ),
    ],
)
def test_too_little_memory_names_both_figures_and_the_first_change_that_would_do(
    offload: str, free: float, said: str
) -> None:
    wanted = NEED if offload == "none" else NEED._replace(device=24_000_000_000)
    assert str(refusal({"model": FLUX, "offload": offload}, wanted, int(free), "a GPU")) == said
    assert refusal({"model": FLUX, "offload": offload}, wanted, 10**11, "a GPU") is None


def test_a_model_that_cannot_fit_is_refused_before_any_of_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head that tells of two terabytes, and a file of that length with nothing in it."""
    shutil.copytree(models() / "flux", tmp_path / "huge")
    file = tmp_path / "huge/transformer/diffusion_pytorch_model.safetensors"
    size = 2 * 10**12
    head = json.dumps({"a": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}).encode()
    file.write_bytes(struct.pack("<Q", len(head)) + head)
    with file.open("r+b") as data:
        data.truncate(8 + len(head) + size)
    monkeypatch.setenv("MIKEBOT_MODELS", str(tmp_path))
    params = still("flux", model="huge")
    with pytest.raises(OutOfMemory) as refused:
        Bench(params)
    assert re.fullmatch(
        r"the model huge needs 2,000\.0 GB of memory for its weights, and this machine has [\d.,]+ [GM]B free\n"
        r"  Use a smaller model, or a machine with more memory\.",
        str(refused.value),
    )


def test_a_driver_that_is_too_old_is_told_from_what_torch_warns_of() -> None:
    """In torch's own words (c10/cuda/CUDAFunctions.cpp), which a machine without a GPU never hears."""
    old = "CUDA initialization: The NVIDIA driver on your system is too old (found version 11040). Please update your"
    assert told([old], "2.13.0+cu130", "13.0") == (
        "the NVIDIA driver is too old: it knows CUDA 11.4, and torch 2.13.0+cu130 is built for CUDA 13.0",
        "Update the driver, or install a torch that is built for CUDA 11.4.",
    )
    none = "CUDA initialization: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU"
    assert told([none], "2.13.0+cu130", "13.0") == (
        "torch 2.13.0+cu130 finds no NVIDIA driver",
        "Install the driver, or use a profile for this machine.",
    )
    assert told([], "2.13.0+cu130", "13.0") == (
        "torch 2.13.0+cu130 sees none",
        "Use a profile for this machine, or set device: auto.",
    )


def test_what_is_known_of_a_model_is_what_its_page_of_ours_says() -> None:
    page = (Path(__file__).parents[2] / "docs/models.md").read_text("utf-8")
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in page.splitlines() if line.startswith("| ")}
    for model, known in KNOWN.items():
        assert known.licence in rows[model]
        assert ("accepted on the hub" in rows[model]) == known.gated
        if "transformer" in known.parts:
            assert gigabytes(known.parts["transformer"] * 2e9) in rows[model]
        assert not known.download or gigabytes(known.download * 1e9) in rows[model]
