"""The U-Net of LatentSync: upstream's keys, upstream's numbers, and every field of its configuration.

Upstream's numbers are of two configurations. For all others there is the specification, which `latentsync_literal`
does over again in plain arithmetic.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import latentsync_literal as literal
import pytest
import torch
from latentsync_kit import SMALL, case_of, furthest, parts, said, small_unet, tensors, upstream_unet
from torch import Tensor

from engine.errors import BackendError
from engine.models.latentsync.checkpoint import misfit
from engine.models.latentsync.unet import UNet3D

UPSTREAM = parts("unet_") or ["unet_a", "unet_b"]


def test_the_full_model_has_every_key_and_shape_of_the_public_files() -> None:
    with torch.device("meta"):
        unet = UNet3D()
    found = {name: list(value.shape) for name, value in unet.state_dict().items()}
    assert found == said("checkpoint_keys_full.json")
    assert len(found) == 1246
    assert sum(weight.numel() for weight in unet.parameters()) == 1_267_099_844
    other = {name: torch.empty(*shape, 1, device="meta") for name, shape in found.items()}
    assert misfit(unet, other).shaped == list(found)
    lacking, strange = misfit(unet, {f"module.{name}": value for name, value in other.items()})[:2]
    assert [len(lacking), len(strange)] == [1206, 1206]  # The 40 positional tables may come or go.


@pytest.mark.parametrize("name", UPSTREAM)
def test_its_noise_is_upstreams(name: str) -> None:
    unet = upstream_unet(name)
    for case in said(f"{name}/io.json"):
        io = case_of(tensors(f"{name}/io.safetensors"), case["case"])
        with torch.no_grad():
            made = unet(io["sample"], timestep(case), io["encoder_hidden_states"])
        assert furthest(made, io["output"]) <= 2e-5, case


@pytest.mark.parametrize("name", UPSTREAM)
def test_in_64_bits_even_the_epsilons_of_its_norms_show(name: str) -> None:
    unet = upstream_unet(name).double()
    for case in said(f"{name}/io.json"):
        io = case_of(tensors(f"{name}/io.safetensors"), case["case"])
        with torch.no_grad():
            made = unet(io["sample"].double(), timestep(case), io["encoder_hidden_states"].double())
        assert furthest(made, io["output_fp64"]) <= 1e-6, case


@pytest.mark.parametrize("name", UPSTREAM)
def test_every_level_makes_what_upstreams_does(name: str) -> None:
    unet, wanted, found = upstream_unet(name), tensors(f"{name}/stages_case0.safetensors"), dict[str, Tensor]()
    for stage in wanted:
        unet.get_submodule(stage).register_forward_hook(lambda _, __, made, stage=stage: found.update({stage: made}))
    case, io = said(f"{name}/io.json")[0], case_of(tensors(f"{name}/io.safetensors"), 0)
    with torch.no_grad():
        unet(io["sample"], timestep(case), io["encoder_hidden_states"])
    assert found.keys() == wanted.keys()
    assert all(furthest(found[stage], value) <= 1e-4 * float(value.abs().max()) for stage, value in wanted.items())


def timestep(case: dict[str, Any]) -> Tensor | int:
    step = int(case["timestep"])
    if case["timestep_form"] == "vector":
        return torch.full((case["sample_shape"][0],), step)
    return step if case["timestep_form"] == "int" else torch.tensor(step)


def given(frames: int = 3, height: int = 8, width: int = 8, batch: int = 1, **more: int) -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(9)
    sample = torch.randn(batch, more.get("channels", 13), frames, height, width, generator=source)
    return sample, torch.randn(batch, frames, 5, more.get("audio", 12), generator=source)


def test_two_videos_at_once_are_each_as_they_are_alone() -> None:
    unet, (sample, audio) = small_unet(), given(batch=2)
    both = unet(sample, torch.tensor([801, 3]), audio)
    alone = [unet(sample[[number]], step, audio[[number]]) for number, step in enumerate((801, 3))]
    assert furthest(both, torch.cat(alone)) < 1e-5


def test_the_frame_is_the_fastest_of_what_is_heard() -> None:
    unet, (sample, audio) = small_unet(), given(batch=2)
    assert torch.equal(unet(sample, 5, audio), unet(sample, 5, audio.flatten(0, 1)))


def test_odd_sizes_come_out_as_they_went_in() -> None:
    sample, audio = given(height=9, width=7)
    assert small_unet()(sample, 5, audio).shape == (1, 4, 3, 9, 7)


LEVELS: dict[int, dict[str, Any]] = {
    levels: {
        "down_block_types": ["CrossAttnDownBlock3D"] * (levels - 1) + ["DownBlock3D"],
        "up_block_types": ["UpBlock3D"] + ["CrossAttnUpBlock3D"] * (levels - 1),
    }
    for levels in (1, 2, 3, 4)
}


@pytest.mark.parametrize(
    ("widths", "shape", "changed"),
    [
        ([32, 64], (2, 3, 9, 7), {}),
        ([64, 32], (1, 1, 5, 6), {"add_audio_layer": False, "norm_num_groups": 32}),
        ([32, 96], (3, 2, 4, 4), {"attention_head_dim": 16, "cross_attention_dim": 7, "norm_num_groups": 2}),
        ([32], (1, 24, 3, 2), {"layers_per_block": 3, "norm_eps": 1e-3}),
        ([32, 32, 64], (1, 5, 13, 6), {"attention_head_dim": 1, "layers_per_block": 2}),
        ([32, 64, 64, 96], (1, 2, 9, 17), {"attention_head_dim": 8, "norm_num_groups": 16}),
        ([32, 64], (1, 2, 8, 8), {"use_motion_module": False, "mid_block_scale_factor": 1.5}),
        ([32, 64], (1, 3, 6, 10), {"motion_module_decoder_only": True, "center_input_sample": True}),
        ([32, 64], (1, 3, 3, 3), {"motion_module_resolutions": [2], "flip_sin_to_cos": False, "freq_shift": 1}),
    ],
)
@torch.no_grad()
def test_every_configuration_computes_what_the_specification_says(
    widths: list[int], shape: tuple[int, ...], changed: dict[str, Any]
) -> None:
    unet = small_unet(block_out_channels=widths, **LEVELS[len(widths)], **changed).double()
    for name, weight in unet.named_parameters():
        if "norm" in name:  # Or they would be ones and zeros, and it would not show which one is taken.
            weight.add_(0.2 * torch.randn_like(weight))
    batch, frames, height, width = shape
    sample, audio = given(frames, height, width, batch, audio=unet.config.cross_attention_dim)
    sample, audio, steps = sample.double(), audio.double(), torch.tensor([801, 3, 450])[:batch]
    for heard in (audio, None):
        wanted = literal.unet(unet.state_dict(), asdict(unet.config), sample, steps, heard)
        assert furthest(unet(sample, steps, heard), wanted) <= 1e-6


@pytest.mark.parametrize("kind", [{"num_transformer_block": 2}, {"attention_block_types": ["Temporal_Self"]}])
@torch.no_grad()
def test_temporal_modules_of_another_make_compute_what_is_said(kind: dict[str, Any]) -> None:
    temporal = {"num_attention_heads": 2, "zero_initialize": False, **kind}
    unet, (sample, audio) = small_unet(motion_module_kwargs=temporal).double(), given()
    wanted = literal.unet(unet.state_dict(), asdict(unet.config), sample.double(), torch.tensor([5]), audio.double())
    assert furthest(unet(sample.double(), 5, audio.double()), wanted) <= 1e-6


def test_a_number_that_is_its_whole_group_is_normed_without_noise() -> None:
    """32 channels at 1 x 1 in 32 groups: what torch's kernel leaves of each is a rounding error, a thousandfold."""
    narrow = {"block_out_channels": [32, 32], "norm_num_groups": 32}
    for frames in (1, 4):
        sample, audio = given(frames, height=2, width=2)
        exact = small_unet(**narrow).double()(sample.double(), 667, audio.double())
        assert furthest(small_unet(**narrow)(sample, 667, audio), exact) < 1e-5


