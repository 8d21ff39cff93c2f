"""A codec and a Magpie of a few hundred thousand weights, made of NeMo's real classes, whole and offline.

Their weights are random: what they say is noise, but every step of the way is the real one.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple

RATE, FRAME = 22050, 1024  # Samples a second, and in a frame of codes.
WORDS = {
    "HELLO": "həˈɫoʊ",
    "WORLD": "ˈwɝɫd",
    "THIS": "ˈðɪs",
    "IS": "ˈɪz",
    "A": "ə",
    "TEST": "ˈtɛst",
    "DOOR": "ˈdɔɹ",
    "RED": "ˈɹɛd",
    "THAT": "ˈðæt",
    "ONE": "ˈwʌn",
    "BLUE": "ˈbɫu",
    "TWO": "ˈtu",
    "THREE": "ˈθɹi",
}
_CODEC = "nemo.collections.tts.modules.audio_codec_modules."
_LOSS = "nemo.collections.tts.losses.audio_codec_loss."
_G2P = "nemo.collections.tts.g2p.models.i18n_ipa.IpaG2p"
_IPA = "nemo.collections.common.tokenizers.text_to_speech.tts_tokenizers.IPATokenizer"


class Voice(NamedTuple):
    """The archives of a voice that clones, and of its codec; `baked` speaks with a speaker of its own."""

    codec: Path
    magpie: Path
    baked: Path


def build(folder: Path, baked: bool = False) -> Voice:
    """Write codec.nemo, magpie.nemo and, if asked for, baked.nemo below a folder, each in one of its own.

    The folder is made for MIKEBOT_MODELS: the models are called codec, magpie and baked there.
    """
    _quiet()
    found = Voice(*(folder / name / f"{name}.nemo" for name in Voice._fields))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from nemo.collections.tts.models import AudioCodecModel, MagpieTTSModel
        from omegaconf import OmegaConf

        torch.manual_seed(0)
        AudioCodecModel(cfg=OmegaConf.create(codec_config())).eval().save_to(str(found.codec))
        said = config(found.codec, dictionary(folder))
        torch.manual_seed(1)
        model = MagpieTTSModel(cfg=OmegaConf.create(said)).eval()
        model.save_to(str(found.magpie))
        if baked:
            bake(model, torch).save_to(str(found.baked))
    return found


def dictionary(folder: Path) -> dict[str, str]:
    """A dictionary of a few words, and of one that has two sounds."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ipa.txt").write_text("".join(f"{word}  {phones}\n" for word, phones in WORDS.items()), encoding="utf-8")
    (folder / "heteronyms").write_text("read\n")
    return {"phoneme_dict": str(folder / "ipa.txt"), "heteronyms": str(folder / "heteronyms")}


def codec_config(rate: int = RATE) -> dict[str, Any]:
    """The configuration of a codec."""
    part = {"base_channels": 4, "activation": "lrelu"}
    return {
        "sample_rate": rate,
        "samples_per_frame": FRAME,
        "mel_loss_l1_scale": 1.0,
        "mel_loss_l2_scale": 0.0,
        "stft_loss_scale": 20.0,
        "time_domain_loss_scale": 0.0,
        "commit_loss_scale": 0.0,
        "loss_resolutions": [[512, 128, 512]],
        "mel_loss_dims": [20],
        "feature_loss_type": "absolute",
        "audio_encoder": part
        | {"_target_": f"{_CODEC}HiFiGANEncoder", "down_sample_rates": [2, 2, 4, 8, 8], "encoded_dim": 32}
        | {"resblock_dilation_sizes": [1]},
        "audio_decoder": part
        | {"_target_": f"{_CODEC}HiFiGANDecoder", "up_sample_rates": [8, 8, 4, 2, 2], "input_dim": 32}
        | {"base_channels": 64, "resblock_dilation_sizes": [1], "output_activation": "tanh"},
        "vector_quantizer": {
            "_target_": f"{_CODEC}GroupFiniteScalarQuantizer",
            "num_groups": 8,
            "num_levels_per_group": [4, 4, 4, 2],
        },
        "generator_loss": {"_target_": f"{_LOSS}GeneratorSquaredLoss"},
        "discriminator_loss": {"_target_": f"{_LOSS}DiscriminatorSquaredLoss"},
    }


def config(codec: Path, words: dict[str, str], **changes: Any) -> dict[str, Any]:
    """The configuration of a Magpie that clones a voice from a second of it."""
    shape = {"d_model": 32, "d_ffn": 64, "p_dropout": 0.1, "p_dropout_out": 0.0, "apply_norm_out": True}
    shape |= {"max_length_causal_mask": 512, "use_learnable_pos_emb": True, "is_causal": True, "sa_n_heads": 2}
    g2p = {"_target_": _G2P, **words, "phoneme_probability": 0.8, "ignore_ambiguous_words": False}
    english = {"_target_": _IPA, "punct": True, "apostrophe": True, "pad_with_space": False}
    return {
        "model_type": "decoder_ce",
        "use_text_conditioning_encoder": False,
        "context_duration_min": 1.0,
        "context_duration_max": 1.0,
        "load_cached_codes_if_available": False,
        "prior_scaling_factor": 0.5,
        "prior_end_step": 12000,
        "prior_scaledown_start_step": 8000,
        "indefinite_prior_prob": 0.0,
        "alignment_loss_scale": 0.002,
        "embedding_dim": 32,
        "codecmodel_path": str(codec),
        "cfg_unconditional_prob": 0.1,
        "local_transformer_type": "autoregressive",
        "local_transformer_loss_scale": 1.0,
        "local_transformer_n_layers": 1,
        "local_transformer_n_heads": 1,
        "local_transformer_hidden_dim": 16,
        "text_tokenizers": {"english_phoneme": {**english, "g2p": {**g2p, "use_chars": True, "use_stresses": True}}},
        "encoder": {**shape, "n_layers": 2, "kernel_size": 3, "has_xattn": False},
        "context_encoder": {**shape, "n_layers": 1, "kernel_size": 3, "has_xattn": False, "is_causal": False},
        "decoder": shape
        | {"n_layers": 2, "kernel_size": 1, "has_xattn": True, "xa_d_memory": 32, "xa_n_heads": 1}
        | {"apply_norm_to_cond": True},
        "inference_parameters": {
            "max_decoder_steps": 40,
            "temperature": 0.7,
            "topk": 80,
            "cfg_scale": 2.5,
            "apply_attention_prior": True,
            "estimate_alignment_from_layers": [0, 1],
            "apply_prior_to_layers": [0, 1],
        },
        "optim": {"_target_": "torch.optim.AdamW", "lr": 1e-4, "sched": {"name": "ExponentialLR", "gamma": 0.998}},
    } | changes


def bake(model: Any, torch: Any, speakers: int = 2, frames: int = 20) -> Any:
    """Give a model speakers of its own, in place of what it hears of a recording."""
    size = model.cfg.embedding_dim
    speaker = torch.nn.Embedding(speakers, frames * size)
    speaker.weight.requires_grad_(False)
    model.baked_context_embedding = speaker
    model._baked_embedding_T, model._baked_embedding_D = torch.tensor(frames), torch.tensor(size)
    model.baked_context_embedding_len = torch.tensor([frames] * speakers)
    return model


def _quiet() -> None:
    os.environ |= {"HF_HUB_OFFLINE": "1", "WANDB_MODE": "disabled", "NEMO_TESTING": "1"}
