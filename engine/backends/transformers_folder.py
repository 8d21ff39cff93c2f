"""Models that stand alone: networks of transformers that listen to a voice, and the tokenizers that a voice reads with.

They are brought by `mikebot fetch` like the models of a profile, and looked over before they are read.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import BackendError
from .model_folder import header
from .nemo_archive import named

WHISPER, SPEAKER = "openai/whisper-small", "microsoft/wavlm-base-plus-sv"
# What `mikebot persona voice` listens with, and for what. Their commits are not known here, so none is pinned.
LISTENING = {
    WHISPER: "writes down recordings without a text, and counts the words that are heard wrong",
    SPEAKER: "says how alike a voice is to its person",
}
NETWORK, TOKENIZER = "network", "tokenizer"  # Layouts of a model that is no pipeline of diffusers.
# A network's weights, the best of what there is first. The others are numbers too where torch is told to read no more.
WEIGHTS = (
    re.compile(r"model(-\d+-of-\d+)?\.safetensors(\.index\.json)?"),
    re.compile(r"pytorch_model(-\d+-of-\d+)?\.bin(\.index\.json)?"),
)
_AGAIN = "Fetch it again, whole."


def look_over(name: str, folder: Path, layout: str) -> None:
    """Refuse what is not whole, or brings a program. Raises BackendError; reads no weights."""
    code = next(iter(sorted(folder.rglob("*.py"))), None)
    if code is not None:
        message = f"the model {name} brings a program of its own, {code.name}, which is not run"
        raise BackendError(message, "Delete it.")
    files = {file.name for file in folder.iterdir() if file.is_file()}
    if layout == TOKENIZER:
        if not files & {"tokenizer_config.json", "tokenizer.json"}:
            raise BackendError(f"the model {name} has no tokenizer", _AGAIN)
        return
    weights = [file for file in files if any(sort.fullmatch(file) for sort in WEIGHTS)]
    for lacking, there in (("config.json", "config.json" in files), ("weights", weights)):
        if not there:
            raise BackendError(f"the model {name} is not whole: it has no {lacking}", _AGAIN)
    for file in weights:
        if file.endswith(".safetensors"):
            header(folder / file, f"the model {name}: {file}")


def chosen(model: str, there: list[str], layout: str, texts: tuple[str, ...]) -> list[str]:
    """Of the names that the hub has those to bring, the configuration last; empty where there is none.

    Of a voice of NeMo its archive.
    """
    if named(model) in there:
        return [named(model)]
    top = [name for name in there if "/" not in name]
    sort = next((sort for sort in WEIGHTS if any(map(sort.fullmatch, top))), None) if layout == NETWORK else None
    weights = [name for name in top if sort is not None and sort.fullmatch(name)]
    small = [name for name in top if name.endswith(texts) and not name.endswith((".index.json", "config.json"))]
    configs = [name for name in top if name.endswith("config.json")]
    whole = "config.json" in configs and (weights or layout == TOKENIZER)
    return [*weights, *small, *(name for name in configs if name != "config.json"), "config.json"] if whole else []