def test_one_place_of_the_picture_is_as_sure_as_many() -> None:
    """At 1 x 1 a group may have two numbers: a kernel that takes squares from squares would lose them."""
    unet, (sample, audio) = small_unet(), given(frames=16, height=2, width=2, batch=2)
    exact = small_unet().double()(sample.double(), 667, audio.double())
    assert furthest(unet(sample, 667, audio), exact) < 5e-5


def test_without_sound_or_without_an_audio_layer_it_looks_only() -> None:
    sample, audio = given()
    deaf = small_unet(add_audio_layer=False, cross_attention_dim=None)
    assert not any("attn2" in name or ("norm2" in name and "transformer" in name) for name in deaf.state_dict())
    assert torch.equal(deaf(sample, 5), deaf(sample, 5, audio))
    hearing = small_unet()
    hearing.load_state_dict(deaf.state_dict(), strict=False)
    assert torch.equal(hearing(sample, 5), deaf(sample, 5))


def test_other_channels_heads_and_levels_are_built_as_said() -> None:
    changed = {
        "in_channels": 9,
        "out_channels": 3,
        "block_out_channels": (32, 32, 64),
        "down_block_types": ("DownBlock3D", "CrossAttnDownBlock3D", "CrossAttnDownBlock3D"),
        "up_block_types": ("CrossAttnUpBlock3D", "CrossAttnUpBlock3D", "UpBlock3D"),
        "attention_head_dim": (1, 2, 4),
        "cross_attention_dim": 20,
        "layers_per_block": 2,
        "norm_eps": "1e-5",
    }
    sample, audio = given(channels=9, audio=20)
    unet = small_unet(**changed)
    assert unet(sample, 5, audio).shape == (1, 3, 3, 8, 8)
    assert unet.up_blocks[0].attentions[0].transformer_blocks[0].attn1.heads == 4
    assert unet.config.norm_eps == 1e-5


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"use_motion_module": False}, set()),
        ({"motion_module_decoder_only": True}, {"up_blocks.0", "up_blocks.1"}),
        ({"motion_module_resolutions": [2]}, {"down_blocks.1", "up_blocks.0"}),
        (
            {"motion_module_mid_block": True},
            {"down_blocks.0", "down_blocks.1", "mid_block", "up_blocks.0", "up_blocks.1"},
        ),
    ],
)
def test_temporal_modules_are_where_the_configuration_has_them(changed: dict[str, Any], where: set[str]) -> None:
    names = small_unet(**changed).state_dict()
    assert {name.partition(".motion_modules")[0] for name in names if ".motion_modules." in name} == where
    sample, audio = given()
    assert small_unet(**changed)(sample, 5, audio).shape == (1, 4, 3, 8, 8)


