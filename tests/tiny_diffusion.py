"""Picture and clip models of a few thousand weights, made of the libraries' real classes, whole and offline.

Their weights are random: what they draw is worth nothing, but every step of the way is the real one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CORPUS = [
    "a photo of the persona standing in a kitchen, cinematic light",
    "the camera slowly pushes in while he smiles and waves, wide shot, golden hour",
    "mkbt, a friendly robot, wearing a mustard-yellow scarf, blurry, low quality, paper boats on a pond",
] * 20
CHAT = (
    "{% for m in messages %}{{ '<s>' + m['role'] + ': ' }}{% if m['content'] is string %}{{ m['content'] }}"
    "{% else %}{% for c in m['content'] %}{{ c['text'] }}{% endfor %}{% endif %}{% endfor %}"
)
MODELS = ("flux", "kontext", "klein", "qwen", "wan21-i2v", "wan21-flf2v", "wan22-a14b", "wan22-ti2v", "wan-vace")


def build(folder: Path, *names: str) -> None:
    """Write some of MODELS below a folder, each with weights that depend on its name alone."""
    import torch

    os.environ["HF_HUB_OFFLINE"] = "1"
    made = {"flux": _flux, "kontext": _flux, "klein": _klein, "qwen": _qwen}
    for name in names:
        torch.manual_seed(sum(name.encode()))
        made.get(name, _wan)(name).save_pretrained(folder / name)


def lora(folder: Path, model: Path, seed: int, name: str = "look.safetensors", rank: int = 2) -> Path:
    """A LoRA for a tiny FLUX, as a trainer writes it: strong enough to be seen."""
    import torch
    from diffusers import FluxPipeline, FluxTransformer2DModel
    from peft import LoraConfig, get_peft_model_state_dict

    transformer = FluxTransformer2DModel.from_pretrained(model / "transformer")
    torch.manual_seed(seed)
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=["to_k", "to_q", "to_v", "to_out.0"])
    transformer.add_adapter(config, adapter_name="persona")
    for key, weight in transformer.named_parameters():
        if "lora_" in key:
            torch.nn.init.normal_(weight, std=0.5)
    FluxPipeline.save_lora_weights(
        folder,
        transformer_lora_layers=get_peft_model_state_dict(transformer, adapter_name="persona"),
        transformer_lora_adapter_metadata=transformer.peft_config["persona"].to_dict(),
        weight_name=name,
    )
    return folder / name


def _t5(size: int = 600) -> Any:
    """A unigram vocabulary, as T5 and UMT5 have it."""
    import json

    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import T5Tokenizer

    tokenizer = Tokenizer(models.Unigram())
    space = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), space])
    trainer = trainers.UnigramTrainer(
        vocab_size=size,
        special_tokens=["<pad>", "</s>", "<unk>"],
        unk_token="<unk>",
        initial_alphabet=[chr(c) for c in range(33, 127)] + ["▁"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    vocab = [tuple(entry) for entry in json.loads(tokenizer.to_str())["model"]["vocab"]]
    vocab += [(f"<extra_id_{number}>", 0.0) for number in range(9, -1, -1)]
    return T5Tokenizer(vocab=vocab, extra_ids=10, model_max_length=512)


def _clip() -> Any:
    """A vocabulary of bytes, as CLIP has it."""
    from tokenizers import pre_tokenizers
    from transformers import CLIPTokenizer

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {letter: number for number, letter in enumerate(alphabet)}
    for letter in alphabet:
        vocab[letter + "</w>"] = len(vocab)
    merges = [("t", "h"), ("i", "n"), ("a", "n")]
    for one, two in merges:
        vocab[one + two] = len(vocab)
    vocab["<|startoftext|>"] = len(vocab)
    vocab["<|endoftext|>"] = len(vocab)
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=77)


def _bytes() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<unk>", "<s>", "</s>", "<pad>"]
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    ends = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **ends)
    made.chat_template = CHAT
    return made


def _flux(name: str) -> Any:
    import diffusers
    from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

    t5, clip = _t5(), _clip()
    ends = {"bos_token_id": clip.bos_token_id, "eos_token_id": clip.eos_token_id, "pad_token_id": clip.pad_token_id}
    small = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 32, "intermediate_size": 37}
    size = {"vocab_size": len(clip), "projection_dim": 32, "max_position_embeddings": 77}
    blocks = {"down_block_types": ["DownEncoderBlock2D"] * 4, "up_block_types": ["UpDecoderBlock2D"] * 4}
    return getattr(diffusers, "FluxKontextPipeline" if name == "kontext" else "FluxPipeline")(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0),
        text_encoder=CLIPTextModel(CLIPTextConfig(**small, **size, **ends)).eval(),
        text_encoder_2=T5EncoderModel(
            T5Config(vocab_size=len(t5), d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4)
        ).eval(),
        tokenizer=clip,
        tokenizer_2=t5,
        transformer=diffusers.FluxTransformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=2,
            num_single_layers=2,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            axes_dims_rope=(4, 4, 8),
            guidance_embeds=True,
        ),
        vae=diffusers.AutoencoderKL(
            **blocks,
            sample_size=32,
            block_out_channels=(8, 8, 8, 8),
            layers_per_block=1,
            latent_channels=4,
            norm_num_groups=4,
            use_quant_conv=False,
            use_post_quant_conv=False,
            shift_factor=0.0609,
            scaling_factor=1.5035,
        ),
    )


def _klein(_: str) -> Any:
    import diffusers
    from transformers import Qwen3Config, Qwen3ForCausalLM

    tokenizer = _bytes()
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = Qwen3Config(vocab_size=len(tokenizer), **small, num_key_value_heads=2, head_dim=8)
    return diffusers.Flux2KleinPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=diffusers.AutoencoderKLFlux2(
            block_out_channels=(4, 4, 4, 4), layers_per_block=1, latent_channels=4, norm_num_groups=1, sample_size=32
        ),
        text_encoder=Qwen3ForCausalLM(config).eval(),
        tokenizer=tokenizer,
        transformer=diffusers.Flux2Transformer2DModel(
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=48,
            timestep_guidance_channels=32,
            axes_dims_rope=(4, 4, 4, 4),
        ),
        is_distilled=True,
    )


def _qwen(_: str) -> Any:
    import diffusers
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    tokenizer = _bytes()
    words = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    words |= {"num_key_value_heads": 2, "vocab_size": len(tokenizer), "rope_theta": 1_000_000.0}
    words["rope_scaling"] = {"mrope_section": [1, 1, 2], "rope_type": "default", "type": "default"}
    eyes = {"depth": 2, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 16}
    return diffusers.QwenImagePipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=diffusers.AutoencoderKLQwenImage(
            base_dim=24,
            z_dim=4,
            dim_mult=[1, 2, 4],
            num_res_blocks=1,
            temperal_downsample=[False, True],
            latents_mean=[0.0] * 4,
            latents_std=[1.0] * 4,
        ),
        text_encoder=Qwen2_5_VLForConditionalGeneration(
            Qwen2_5_VLConfig(text_config=words, vision_config=eyes, hidden_size=16, vocab_size=len(tokenizer))
        ).eval(),
        tokenizer=tokenizer,
        transformer=diffusers.QwenImageTransformer2DModel(
            patch_size=2,
            in_channels=16,
            out_channels=4,
            num_layers=2,
            attention_head_dim=16,
            num_attention_heads=3,
            joint_attention_dim=16,
            axes_dims_rope=(8, 4, 4),
        ),
    )


def _wan(name: str) -> Any:
    import diffusers
    from transformers import UMT5Config, UMT5EncoderModel

    tokenizer = _t5()
    config = UMT5Config(vocab_size=len(tokenizer), d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4)
    scheduler = diffusers.UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000, flow_shift=3.0
    )
    parts = {"tokenizer": tokenizer, "text_encoder": UMT5EncoderModel(config).eval(), "scheduler": scheduler}
    parts["vae"] = _vae22() if name == "wan22-ti2v" else _vae21()
    if name == "wan-vace":
        transformer = diffusers.WanVACETransformer3DModel(**_sizes(16, 16), vace_layers=[0], vace_in_channels=96)
        return diffusers.WanVACEPipeline(**parts, transformer=transformer)
    return diffusers.WanImageToVideoPipeline(**parts, **_wan_parts(name))


def _wan_parts(name: str) -> dict[str, Any]:
    """What sets the image-to-video models of Wan apart."""
    from diffusers import WanTransformer3DModel
    from transformers import CLIPImageProcessorPil, CLIPVisionConfig, CLIPVisionModel

    if name == "wan22-ti2v":
        return {"transformer": WanTransformer3DModel(**_sizes(48, 48)), "expand_timesteps": True}
    if name == "wan22-a14b":
        both = {part: WanTransformer3DModel(**_sizes(36, 16)) for part in ("transformer", "transformer_2")}
        return {**both, "boundary_ratio": 0.9}
    eyes = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        patch_size=16,
        projection_dim=16,
    )
    more = {"pos_embed_seq_len": 10} if name == "wan21-flf2v" else {}  # Twice one class and four patches.
    return {
        "image_encoder": CLIPVisionModel(eyes).eval(),
        "image_processor": CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
        "transformer": WanTransformer3DModel(**_sizes(36, 16), image_dim=16, added_kv_proj_dim=24, **more),
    }


def _sizes(into: int, out: int) -> Mapping[str, Any]:
    return {
        "patch_size": (1, 2, 2),
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "in_channels": into,
        "out_channels": out,
        "text_dim": 32,
        "freq_dim": 32,
        "ffn_dim": 32,
        "num_layers": 2,
        "cross_attn_norm": True,
        "qk_norm": "rms_norm_across_heads",
        "rope_max_seq_len": 32,
    }


_SMALL = {"base_dim": 4, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1, "temperal_downsample": [False, True, True]}


def _vae21() -> Any:
    from diffusers import AutoencoderKLWan

    return AutoencoderKLWan(**_SMALL, z_dim=16)


def _vae22() -> Any:
    """That of TI2V-5B: 48 channels, residual, patches of two pixels."""
    from diffusers import AutoencoderKLWan

    return AutoencoderKLWan(
        **_SMALL,
        decoder_base_dim=4,
        z_dim=48,
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_spatial=16,
        scale_factor_temporal=4,
        latents_mean=[0.0] * 48,
        latents_std=[1.0] * 48,
    )
