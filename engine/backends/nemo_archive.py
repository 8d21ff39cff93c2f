"""A .nemo archive taken apart without trusting it: a tar of a configuration, weights and dictionaries.

Its configuration names classes (`_target_`) that NeMo makes objects of, and files that it opens. So all of it is held
against lists here, before NeMo sees any: what is on none is refused.
"""

from __future__ import annotations

import re
import shutil
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ..errors import BackendError
from . import model_folder

CONFIG, WEIGHTS = "model_config.yaml", "model_weights.ckpt"
MODEL = "nemo.collections.tts.models.magpietts.MagpieTTSModel"
CODEC = "nemo.collections.tts.models.audio_codec.AudioCodecModel"
MOST_FILES, MOST_BYTES, LONGEST_CONFIG = 1000, 20_000_000_000, 4_000_000

_MODULES = "nemo.collections.tts.modules.audio_codec_modules"
_TOKENIZERS = "nemo.collections.common.tokenizers.text_to_speech.tts_tokenizers"
_G2P = "nemo.collections.tts.g2p.models"
_NETWORKS = {"HiFiGANEncoder", "HiFiGANDecoder", "CausalHiFiGANEncoder", "CausalHiFiGANDecoder", "ResNetDecoder"}
_NETWORKS |= {"FullBandMelEncoder", "MultiBandMelEncoder", "MultiResolutionSTFTEncoder"}
_NETWORKS |= {"FiniteScalarQuantizer", "GroupFiniteScalarQuantizer", "MelSpectrogramProcessor", "STFTProcessor"}
_LOSSES = ("GeneratorHingedLoss", "GeneratorSquaredLoss", "DiscriminatorHingedLoss", "DiscriminatorSquaredLoss")
_LANGUAGES = ("English", "German", "Spanish", "French", "Italian", "Hindi", "Vietnamese", "Arabic")
_PHONEMES = ("English", "German", "Italian", "Chinese")
# What NeMo may make an object of, while it makes a voice that speaks.
MADE = {f"{_MODULES}.{name}" for name in _NETWORKS}
MADE |= {f"nemo.collections.tts.losses.audio_codec_loss.{name}" for name in _LOSSES}
MADE |= {f"{_TOKENIZERS}.{name}CharsTokenizer" for name in _LANGUAGES}
MADE |= {f"{_TOKENIZERS}.{name}PhonemesTokenizer" for name in _PHONEMES}
MADE |= {f"{_TOKENIZERS}.{name}" for name in ("IPATokenizer", "JapanesePhonemeTokenizer")}
MADE |= {f"{_G2P}.i18n_ipa.IpaG2p", f"{_G2P}.zh_cn_pinyin.ChineseG2p"}
MADE |= {f"{_G2P}.ja_jp_ipa.{name}" for name in ("JapaneseG2p", "JapaneseKatakanaAccentG2p")}
# Tokenizers of transformers. NeMo would run a program that comes with one: these two have none.
FOREIGN = {"AutoTokenizer": ("google/byt5-small",), "T5Tokenizer": ("google-t5/t5-small",)}
# What only training makes, or would download: left out of the configuration, and named by nothing else.
LEFT_OUT = {"train_ds", "validation_ds", "test_ds", "optim", "discriminator", "slm_encoder", "slm_predictor"}
LEFT_OUT |= {"log_config", "text_context_remapping_json", "mmd_loss", "mmd_time_loss"}
_TRAINING = re.compile(
    r"torch\.optim\.[A-Z]\w*|nemo\.core\.optim\.[\w.]+"
    r"|nemo\.collections\.tts\.data\.text_to_speech_dataset(_lhotse)?\.[A-Z]\w*"
    r"|nemo\.collections\.tts\.(modules\.audio_codec_modules|losses\.audio_codec_loss)\.[A-Z]\w*"
    r"|nemo\.collections\.tts\.parts\.utils\.callbacks\.[A-Z]\w*"
)
_FORBIDDEN = ("_args_", "cls", "params")  # Other ways to have something called.


