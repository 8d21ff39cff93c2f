"""Where a language model lies on this machine, and its way into memory. Nothing is fetched, and nothing in it is run.

A model is a folder with config.json, a tokenizer and *.safetensors, or an id of Hugging Face's hub whose files are
already in this machine's cache. Weights that are pickled, and models that bring code of their own, are refused.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from ..backends.model_folder import HUB_ID, TOKENIZERS, cache, digest, hold
from .model import WriterError

_DECIDING = ("*.json", "*.jinja", "*.model", "*.txt", "*.safetensors")  # What its answers depend on.
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
    if not HUB_ID.fullmatch(name):
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
    held = hold(name, revision)
    fetch = f"fetch it once: hf download {name}{f' --revision {revision}' if revision else ''}"
    if not held.there:
        raise WriterError(f"{name} is neither a folder nor in this machine's cache ({cache()})", fetch)
    if not held.commit:
        wanted = f"revision {revision!r}" if revision else "a revision that is called main"
        raise WriterError(f"{name} is in this machine's cache, but not {wanted}; it has {', '.join(held.there)}", fetch)
    return Weights(held.path, name.split("/")[1], held.commit)


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
    if not any((folder / file).is_file() for file in TOKENIZERS):
        message = f"{name} has no tokenizer: there is no tokenizer.json in {folder}"
        raise WriterError(message, "copy the one that it was trained with beside its weights")
    return found if found.revision else found._replace(revision=digest(folder, _deciding(folder)))


def _deciding(folder: Path) -> set[Path]:
    return {file for pattern in _DECIDING for file in folder.glob(pattern) if file.is_file()}


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
