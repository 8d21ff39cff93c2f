"""speech.nemo: the persona's voice by NeMo's Magpie, cloned from a recording, fine-tuned, or a speaker of its own."""

from __future__ import annotations

import json
import tempfile
import wave
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import BackendError
from ..kinds import Inputs, Part, Speech, Tell
from . import interpreter, model_folder
from .diffusion_knobs import Misfit
from .nemo_archive import archive, named
from .signatures import meant

if TYPE_CHECKING:
    from .nemo_sentence import Sentence

DEVICES, DTYPES = ("auto", "cpu", "cuda"), ("float32", "bfloat16")
LIMITS: Mapping[str, tuple[float, float]] = {
    "temperature": (0.0, 2.0),
    "topk": (0, 100_000),
    "cfg_scale": (0.0, 10.0),
    "seconds": (0.0, 120.0),
    "retries": (0, 10),
    "batch": (1, 64),
    "speaker": (0, 1000),
}
NEEDS = interpreter.Needs(
    "MIKEBOT_PYTHON_NEMO",
    ("nemo", "torch", "omegaconf", "soundfile"),
    ("nemo_toolkit", "torch", "nemo_text_processing", "pynini"),
    "voice",
)
LONGEST = 150  # Words of a sentence: no model of this sort says more at once.


@dataclass(frozen=True)
class NemoParams(Speech):
    """Knobs of Magpie. What is 0 is as the model's own configuration has it; `guard` names what `retries` are for."""

    model: str = ""  # A folder below one of MIKEBOT_MODELS, or an id of the hub, with one .nemo in it.
    revision: str = ""
    codec: str = ""  # Likewise.
    codec_revision: str = ""
    speaker: int = 0  # Of a model with speakers of its own.
    device: str = "auto"
    dtype: str = "float32"  # bfloat16: quicker on a GPU, with other samples.
    temperature: float = 0.0
    topk: int = 0
    cfg_scale: float = 0.0
    seconds: float = 0.0  # At which a sentence is cut off.
    guard: bool = True  # Hold each sentence against what is expected of it, and say it again where it is not so.
    retries: int = 3
    batch: int = 1  # Sentences that are said at once; rounding may tip a draw that falls otherwise in one alone.
    normaliser: str = ""  # Which nemo_text_processing writes numbers out; the engine fills it in.
    checkpoint: str = ""  # The digest of the persona's own; the plan fills it in.


