"""LatentSync's U-Net again, as its specification says it (section 3) and in nothing but arithmetic.

Shares no line with the engine's: no module, no attention kernel, no folding of frames. A checkpoint's tensors by name
and a configuration under upstream's names go in, so every configuration that can be built can be compared.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv2d

State = dict[str, Tensor]
Config = dict[str, Any]


def unet(state: State, config: Config, sample: Tensor, steps: Tensor, audio: Tensor | None) -> Tensor:
    """(b, C, f, h, w), (b,), (b, f, S, D) -> (b, C', f, h, w)."""
    time = embedded(state, config, steps).to(sample.dtype)
    hidden = convolved(state, "conv_in", 2 * sample - 1 if config["center_input_sample"] else sample)
    last, skips = len(config["block_out_channels"]) - 1, [hidden]
    for level, kind in enumerate(config["down_block_types"]):
        name, moves = f"down_blocks.{level}", not config["motion_module_decoder_only"]
        for number in range(config["layers_per_block"]):
            hidden = layer(state, config, name, number, hidden, time, audio, (kind, level, moves))
            skips.append(hidden)
        if level < last:
            hidden = convolved(state, f"{name}.downsamplers.0.conv", hidden, stride=2)
            skips.append(hidden)
    hidden = middle(state, config, hidden, time, audio)
    exact = any(side % 2**last for side in sample.shape[-2:])
    for number_up, kind in enumerate(config["up_block_types"]):
        name, level = f"up_blocks.{number_up}", last - number_up
        for number in range(config["layers_per_block"] + 1):
            hidden = torch.cat([hidden, skips.pop()], dim=1)
            hidden = layer(state, config, name, number, hidden, time, audio, (kind, level, True))
        if level:
            size = skips[-1].shape[-2:] if exact else [2 * side for side in hidden.shape[-2:]]
            hidden = convolved(state, f"{name}.upsamplers.0.conv", nearest(hidden, *size))
    assert not skips
    hidden = normed(state, "conv_norm_out", hidden, config["norm_num_groups"], config["norm_eps"])
    return convolved(state, "conv_out", silu(hidden))


def embedded(state: State, config: Config, steps: Tensor) -> Tensor:
    half = config["block_out_channels"][0] // 2
    frequency = torch.exp(-math.log(10000) * torch.arange(half) / (half - config["freq_shift"]))
    angle = steps.float()[:, None] * frequency
    waves = [angle.cos(), angle.sin()] if config["flip_sin_to_cos"] else [angle.sin(), angle.cos()]
    wave = torch.cat(waves, dim=1).to(state["time_embedding.linear_1.weight"])
    return linear(state, "time_embedding.linear_2", silu(linear(state, "time_embedding.linear_1", wave)))


def layer(
    state: State,
    config: Config,
    name: str,
    number: int,
    hidden: Tensor,
    time: Tensor,
    audio: Tensor | None,
    about: tuple[str, int, bool],
) -> Tensor:
    kind, level, moves = about
    hidden = resnet(state, config, f"{name}.resnets.{number}", hidden, time)
    if kind.startswith("CrossAttn"):
        hidden = spatial(state, config, f"{name}.attentions.{number}", hidden, audio)
    if config["use_motion_module"] and moves and 2**level in config["motion_module_resolutions"]:
        hidden = temporal(state, config, f"{name}.motion_modules.{number}.temporal_transformer", hidden)
    return hidden


def middle(state: State, config: Config, hidden: Tensor, time: Tensor, audio: Tensor | None) -> Tensor:
    scale = config["mid_block_scale_factor"]
    hidden = resnet(state, config, "mid_block.resnets.0", hidden, time, scale)
    hidden = spatial(state, config, "mid_block.attentions.0", hidden, audio)
    return resnet(state, config, "mid_block.resnets.1", hidden, time, scale)


def resnet(state: State, config: Config, name: str, hidden: Tensor, time: Tensor, scale: float = 1) -> Tensor:
    groups, eps = config["norm_num_groups"], config["norm_eps"]
    made = convolved(state, f"{name}.conv1", silu(normed(state, f"{name}.norm1", hidden, groups, eps)))
    made = made + linear(state, f"{name}.time_emb_proj", silu(time))[:, :, None, None, None]
    made = convolved(state, f"{name}.conv2", silu(normed(state, f"{name}.norm2", made, groups, eps)))
    if f"{name}.conv_shortcut.weight" in state:
        hidden = convolved(state, f"{name}.conv_shortcut", hidden, padding=0)
    return (hidden + made) / scale


def spatial(state: State, config: Config, name: str, hidden: Tensor, audio: Tensor | None) -> Tensor:
    made, heads, block = torch.empty_like(hidden), config["attention_head_dim"], f"{name}.transformer_blocks.0"
    for batch, frame in place_of(hidden):
        picture = hidden[batch, :, frame][None]
        inner = normed(state, f"{name}.norm", picture, config["norm_num_groups"], 1e-6)
        inner = conv2d(inner, state[f"{name}.proj_in.weight"], state[f"{name}.proj_in.bias"])
        tokens = inner[0].flatten(1).T
        seen = layer_normed(state, f"{block}.norm1", tokens)
        tokens = tokens + attention(state, f"{block}.attn1", seen, seen, heads)
        if audio is not None and config["add_audio_layer"]:
            seen = layer_normed(state, f"{block}.norm2", tokens)
            tokens = tokens + attention(state, f"{block}.attn2", seen, audio[batch, frame], heads)
        tokens = tokens + forward(state, f"{block}.ff", layer_normed(state, f"{block}.norm3", tokens))
        inner = tokens.T.reshape(inner.shape)
        made[batch, :, frame] = conv2d(inner, state[f"{name}.proj_out.weight"], state[f"{name}.proj_out.bias"])[0]
    return hidden + made


def temporal(state: State, config: Config, name: str, hidden: Tensor) -> Tensor:
    kind, calm = config["motion_module_kwargs"], torch.empty_like(hidden)
    for batch, frame in place_of(hidden):
        calm[batch, :, frame] = normed(state, f"{name}.norm", hidden[batch, :, frame][None], 32, 1e-6)[0]
    tokens = linear(state, f"{name}.proj_in", calm.permute(0, 3, 4, 2, 1))
    for block in range(kind["num_transformer_block"]):
        tokens = moved(state, kind, f"{name}.transformer_blocks.{block}", tokens)
    return hidden + linear(state, f"{name}.proj_out", tokens).permute(0, 4, 3, 1, 2)


def moved(state: State, kind: Config, name: str, tokens: Tensor) -> Tensor:
    """(b, h, w, f, C) -> the same."""
    for number in range(len(kind["attention_block_types"])):
        seen = layer_normed(state, f"{name}.norms.{number}", tokens)
        if kind["temporal_position_encoding"]:
            seen = seen + table(*tokens.shape[-2:]).to(tokens)
        tokens = tokens + attention(state, f"{name}.attention_blocks.{number}", seen, seen, kind["num_attention_heads"])
    return tokens + forward(state, f"{name}.ff", layer_normed(state, f"{name}.ff_norm", tokens))


def table(frames: int, width: int) -> Tensor:
    rows = torch.empty(frames, width)
    for channel in range(width):
        angle = torch.arange(frames) * math.exp(-(channel // 2 * 2) * math.log(10000) / width)
        rows[:, channel] = angle.cos() if channel % 2 else angle.sin()
    return rows


def attention(state: State, name: str, tokens: Tensor, seen: Tensor, heads: int) -> Tensor:
    asked = linear(state, f"{name}.to_q", tokens)
    keys, values = (linear(state, f"{name}.to_{letter}", seen) for letter in "kv")
    width = asked.shape[-1] // heads
    made = []
    for head in range(heads):
        part = slice(head * width, (head + 1) * width)
        likeness = asked[..., part] @ keys[..., part].transpose(-1, -2) / math.sqrt(width)
        made.append(torch.softmax(likeness, dim=-1) @ values[..., part])
    return linear(state, f"{name}.to_out.0", torch.cat(made, dim=-1))


def forward(state: State, name: str, tokens: Tensor) -> Tensor:
    value, gate = linear(state, f"{name}.net.0.proj", tokens).chunk(2, dim=-1)
    return linear(state, f"{name}.net.2", value * gate * 0.5 * (1 + torch.erf(gate / math.sqrt(2))))


def place_of(hidden: Tensor) -> list[tuple[int, int]]:
    return [(batch, frame) for batch in range(hidden.shape[0]) for frame in range(hidden.shape[2])]


def nearest(hidden: Tensor, height: int, width: int) -> Tensor:
    rows = torch.arange(height) * hidden.shape[-2] // height
    return hidden[..., rows, :][..., torch.arange(width) * hidden.shape[-1] // width]


def convolved(state: State, name: str, hidden: Tensor, stride: int = 1, padding: int = 1) -> Tensor:
    weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
    return torch.stack([conv2d(frame, weight, bias, stride, padding) for frame in hidden.unbind(2)], dim=2)


def normed(state: State, name: str, hidden: Tensor, groups: int, eps: float) -> Tensor:
    """(n, C, ...) over the channels of a group and all that follows."""
    parts = hidden.reshape(len(hidden), groups, -1)
    parts = parts - parts.mean(dim=-1, keepdim=True)
    parts = parts / torch.sqrt(parts.square().mean(dim=-1, keepdim=True) + eps)
    shape = [1, -1, *[1] * (hidden.dim() - 2)]
    return parts.reshape(hidden.shape) * state[f"{name}.weight"].reshape(shape) + state[f"{name}.bias"].reshape(shape)


def layer_normed(state: State, name: str, tokens: Tensor) -> Tensor:
    calm = tokens - tokens.mean(dim=-1, keepdim=True)
    calm = calm / torch.sqrt(calm.square().mean(dim=-1, keepdim=True) + 1e-5)
    return calm * state[f"{name}.weight"] + state[f"{name}.bias"]


def linear(state: State, name: str, tokens: Tensor) -> Tensor:
    return tokens @ state[f"{name}.weight"].T + state.get(f"{name}.bias", 0)


def silu(values: Tensor) -> Tensor:
    return values * torch.sigmoid(values)
