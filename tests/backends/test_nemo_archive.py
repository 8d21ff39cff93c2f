"""A .nemo archive is taken apart without trusting it: what is hostile is refused before anything of it runs."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.backends import nemo_archive, nemo_model
from engine.backends.nemo_archive import CODEC, MODEL, looked_over, unpacked
from engine.errors import BackendError

TRUST = "\n  Use a model from somewhere that you trust."
IPA = "nemo.collections.common.tokenizers.text_to_speech.tts_tokenizers.IPATokenizer"
G2P = "nemo.collections.tts.g2p.models.i18n_ipa.IpaG2p"


def config(**changes: Any) -> dict[str, Any]:
    """A configuration as a voice has it."""
    english = {"_target_": IPA, "g2p": {"_target_": G2P, "phoneme_dict": "nemo:ipa.txt", "heteronyms": "nemo:het"}}
    optim = {"_target_": "torch.optim.AdamW", "lr": 0.1}
    return {"target": MODEL, "text_tokenizers": {"english_phoneme": english}, "optim": optim} | changes


def archive(file: Path, said: Any = None, more: Callable[[tarfile.TarFile], None] = lambda _: None) -> Path:
    """A tar with a configuration (a text, or data), weights and a dictionary; `more` adds members."""
    text = said if isinstance(said, str) else yaml.safe_dump(config() if said is None else said)
    with tarfile.open(file, "w:") as tar:
        for name, data in (("model_config.yaml", text.encode()), ("model_weights.ckpt", b"x"), ("ipa.txt", b"A  a\n")):
            member(tar, f"./{name}", data)
        more(tar)
    return file


def member(tar: tarfile.TarFile, name: str, data: bytes = b"", **about: Any) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in about.items():
        setattr(info, field, value)
    tar.addfile(info, io.BytesIO(data))


def refusal(file: Path, folder: Path) -> str:
    """What unpacking an archive is refused with; looking it over is refused likewise, and nothing is left behind."""
    folder.mkdir()
    with pytest.raises(BackendError) as unpacking:
        unpacked(file, folder, MODEL)
    with pytest.raises(BackendError) as looking:
        looked_over(file, MODEL)
    assert str(unpacking.value) == str(looking.value)
    return str(unpacking.value)


def test_an_archive_is_unpacked_and_its_dictionaries_are_named_where_they_lie(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    found = unpacked(archive(tmp_path / "v.nemo"), folder, MODEL)
    g2p = found.config["text_tokenizers"]["english_phoneme"]["g2p"]
    assert g2p["phoneme_dict"] == str(folder / "ipa.txt")
    assert (folder / "ipa.txt").read_bytes() == b"A  a\n"
    assert found.weights.read_bytes() == b"x"
    assert "optim" not in found.config


MEMBERS: dict[str, tuple[str, dict[str, Any], str]] = {
    "parent": ("../evil", {}, "it holds '../evil', a path that leaves its folder"),
    "inner": ("a/../../evil", {}, "it holds 'a/../../evil', a path that leaves its folder"),
    "absolute": ("/tmp/evil", {}, "it holds '/tmp/evil', a path that leaves its folder"),
    "backslash": ("..\\evil", {}, "it holds '..\\evil', a path that leaves its folder"),
    "symlink": (
        "link",
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
        "it holds 'link', which is a link or a device, not a file",
    ),
    "hardlink": (
        "hard",
        {"type": tarfile.LNKTYPE, "linkname": "../../x"},
        "it holds 'hard', which is a link or a device, not a file",
    ),
    "device": ("null", {"type": tarfile.CHRTYPE}, "it holds 'null', which is a link or a device, not a file"),
    "pipe": ("pipe", {"type": tarfile.FIFOTYPE}, "it holds 'pipe', which is a link or a device, not a file"),
    "twice": ("ipa.txt", {}, "it holds too many files, too large ones, or one of them twice"),
}


@pytest.mark.parametrize("case", MEMBERS)
def test_a_member_that_is_no_file_of_the_folder_is_refused(case: str, tmp_path: Path) -> None:
    name, about, why = MEMBERS[case]
    file = archive(tmp_path / "v.nemo", more=lambda tar: member(tar, name, **about))
    assert refusal(file, tmp_path / "out") == f"v.nemo is refused: {why}{TRUST}"
    assert list((tmp_path / "out").iterdir()) == []


def test_more_bytes_than_a_voice_has_are_refused_before_any_is_written(tmp_path: Path) -> None:
    huge = tarfile.TarInfo("./huge")
    huge.size = nemo_archive.MOST_BYTES + 1
    file = tmp_path / "v.nemo"
    file.write_bytes(huge.tobuf(tarfile.GNU_FORMAT) + bytes(2048))
    expected = f"v.nemo is refused: it holds too many files, too large ones, or one of them twice{TRUST}"
    assert refusal(file, tmp_path / "out") == expected
    assert list((tmp_path / "out").iterdir()) == []


EVIL = {"_target_": "os.system", "command": "touch evil"}
TOKENIZERS = "text_tokenizers.english_phoneme"
CONFIGS: dict[str, tuple[Any, str]] = {
    "system": (config(encoder=EVIL), "its configuration wants os.system in encoder"),
    "deep": (config(a={"b": [1, {"c": EVIL}]}), "its configuration wants os.system in a.b.1.c"),
    "training": (config(optim=EVIL), "its configuration wants os.system in optim"),
    "dataset": (config(train_ds={"dataset": EVIL}), "its configuration wants os.system in train_ds.dataset"),
    "top": (config(_target_="nemo.x"), "its configuration is made to call something itself"),
    "params": (config(cls="os.system", params={}), "its configuration is made to call something itself"),
    "arguments": (config(a={"_target_": IPA, "_args_": ["x"]}), "its configuration calls something in a"),
    "environment": (config(a="${oc.env:HOME}"), "its configuration computes a"),
    "python": (
        "target: x\na: !!python/object/apply:os.system ['touch evil']\n",
        "its configuration asks for objects of Python",
    ),
    "dictionary": (
        config(text_tokenizers={"e": {"_target_": IPA, "g2p": {"_target_": G2P, "phoneme_dict": "/etc/passwd"}}}),
        "its configuration names '/etc/passwd' in text_tokenizers.e.g2p.phoneme_dict, which is no file of the archive",
    ),
    "climbing": (
        config(text_tokenizers={"e": {"_target_": IPA, "g2p": {"_target_": G2P, "phoneme_dict": "nemo:../x"}}}),
        "its configuration names 'nemo:../x' in text_tokenizers.e.g2p.phoneme_dict",
    ),
    "program": (
        config(text_tokenizers={"e": {"_target_": "AutoTokenizer", "pretrained_model": "someone/evil"}}),
        "its configuration wants AutoTokenizer in text_tokenizers.e",
    ),
    "another codec": (config(semantic_codec_path="x.nemo"), "its configuration is made to call something itself"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_configuration_that_would_have_something_called_is_refused(case: str, tmp_path: Path) -> None:
    said, why = CONFIGS[case]
    assert refusal(archive(tmp_path / "v.nemo", said), tmp_path / "out") == f"v.nemo is refused: {why}{TRUST}"
    assert not Path("evil").exists()


def test_a_codec_is_no_voice(tmp_path: Path) -> None:
    file = archive(tmp_path / "v.nemo", config(target=CODEC))
    expected = "v.nemo is a AudioCodecModel, not a MagpieTTSModel\n  Name an archive of the right class in the profile."
    assert refusal(file, tmp_path / "out") == expected


BROKEN = "v.nemo is no .nemo archive, or is cut off\n  Fetch or copy the file again."


def test_an_archive_that_is_cut_off_or_none_at_all_is_told(tmp_path: Path) -> None:
    whole = archive(tmp_path / "v.nemo", more=lambda tar: member(tar, "./z", bytes(50_000))).read_bytes()
    for number, data in enumerate((b"hello", whole[:30_000], b"\x1f\x8b" + whole[:5000], bytes(2000))):
        file = tmp_path / "v.nemo"
        file.write_bytes(data)
        (tmp_path / f"out{number}").mkdir()
        with pytest.raises(BackendError) as told:
            unpacked(file, tmp_path / f"out{number}", MODEL)
        assert str(told.value) in {
            BROKEN,
            "v.nemo holds no model_weights.ckpt\n  Save the model again, whole.",
        }


class Payload:
    """What runs where a pickle is read without care."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {os.environ['CANARY']}",)