class Unpacked(NamedTuple):
    """An archive's folder, and its configuration as it may be used: files in it are absolute paths."""

    name: str
    folder: Path
    config: dict[str, Any]

    @property
    def weights(self) -> Path:
        """The file of its weights."""
        return self.folder / WEIGHTS


def named(model: str) -> str:
    """The archive of a model by its name, as the hub has it."""
    return f"{model.rpartition('/')[2]}.nemo"


def archive(model: str, revision: str = "") -> Path:
    """The .nemo in a model's folder: the one that is called like it, else the only one. Raises BackendError."""
    folder = model_folder.lies(model, revision)
    there = sorted(file for file in folder.iterdir() if file.suffix == ".nemo")
    found = [file for file in there if file.name == named(model)] or there
    if len(found) != 1:
        has = f"has {len(there)} .nemo archives" if there else "holds no .nemo archive"
        raise BackendError(f"the model {model} {has}", f"Leave one in its folder, called {named(model)}.")
    return found[0]


def unpacked(file: Path, folder: Path, target: str) -> Unpacked:
    """Unpack an archive of a class into an empty folder. Raises BackendError before anything of it was used."""
    with _opened(file) as tar:
        members = list(_members(file.name, tar))
        try:
            for member, path in members:
                _copied(file.name, tar, member, folder / path)
        except (tarfile.TarError, EOFError, zlib.error, OSError) as problem:
            raise _broken(file.name, problem) from None
    if not (folder / WEIGHTS).is_file():
        raise BackendError(f"{file.name} holds no {WEIGHTS}", "Save the model again, whole.")
    return Unpacked(file.name, folder, checked(file.name, _read(file.name, folder / CONFIG), target, folder))


def looked_over(file: Path, target: str) -> dict[str, Any]:
    """The configuration of an archive, read without unpacking it. Raises BackendError like `unpacked`."""
    with _opened(file) as tar:
        members = {path: member for member, path in _members(file.name, tar)}
        found = members.get(PurePosixPath(CONFIG))
        try:
            raw = tar.extractfile(found) if found is not None else None
            text = raw.read(LONGEST_CONFIG + 1) if raw is not None else b""
        except (tarfile.TarError, EOFError, zlib.error, OSError) as problem:
            raise _broken(file.name, problem) from None
    return checked(file.name, _parsed(file.name, text), target, Path())


def checked(name: str, config: dict[str, Any], target: str, folder: Path) -> dict[str, Any]:
    """A configuration without what only training reads; raises BackendError where it holds what may not be used."""
    if config.get("target", target) != target:
        message = f"{name} is a {str(config['target']).rpartition('.')[2]}, not a {target.rpartition('.')[2]}"
        raise BackendError(message, "Name an archive of the right class in the profile.")
    kept = {key: value for key, value in config.items() if key not in LEFT_OUT}
    for key, value in config.items():
        _held(name, value, key, spare=key in LEFT_OUT)
    if {"_target_", *_FORBIDDEN} & kept.keys() or kept.get("semantic_codec_path"):
        raise _refused(name, "its configuration is made to call something itself")
    found: dict[str, Any] = _placed(name, kept, folder, "")
    return found


def _held(name: str, node: Any, where: str, *, spare: bool) -> None:
    """Hold all below a place of the configuration against the lists; `spare` is what is left out anyway."""
    if isinstance(node, str):
        if re.search(r"\$\{[^}]*:", node):
            raise _refused(name, f"its configuration computes {where}")
        return
    if isinstance(node, Mapping):
        if "_target_" in node:
            _named(name, node, where, spare)
        if not spare and any(key in node for key in _FORBIDDEN):
            raise _refused(name, f"its configuration calls something in {where}")
        for key, value in node.items():
            _held(name, value, f"{where}.{key}", spare=spare)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            _held(name, value, f"{where}.{number}", spare=spare)


def _named(name: str, node: Mapping[str, Any], where: str, spare: bool) -> None:
    target = str(node["_target_"])
    if target in FOREIGN and node.get("pretrained_model") in FOREIGN[target]:
        return
    if target not in MADE and not (spare and _TRAINING.fullmatch(target)):
        raise _refused(name, f"its configuration wants {target} in {where}")


