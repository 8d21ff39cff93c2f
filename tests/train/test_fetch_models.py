"""mikebot fetch --model: what listens to a voice, a voice and the tokenizer that it reads with, whole, from a hub."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_hearing
from archive_kit import READER, pack
from command_kit import Said, environment, mikebot
from hub_kit import COMMIT, Hub, serving

from engine.train.hearing_models import Speaker, Whisper

SOUND = (9000 * np.sin(np.arange(96000) / 30)).astype(np.int16)


@pytest.fixture(scope="module", name="served")
def what_the_hub_has(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny models beside what nobody reads; the weights of one as a pickle, as older ones have them."""
    import torch
    from safetensors.torch import load_file

    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(models, folder, dirs_exist_ok=True)
    for name in (tiny_hearing.WHISPER, tiny_hearing.SPEAKER):
        (folder / name / "flax_model.msgpack").write_bytes(b"not for us")
        (folder / name / "README.md").write_text("---\nlicense: made-for-tests\n---\n")
    (folder / tiny_hearing.WHISPER / "pytorch_model.bin").write_bytes(b"not for us")
    tensors = folder / tiny_hearing.SPEAKER / "model.safetensors"
    torch.save(load_file(tensors), tensors.with_name("pytorch_model.bin"))
    tensors.unlink()
    (folder / READER).mkdir(parents=True)
    for name in ("config.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / READER / name).write_text("{}")
    (folder / READER / "pytorch_model.bin").write_bytes(b"not for us")
    pack(folder / "made/voice/voice.nemo")
    return folder


class Space:
    """A workspace and a cache that begins empty."""

    def __init__(self, root: Path, hub: Hub) -> None:
        self.root, self.hub = root, hub
        (root / "personas").mkdir()
        (root / "projects").mkdir()
        self.env = environment() | hub.env(root / "home")
        self.env.pop("HF_HUB_OFFLINE", None)

    def fetch(self, *models: str) -> Said:
        return mikebot(self.root, "fetch", *(word for name in models for word in ("--model", name)), env=self.env)

    def names(self, model: str) -> set[str]:
        """The files of a model that came."""
        there = self.root / "home/hub" / f"models--{model.replace('/', '--')}" / "snapshots" / COMMIT
        return {file.relative_to(there).as_posix() for file in there.rglob("*") if file.is_file()}


@pytest.fixture
def space(served: Path, tmp_path: Path) -> Iterator[Space]:
    with serving(served) as hub:
        yield Space(tmp_path, hub)


def test_what_listens_comes_and_listens(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    said = space.fetch(tiny_hearing.WHISPER, tiny_hearing.SPEAKER)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[1:3] == [
        "        main means another commit tomorrow: nothing here pins it. Today it is",
        f"        {tiny_hearing.WHISPER}@{COMMIT}",
    ]
    unread = {"flax_model.msgpack", "pytorch_model.bin"}
    there = {file.name for file in (space.hub.folder / tiny_hearing.WHISPER).iterdir()}
    assert space.names(tiny_hearing.WHISPER) == there - unread
    assert "pytorch_model.bin" in space.names(tiny_hearing.SPEAKER)  # There is nothing better.
    assert space.fetch(tiny_hearing.WHISPER, tiny_hearing.SPEAKER).out == "nothing to fetch: 2 of 2 models are here\n"
    monkeypatch.setenv("MIKEBOT_MODELS", "")
    monkeypatch.setenv("HF_HUB_CACHE", space.env["HF_HUB_CACHE"])
    listener, judge = Whisper(f"{tiny_hearing.WHISPER}@{COMMIT}", "en"), Speaker(tiny_hearing.SPEAKER)
    assert (listener.name, judge.name) == (f"{tiny_hearing.WHISPER}@{COMMIT}", f"{tiny_hearing.SPEAKER}@{COMMIT}")
    assert isinstance(listener(SOUND), str)
    assert judge.alike(SOUND, SOUND) == pytest.approx(1, abs=1e-5)


def test_a_voice_comes_with_the_tokenizer_that_it_reads_with(space: Space) -> None:
    said = space.fetch(f"made/voice@{COMMIT}")
    assert (said.code, said.err) == (0, "")
    assert [line.split()[:2] for line in said.out.splitlines() if not line.startswith(" ")] == [
        ["fetch", "made/voice"],
        ["fetched", "made/voice"],
        ["fetch", READER],
        ["fetched", READER],
    ]
    assert space.names("made/voice") == {"voice.nemo"}
    assert space.names(READER) == {"config.json", "tokenizer_config.json", "special_tokens_map.json"}
    assert space.fetch(f"made/voice@{COMMIT}").out == "nothing to fetch: 2 of 2 models are here\n"


def test_a_profile_s_voice_brings_its_tokenizer_too(space: Space) -> None:
    (space.root / "profiles").mkdir()
    params = f"{{model: made/voice, revision: {COMMIT}, codec: made/voice, codec_revision: {COMMIT}}}"
    profile = f"name: mine\nextends: draft\nkinds:\n  speech: {{backend: nemo, params: {params}}}\n"
    (space.root / "profiles/mine.yaml").write_text(profile)
    said = mikebot(space.root, "fetch", "--profile", "mine", env=space.env)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1].startswith(f"fetched {READER}  in ")
    told = json.loads(mikebot(space.root, "doctor", "--profile", "mine", "--json", env=space.env).out)["findings"]
    assert f"{READER}, for speech.nemo" in [one["text"] for one in told if one["part"] == "Models" and one["good"]]
    listening = [one["text"] for one in told if one["part"] == "Making a voice (mikebot persona voice)"]
    assert listening == [
        "openai/whisper-small, which writes down recordings without a text, and counts the words that are heard wrong, "
        "is not here: mikebot fetch --model openai/whisper-small",
        "microsoft/wavlm-base-plus-sv, which says how alike a voice is to its person, "
        "is not here: mikebot fetch --model microsoft/wavlm-base-plus-sv",
    ]


def test_what_is_no_such_model_is_told(space: Space) -> None:
    (space.hub.folder / "made/Pictures").mkdir(exist_ok=True)
    (space.hub.folder / "made/Pictures/model_index.json").write_text("{}")
    hint = "Name one of transformers, with a config.json and its weights beside it, or a .nemo archive."
    message = f"mikebot: made/Pictures on the hub is no network of transformers\n  {hint}\n"
    assert space.fetch("made/Pictures") == Said(2, "", message)
