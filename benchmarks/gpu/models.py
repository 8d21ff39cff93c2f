"""Models of full size whose weights are random: the shapes that are published, filled on the device and saved.

Tokenizers, schedulers and the like come from the tiny models of the tests. Random weights cost what trained ones do,
but what they draw is noise: a distance between two such pictures is a lead, and no measure of what an eye would see.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..place import HERE

sys.path.insert(0, str(HERE / "tests"))

import tiny_diffusion

FLUX, WAN, TI2V = "flux", "wan21-i2v", "wan22-ti2v"
CONTRAST = 0.5  # Standard deviation of what a decoder draws, of -1 to 1: a grey picture would hide every difference.


def small(folder: Path, *names: str) -> None:
    """Write the tests' tiny models."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tiny_diffusion.build(folder, *names)


def full(name: str, tiny: Path, folder: Path, device: str = "cuda") -> None:
    """Write a model of full size; `tiny` is the folder of the tiny ones."""
    from diffusers import DiffusionPipeline

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = DiffusionPipeline.from_pretrained(tiny / name)
        pipe.register_modules(**{part: made(make, device, dtype) for part, (make, dtype) in PARTS[name](pipe).items()})
        contrast(pipe.vae, device)
        pipe.save_pretrained(folder / name, max_shard_size="10GB")


def made(make: Callable[[], Any], device: str, dtype: str) -> Any:
    """A network that is made on a device, its weights drawn there."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    torch.manual_seed(1)
    try:
        with torch.device(device):
            return make()
    finally:
        torch.set_default_dtype(before)


def contrast(vae: Any, device: str) -> None:
    """Scale a decoder's last layer, so that a picture fills the range that pictures have."""
    import torch

    shape = (1, vae.config.get("z_dim") or vae.config.latent_channels, *([2] if "z_dim" in vae.config else []), 16, 16)
    with torch.no_grad():
        drawn = vae.decode(torch.randn(shape, device=device, dtype=vae.dtype)).sample.float()
        last = vae.decoder.conv_out
        last.weight *= CONTRAST / drawn.std()
        last.bias.zero_()


def _flux(tiny: Any) -> Mapping[str, tuple[Callable[[], Any], str]]:
    """FLUX.1-dev: 19 blocks of two streams, 38 of one, CLIP-L and T5-XXL."""
    import diffusers
    from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

    was = tiny.text_encoder.config
    ends = {"bos_token_id": was.bos_token_id, "eos_token_id": was.eos_token_id, "pad_token_id": was.pad_token_id}
    clip = {"vocab_size": 49408, "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12}
    clip |= {"num_attention_heads": 12, "projection_dim": 768, "max_position_embeddings": 77}
    blocks = {"down_block_types": ["DownEncoderBlock2D"] * 4, "up_block_types": ["UpDecoderBlock2D"] * 4}
    vae = {**blocks, "block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "latent_channels": 16}
    vae |= {"sample_size": 1024, "use_quant_conv": False, "use_post_quant_conv": False, "force_upcast": True}
    vae |= {"shift_factor": 0.1159, "scaling_factor": 0.3611}
    return {
        "text_encoder": (lambda: CLIPTextModel(CLIPTextConfig(**clip, **ends)).eval(), "bfloat16"),
        "text_encoder_2": (lambda: T5EncoderModel(T5Config(**_XXL, vocab_size=32128)).eval(), "bfloat16"),
        "transformer": (lambda: diffusers.FluxTransformer2DModel(in_channels=64, guidance_embeds=True), "bfloat16"),
        "vae": (lambda: diffusers.AutoencoderKL(**vae), "bfloat16"),
    }


_XXL: Mapping[str, Any] = {"d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 24, "num_heads": 64}
_XXL = {**_XXL, "feed_forward_proj": "gated-gelu", "is_encoder_decoder": False}
_DIT: Mapping[str, Any] = {"attention_head_dim": 128, "text_dim": 4096, "freq_dim": 256, "cross_attn_norm": True}
_DIT = {**_DIT, "qk_norm": "rms_norm_across_heads", "rope_max_seq_len": 1024, "patch_size": (1, 2, 2)}


def _wan(_: Any) -> Mapping[str, tuple[Callable[[], Any], str]]:
    """Wan 2.1 image-to-video, 14B: 40 layers of 5120 with image layers, UMT5-XXL and CLIP ViT-H."""
    import diffusers
    from transformers import CLIPImageProcessorPil, CLIPVisionConfig, CLIPVisionModel

    eyes = {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 16}
    eyes |= {"image_size": 224, "patch_size": 14, "projection_dim": 1024, "hidden_act": "gelu"}
    sizes = {"num_attention_heads": 40, "num_layers": 40, "ffn_dim": 13824, "in_channels": 36, "out_channels": 16}
    sizes |= {"image_dim": 1280, "added_kv_proj_dim": 5120}
    seen = {"size": {"shortest_edge": 224}, "crop_size": {"height": 224, "width": 224}}
    return {
        "text_encoder": (_umt5, "bfloat16"),
        "image_encoder": (lambda: CLIPVisionModel(CLIPVisionConfig(**eyes)).eval(), "float32"),
        "image_processor": (lambda: CLIPImageProcessorPil(**seen), "float32"),
        "transformer": (lambda: diffusers.WanTransformer3DModel(**_DIT, **sizes), "bfloat16"),
        "vae": (diffusers.AutoencoderKLWan, "float32"),
    }


def _ti2v(_: Any) -> Mapping[str, tuple[Callable[[], Any], str]]:
    """Wan 2.2 TI2V-5B: 30 layers of 3072, and a decoder of 48 channels."""
    import diffusers

    sizes = {"num_attention_heads": 24, "num_layers": 30, "ffn_dim": 14336, "in_channels": 48, "out_channels": 48}
    vae = {"base_dim": 160, "decoder_base_dim": 256, "z_dim": 48, "is_residual": True, "in_channels": 12}
    vae |= {"out_channels": 12, "patch_size": 2, "scale_factor_spatial": 16, "scale_factor_temporal": 4}
    means = {"latents_mean": [0.0] * 48, "latents_std": [1.0] * 48}
    return {
        "text_encoder": (_umt5, "bfloat16"),
        "transformer": (lambda: diffusers.WanTransformer3DModel(**_DIT, **sizes), "bfloat16"),
        "vae": (lambda: diffusers.AutoencoderKLWan(**vae, **means), "float32"),
    }


def _umt5() -> Any:
    from transformers import UMT5Config, UMT5EncoderModel

    return UMT5EncoderModel(UMT5Config(**_XXL, vocab_size=256384)).eval()


PARTS = {FLUX: _flux, WAN: _wan, TI2V: _ti2v}
