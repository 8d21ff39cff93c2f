"""Language models of a few thousand weights, made of the real classes and written as real folders: nothing is fetched.

Their weights are random, so that what they write is worth nothing, and whatever holds it to a form does so alone.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

WORDS = """
    firewall packet rule door guard letter desk brass street lamp every second reads asks lets through nobody knows
    where from the a it is and then under over slow push in pan right left tilt up warm light studio boat bridge
    garden kettle tower violin harbour server client computer screen question answer because without between
"""
CHAT = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ("<unk>", "<s>", "</s>", "<pad>", "<|im_start|>", "<|im_end|>")


def corpus() -> list[str]:
    """Sentences of made-up sense, and JSON as a storyboard has it."""
    chance = random.Random(0)
    lines = [" ".join(chance.choices(WORDS.split(), k=12)).capitalize() + "." for _ in range(400)]
    scene = '{"id":"door","on_screen":true,"narration":"%s","image_prompt":"%s","video_prompt":"%s"},'
    lines += [scene % tuple(chance.choices(lines, k=3)) for _ in range(200)]
    lines += ['{"language":"en","title":"A","style":"","scenes":[{"id":"', '}],"theme":"paper"}'] * 50
    return [*lines, *["Grüße, çà et là — 漢字 😀 привет"] * 4]


@cache
def _bytes_text(size: int) -> str:
    """A byte-level vocabulary, as GPT-2, Llama 3 and Qwen have it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=24,
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    return str(tokenizer.to_str())


def tokenizer(size: int = 1000, *, template: str | None = CHAT, ends: bool = True) -> Any:
    """A tokenizer of transformers; one that does not end texts has neither a first nor a last token."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    marks = {"bos_token": "<s>", "eos_token": "<|im_end|>", "pad_token": "<pad>"} if ends else {}
    made = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(_bytes_text(size)), **marks)
    made.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    made.chat_template = template
    return made


def spaces_tokenizer(size: int = 600) -> Any:
    """One that writes spaces as SentencePiece does, and falls back to bytes: Llama 2, Mistral, Gemma."""
    from tokenizers import Tokenizer, decoders, models, normalizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    made = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    made.decoder = decoders.Sequence(steps)
    alphabet = [chr(code) for code in range(33, 127)]
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=alphabet, max_token_length=16, show_progress=False
    )
    made.train_from_iterator([f"▁{line.replace(' ', '▁')}" for line in corpus()], trainer)
    text = json.loads(made.to_str())
    for token in text["added_tokens"]:  # Bytes are plain tokens of the vocabulary, not marks.
        token["special"] = not token["content"].startswith("<0x")
    text["added_tokens"] = [token for token in text["added_tokens"] if token["special"]]
    again = Tokenizer.from_str(json.dumps(text))
    return PreTrainedTokenizerFast(tokenizer_object=again, unk_token="<unk>", bos_token="<s>", eos_token="</s>")


def model(kind: str, words: Any, *, window: int = 16_384, spare: int = 0, seed: int = 0) -> Any:
    """A model with random weights; `spare` places in its vocabulary that the tokenizer does not use."""
    import torch
    import transformers

    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    own: dict[str, dict[str, Any]] = {
        "Llama": {**small, "num_key_value_heads": 1, "max_position_embeddings": window},
        "Qwen2": {**small, "num_key_value_heads": 1, "max_position_embeddings": window},
        "GPT2": {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": window},
    }
    marks = {"bos_token_id": words.bos_token_id, "eos_token_id": words.eos_token_id}
    config = getattr(transformers, f"{kind}Config")(vocab_size=len(words) + spare, **own[kind], **marks)
    torch.manual_seed(seed)
    name = {"GPT2": "GPT2LMHeadModel"}.get(kind, f"{kind}ForCausalLM")
    return getattr(transformers, name)(config).eval()


def folder(
    place: Path,
    kind: str = "Llama",
    words: Any = None,
    *,
    window: int = 16_384,
    spare: int = 0,
    ends: Sequence[int] = (),
    seed: int = 0,
) -> Path:
    """A model's folder, as one is fetched; `ends` are the tokens that end a text, if they are several."""
    words = tokenizer() if words is None else words
    made = model(kind, words, window=window, spare=spare, seed=seed)
    if ends:
        made.generation_config.eos_token_id = list(ends)
    made.save_pretrained(place)
    words.save_pretrained(place)
    return place


def cached(cache: Path, name: str, commit: str, **how: Any) -> Path:
    """A model in a cache that is laid out as the hub's library does; `main` means this commit."""
    own = cache / f"models--{name.replace('/', '--')}"
    (own / "refs").mkdir(parents=True, exist_ok=True)
    (own / "refs" / "main").write_text(commit, "utf-8")
    return folder(own / "snapshots" / commit, **how)
