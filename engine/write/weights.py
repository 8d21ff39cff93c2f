"""Where a language model lies on this machine, and its way into memory. Nothing is fetched, and nothing in it is run.

A model is a folder with config.json, a tokenizer and *.safetensors, or an id of Hugging Face's hub whose files are
already in this machine's cache. Weights that are pickled, and models that bring code of their own, are refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from .model import WriterError

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_REVISION = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)*")
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tiktoken.model")
_DECIDING = ("*.json", "*.jinja", "*.model", "*.txt", "*.safetensors")  # What its answers depend on.
_BLOCK, _BLOCKS = 65_536, 256  # Of weights, this much is read to tell them from others.
MEMORY = "use a smaller model, or a quantized one"


class Weights(NamedTuple):
    """A folder with a model, what people call it, and which one it is."""

    folder: Path
    name: str
    revision: str


def find(name: str, revision: str = "") -> Weights:
    """The folder of a model, by its path or by its id. Raises WriterError."""
    path = Path(name).expanduser()
    if path.is_dir():
        if revision:
            raise WriterError(f"{name} is a folder, and has no revision {revision!r}", "name the folder alone")
        return _whole(_folder(path))
    if not _ID.fullmatch(name):
        hint = "name a folder that holds a model, or an id such as Qwen/Qwen2.5-1.5B-Instruct"
        raise WriterError(f"there is no folder {name}", hint)
    return _whole(_cached(name, revision))


def _folder(path: Path) -> Weights:
    """A folder; one within the hub's cache keeps its model's name and commit."""
    real = path.resolve()
    if real.parent.name == "snapshots" and real.parents[1].name.startswith("models--"):
        return Weights(path, real.parents[1].name.split("--")[-1], real.name)
    return Weights(path, real.name, "")


def _cached(name: str, revision: str) -> Weights:
    """The folder of an id's revision in the hub's cache."""
    from huggingface_hub import constants

    cache = Path(constants.HF_HUB_CACHE)
    own = cache / f"models--{name.replace('/', '--')}"
    there = sorted(entry.name for entry in own.glob("snapshots/*") if entry.is_dir())
    fetch = f"fetch it once: hf download {name}{f' --revision {revision}' if revision else ''}"
    if not there:
        raise WriterError(f"{name} is neither a folder nor in this machine's cache ({cache})", fetch)
    commit = _commit(own, revision, there)
    if not commit:
        wanted = f"revision {revision!r}" if revision else "a revision that is called main"
        raise WriterError(f"{name} is in this machine's cache, but not {wanted}; it has {', '.join(there)}", fetch)
    return Weights(own / "snapshots" / commit, name.split("/")[1], commit)


def _commit(own: Path, revision: str, there: list[str]) -> str:
    """The commit that a revision means: a whole one, the beginning of one, or a branch or tag."""
    begun = [commit for commit in there if len(revision) >= 7 and commit.startswith(revision)]
    if revision in there or len(begun) == 1:
        return revision if revision in there else begun[0]
    named = own / "refs" / (revision or "main")
    if _REVISION.fullmatch(revision or "main") and named.is_file():
        commit = named.read_text("utf-8").strip()
        return commit if commit in there else ""
    return there[0] if not revision and len(there) == 1 else ""


def _whole(found: Weights) -> Weights:
    """A model whose files are all there, with a digest where nobody says its revision."""
    folder, name = found.folder, found.name
    if not (folder / "config.json").is_file():
        raise WriterError(f"{folder} holds no model: there is no config.json", "name the folder that has it")
    if not any(folder.glob("*.safetensors")):
        pickled = sorted(file.name for file in folder.iterdir() if file.suffix in {".bin", ".pt", ".pth"})
        if pickled:
            message = f"{name} has its weights in {pickled[0]}: such files can run any program, and are not read"
            raise WriterError(message, "get it as *.safetensors, or convert it on a machine that may be lost")
        raise WriterError(f"{name} has no weights: there is no *.safetensors in {folder}", "fetch the whole model")
    if not any((folder / file).is_file() for file in _TOKENIZERS):
        message = f"{name} has no tokenizer: there is no tokenizer.json in {folder}"
        raise WriterError(message, "copy the one that it was trained with beside its weights")
    return found if found.revision else found._replace(revision=digest(folder))


def digest(folder: Path) -> str:
    """Tells a model from another: all of its small files, and of the large ones size and many stretches."""
    files = {file for pattern in _DECIDING for file in folder.glob(pattern) if file.is_file()}
    found = hashlib.sha256()
    for file in sorted(files):
        size = file.stat().st_size
        found.update(f"{file.name}\0{size}\0".encode())
        for piece in _stretches(file, size):
            found.update(piece)
    return found.hexdigest()[:16]


def _stretches(file: Path, size: int) -> Iterator[bytes]:
    step = max(_BLOCK, size // _BLOCKS)
    with file.open("rb") as data:
        for start in range(0, size, step):
            data.seek(start)
            yield data.read(_BLOCK)


def loaded(found: Weights, device: str, dtype: str, quantized: bool) -> tuple[Any, Any]:
    """The model and its tokenizer, in memory. Raises WriterError."""
    transformers = library("transformers")
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()  # What matters of it is said here, once.
    fixed: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    options = {"dtype": dtype, "use_safetensors": True, "device_map": device, "output_loading_info": True}
    if quantized:
        options["quantization_config"] = _quantization(device)
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(found.folder, **fixed)
        model, info = transformers.AutoModelForCausalLM.from_pretrained(found.folder, **fixed, **options)
    except Exception as problem:  # Files of strangers break in every way; each library has its own errors.
        if is_memory(problem):
            raise WriterError(f"{found.name} does not fit into the memory of {device}", MEMORY) from None
        raise WriterError(f"{found.name} cannot be loaded: {brief(problem)}", "is it whole? Fetch it anew") from None
    if missing := info["missing_keys"]:
        message = f"{found.name} lacks {len(missing)} of its weights, such as {min(missing)}"
        raise WriterError(message, "fetch it anew")
    return model.eval(), tokenizer


def placed(device: str, dtype: str) -> tuple[str, str]:
    """The device and the type of numbers that "auto" means here."""
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if dtype == "auto" and device == "cpu":
        dtype = "float32"  # Half precision is slower there, where it is there at all.
    return device, dtype


def installed() -> None:
    """Raises WriterError where a library is missing that local models need."""
    for name in ("torch", "transformers", "accelerate", "llguidance"):
        if find_spec(name) is None:
            message = f"a local model needs {name}, which is not installed"
            raise WriterError(message, 'pip install "mikebot[write]"')


def library(name: str) -> Any:
    """A large library, once it is needed; its types are loose enough that none are asked of it."""
    return import_module(name)


def is_memory(problem: BaseException) -> bool:
    """Whether an error means that memory ran out: each device says so in its own way."""
    said = str(problem).lower()
    known = ("out of memory", "not enough memory", "can't allocate memory")
    return isinstance(problem, MemoryError) or any(text in said for text in known)


def brief(problem: BaseException) -> str:
    """The first line of what a library says, or what sort of error it is."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(problem).__name__


def _quantization(device: str) -> Any:
    """Weights of four or eight bits, by whichever library is there."""
    if device.startswith("cuda") and find_spec("bitsandbytes"):
        kind = {"bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": "bfloat16"}
        return library("transformers").BitsAndBytesConfig(load_in_4bit=True, **kind)
    if find_spec("torchao"):
        return library("transformers").TorchAoConfig(library("torchao.quantization").Int8WeightOnlyConfig())
    best = "bitsandbytes" if device.startswith("cuda") else "torchao"
    raise WriterError(f"a quantized model on {device} needs {best}, which is not installed", f"pip install {best}")
