"""A model with two transformers (Wan 2.2 A14B): a LoRA is on both, or on the one that it is for, and leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from diffusion_kit import models

from engine.backends.lora import Look, Loras
from engine.errors import BackendError


@pytest.fixture(name="pipe", scope="module")
def a_pipeline() -> Any:
    from diffusers import WanImageToVideoPipeline

    return WanImageToVideoPipeline.from_pretrained(models() / "wan22-a14b")


@pytest.fixture(name="look", scope="module")
def a_lora(pipe: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """As a trainer writes it: for `transformer`, whichever that was."""
    import torch
    from diffusers import WanImageToVideoPipeline, WanTransformer3DModel
    from peft import LoraConfig, get_peft_model_state_dict

    folder = tmp_path_factory.mktemp("looks")
    network = WanTransformer3DModel.from_pretrained(models() / "wan22-a14b/transformer")
    network.add_adapter(LoraConfig(r=2, lora_alpha=4, target_modules=["to_k", "to_q"]), adapter_name="look")
    torch.manual_seed(1)
    for key, weight in network.named_parameters():
        if "lora_" in key:
            torch.nn.init.normal_(weight, std=0.5)
    layers = get_peft_model_state_dict(network, adapter_name="look")
    WanImageToVideoPipeline.save_lora_weights(folder, transformer_lora_layers=layers, weight_name="look.safetensors")
    return folder / "look.safetensors"


def answers(pipe: Any) -> tuple[bytes, bytes]:
    """What each transformer makes of the same noise."""
    import torch

    noise = torch.randn(1, 36, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    said = {"timestep": torch.tensor([500]), "encoder_hidden_states": torch.ones(1, 4, 32), "return_dict": False}
    with torch.no_grad():
        one, two = (part(noise, **said)[0].numpy().tobytes() for part in (pipe.transformer, pipe.transformer_2))
    return one, two


def test_a_lora_is_on_both_or_on_the_one_that_it_is_for(pipe: Any, look: Path) -> None:
    loras, bare = Loras(pipe), answers(pipe)
    loras.put_on([Look(look, 1.0)])
    both = answers(pipe)
    assert both[0] != bare[0]
    assert both[1] != bare[1]
    loras.put_on([Look(look, 1.0, "transformer")])
    assert answers(pipe) == (both[0], bare[1])
    loras.put_on([Look(look, 1.0, "transformer_2")])
    assert answers(pipe) == (bare[0], both[1])
    loras.put_on([])
    assert answers(pipe) == bare


def test_a_pair_is_put_on_each_with_its_weight(pipe: Any, look: Path) -> None:
    loras, bare = Loras(pipe), answers(pipe)
    loras.put_on([Look(look, 1.0)])
    both = answers(pipe)
    loras.put_on([Look(look, 1.0, "transformer"), Look(look, 0.5, "transformer_2")])
    pair = answers(pipe)
    assert pair[0] == both[0]
    assert pair[1] not in {both[1], bare[1]}
    loras.put_on([])
    assert answers(pipe) == bare


def test_a_transformer_that_is_not_there_is_told(pipe: Any, look: Path) -> None:
    with pytest.raises(BackendError) as told:
        Loras(pipe).put_on([Look(look, 1.0, "transformer_3")])
    assert str(told.value) == (
        "WanImageToVideoPipeline has no transformer_3 that a LoRA could change\n"
        "  Write part: transformer, or transformer_2."
    )