class Nemo:
    """MagpieTTSModel with its codec; the process that holds it stays."""

    kind = "speech"
    name = "nemo"
    version = "1"
    exact = False  # On a processor it is; a GPU adds in any order.
    seeded = remarks = True
    python = NEEDS
    files: ClassVar[Mapping[str, str]] = {"reference": "audio", "checkpoint": "voice"}  # What a persona may bring.
    Params = NemoParams

    def __init__(self) -> None:
        self._model: Any = None
        self._spec: Mapping[str, Any] = {}
        self._espeak: Any = None

    @staticmethod
    def misfits(params: Mapping[str, Any]) -> Iterator[Misfit]:
        """What is wrong with a profile's params."""
        hint = f"Name a folder below one that {model_folder.VARIABLE} names, or an id of the hub, which holds a .nemo."
        for name in ("model", "codec"):
            if not params.get(name):
                yield Misfit((name,), f"no {name} is named", hint)
            elif not model_folder.NAME.fullmatch(str(params[name])):
                yield Misfit((name,), f"'{params[name]}' is no name of a model", hint)
        for name in ("revision", "codec_revision"):
            if not model_folder.REVISION.fullmatch(str(params.get(name) or "main")):
                yield Misfit((name,), f"'{params[name]}' is no revision", "Name a commit.")
        for name, known in (("device", DEVICES), ("dtype", DTYPES)):
            value = params.get(name, known[0])
            if value not in known:
                yield Misfit(
                    (name,), f"{name} cannot be '{value}'{meant(str(value), known)}", f"It takes {', '.join(known)}."
                )
        for name, (least, most) in LIMITS.items():
            value = params.get(name, getattr(NemoParams, name))
            if isinstance(value, int | float) and not least <= value <= most:
                yield Misfit((name,), f"{name} is {value}, but must be from {least:g} to {most:g}")

    @staticmethod
    def settled(params: Mapping[str, Any]) -> dict[str, Any]:
        """A profile's params with the revisions of what is here, and of what writes numbers out."""
        found = {**params, "normaliser": _normaliser()}
        for name, revision in (("model", "revision"), ("codec", "codec_revision")):
            try:
                found[revision] = model_folder.find(str(params[name]), str(params.get(revision, ""))).revision
            except (BackendError, OSError, KeyError):
                found[revision] = params.get(revision, "")  # Told when it is wanted.
        return found

    @staticmethod
    def wants(params: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
        """Each model with its revision and its archive, as `mikebot fetch` brings them."""
        for name, revision in (("model", "revision"), ("codec", "codec_revision")):
            if params.get(name):
                yield params[name], params.get(revision, ""), named(params[name])

    def doctor(self) -> list[str]:
        """What NeMo's Python lacks, with what to type."""
        return interpreter.troubles(NEEDS, f"{self.kind}.{self.name}")

    def advice(self) -> list[str]:
        """Which Python it runs in, where that is not ours."""
        return list(filter(None, [interpreter.told(NEEDS)]))

    def check(self, params: NemoParams) -> list[str]:
        lacking = self.doctor()
        if lacking:
            return lacking
        said = {name: getattr(params, name) for name in NemoParams.__dataclass_fields__}
        reasons = [f"{found.message} ({found.hint})" if found.hint else found.message for found in self.misfits(said)]
        return reasons or [*_archives(params), *_wordy(params.text)]

    def model(self, params: NemoParams) -> str:
        names = ("model", "revision", "codec", "codec_revision", "device", "checkpoint")
        return json.dumps({name: getattr(params, name) for name in names}, sort_keys=True)

    def size(self, model: str) -> int:
        """Bytes that a model takes in memory: an archive is not compressed."""
        said = json.loads(model)
        named = [("codec", "codec_revision"), *([] if said["checkpoint"] else [("model", "revision")])]
        return sum(archive(said[name], said[revision]).stat().st_size for name, revision in named)

    def load(self, model: str) -> None:
        """Bring a model into memory; a persona's own when the first sentence brings it."""
        self.unload("")
        self._spec = json.loads(model)
        if not self._spec["checkpoint"]:
            self._restore(archive(self._spec["model"], self._spec["revision"]))

    def unload(self, model: str) -> None:
        from .memory import tidy

        self._model = None
        tidy()

    def run(self, params: NemoParams, inputs: Inputs, out: Path, tell: Tell) -> None:
        with self._at_work(params, inputs):
            sound, timing = self._sentence(params, inputs, tell).spoken()
        _write(out, sound, timing)
        tell.progress(1, 1)

    def many(self, params: NemoParams) -> int:
        """How many sentences it may say at once."""
        return params.batch

    def run_many(self, parts: Sequence[Part]) -> list[Mapping[str, int] | Exception]:
        """Say sentences at once; each fails by itself."""
        from .nemo_together import attempt, together

        first = parts[0]
        with self._at_work(first.params, first.inputs):
            begun = [attempt(partial(self._sentence, part.params, part.inputs, part.tell)) for part in parts]
            said = together(self._model, begun)
        ends: list[Mapping[str, int] | Exception] = []
        for part, end in zip(parts, said, strict=True):
            if not isinstance(end, Exception):
                _write(part.out, *end)
            ends.append(end if isinstance(end, Exception) else {})
        return ends

    @contextmanager
    def _at_work(self, params: NemoParams, inputs: Inputs) -> Iterator[None]:
        """With a model in memory, and the library's errors as ours."""
        from .diffusion import explained
        from .nemo_model import offline

        if self._model is None:
            if "checkpoint" not in inputs:
                raise BackendError("no voice is in memory")
            self._restore(inputs["checkpoint"])
        with offline(), explained(params.model or "of the persona"):
            yield

    def _sentence(self, params: NemoParams, inputs: Inputs, tell: Tell) -> Sentence:
        from .espeak import Espeak
        from .nemo_sentence import Sentence

        self._espeak = self._espeak or Espeak()
        return Sentence(self._model, params, _reference(self._model, params, inputs, tell), self._espeak, tell)

    def _restore(self, model: Path) -> None:
        from .diffusion import placed
        from .nemo_model import restored

        codec = archive(self._spec["codec"], self._spec["codec_revision"])
        device = placed(self._spec["device"])
        with tempfile.TemporaryDirectory(
            prefix="mikebot-voice-"
        ) as folder:  # Only a model that is saved needs it later.
            self._model = restored(model, codec, Path(folder), device)


def _normaliser() -> str:
    """Which nemo_text_processing writes numbers out where NeMo runs; empty if none does."""
    from .nemo_text import normalizer_version

    python = interpreter.chosen(NEEDS.variable)
    if interpreter.own(python):
        return normalizer_version()
    try:
        versions = interpreter.asked(python, NEEDS).versions
    except BackendError:
        return ""  # Told when it is wanted.
    return versions["nemo_text_processing"] if versions["pynini"] else ""


def _archives(params: NemoParams) -> Iterator[str]:
    """What is wrong with the archives that a profile names, found without NeMo and without their weights."""
    from .nemo_fit import misfit

    named = [("codec", "codec_revision"), *([] if params.checkpoint else [("model", "revision")])]
    found: dict[str, Mapping[str, Any]] = {}
    for name, revision in named:
        try:
            file = archive(getattr(params, name), getattr(params, revision))
            about = file.stat()
            found[name] = _looked_over(file, name == "codec", (about.st_size, about.st_mtime_ns))
        except BackendError as error:
            yield f"{error.message}. {error.hint}" if error.hint else error.message
    if len(found) == 2 and (why := misfit(found["model"], found["codec"])):
        yield f"{params.codec} is not the codec of {params.model}: {why}. Name the one that it was trained with."


@lru_cache(maxsize=16)
def _looked_over(file: Path, codec: bool, _as_it_is: tuple[int, int]) -> Mapping[str, Any]:
    """The configuration of an archive, looked over once as long as it stays the same."""
    from .nemo_archive import CODEC, MODEL, looked_over

    return looked_over(file, CODEC if codec else MODEL)


def _wordy(text: str) -> Iterator[str]:
    words = len(text.split())
    if words > LONGEST:
        yield f"a sentence has {words} words, and the model says {LONGEST} at most. End it earlier with a full stop"


def _reference(model: Any, params: NemoParams, inputs: Inputs, tell: Tell) -> Any:
    """The persona's recording as the model hears it; None for a model with speakers of its own."""
    from .nemo_speak import heard

    own = int(model.num_baked_speakers)
    if own and "voice" in inputs:
        message = f"{params.model or 'the checkpoint'} has {own} speakers of its own, and cannot follow a recording"
        raise BackendError(message, "Remove reference: from the persona, or name a model that clones.")
    if own and params.speaker >= own:
        raise BackendError(f"speaker is {params.speaker}, but the model has {own}", f"Set 0 to {own - 1}.")
    if own:
        return None
    if "voice" not in inputs:
        message = f"{params.model or 'the checkpoint'} speaks as a recording does, and the persona has none"
        raise BackendError(message, "Name one in persona.yaml: voice: {nemo: {reference: FILE}}.")
    return heard(inputs["voice"], model, tell)


def _write(out: Path, sound: bytes, timing: Mapping[str, Any]) -> None:
    with wave.open(str(out / "audio"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(timing["rate"])
        file.writeframes(sound)
    text = json.dumps(timing, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    (out / "timing").write_bytes(text.encode("utf-8", "replace"))
