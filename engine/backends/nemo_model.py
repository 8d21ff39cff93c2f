"""A voice of NeMo in memory: Magpie and its codec, from archives that were looked over, on a processor or a GPU.

What NeMo leaves to whoever restores a model is done here: a .nemo knows of its codec only where that lay when it was
saved; its dictionaries must outlive it if it is to be saved again; and what it says depends on random numbers of
Python and of torch, and on a share of words that are spelled in letters in place of phones.
"""

from __future__ import annotations

import logging
import os
import random
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import BackendError
from . import model_folder
from .nemo_archive import CODEC, CONFIG, FOREIGN, MODEL, WEIGHTS, Unpacked, unpacked
from .nemo_fit import misfit

_CODEC = "codec.nemo"  # Made anew of what was looked over: NeMo unpacks it once more by itself.


@contextmanager
def offline() -> Iterator[None]:
    """NeMo without network, telemetry, warnings and talk."""
    said = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "WANDB_MODE": "disabled", "NEMO_TESTING": "1"}
    before = {name: os.environ.get(name) for name in (*said, "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")}
    os.environ.update(said)
    os.environ.pop("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import_module("nemo.utils").logging.setLevel(logging.ERROR)
            yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def restored(archive: Path, codec: Path, folder: Path, device: str = "cpu") -> Any:
    """A MagpieTTSModel that can speak. `folder` is empty; it keeps the dictionaries, and must outlive the model.

    Raises BackendError; nothing of an archive that is refused has run by then.
    """
    with offline():
        voice = opened(archive, codec, folder)
        made = built(voice)
        fill(made, voice)
        return ready(made).to(device)


def opened(archive: Path, codec: Path, folder: Path) -> Unpacked:
    """An archive of a voice unpacked, with its codec and its tokenizers beside it, named in its configuration."""
    voice = unpacked(archive, _new(folder / "voice"), MODEL)
    sounds = unpacked(codec, _new(folder / "codec"), CODEC)
    if why := misfit(voice.config, sounds.config):
        message = f"{codec.name} is not the codec of {archive.name}: {why}"
        raise BackendError(message, "Name the one that it was trained with.")
    config = {**voice.config, "codecmodel_path": str(_packed(sounds, folder / _CODEC))}
    for tokenizer in config.get("text_tokenizers", {}).values():
        if tokenizer.get("_target_") in FOREIGN:
            tokenizer["pretrained_model"] = str(_plain(tokenizer["pretrained_model"]))
    return voice._replace(config=config)


def built(voice: Unpacked, trainer: Any = None, **changes: Any) -> Any:
    """A MagpieTTSModel of a configuration, its weights still random. Raises BackendError."""
    conf = import_module("omegaconf").OmegaConf.create({**voice.config, **changes})
    cls = import_module("nemo.collections.tts.models").MagpieTTSModel
    try:
        return cls(cfg=conf, trainer=trainer)
    except BackendError:
        raise
    except Exception as problem:  # NeMo's own checks are assertions, attribute errors and all else.
        raise _misfit(voice.name, problem) from problem


def fill(model: Any, voice: Unpacked) -> None:
    """Put an archive's weights into a model. Raises BackendError where they do not fit, or are no numbers."""
    try:
        model.load_state_dict(tensors(voice), strict=True)
    except RuntimeError as problem:
        raise _misfit(voice.name, problem) from problem


def ready(model: Any) -> Any:
    """A model that says the same each time: no dropout, each word in the phones of its dictionary."""
    for tokenizer in model.tokenizer.tokenizers.values():
        g2p: Any = getattr(tokenizer, "g2p", None)
        if hasattr(g2p, "phoneme_probability"):
            g2p.phoneme_probability = 1.0
    return model.eval()


def seeded(seed: int) -> None:
    """Set every random number that a model draws; Magpie draws of Python's, and of torch's on each device."""
    random.seed(seed)
    import_module("torch").manual_seed(seed)


def tensors(archive: Unpacked) -> dict[str, Any]:
    """The weights of an archive, as numbers and nothing else. Raises BackendError."""
    torch = import_module("torch")
    try:
        found = torch.load(archive.weights, map_location="cpu", weights_only=True)
    except Exception as problem:  # pickle, zipfile and torch have each their own.
        if "weights_only" in str(problem) or "Unsupported" in str(problem):
            message = f"{archive.name} is refused: its weights hold a program"
            raise BackendError(message, "Use a model from somewhere that you trust.") from None
        message = f"the weights in {archive.name} are damaged"
        raise BackendError(message, "Fetch or copy the file again.") from None
    if not isinstance(found, Mapping) or not all(torch.is_tensor(value) for value in found.values()):
        raise BackendError(f"the weights in {archive.name} are no table of numbers", "Save the model again.")
    wrong = next((name for name, value in found.items() if _unbounded(torch, value)), None)
    if wrong is not None:
        raise BackendError(f"the weights in {archive.name} are no numbers in {wrong}", "Train or fetch it again.")
    return dict(found)


def _unbounded(torch: Any, value: Any) -> bool:
    return value.is_floating_point() and not bool(torch.isfinite(value).all())


def _packed(codec: Unpacked, to: Path) -> Path:
    """An archive of what was looked over, and of nothing that only training reads."""
    import tarfile

    import yaml

    torch = import_module("torch")
    kept = {name: value for name, value in tensors(codec).items() if not name.startswith("discriminator.")}
    torch.save(kept, codec.weights)
    config = {**codec.config, "use_scl_loss": False, "use_slm_loss": False, "target": CODEC}
    (codec.folder / CONFIG).write_text(yaml.safe_dump(config), encoding="utf-8")
    with tarfile.open(to, "w:") as tar:
        for name in (CONFIG, WEIGHTS):
            tar.add(codec.folder / name, arcname=f"./{name}")
    return to


def _plain(name: str) -> Path:
    """The folder of a tokenizer of transformers, which brings no program. Raises BackendError."""
    folder = model_folder.lies(name)
    code = next(iter(sorted(folder.rglob("*.py"))), None)
    if code is not None:
        raise BackendError(f"{name} is refused: it brings a program of its own, {code.name}", "Delete that file.")
    return folder


def _new(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _misfit(name: str, problem: Exception) -> BackendError:
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    said = lines[0][:300] if lines else type(problem).__name__
    return BackendError(f"{name} and its codec make no voice: {type(problem).__name__}: {said}", "Do they fit?")
