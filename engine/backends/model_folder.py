"""Where a model of diffusers lies on this machine: looked up, never fetched, and looked over before it is read.

A model is a folder below one of those that MIKEBOT_MODELS names, or an id of Hugging Face's hub whose files are in
this machine's cache. Its name holds no path of this machine, because it is part of keys.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import BackendError
from .signatures import installed

VARIABLE = "MIKEBOT_MODELS"
FETCH = "mikebot fetch --profile NAME"  # Whoever looks for a model knows no profile: engine.wanted fills it in.
NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
REVISION = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)*")
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tiktoken.model")
# Bytes of each type of number that a safetensors file may hold.
BYTES = {"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2}
BYTES |= {"I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8, "C64": 8}
_LIBRARIES = {"diffusers", "transformers"}
_WEIGHTLESS = ("Scheduler", "Tokenizer", "Processor", "Extractor")  # Parts of a pipeline that are no networks.
_AGAIN = "Fetch it again: what is there is kept."
_SMALL, _BLOCK, _BLOCKS = 1_000_000, 65_536, 256  # Of large files, this much is read to tell them from others.
_LONGEST_HEADER = 100_000_000


class Folder(NamedTuple):
    """A model's folder, and which model it is: a commit of the hub, or a digest of what is in the folder."""

    path: Path
    revision: str


class Held(NamedTuple):
    """What the hub's cache holds of a model: its own folder, the commits that lie there, and the one that is meant."""

    own: Path
    there: list[str]
    commit: str  # Empty where none of them is meant.

    @property
    def path(self) -> Path:
        """The folder of the commit that is meant."""
        return self.own / "snapshots" / self.commit


def find(name: str, revision: str = "") -> Folder:
    """The folder of a model. Raises BackendError, which says what to type."""
    for place in places():
        if (place / name).is_dir():
            return _local(name, place / name, revision)
    held = hold(name, revision)
    if not held.there:
        hint = f"Put its folder below one that {VARIABLE} names, or fetch it: {FETCH}."
        raise BackendError(f"the model {name} is not on this machine", hint)
    if not held.commit:
        wanted = f"revision {revision}" if revision else "a revision that is called main"
        message = f"the model {name} is here, but not {wanted}; here is {', '.join(held.there)}"
        raise BackendError(message, f"Fetch it: {FETCH}.")
    return Folder(held.path, held.commit)


def lies(name: str, revision: str = "") -> Path:
    """The folder of a model, found without reading its weights. Raises BackendError."""
    return next((place / name for place in places() if (place / name).is_dir()), None) or find(name, revision).path


def places() -> list[Path]:
    """The folders in which models are looked for."""
    return [Path(part).expanduser() for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]


def cache() -> Path:
    """The hub's cache, where its own programs put what they fetch."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(variable):
            return Path(os.path.expandvars(os.environ[variable])).expanduser()
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(home).expanduser() / "hub"


def hold(name: str, revision: str) -> Held:
    """What the hub's cache holds of a model, and which commit a revision of it means."""
    own = cache() / f"models--{name.replace('/', '--')}"
    there = sorted(entry.name for entry in own.glob("snapshots/*") if entry.is_dir())
    return Held(own, there, _commit(own, revision, there))


def _local(name: str, folder: Path, revision: str) -> Folder:
    has = digest(folder)
    if revision and revision != has:
        message = f"the model {name} in {folder} is another than the revision {revision} that was planned: it is {has}"
        raise BackendError(message, "Render again, or bring back the folder as it was.")
    return Folder(folder, has)


def _commit(cached: Path, revision: str, there: list[str]) -> str:
    """The commit that a revision means: a whole one, the beginning of one, or a branch or tag."""
    begun = [commit for commit in there if len(revision) >= 7 and commit.startswith(revision)]
    if revision in there or len(begun) == 1:
        return revision if revision in there else begun[0]
    named = cached / "refs" / (revision or "main")
    if REVISION.fullmatch(revision or "main") and named.is_file():
        commit = named.read_text("utf-8").strip()
        return commit if commit in there else ""
    return there[0] if not revision and len(there) == 1 else ""


def digest(place: Path, files: Iterable[Path] = ()) -> str:
    """Tells a model from another: all of its small files, and of the large ones size and many stretches.

    `files` are those in its folder that count; by default all of them do.
    """
    files = sorted(files) or sorted(file for file in place.rglob("*") if file.is_file())
    found = hashlib.sha256()
    for file in files:
        size = file.stat().st_size
        found.update(f"{file.relative_to(place).as_posix()}\0{size}\0".encode())
        for piece in _stretches(file, size):
            found.update(piece)
    return found.hexdigest()[:16]