def _placed(name: str, node: Any, folder: Path, where: str) -> Any:
    """The configuration with the files that the archive brings as paths, and no other files."""
    if isinstance(node, Mapping):
        return {key: _placed(name, value, folder, f"{where}.{key}" if where else key) for key, value in node.items()}
    if isinstance(node, list):
        return [_placed(name, value, folder, where) for value in node]
    if isinstance(node, str) and node.startswith("nemo:"):
        file = PurePosixPath(node.removeprefix("nemo:"))
        if len(file.parts) != 1 or ".." in file.parts:
            raise _refused(name, f"its configuration names '{node}' in {where}")
        return str(folder / file)
    if isinstance(node, str) and where.startswith("text_tokenizer") and re.match(r"[/~\\]|\w+:|\.\.", node):
        raise _refused(name, f"its configuration names '{node}' in {where}, which is no file of the archive")
    return node


def _opened(file: Path) -> tarfile.TarFile:
    """As NeMo reads it: a tar, or, of old, one in gzip."""
    try:
        with file.open("rb") as data:
            zipped = data.read(2) == b"\x1f\x8b"
        return tarfile.open(file, "r:gz" if zipped else "r:")
    except (tarfile.TarError, EOFError, zlib.error) as problem:
        raise _broken(file.name, problem) from None
    except OSError as problem:
        raise BackendError(f"{file.name} cannot be read: {problem.strerror or problem}") from None


def _members(name: str, tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, PurePosixPath]]:
    """The files of an archive, each with its place below the folder. Raises BackendError."""
    total, seen = 0, set[PurePosixPath]()
    try:
        for number, member in enumerate(tar):
            path = PurePosixPath(member.name)
            if path.is_absolute() or ".." in path.parts or re.search(r'[\x00-\x1f\\:*?"<>|]', member.name):
                raise _refused(name, f"it holds '{member.name}', a path that leaves its folder")
            if member.isdir():
                continue
            if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.sparse is not None:
                raise _refused(name, f"it holds '{member.name}', which is a link or a device, not a file")
            total += member.size
            if number >= MOST_FILES or total > MOST_BYTES or path in seen:
                raise _refused(name, "it holds too many files, too large ones, or one of them twice")
            seen.add(path)
            yield member, path
    except (tarfile.TarError, EOFError, zlib.error) as problem:
        raise _broken(name, problem) from None


def _copied(name: str, tar: tarfile.TarFile, member: tarfile.TarInfo, to: Path) -> None:
    data = tar.extractfile(member)
    if data is None:
        raise _broken(name, EOFError())
    to.parent.mkdir(parents=True, exist_ok=True)
    with data, to.open("xb") as file:
        shutil.copyfileobj(data, file, 1 << 20)
    if to.stat().st_size != member.size:
        raise _broken(name, EOFError())


def _read(name: str, file: Path) -> dict[str, Any]:
    try:
        return _parsed(name, file.read_bytes())
    except FileNotFoundError:
        return _parsed(name, b"")


def _parsed(name: str, raw: bytes) -> dict[str, Any]:
    """YAML of plain values: what asks for objects of Python is refused."""
    import yaml

    if not raw or len(raw) > LONGEST_CONFIG:
        raise BackendError(f"{name} holds no {CONFIG} that can be read", "Save the model again, whole.")
    try:
        found = yaml.load(raw, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (Both are safe.)
    except yaml.constructor.ConstructorError:
        raise _refused(name, "its configuration asks for objects of Python") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BackendError(f"{name} holds no {CONFIG} that can be read", "Save the model again, whole.")
    return found


def _broken(name: str, problem: Exception) -> BackendError:
    if isinstance(problem, OSError) and problem.errno:
        return BackendError(f"{name} cannot be unpacked: {problem.strerror}", "Free some space, or set TMPDIR.")
    return BackendError(f"{name} is no .nemo archive, or is cut off", "Fetch or copy the file again.")


def _refused(name: str, why: str) -> BackendError:
    return BackendError(f"{name} is refused: {why}", "Use a model from somewhere that you trust.")