def test_weights_that_hold_a_program_are_refused_and_it_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setenv("CANARY", str(tmp_path / "evil"))
    voice = nemo_archive.Unpacked("v.nemo", tmp_path, {})
    for save in (
        lambda: voice.weights.write_bytes(pickle.dumps(Payload())),
        lambda: torch.save(Payload(), voice.weights),
    ):
        save()
        with pytest.raises(BackendError) as told:
            nemo_model.tensors(voice)
        assert str(told.value) == f"v.nemo is refused: its weights hold a program{TRUST}"
        assert not (tmp_path / "evil").exists()


def test_weights_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    import torch

    voice = nemo_archive.Unpacked("v.nemo", tmp_path, {})
    torch.save({"good": torch.ones(2), "encoder.bias": torch.tensor([1.0, float("nan")])}, voice.weights)
    with pytest.raises(BackendError) as told:
        nemo_model.tensors(voice)
    expected = "the weights in v.nemo are no numbers in encoder.bias\n  Train or fetch it again."
    assert str(told.value) == expected
    voice.weights.write_bytes(voice.weights.read_bytes()[:200])
    with pytest.raises(BackendError) as told:
        nemo_model.tensors(voice)
    assert str(told.value) == "the weights in v.nemo are damaged\n  Fetch or copy the file again."