def _stretches(file: Path, size: int) -> Iterator[bytes]:
    step = _BLOCK if size <= _SMALL else max(_BLOCK, size // _BLOCKS)
    with file.open("rb") as data:
        for start in range(0, size, step):
            data.seek(start)
            yield data.read(_BLOCK)


def look_over(name: str, folder: Path) -> None:
    """Refuse what cannot be loaded or must not be: raises BackendError. Reads no weights, only what is said of them."""
    for component, cls in components(name, folder).items():
        files = sorted(file for file in (folder / component).iterdir() if file.is_file())
        _no_code(name, files)
        for index in (file for file in files if file.name.endswith(".safetensors.index.json")):
            _whole(name, component, index)
        tensors = [file for file in files if file.suffix == ".safetensors"]
        pickled = [file for file in files if file.suffix in PICKLED]
        if pickled and not tensors:
            message = f"the model {name} has its weights in {component}/{pickled[0].name}"
            raise BackendError(f"{message}: such a file can run any program, and is not read", "Get *.safetensors.")
        for file in tensors:
            header(file, f"the model {name}: {component}/{file.name}")
        if lacking := _lacking(cls, {file.name for file in files}, bool(tensors)):
            raise BackendError(f"the model {name} is not whole: {component}/ has no {lacking}", _AGAIN)
    _no_code(name, list(folder.glob("*.py")))


def components(name: str, folder: Path) -> dict[str, str]:
    """The parts that a model's folder says it is made of, each with its class; each has a folder of its own."""
    try:
        parts = parts_of((folder / "model_index.json").read_bytes())
    except (OSError, ValueError, AttributeError):
        message = f"the model {name} has no model_index.json that can be read: {folder} holds no model of diffusers"
        raise BackendError(message, "Fetch the whole model, in the layout of diffusers.") from None
    for part, (library, cls) in parts.items():
        if library not in _LIBRARIES and not _ours(library):
            message = f"the model {name} wants {cls} of {library} for its {part}"
            raise BackendError(message, "Only classes of diffusers and transformers are loaded.")
        if not (folder / part).is_dir():
            raise BackendError(f"the model {name} is not whole: {part}/ is missing", _AGAIN)
    return {part: cls for part, (_, cls) in parts.items()}


def parts_of(index: bytes) -> dict[str, tuple[str, str]]:
    """The library and the class of each part in the text of a model_index.json. Raises ValueError, AttributeError."""
    said = json.loads(index).items()
    return {key: (str(v[0]), str(v[1])) for key, v in said if isinstance(v, list) and len(v) == 2 and v[0]}


def class_of(index: bytes) -> str:
    """The pipeline that the text of a model_index.json says it is for. Raises ValueError, AttributeError."""
    return str(json.loads(index).get("_class_name", ""))


def _lacking(cls: str, files: set[str], weights: bool) -> str:
    """What a part of a class needs and does not have: an interrupted copy leaves half a folder."""
    if "Tokenizer" in cls:
        return "" if files.intersection(TOKENIZERS) else "vocabulary"
    if any(word in cls for word in _WEIGHTLESS):
        return "" if any(file.endswith(".json") for file in files) else "configuration"
    if "config.json" not in files:
        return "config.json"
    return "" if weights else "weights"


def _ours(library: str) -> bool:
    """Whether a part's class lies beside a pipeline in diffusers itself."""
    root = installed()
    return root is not None and library.isidentifier() and (root / "pipelines" / library).is_dir()


def _no_code(name: str, files: list[Path]) -> None:
    code = [file.name for file in files if file.suffix == ".py"]
    if code:
        message = f"the model {name} brings a program of its own, {code[0]}, which is not run"
        raise BackendError(message, "Delete that file if the model works without it.")


def _whole(name: str, component: str, index: Path) -> None:
    wanted = set(json.loads(index.read_bytes()).get("weight_map", {}).values())
    missing = sorted(file for file in wanted if not (index.parent / file).is_file())
    if missing:
        message = f"the model {name} is not whole: it lacks {len(missing)} files, such as {component}/{missing[0]}"
        raise BackendError(message, _AGAIN)


def header(file: Path, what: str) -> dict[str, Any]:
    """What a safetensors file says of its tensors. Raises BackendError where it is cut off or is something else."""
    damaged = "Fetch or copy the file again."
    with file.open("rb") as data:
        size = file.stat().st_size
        (length,) = struct.unpack("<Q", data.read(8).ljust(8, b"\xff"))
        if length > min(size - 8, _LONGEST_HEADER):
            raise BackendError(f"{what} is no safetensors file, or is cut off", damaged)
        try:
            said: dict[str, Any] = json.loads(data.read(length))
            said.pop("__metadata__", None)
            end = max((_end(part) for part in said.values()), default=0)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BackendError(f"{what} is damaged: its head cannot be read", damaged) from None
    if size != 8 + length + end:
        raise BackendError(f"{what} is cut off: it has {size:,} of {8 + length + end:,} bytes", damaged)
    return said


def _end(part: Mapping[str, Any]) -> int:
    """Where a tensor ends. Raises ValueError where its shape and its place do not agree."""
    begin, end = part["data_offsets"]
    each = BYTES.get(part["dtype"])
    if begin < 0 or end < begin or (each is not None and end - begin != prod(part["shape"]) * each):
        raise ValueError
    return int(end)
