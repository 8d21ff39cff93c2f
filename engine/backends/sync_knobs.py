"""The knobs of the mouth model, and what is wrong with those of a profile: told without importing it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import BackendError
from ..kinds import Talk
from . import model_folder
from .diffusion_knobs import COMPILER, DEVICES, DTYPES, Misfit, compiler
from .faces_finder import HAAR, named
from .signatures import meant

RESOLUTION: Mapping[str, int] = {"ByteDance/LatentSync-1.5": 256, "ByteDance/LatentSync-1.6": 512}
VAE_FILES = ("config.json", "diffusion_pytorch_model.safetensors")
_WHICH = ("", "largest", "left", "right")
_RANGES: Mapping[str, tuple[float, float]] = {
    "steps": (1, 1000),
    "guidance": (1, 10),
    "overlap": (0, 15),
    "hearing": (0, 29),
    "batch": (1, 64),
    "smooth": (0, 2),
    "silence": (0, 60),
    "least": (0, 1),
}
_RESIDENT = ("model", "revision", "file", "vae", "vae_revision", "whisper", "resolution", "dtype", "device", "compile")


@dataclass(frozen=True)
class LatentSyncParams(Talk):
    """Which weights, how they are asked, and what is done otherwise than upstream; `parity` does nothing otherwise."""

    model: str = ""  # A folder below one of MIKEBOT_MODELS, or an id of the hub.
    revision: str = ""  # A commit; of a folder, the engine fills in a digest.
    file: str = "latentsync_unet.pt"  # In the model's folder; beside it may lie its configuration, *.json.
    whisper: str = "whisper/tiny.pt"  # Likewise.
    vae: str = "stabilityai/sd-vae-ft-mse"  # A folder with an AutoencoderKL of diffusers.
    vae_revision: str = ""
    resolution: int = 0  # Of the face; 0: as the model's name says.
    dtype: str = "float16"
    device: str = "auto"
    compile: bool = False
    steps: int = 20
    guidance: float = 1.5
    seed: int = 1247
    batch: int = 1  # Windows of 16 frames at once.
    faces: str = ""  # haar or yunet; the engine fills in which it is.
    eyes: Sequence[Mapping[str, float]] = ()  # x, y of both in the first frame, as shares of it: for a drawn face.
    which: str = ""  # Of several people: largest, left or right. Not said, nobody is chosen.
    least: float = 0.9  # The share of frames that show a face in which lips must follow, or the step fails.
    parity: bool = False
    overlap: int = 4  # Frames that neighbouring windows share.
    hearing: float = 10.0  # Seconds that neighbouring pieces of sound share.
    smooth: float = 0.2  # Seconds over which a face's scale and angle are smoothed.
    silence: float = 0.8  # Silences of so many seconds stay as they are; 0: none do.
    mouth: bool = True  # Paste the mouth alone; else the whole face, softly.
    rounded: bool = True  # Round values to whole levels; else cut off what is behind the point.
    own_rate: bool = True  # Make mouths at the model's 25 frames a second; else at the film's rate.


PARITY: Mapping[str, Any] = {"overlap": 0, "hearing": 0.0, "smooth": 0.0, "silence": 0.0, "mouth": False}
PARITY = {**PARITY, "rounded": False}


def spec(params: LatentSyncParams) -> str:
    """What must be in memory for some params, as the text that is loaded."""
    said = {name: getattr(params, name) for name in _RESIDENT}
    return json.dumps(said | {"resolution": resolution(said)}, sort_keys=True)


def resolution(said: Mapping[str, Any]) -> int:
    """Pixels of a face's side; 0 where nobody says it."""
    return int(said.get("resolution") or RESOLUTION.get(str(said.get("model")), 0))


def settled(params: Mapping[str, Any]) -> dict[str, Any]:
    """A profile's params with the revisions of what is here, and who finds faces."""
    found = {**params, "faces": "" if params.get("eyes") else named(str(params.get("faces", "")))}
    for name, revision in (("model", "revision"), ("vae", "vae_revision")):
        model = str(found.get(name) or getattr(LatentSyncParams, name))
        try:
            found[revision] = model_folder.find(model, str(found.get(revision, ""))).revision
        except (BackendError, OSError):
            found[revision] = found.get(revision, "")  # Told when it is wanted.
    return found


