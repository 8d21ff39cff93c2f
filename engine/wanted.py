"""Which models a profile names, which of its steps want them, and whether they are on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .backends import find, model_folder, transformers_folder
from .backends.diffusion_knobs import Knobs
from .backends.nemo_archive import FOREIGN, MODEL, archive, looked_over
from .errors import BackendError
from .storyboard import Choice, Profile

_READERS = {name for names in FOREIGN.values() for name in names}


class Wanted(NamedTuple):
    """A model, or one file of it, that a profile names at a place."""

    model: str
    revision: str
    file: str  # Of a LoRA or a voice; of a whole model, empty.
    user: str  # KIND.BACKEND
    params: Mapping[str, Any]  # Of that backend, in the profile.
    path: tuple[str | int, ...]  # In the profile; empty for what it does not name.
    layout: str = ""  # Of transformers_folder; empty for a pipeline of diffusers, or a file.

    def folder(self) -> Path:
        """Where it lies, whole. Raises BackendError, which says what is wrong."""
        folder = model_folder.lies(self.model, self.revision)
        if self.layout and any(folder.glob("*.nemo")):
            archive(self.model, self.revision)
        elif self.layout:
            transformers_folder.look_over(self.model, folder, self.layout)
        elif not self.file:
            model_folder.look_over(self.model, folder)
        elif self.file.endswith(".nemo"):
            archive(self.model, self.revision)
        elif not (folder / self.file).is_file():
            raise BackendError(f"there is no {self._sort} {self.file} in {self.model}", "Check file: in the profile.")
        elif self.file.endswith(".safetensors"):
            model_folder.header(folder / self.file, f"the {self._sort} {self.file}")
        return folder

    @property
    def _sort(self) -> str:
        """What people call the file."""
        return "LoRA" if "loras" in self.path else "file"

    def own(self) -> bool:
        """Whether it lies in a folder of the author's, where nothing is fetched to."""
        return any((place / self.model).is_dir() for place in model_folder.places())

    def fetchable(self) -> bool:
        """Whether the hub may have it."""
        return not self.own() and model_folder.HUB_ID.fullmatch(self.model) is not None


def wanted(profile: Profile) -> list[Wanted]:
    """Every model that a profile names, in its order; what is drawn needs none."""
    found: list[Wanted] = []
    for part, choices in (("kinds", profile.kinds), ("given", profile.given)):
        for kind, choice in choices.items():
            if issubclass(find(kind, choice.backend).Params, Knobs):
                found += _of(choice, f"{kind}.{choice.backend}", (part, kind, "params"))
            elif wants := getattr(find(kind, choice.backend), "wants", None):
                about = (f"{kind}.{choice.backend}", choice.params, (part, kind, "params"))
                voice = [Wanted(model, revision, file, *about) for model, revision, file in wants(choice.params)]
                found += [*voice, *(reader for one in voice if one.file.endswith(".nemo") for reader in beside(one))]
    return found


def listening() -> list[Wanted]:
    """The models that listen to a voice while it is made; no profile names them."""
    return [alone(model) for model in transformers_folder.LISTENING]


def alone(model: str, revision: str = "") -> Wanted:
    """A model by its name: a network of transformers, a voice's archive, or the tokenizer that one reads with."""
    layout = transformers_folder.TOKENIZER if model in _READERS else transformers_folder.NETWORK
    return Wanted(model, revision, "", "persona voice", {}, (), layout)


def beside(one: Wanted) -> Iterator[Wanted]:
    """The tokenizers that a voice reads with, as its archive says; before that has come, nobody knows."""
    try:
        names = readers(archive(one.model, one.revision))
    except BackendError:  # It is none of a voice; or not here, or damaged, which is told of itself.
        return
    for name in names:
        yield alone(name)._replace(user=one.user, params=one.params)


def readers(voice: Path) -> list[str]:
    """The tokenizers of transformers that an archive of a voice names. Raises BackendError."""
    said = looked_over(voice, MODEL).get("text_tokenizers", {}).values()
    names = [str(reader.get("pretrained_model", "")) for reader in said if isinstance(reader, Mapping)]
    return list(dict.fromkeys(name for name in names if name in _READERS))


def missing(profile: Profile) -> list[tuple[Wanted, BackendError]]:
    """Those that are not on this machine as they should be, each with the reason."""
    return list(lacking(wanted(profile)))


def lacking(some: Iterable[Wanted]) -> Iterator[tuple[Wanted, BackendError]]:
    """Those that are not here as they should be, each with the reason."""
    for one in some:
        try:
            one.folder()
        except BackendError as reason:
            yield one, reason


def named(text: str, profile: Profile) -> str:
    """What is told of a failure, with the profile's name in the command that fetches what is missing."""
    return text.replace(model_folder.FETCH, model_folder.FETCH.replace("NAME", profile.name))


def _of(choice: Choice, user: str, path: tuple[str | int, ...]) -> Iterator[Wanted]:
    params = choice.params
    if params.get("model"):
        yield Wanted(params["model"], params.get("revision", ""), "", user, params, path)
    for number, lora in enumerate(params.get("loras", ())):
        place = (*path, "loras", number)
        yield Wanted(lora["model"], lora.get("revision", ""), lora["file"], user, params, place)
