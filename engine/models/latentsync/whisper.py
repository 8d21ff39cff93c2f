"""What Whisper's encoder makes of a sound, layer by layer (specification, section 5, points 3 to 5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from ...errors import BackendError
from .mel import log_mel

STEPS = 50  # A second.
_SIZES = ("n_audio_state", "n_audio_layer", "n_audio_head", "n_audio_ctx", "n_mels")
_USE = "Use the whisper/tiny.pt of LatentSync."
_NAMES = (
    (r"^encoder\.", ""),
    (r"^blocks\.", "layers."),
    (r"\.attn\.query\.", ".self_attn.q_proj."),
    (r"\.attn\.key\.", ".self_attn.k_proj."),
    (r"\.attn\.value\.", ".self_attn.v_proj."),
    (r"\.attn\.out\.", ".self_attn.out_proj."),
    (r"\.attn_ln\.", ".self_attn_layer_norm."),
    (r"\.mlp_ln\.", ".final_layer_norm."),
    (r"\.mlp\.0\.", ".fc1."),
    (r"\.mlp\.2\.", ".fc2."),
    (r"^ln_post\.", "layer_norm."),
    (r"^positional_embedding$", "embed_positions.weight"),
)


class Piece(NamedTuple):
    """A stretch that is encoded at once, in steps of 20 ms: it begins at `start`; `first` to `end` of it are kept."""

    start: int
    first: int
    end: int


def encoder(dims: Mapping[str, int], state: Mapping[str, Tensor]) -> WhisperEncoder:
    """Whisper's encoder of transformers from OpenAI's sizes and weights; raises BackendError where they do not fit."""
    with torch.device("meta"):
        made = WhisperEncoder(_config(dims))
    weights = {_renamed(name): value for name, value in state.items() if not name.startswith("decoder.")}
    try:
        made.load_state_dict(weights, strict=True, assign=True)
    except RuntimeError as problem:
        brief = str(problem).splitlines()[1].partition(', "')[0].strip()  # The first of many keys.
        raise BackendError(f"the weights of Whisper do not fit its sizes: {brief}", _USE) from None
    torch.nn.Module.float(made.requires_grad_(False)).train(False)
    return made


def features(ear: WhisperEncoder, sound: Tensor, overlap: float = 0.0) -> Tensor:
    """(samples,) at 16 kHz -> (T, layers + 1, width), 50 steps a second, on the encoder's device in 32 bits.

    `overlap`: seconds that neighbouring pieces of 30 s share; each keeps its half of them, so that nothing that is
    kept was heard without what comes before and after it. 0 is what upstream does.
    """
    parts = list(streamed(ear, sound, overlap))
    return torch.cat(parts) if parts else sound.new_zeros(0, len(ear.layers) + 1, ear.config.d_model)


def streamed(ear: WhisperEncoder, sound: Tensor, overlap: float = 0.0) -> Iterator[Tensor]:
    """The same piece by piece, each as it is asked for: a long sound's features are many times its size."""
    weight = ear.conv1.weight
    mel = log_mel(sound.to(weight.device, torch.float32), ear.config.num_mel_bins)
    steps = ear.config.max_source_positions
    for piece in pieces(mel.shape[1] // 2, steps, round(overlap * STEPS)):
        made = states(ear, mel[:, 2 * piece.start :][:, : 2 * steps])
        yield made[piece.first - piece.start : piece.end - piece.start]


def states(ear: WhisperEncoder, mel: Tensor) -> Tensor:
    """(mels, up to 3000) -> (1500, layers + 1, width): the embedding, and each layer's output before the last norm."""
    missing = 2 * ear.config.max_source_positions - mel.shape[1]
    padded = functional.pad(mel, (0, missing)).to(ear.conv1.weight.dtype)
    made: list[Tensor] = []
    hooks = [ear.layers[0].register_forward_pre_hook(lambda _, given: made.append(given[0]))]
    hooks += [layer.register_forward_hook(lambda _, __, out: made.append(_first(out))) for layer in ear.layers]
    try:
        with torch.no_grad():
            ear(padded[None])
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack(made, dim=2)[0].float()


def pieces(steps: int, length: int, overlap: int = 0) -> Iterator[Piece]:
    """How a sound is cut. With an overlap the last piece is a whole one, if the sound is as long as that."""
    if not 0 <= overlap < length:
        raise BackendError(f"pieces of {length} steps cannot overlap by {overlap}", "Let them overlap by less.")
    starts = list(range(0, max(steps - overlap, 1), length - overlap)) if steps else []
    if overlap and steps > length:
        starts[-1] = steps - length
    cuts = [0, *((one + length + other) // 2 for one, other in pairwise(starts)), steps]
    for start, (first, end) in zip(starts, pairwise(cuts), strict=False):  # No start, and nothing to keep.
        yield Piece(start, first, end)


def _first(out: Any) -> Tensor:
    """A layer's output, which transformers 4 has in a tuple."""
    made: Tensor = out[0] if isinstance(out, tuple) else out
    return made


def _config(dims: Mapping[str, int]) -> WhisperConfig:
    wrong = [name for name in _SIZES if not isinstance(dims.get(name), int) or dims[name] < 1]
    if wrong or dims["n_audio_state"] % dims["n_audio_head"]:
        shown = ", ".join(f"{name} {dims.get(name)}" for name in _SIZES)
        raise BackendError(f"Whisper cannot have these sizes: {shown}", _USE)
    width = dims["n_audio_state"]
    return WhisperConfig(
        d_model=width,
        encoder_ffn_dim=4 * width,
        encoder_layers=dims["n_audio_layer"],
        encoder_attention_heads=dims["n_audio_head"],
        max_source_positions=dims["n_audio_ctx"],
        num_mel_bins=dims["n_mels"],
    )


def _renamed(name: str) -> str:
    for pattern, replacement in _NAMES:
        name = re.sub(pattern, replacement, name)
    return name
