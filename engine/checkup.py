"""What a profile needs of this machine, and what is there of it: packages, backends, models, a GPU, memory."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .backends import accelerator, find, memory_need, model_folder, transformers_folder
from .backends.diffusion_knobs import COMPILER, QUANTIZED, compiler
from .backends.known_models import KNOWN
from .backends.memory_need import Need, gigabytes
from .disk import KEEP_FREE, free
from .errors import BackendError
from .executors.local import cores
from .kinds import KINDS
from .store import Store
from .storyboard import Choice, Profile
from .wanted import Wanted, listening, wanted

PACKAGES = ("av", "espeakng-loader", "jsonschema", "numpy", "opencv-python-headless", "pillow", "pyyaml")
_LISTENERS = "Making a voice (mikebot persona voice)"
FINAL = ("accelerate", "diffusers", "ftfy", "huggingface-hub", "peft", "torch", "transformers")  # The extra `final`.


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `todo` is what to type, in order."""

    part: str
    good: bool
    text: str
    details: Mapping[str, str] = field(default_factory=dict)
    todo: tuple[str, ...] = ()

    def said(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


def checkup(profile: Profile, store: Path) -> Iterator[Finding]:
    """Everything, part by part. What is heavy is imported only for a profile that needs it."""
    models = wanted(profile)
    yield from _machine(store)
    if models:
        yield from _memory(models)
    yield from _packages(PACKAGES, "pip install {}")
    if any(not _apart(one) for one in models):
        yield from _packages(FINAL, "pip install 'mikebot[final]'")
        yield from _packages(_quantizers(models), "pip install {}")
    if any(one.params.get("compile") for one in models) and not compiler():
        yield Finding("Packages", False, "a C compiler, which compile: true needs", todo=(COMPILER,))
    for part in (profile.kinds, profile.given):
        for kind, choice in part.items():
            yield from _backend(kind, choice)
    for one in models:
        yield _model(one, profile.name)
    if models:
        yield _room(models)
    if any(one.file.endswith(".nemo") for one in models):
        yield from map(_listener, listening())


def _machine(folder: Path) -> Iterator[Finding]:
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Finding("Machine", sys.version_info >= (3, 11), python)
    yield Finding("Machine", True, f"{cores()} cores: as many steps at once (render --lanes N for another number)")
    left = free(folder)
    todo = () if left > KEEP_FREE else ("mikebot gc",)
    yield Finding("Machine", left > KEEP_FREE, f"{left / 1e9:.0f} GB free for the store {folder}", todo=todo)
    if folder.exists():
        store = Store(folder)
        size = sum(store.artifacts().values())
        store.close()
        yield Finding("Machine", True, f"{size / 1e9:.2f} GB in the store")


def _memory(models: list[Wanted]) -> Iterator[Finding]:
    """The machine's own memory and its GPUs, beside what the profile's models need at most."""
    needs = [found for one in models if _whole(one) and (found := _need(one)) is not None]
    devices = {str(one.params.get("device", "auto")) for one in models}
    have = accelerator.host()
    if have is not None:
        most = max((found.host for found in needs), default=0)
        text = f"{gigabytes(have[1])} of memory, {gigabytes(have[0])} of it free"
        yield Finding("Machine", have[1] >= most, text + _short(have[1], most), todo=_smaller(have[1], most))
    try:
        torch = import_module("torch")
    except ImportError:
        return  # Said with the packages.
    trouble = accelerator.trouble(torch)
    if trouble is not None and "cuda" in devices:
        text = f"a CUDA device, which the profile asks for: {trouble.message}"
        yield Finding("Machine", False, text, todo=(trouble.hint[0].lower() + trouble.hint[1:].rstrip("."),))
    for gpu in accelerator.gpus(torch) if trouble is None else ():
        most = max((found.device for found in needs), default=0)
        driver = f", driver {gpu.driver}" if gpu.driver else ""
        text = f"{gpu.name}: {gigabytes(gpu.total)} of memory, {gigabytes(gpu.free)} of it free{driver}"
        yield Finding("Machine", gpu.total >= most, text + _short(gpu.total, most), todo=_smaller(gpu.total, most))


def _short(have: int, most: int) -> str:
    return f"; the profile's largest model needs {gigabytes(most)}" if have < most else ""


def _smaller(have: int, most: int) -> tuple[str, ...]:
    return ("take a profile with smaller models (fast, desktop), or a machine with more memory",) if have < most else ()


def _packages(names: tuple[str, ...], install: str) -> Iterator[Finding]:
    """Those that are there in one line, each that is missing in its own."""
    there = []
    for name in names:
        try:
            there.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            yield Finding("Packages", False, f"{name}: {install.format(name)}", todo=(install.format(name),))
    if there:
        yield Finding("Packages", True, ", ".join(there))


def _apart(one: Wanted) -> bool:
    """Whether what wants a model says itself which packages it needs, perhaps of another Python."""
    return hasattr(find(*one.user.split(".")), "python")


def _quantizers(models: list[Wanted]) -> tuple[str, ...]:
    """The packages that the profile's quantizations need."""
    backends = [(one.params.get("quantization") or {}).get("backend", "") for one in models]
    return tuple(dict.fromkeys(QUANTIZED[backend] for backend in backends if backend in QUANTIZED))


def _backend(kind: str, choice: Choice) -> Iterator[Finding]:
    """Whether a backend can be loaded, and what its module says of this machine."""
    name = f"{kind}.{choice.backend}"
    try:
        backend = find(kind, choice.backend)()
    except (ImportError, KeyError) as error:
        yield Finding("Backends", False, f"{name}: {error}")
        return
    for line in getattr(backend, "doctor", list)():
        command = line.rpartition(": ")[2]
        yield Finding("Backends", False, f"{name}: {line}", todo=(command,) if "pip install" in command else ())
    for line in getattr(backend, "advice", list)():
        yield Finding("Backends", True, f"{name}: {line}")
    decided = {field.name for field in fields(KINDS[kind].says)}
    knobs = [field.name for field in fields(backend.Params) if field.name not in decided]
    writes = ", ".join(KINDS[kind].outputs) + (f"; knobs: {', '.join(knobs)}" if knobs else "")
    yield Finding("Backends", True, f"{name} version {choice.version} (writes {writes})")


def _model(one: Wanted, profile: str) -> Finding:
    """A model of the profile: whether it is here, how large, on which terms, and what it needs."""
    title = f"{one.model}{f' {one.file}' if one.file else ''}, for {one.user}"
    try:
        folder = one.folder()
    except BackendError as reason:
        return Finding("Models", False, title, _absent(one, reason), _to_fetch(one, profile))
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    size = (folder / one.file).stat().st_size if one.file else size
    details = {"on disk": f"{gigabytes(size)} in {_homely(folder)}", "licence": licence(one.model, folder)}
    return Finding("Models", True, title, details | _needs(one))


def _listener(one: Wanted) -> Finding:
    """A model that no film needs, and whose figures a voice is told by."""
    does = transformers_folder.LISTENING[one.model]
    try:
        folder = one.folder()
    except BackendError:
        return Finding(_LISTENERS, True, f"{one.model}, which {does}, is not here: mikebot fetch --model {one.model}")
    return Finding(_LISTENERS, True, f"{one.model}, which {does}", {"licence": licence(one.model, folder)})


def _absent(one: Wanted, reason: BackendError) -> dict[str, str]:
    """What is known of a model that is not here."""
    known = KNOWN.get(one.model)
    nowhere = reason.message == f"the model {one.model} is not on this machine"
    told = {} if nowhere else {"problem": reason.message}
    if not one.fetchable():
        return told | {"licence": "see its card"} | _needs(one)
    size = known.size(one.file) if known else 0.0
    about = f"about {f'{size:.0f} GB' if size > 10 else gigabytes(size * 1e9)}" if size else _UNTOLD
    told |= {"to fetch": f"{about}{f', at revision {one.revision[:12]}' if one.revision else ''}"}
    gated = "; its terms are accepted on its page" if known and known.gated else ""
    return told | {"licence": f"{known.licence}{gated}" if known else "see its card"} | _needs(one)


_UNTOLD = "told before anything is fetched"


def _to_fetch(one: Wanted, profile: str) -> tuple[str, ...]:
    if one.own():
        return (f"make the folder of {one.model} whole again, or remove it and fetch the model",)
    if not one.fetchable():
        return (f"put the folder of {one.model} below one that {model_folder.VARIABLE} names",)
    known = KNOWN.get(one.model)
    accept = f"accept the terms of {one.model} on its page, then type hf auth login, or set HF_TOKEN"
    return (*([accept] if known and known.gated and not _token() else []), f"mikebot fetch --profile {profile}")


def _room(models: list[Wanted]) -> Finding:
    """Whether the disk takes what is to come, as far as that is known."""
    cache = model_folder.cache()
    left = free(cache)
    away = {(one.model, one.file) for one in _away(models) if one.model in KNOWN}
    to_come = sum(KNOWN[model].size(file) * 1e9 for model, file in away)
    short = f", and {gigabytes(to_come)} are to come" if to_come > left else ""
    todo = ("free some space, or set HF_HUB_CACHE to a folder of a larger disk",) if short else ()
    text = f"{left / 1e9:.0f} GB free for what is fetched, in {_homely(cache)}{short}"
    return Finding("Models", not short, text, todo=todo)


def _homely(path: Path) -> str:
    """A path as people write it."""
    return f"~/{path.relative_to(Path.home()).as_posix()}" if path.is_relative_to(Path.home()) else str(path)


def _away(models: list[Wanted]) -> Iterator[Wanted]:
    for one in models:
        try:
            one.folder()
        except BackendError:
            yield one


def _token() -> bool:
    """Whether this machine has a token of the hub, where its own library looks for one."""
    place = Path(os.environ.get("HF_TOKEN_PATH") or model_folder.cache().parent / "token")
    return bool(os.environ.get("HF_TOKEN")) or place.is_file()


def _whole(one: Wanted) -> bool:
    """Whether it says what memory is needed: a pipeline does, and of a model's files the one with its weights."""
    known = KNOWN.get(one.model)
    return not one.layout and (not one.file or (known is not None and known.weights(one.file)))


def _need(one: Wanted) -> Need | None:
    try:
        return memory_need.need(one.params, one.folder())
    except BackendError:
        return memory_need.need_of(one.params)


def _needs(one: Wanted) -> dict[str, str]:
    """What memory a model needs, as the profile has it."""
    found = _need(one) if _whole(one) else None
    if found is None:
        return {}
    parts = sorted(found.parts.items(), key=lambda part: -part[1])
    weights = ", ".join(f"{name} {gigabytes(size)}" for name, size in parts)
    if str(one.params.get("device", "auto")) == "cpu":
        return {"memory": f"{gigabytes(found.host)}", "parts": weights}
    return {"memory": f"{_split(one, found)}; what a step works with comes on top", "parts": weights}


def _split(one: Wanted, found: Need) -> str:
    """How a model's weights are shared between a GPU and the machine."""
    whole, at_once = gigabytes(found.host), gigabytes(found.device)
    largest = f"{at_once} of it (the {found.largest}, its largest part) and {whole} of the machine's own"
    return {
        "none": f"{whole} of a GPU",
        "auto": f"{whole} of a GPU; or {largest}",
        "model": f"of a GPU {largest}",
    }.get(one.params.get("offload", "none"), f"{at_once} of a GPU (a few layers) and {whole} of the machine's own")


def licence(model: str, folder: Path) -> str:
    """What a model's card states, or what is known of ours."""
    if model in KNOWN:
        return KNOWN[model].licence
    try:
        lines = (folder / "README.md").read_text("utf-8", "replace").split("\n---", 1)[0].splitlines()
    except OSError:
        return "see its card"
    said = dict(line.split(":", 1) for line in lines if line.startswith(("license:", "license_name:")))
    name = said.get("license_name", said.get("license", "")).strip(" '\"")
    return name or "see its card"