def test_fields_that_leave_the_names_change_the_numbers() -> None:
    sample, audio = given()
    plain = small_unet()(sample, 5, audio)
    temporal = {**SMALL["motion_module_kwargs"]}
    for changed in (
        {"center_input_sample": True},
        {"flip_sin_to_cos": False},
        {"freq_shift": 1},
        {"mid_block_scale_factor": 2},
        {"norm_eps": 1e-2},
        {"norm_num_groups": 4},
        {"attention_head_dim": 4},
        {"motion_module_kwargs": {**temporal, "num_attention_heads": 8}},
        {"motion_module_kwargs": {**temporal, "temporal_position_encoding": False}},
    ):
        assert furthest(small_unet(**changed)(sample, 5, audio), plain) > 1e-5, changed


def test_a_new_temporal_module_changes_nothing_if_it_is_said_to_begin_at_zero() -> None:
    sample, audio = given()
    new = small_unet(motion_module_kwargs={"num_attention_heads": 4})
    without = small_unet(use_motion_module=False)
    without.load_state_dict({name: value for name, value in new.state_dict().items() if "motion" not in name})
    assert torch.equal(new(sample, 5, audio), without(sample, 5, audio))


def test_more_frames_than_the_model_knows_are_refused() -> None:
    sample, audio = given(frames=25)
    with pytest.raises(BackendError) as refused:
        small_unet()(sample, 5, audio)
    assert str(refused.value) == "a window has 25 frames, and the model knows 24\n  Use shorter windows."


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"act_fn": "gelu"}, "act_fn: gelu is not known\n  Known are silu."),
        (
            {"motion_module_kwargs": {"attention_block_types": ["Spatial_Cross"]}},
            "attention_block_types: Spatial_Cross is not known\n  Known are Temporal_Self.",
        ),
        (
            {"block_out_channels": [32, 32, 32]},
            "down_block_types names 2 levels and block_out_channels 3\n  Name as many of one as of the other.",
        ),
    ],
)
def test_what_nobody_has_specified_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(BackendError) as refused:
        small_unet(**changed)
    assert str(refused.value) == message


def test_a_field_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(BackendError) as refused:
        UNet3D(heads=8)
    assert refused.value.message == "the U-Net's configuration has no heads"
    assert refused.value.hint.startswith("It has act_fn, add_audio_layer, attention_head_dim, ")