def wants(params: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Each file with its model and revision, as `mikebot fetch` brings them."""
    said = {**_defaults(), **params}
    for file in (said["file"], said["whisper"]):
        yield said["model"], said["revision"], file
    for file in VAE_FILES:
        yield said["vae"], said["vae_revision"], file


def misfits(params: Mapping[str, Any]) -> Iterator[Misfit]:
    """What is wrong with a profile's params."""
    hint = f"Name a folder below one that {model_folder.VARIABLE} names, or an id such as ByteDance/LatentSync-1.6."
    said = {**_defaults(), **params}
    for name in ("model", "vae"):
        if not said[name]:
            yield Misfit((name,), f"no {name} is named", hint)
        elif not model_folder.NAME.fullmatch(str(said[name])):
            yield Misfit((name,), f"'{said[name]}' is no name of a model", hint)
    for name in ("revision", "vae_revision"):
        if not model_folder.REVISION.fullmatch(str(said[name] or "main")):
            yield Misfit((name,), f"'{said[name]}' is no revision", "Name a commit.")
    for name in ("file", "whisper"):
        if not model_folder.NAME.fullmatch(str(said[name])):
            yield Misfit((name,), f"'{said[name]}' is no file of a model", "Name a file in the model's folder.")
    yield from _choices(said)
    yield from _eyes(said["eyes"])
    yield from _sizes(said)


def _choices(said: Mapping[str, Any]) -> Iterator[Misfit]:
    known = {"dtype": DTYPES, "device": DEVICES, "faces": ("", HAAR, "yunet"), "which": _WHICH}
    for name, values in known.items():
        value = str(said[name]).split(":", maxsplit=1)[0]
        if value not in values:
            takes = ", ".join(one for one in values if one)
            yield Misfit((name,), f"{name} cannot be '{value}'{meant(value, values)}", f"It takes {takes}.")
    for name, (low, high) in _RANGES.items():
        if isinstance(said[name], int | float) and not low <= said[name] <= high:
            yield Misfit((name,), f"{name} is {said[name]:g}, but must be from {low:g} to {high:g}")


def _eyes(said: Any) -> Iterator[Misfit]:
    hint = "Write eyes: [{x: 0.42, y: 0.35}, {x: 0.58, y: 0.35}], the one at the picture's left first."
    two = isinstance(said, list | tuple) and len(said) == 2 and all(map(_share, said))
    if said and not (two and said[0]["x"] < said[1]["x"]):
        yield Misfit(("eyes",), "eyes are two places in the first frame, as shares of its width and height", hint)


def _share(eye: Any) -> bool:
    return isinstance(eye, Mapping) and eye.keys() == {"x", "y"} and all(_within(value) for value in eye.values())


def _within(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def _sizes(said: Mapping[str, Any]) -> Iterator[Misfit]:
    meant_for, asked = RESOLUTION.get(str(said["model"])), said["resolution"]
    if not resolution(said):
        hint = "Write resolution: 256 for weights of LatentSync 1.5, 512 for those of 1.6."
        yield Misfit(("resolution",), "nothing says for which resolution the weights are", hint)
    elif asked and meant_for not in {None, asked}:
        hint = "Remove resolution:, or name the other model: mouths would be blurred."
        yield Misfit(("resolution",), f"{said['model']} is for faces of {meant_for} x {meant_for}, not {asked}", hint)
    elif resolution(said) % 64 or not 64 <= resolution(said) <= 1024:
        yield Misfit(("resolution",), f"resolution is {asked}, but must be a multiple of 64 up to 1024")


def needed(params: LatentSyncParams) -> list[str]:
    """Every reason why it cannot run here, found before any weight is read."""
    said = {name: getattr(params, name) for name in LatentSyncParams.__dataclass_fields__}
    reasons = [f"{found.message} ({found.hint})" if found.hint else found.message for found in misfits(said)]
    packages = [name for name in ("torch", "diffusers", "transformers", "accelerate") if find_spec(name) is None]
    reasons += [
        f"talk.latentsync needs {name}, which is not installed: pip install 'mikebot[final]'" for name in packages
    ]
    if params.compile and not compiler():
        reasons.append(f"compile: true needs a C compiler, and there is none: {COMPILER}")
    return reasons or list(_absent(said))


def file_of(model: str, revision: str, file: str) -> Path:
    """A file of a model that is here. Raises BackendError."""
    found = model_folder.lies(model, revision) / file
    if not found.is_file():
        raise BackendError(f"the model {model} has no {file}", "Fetch or copy it, or name the file in the profile.")
    return found


def _absent(said: Mapping[str, Any]) -> Iterator[str]:
    for one in wants(said):
        try:
            file_of(*one)
        except BackendError as error:
            yield f"{error.message}. {error.hint}"
            return


def _defaults() -> dict[str, Any]:
    """The knobs as they are where a profile says nothing."""
    own = [name for name in LatentSyncParams.__dataclass_fields__ if name not in Talk.__dataclass_fields__]
    return {name: getattr(LatentSyncParams, name) for name in own}
