"""The models that listen: Whisper, which writes down what is said, and a model that tells speakers apart.

Both are transformers' own classes, from folders of this machine; neither is needed to make a voice from recordings
with texts. A model that is not here is said to be missing, and nothing is guessed in its place.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backends import model_folder
from ..backends.transformers_folder import NETWORK, look_over
from ..errors import BackendError
from . import levelled

RATE = 16_000
Sound = NDArray[np.int16]


class Missing(BackendError):
    """A model that listens is not on this machine, or cannot be read."""

    exit_code = 2


class Whisper:
    """Writes down what is said in an utterance of at most 30 s."""

    def __init__(self, model: str, language: str) -> None:
        folder, revision = _folder(model)
        self.name = f"{model.partition('@')[0]}@{revision}"
        self._language = language.lower().replace("_", "-").split("-")[0]
        self._processor, self._model = _loaded(model, folder, "WhisperProcessor", "WhisperForConditionalGeneration")

    def __call__(self, sound: Sound) -> str:
        torch = import_module("torch")
        heard = self._processor(lowered(sound), sampling_rate=RATE, return_tensors="pt", return_attention_mask=True)
        many = bool(getattr(self._model.generation_config, "is_multilingual", False))
        spoken = {"language": self._language, "task": "transcribe"} if many else {}
        with torch.no_grad(), _quiet():
            said = self._model.generate(
                heard.input_features.to(self._model.device), attention_mask=heard.attention_mask, **spoken
            )
        return str(self._processor.batch_decode(said, skip_special_tokens=True)[0]).strip()


class Speaker:
    """How alike two voices are: the cosine between what a model of speaker verification makes of each."""

    def __init__(self, model: str) -> None:
        folder, revision = _folder(model)
        self.name = f"{model.partition('@')[0]}@{revision}"
        self._reader, self._model = _loaded(model, folder, "AutoFeatureExtractor", "WavLMForXVector")

    def alike(self, one: Sound, other: Sound) -> float:
        """From -1 to 1; both at 48 kHz."""
        torch = import_module("torch")
        found = [self._print(torch, sound) for sound in (one, other)]
        return float(torch.nn.functional.cosine_similarity(found[0], found[1], dim=0))

    def _print(self, torch: Any, sound: Sound) -> Any:
        heard = self._reader(lowered(sound), sampling_rate=RATE, return_tensors="pt")
        with torch.no_grad(), _quiet():
            return self._model(heard.input_values.to(self._model.device)).embeddings[0]


def lowered(sound: Sound) -> NDArray[np.float32]:
    """At 16 kHz, in floats."""
    small = levelled.resampled(sound.astype(np.float32) / np.float32(32768), RATE)
    return small.astype(np.float32) / np.float32(32768)


def _folder(model: str) -> model_folder.Folder:
    """Where a model lies. Raises Missing, which says what to type."""
    name, _, revision = model.partition("@")
    try:
        found = model_folder.find(name, revision)
    except BackendError as problem:
        how = (
            f"Fetch it: mikebot fetch --model {model}, or put its folder below one that {model_folder.VARIABLE} names."
        )
        raise Missing(problem.message, how if model_folder.HUB_ID.fullmatch(name) else problem.hint) from None
    try:
        look_over(name, found.path, NETWORK)
    except BackendError as problem:
        raise Missing(problem.message, problem.hint) from None
    return found


def _loaded(model: str, folder: Path, reader: str, network: str) -> tuple[Any, Any]:
    """What prepares the sound, and the network; weights are read as numbers, whatever their file is called."""
    try:
        library, torch = import_module("transformers"), import_module("torch")
    except ImportError:
        raise Missing("listening needs transformers, which is not installed", "pip install 'mikebot[voice]'") from None
    with _quiet():
        try:
            told = getattr(library, reader).from_pretrained(folder, local_files_only=True)
            found = getattr(library, network).from_pretrained(folder, local_files_only=True)
        except Exception as problem:  # The library raises all sorts of what is damaged or another model.
            lines = str(problem).strip().splitlines()
            said = lines[0][:200] if lines else type(problem).__name__
            raise Missing(f"the model {model} cannot be read: {said}", "Fetch it again, whole.") from None
    return told, found.eval().to("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's warnings and bars: what matters is told by us."""
    logs = import_module("transformers").utils.logging
    before = logs.get_verbosity()
    logs.set_verbosity_error()
    logs.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logs.set_verbosity(before)
