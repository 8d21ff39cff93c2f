"""The .nemo archives that a training begins with: files, or models that this machine has."""

from __future__ import annotations

from pathlib import Path

from ..backends import model_folder, nemo_archive
from ..document import shown
from ..errors import BackendError, UsageError
from ..wanted import readers


def found(name: str, option: str) -> Path:
    """An archive by its path, or by the name of a model that holds one. Raises UsageError."""
    file = Path(name)
    if file.suffix == ".nemo" and file.is_file():
        return file.absolute()
    if file.suffix == ".nemo":
        raise UsageError(f"{option}: there is no file {shown(file)}", "check the path")
    try:
        folder = model_folder.lies(name)
    except BackendError as problem:
        by_name = problem.hint.replace(model_folder.FETCH, f"mikebot fetch --model {name}")
        raise UsageError(f"{option}: {problem.message}", by_name) from None
    archives = sorted(folder.glob("*.nemo"))
    if len(archives) != 1:
        has = f"{len(archives)} .nemo files" if archives else "no .nemo file"
        raise UsageError(f"{option}: the model {name} has {has}", "name the file itself")
    return archives[0]


def readable(base: Path) -> Path:
    """A base whose tokenizers are here. Raises UsageError, before hours of preparing."""
    for name in readers(base):
        try:
            model_folder.lies(name)
        except BackendError:
            hint = f"fetch its tokenizer: mikebot fetch --model {name}"
            raise UsageError(f"--base: it reads with {name}, which is not on this machine", hint) from None
    return base


def rate(codec: Path) -> int:
    """The sample rate that a codec hears. Raises BackendError where the archive may not be used."""
    return int(nemo_archive.looked_over(codec, nemo_archive.CODEC)["sample_rate"])


def codec_of(base: Path) -> str:
    """What a base says that its codec is: the name of a model, or of a file that lay elsewhere."""
    said = str(nemo_archive.looked_over(base, nemo_archive.MODEL).get("codecmodel_path", ""))
    return Path(said).stem if said.endswith(".nemo") else said
