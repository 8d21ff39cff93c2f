"""LatentSync in a few thousand weights, and a face that OpenCV's cascades take for one: all of it made on the spot."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

UNET = {
    "block_out_channels": [32, 64],
    "down_block_types": ["CrossAttnDownBlock3D", "DownBlock3D"],
    "up_block_types": ["UpBlock3D", "CrossAttnUpBlock3D"],
    "attention_head_dim": 2,
    "cross_attention_dim": 16,
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "motion_module_kwargs": {"num_attention_heads": 4, "zero_initialize": False},
}
DIMS = {"n_mels": 80, "n_audio_ctx": 1500, "n_audio_state": 16, "n_audio_head": 2, "n_audio_layer": 4}
RESOLUTION = 64
KNOBS: dict[str, Any] = {"model": "lips", "vae": "lips-vae", "resolution": RESOLUTION, "dtype": "float32"}
KNOBS |= {"device": "cpu", "steps": 1, "faces": "haar"}


def build(folder: Path) -> Path:
    """Write `lips` and `lips-vae` below a folder, laid out as the public files; always with the same weights."""
    import torch

    from engine.models.latentsync.unet import UNet3D

    (folder / "lips" / "whisper").mkdir(parents=True)
    torch.manual_seed(5)
    torch.save({"global_step": 1, "state_dict": UNet3D(**UNET).state_dict()}, folder / "lips/latentsync_unet.pt")
    (folder / "lips/latentsync_unet.json").write_text(json.dumps(UNET))
    torch.save({"dims": DIMS, "model_state_dict": _whisper()}, folder / "lips/whisper/tiny.pt")
    _vae().save_pretrained(folder / "lips-vae")
    return folder


def _vae() -> Any:
    import torch
    from diffusers import AutoencoderKL

    torch.manual_seed(6)
    blocks = {"down_block_types": ["DownEncoderBlock2D"] * 4, "up_block_types": ["UpDecoderBlock2D"] * 4}
    sizes = {"block_out_channels": [8, 8, 8, 8], "layers_per_block": 1, "norm_num_groups": 4, "sample_size": 64}
    vae = AutoencoderKL(**blocks, **sizes)
    with torch.no_grad():
        vae.decoder.conv_out.weight *= 30  # Else its pictures would be of one grey, and no difference would show.
    return vae


def _whisper() -> dict[str, Any]:
    """Random weights of an encoder under OpenAI's names."""
    import torch
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    from engine.models.latentsync import whisper

    torch.manual_seed(7)
    state = WhisperEncoder(whisper._config(DIMS)).state_dict()
    back = {name: name for name in state}
    for ours, theirs in ((".self_attn.q_proj.", ".attn.query."), (".self_attn.k_proj.", ".attn.key.")):
        back = {name: new.replace(ours, theirs) for name, new in back.items()}
    for ours, theirs in ((".self_attn.v_proj.", ".attn.value."), (".self_attn.out_proj.", ".attn.out.")):
        back = {name: new.replace(ours, theirs) for name, new in back.items()}
    for ours, theirs in ((".self_attn_layer_norm.", ".attn_ln."), (".final_layer_norm.", ".mlp_ln.")):
        back = {name: new.replace(ours, theirs) for name, new in back.items()}
    for ours, theirs in ((".fc1.", ".mlp.0."), (".fc2.", ".mlp.2."), ("layers.", "blocks.")):
        back = {name: new.replace(ours, theirs) for name, new in back.items()}
    renamed = {"embed_positions.weight": "positional_embedding", "layer_norm.weight": "ln_post.weight"}
    renamed |= {"layer_norm.bias": "ln_post.bias"}
    return {f"encoder.{renamed.get(name, new)}": state[name] for name, new in back.items()}


