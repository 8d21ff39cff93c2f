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
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import BackendError
from .signatures import installed

VARIABLE = "MIKEBOT_MODELS"
NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*")
REVISION = re.compile(r"[\w-][\w.-]*")
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_LIBRARIES = {"diffusers", "transformers"}
_SMALL, _BLOCK, _BLOCKS = 1_000_000, 65_536, 256  # Of large files, this much is read to tell them from others.
_LONGEST_HEADER = 100_000_000


class Folder(NamedTuple):
    """A model's folder, and which model it is: a commit of the hub, or a digest of what is in the folder."""

    path: Path
    revision: str


def find(name: str, revision: str = "") -> Folder:
    """The folder of a model. Raises BackendError, which says what to type."""
    for place in places():
        if (place / name).is_dir():
            return _local(name, place / name, revision)
    cached = cache() / f"models--{name.replace('/', '--')}"
    there = sorted(entry.name for entry in cached.glob("snapshots/*") if entry.is_dir())
    fetch = f"hf download {name}{f' --revision {revision}' if revision else ''}"
    if not there:
        hint = f"Put its folder below one that {VARIABLE} names, or type: {fetch}"
        raise BackendError(f"the model {name} is not on this machine", hint)
    commit = _commit(cached, revision, there)
    if not commit:
        wanted = f"revision {revision}" if revision else "a revision that is called main"
        raise BackendError(f"the model {name} is here, but not {wanted}; here is {', '.join(there)}", f"Type: {fetch}")
    return Folder(cached / "snapshots" / commit, commit)


def lies(name: str, revision: str = "") -> Path:
    """The folder of a model, found without reading its weights. Raises BackendError."""
    return next((place / name for place in places() if (place / name).is_dir()), None) or find(name, revision).path


def places() -> list[Path]:
    """The folders in which models are looked for."""
    return [Path(part).expanduser() for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]


def cache() -> Path:
    """The hub's cache, where its own programs put what they fetch."""
    if os.environ.get("HF_HUB_CACHE"):
        return Path(os.environ["HF_HUB_CACHE"]).expanduser()
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(home).expanduser() / "hub"


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


def digest(place: Path) -> str:
    """Tells a model from another: all of its small files, and of the large ones size and many stretches."""
    files = [place] if place.is_file() else sorted(file for file in place.rglob("*") if file.is_file())
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
    for component in components(name, folder):
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
    _no_code(name, list(folder.glob("*.py")))


def components(name: str, folder: Path) -> list[str]:
    """The parts that a model's folder says it is made of; each has a folder of its own."""
    try:
        said = json.loads((folder / "model_index.json").read_bytes())
        parts = {key: value for key, value in said.items() if isinstance(value, list) and len(value) == 2 and value[0]}
    except (OSError, ValueError, AttributeError):
        message = f"the model {name} has no model_index.json that can be read: {folder} holds no model of diffusers"
        raise BackendError(message, "Fetch the whole model, in the layout of diffusers.") from None
    for part, (library, cls) in parts.items():
        if library not in _LIBRARIES and not _ours(library):
            message = f"the model {name} wants {cls} of {library} for its {part}"
            raise BackendError(message, "Only classes of diffusers and transformers are loaded.")
        if not (folder / part).is_dir():
            raise BackendError(f"the model {name} is not whole: {part}/ is missing", "Fetch the whole model again.")
    return list(parts)


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
        raise BackendError(message, "Fetch it again: what is there is kept.")


def header(file: Path, what: str) -> Mapping[str, Any]:
    """What a safetensors file says of its tensors. Raises BackendError where it is cut off or is something else."""
    damaged = "Fetch or copy the file again."
    with file.open("rb") as data:
        size = file.stat().st_size
        (length,) = struct.unpack("<Q", data.read(8).ljust(8, b"\xff"))
        if length > min(size - 8, _LONGEST_HEADER):
            raise BackendError(f"{what} is no safetensors file, or is cut off", damaged)
        try:
            said: dict[str, Any] = json.loads(data.read(length))
            end = max((part["data_offsets"][1] for name, part in said.items() if name != "__metadata__"), default=0)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BackendError(f"{what} is damaged: its head cannot be read", damaged) from None
    if size != 8 + length + end:
        raise BackendError(f"{what} is cut off: it has {size:,} of {8 + length + end:,} bytes", damaged)
    return said
