"""A Whisper and a model that tells speakers apart, of a few thousand weights, made of transformers' real classes.

Their weights are random, so what they hear is noise; they show that figures are what the models say, and no more.
"""

from __future__ import annotations

import os
from pathlib import Path

WHISPER, SPEAKER = "tiny/whisper", "tiny/speaker"
_SPECIAL = ("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|translate|>")
_SPECIAL += ("<|startofprev|>", "<|nospeech|>", "<|notimestamps|>")
_LETTERS = " abcdefghijklmnopqrstuvwxyz"


def build(folder: Path) -> None:
    """Write both below a folder for MIKEBOT_MODELS."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch

    torch.manual_seed(3)
    _whisper(folder / WHISPER)
    _speaker(folder / SPEAKER)


def _whisper(folder: Path) -> None:
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    letters = {letter.replace(" ", "Ġ"): number for number, letter in enumerate(_LETTERS)}
    tokenizer = WhisperTokenizer(vocab={**letters, "<|endoftext|>": len(letters)}, merges=[])
    tokenizer.add_special_tokens({"additional_special_tokens": list(_SPECIAL[1:])})
    end, start = (tokenizer.convert_tokens_to_ids(name) for name in _SPECIAL[:2])
    shape = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    size = {"d_model": 16, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "vocab_size": len(tokenizer)}
    tokens = {"pad_token_id": end, "bos_token_id": end, "eos_token_id": end, "decoder_start_token_id": start}
    config = WhisperConfig(**shape, **size, **tokens, suppress_tokens=None, begin_suppress_tokens=None)
    model = WhisperForConditionalGeneration(config)
    model.generation_config.max_length = 24
    model.generation_config.suppress_tokens = [tokenizer.convert_tokens_to_ids(name) for name in _SPECIAL]
    model.save_pretrained(folder)
    WhisperProcessor(WhisperFeatureExtractor(feature_size=80), tokenizer).save_pretrained(folder)


def _speaker(folder: Path) -> None:
    from transformers import Wav2Vec2FeatureExtractor, WavLMConfig, WavLMForXVector

    shape = {"num_hidden_layers": 1, "num_attention_heads": 2, "hidden_size": 16, "intermediate_size": 16}
    sound = {"conv_dim": (8, 8, 8), "conv_stride": (5, 4, 4), "conv_kernel": (10, 8, 8), "num_buckets": 8}
    sound |= {"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2, "max_bucket_distance": 16}
    prints = {"tdnn_dim": (16, 16, 24), "tdnn_kernel": (5, 3, 1), "tdnn_dilation": (1, 2, 1), "xvector_output_dim": 12}
    WavLMForXVector(WavLMConfig(**shape, **sound, **prints, vocab_size=8)).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