def portrait(
    width: int, height: int, x: float, y: float, size: float, mouth: float = 0.0, angle: float = 0.0, ground: int = 70
) -> np.ndarray[Any, Any]:
    """A shaded head of `size` pixels around a place, its mouth open by 0 to 1: (height, width, 3)."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    right, down = (columns - x) / size, (rows - y) / size
    u, v = np.cos(angle) * right + np.sin(angle) * down, np.cos(angle) * down - np.sin(angle) * right
    levels = ground + 30 * rows / height
    skin = 185 - 70 * np.abs(u) - 25 * np.clip(v, 0, 1)
    for middle, radii, edge, level in _parts(mouth, skin):
        far = np.hypot((u - middle[0]) / radii[0], (v - middle[1]) / radii[1]) - 1
        share = 1 / (1 + np.exp(np.clip(far / edge, -30, 30)))
        levels = levels * (1 - share) + level * share
    return np.clip(np.stack([levels, 0.82 * levels, 0.72 * levels], -1), 0, 255).astype(np.uint8)


def _parts(mouth: float, skin: Any) -> Iterable[tuple[tuple[float, float], tuple[float, float], float, Any]]:
    """Ellipses: middle, radii, softness and grey of each, from the back to the front."""
    yield (0, -0.12), (0.56, 0.72), 0.03, 45
    yield (0, 0.75), (0.3, 0.35), 0.03, 150
    yield (0, 0.03), (0.46, 0.62), 0.03, skin
    for side in (-0.19, 0.19):
        yield (side, -0.12), (0.13, 0.07), 0.25, 120
        yield (side, -0.10), (0.085, 0.035), 0.1, 215
        yield (side, -0.10), (0.038, 0.038), 0.1, 35
        yield (side, -0.21), (0.12, 0.022), 0.2, 60
    yield (0, 0.02), (0.035, 0.13), 0.6, 195
    for side in (-0.045, 0.045):
        yield (side, 0.15), (0.03, 0.015), 0.3, 95
    yield (0, 0.32), (0.15, 0.028 + 0.08 * mouth), 0.2, 110
    if mouth:
        yield (0, 0.32), (0.11, 0.01 + 0.07 * mouth), 0.2, 30


def robot(left: int = 0) -> Any:
    """(96, 128, 3): a box with two lamps, so many pixels further right. No finder takes it for a face."""
    frame = np.full((96, 128, 3), 60, np.uint8)
    frame[20:80, 40 + left : 90 + left] = 180
    for lamp in (48, 72):
        frame[36:44, lamp + left : lamp + 10 + left] = (20, 90, 160)
    return frame


LAMPS = ({"x": 53 / 128, "y": 40 / 96}, {"x": 77 / 128, "y": 40 / 96})


def clip(path: Path, pictures: Iterable[Any], fps: str = "25", times: Sequence[int] | None = None) -> Path:
    """Pictures as video that loses nothing; `times`: when each is shown, in hundredths of a second."""
    from engine.backends import lossless

    if times is None:
        everything = iter(pictures)
        first = next(everything)
        with lossless.writing(path, first.shape[:2], Fraction(fps)) as add:
            for picture in (first, *everything):
                add(picture)
        return path
    with av.open(str(path), "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264rgb", rate=25, options={"qp": "0", "bf": "0"})
        stream.time_base = stream.codec_context.time_base = Fraction(1, 100)
        shown = list(pictures)
        stream.height, stream.width, stream.pix_fmt = *shown[0].shape[:2], "rgb24"
        for picture, time in zip(shown, times, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def moving(count: int, size: tuple[int, int] = (128, 96), head: float = 62, sway: float = 3) -> list[Any]:
    """A head that sways."""
    return [
        portrait(*size, size[0] / 2 + sway * np.sin(number / 4), size[1] / 2 - 2, head, angle=0.05 * np.sin(number / 7))
        for number in range(count)
    ]


def timing(path: Path, words: Sequence[tuple[float, float]], seconds: float) -> Path:
    """Words that are said between some seconds."""
    said = [[round(begin * 48000), round(end * 48000), "word"] for begin, end in words]
    path.write_text(json.dumps({"rate": 48000, "samples": round(seconds * 48000), "words": said, "phones": []}))
    return path
