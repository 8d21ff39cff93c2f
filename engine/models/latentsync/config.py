"""What a U-Net is made of, under upstream's names; the defaults are the public models' (specification, section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ...errors import BackendError

_CROSS_DOWN, _CROSS_UP = "CrossAttnDownBlock3D", "CrossAttnUpBlock3D"
_PLAIN_DOWN, _PLAIN_UP = "DownBlock3D", "UpBlock3D"
# What has one meaning only: the specification describes no other.
_ONLY = {
    "act_fn": "silu",
    "mid_block_type": "UNetMidBlock3DCrossAttn",
    "motion_module_type": "Vanilla",
    "resnet_time_scale_shift": "default",
}


@dataclass(frozen=True)
class TemporalConfig:
    """`motion_module_kwargs`: what each temporal module is made of."""

    num_attention_heads: int = 8
    num_transformer_block: int = 1
    attention_block_types: tuple[str, ...] = ("Temporal_Self", "Temporal_Self")
    temporal_position_encoding: bool = True
    temporal_position_encoding_max_len: int = 24
    temporal_attention_dim_div: int = 1
    zero_initialize: bool = True  # A new module changes nothing until it is trained.


@dataclass(frozen=True)
class UNetConfig:
    """Constructor arguments of upstream's U-Net. `attention_head_dim` is, in truth, the number of heads."""

    sample_size: int | None = 64
    in_channels: int = 13
    out_channels: int = 4
    center_input_sample: bool = False
    flip_sin_to_cos: bool = True
    freq_shift: float = 0
    down_block_types: tuple[str, ...] = (_CROSS_DOWN, _CROSS_DOWN, _CROSS_DOWN, _PLAIN_DOWN)
    mid_block_type: str = _ONLY["mid_block_type"]
    up_block_types: tuple[str, ...] = (_PLAIN_UP, _CROSS_UP, _CROSS_UP, _CROSS_UP)
    block_out_channels: tuple[int, ...] = (320, 640, 1280, 1280)
    layers_per_block: int = 2
    downsample_padding: int = 1
    mid_block_scale_factor: float = 1
    act_fn: str = _ONLY["act_fn"]
    norm_num_groups: int = 32
    norm_eps: float = 1e-5
    cross_attention_dim: int = 384
    attention_head_dim: int | tuple[int, ...] = 8
    resnet_time_scale_shift: str = _ONLY["resnet_time_scale_shift"]
    add_audio_layer: bool = True
    use_motion_module: bool = True
    motion_module_resolutions: tuple[int, ...] = (1, 2, 4, 8)
    motion_module_mid_block: bool = False
    motion_module_decoder_only: bool = False
    motion_module_type: str = _ONLY["motion_module_type"]
    motion_module_kwargs: TemporalConfig = field(default_factory=TemporalConfig)

    @property
    def heads(self) -> tuple[int, ...]:
        """Heads of the spatial attentions, level by level."""
        said = self.attention_head_dim
        return said if isinstance(said, tuple) else (said,) * len(self.block_out_channels)

    def moves(self, level: int, decoder: bool) -> bool:
        """Whether the blocks of a level (0 is the finest) have temporal modules."""
        wanted = self.use_motion_module and (decoder or not self.motion_module_decoder_only)
        return wanted and 2**level in self.motion_module_resolutions


def configured(said: Mapping[str, Any]) -> UNetConfig:
    """A configuration from upstream's names; raises BackendError where it means what nobody has specified."""
    known = {entry.name for entry in fields(UNetConfig)}
    _no_strangers("the U-Net's configuration", said, known)
    values = {name: _frozen(value) for name, value in said.items()}
    if "norm_eps" in values:
        values["norm_eps"] = float(values["norm_eps"])  # YAML 1.1 reads `1e-5` as text.
    values["motion_module_kwargs"] = _temporal(said.get("motion_module_kwargs") or {})
    config = UNetConfig(**values)
    _described(config)
    return config


def _temporal(said: Mapping[str, Any] | TemporalConfig) -> TemporalConfig:
    if isinstance(said, TemporalConfig):
        return said
    _no_strangers("motion_module_kwargs", said, {entry.name for entry in fields(TemporalConfig)})
    return TemporalConfig(**{name: _frozen(value) for name, value in said.items()})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _no_strangers(what: str, said: Mapping[str, Any], known: set[str]) -> None:
    strangers = sorted(said.keys() - known)
    if strangers:
        raise BackendError(f"{what} has no {strangers[0]}", f"It has {', '.join(sorted(known))}.")


def _described(config: UNetConfig) -> None:
    """Refuse what would otherwise be built as something else."""
    for name, only in _ONLY.items():
        _one_of(name, [getattr(config, name)], [only])
    _one_of("down_block_types", config.down_block_types, [_CROSS_DOWN, _PLAIN_DOWN])
    _one_of("up_block_types", config.up_block_types, [_CROSS_UP, _PLAIN_UP])
    _one_of("attention_block_types", config.motion_module_kwargs.attention_block_types, ["Temporal_Self"])
    levels = len(config.block_out_channels)
    for name in ("down_block_types", "up_block_types", "heads"):
        if len(getattr(config, name)) != levels:
            shown = "attention_head_dim" if name == "heads" else name
            message = f"{shown} names {len(getattr(config, name))} levels and block_out_channels {levels}"
            raise BackendError(message, "Name as many of one as of the other.")


def _one_of(name: str, values: tuple[str, ...] | list[str], allowed: list[str]) -> None:
    for value in values:
        if value not in allowed:
            raise BackendError(f"{name}: {value} is not known", f"Known are {', '.join(allowed)}.")
