"""mikebot say and persona show: a text is heard at once, by the steps of a film; a persona tells what it is made of."""

from __future__ import annotations

import hashlib
import shutil
import wave
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from command_kit import ROOT, environment, mikebot, workspace
from consent_kit import Place, consent
from media_kit import wav
from python_kit import logged

from engine.backends.narration import Join, JoinParams
from engine.backends.nemo import Nemo, NemoParams
from engine.kinds import Inputs, numbered


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return workspace(tmp_path)


def seconds(file: Path) -> float:
    with wave.open(str(file)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 48000)
        return sound.getnframes() / 48000


def test_a_text_is_said_and_said_again_at_once(place: Path) -> None:
    first = mikebot(place, "say", "This door is red. That one is blue.", "--out", "door.wav")
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith("door.wav  (3 made, 0 kept, ")
    assert 2 < seconds(place / "door.wav") < 6
    again = mikebot(place, "say", "This  door is red.\nThat one is blue.", "--out", "again.wav")
    assert again.out.startswith("again.wav  (0 made, 3 kept, ")
    assert (place / "again.wav").read_bytes() == (place / "door.wav").read_bytes()
    other = mikebot(place, "say", "This door is red. That one is green.", "--out", "other.wav")
    assert other.out.startswith("other.wav  (2 made, 1 kept, ")


def test_without_a_place_it_is_played_by_what_there_is(place: Path) -> None:
    doors = place / "bin"
    doors.mkdir()
    player = doors / "aplay"
    player.write_text(f'#!/bin/sh\necho "$@" > {place}/played\n')
    player.chmod(0o755)
    env = environment() | {"PATH": str(doors)}
    said = mikebot(place, "say", "Hello.", env=env)
    assert said.out.startswith(".mikebot/said.wav  (2 made, 0 kept, ")
    assert (place / "played").read_text() == f"-q {place}/.mikebot/said.wav\n"
    (place / "played").unlink()
    player.unlink()
    assert mikebot(place, "say", "Hello.", env=env).code == 0  # Without one, it is told where the sound is.


BAD = {
    "nothing": (["  "], 'there is nothing to say\n  type a text: mikebot say "Hello."'),
    "too much": (["word " * 1200], "the text has 5,999 characters; at most 5,000 are said at once\n  say less"),
    "nobody": (
        ["Hi.", "--persona", "mikebto"],
        "there is no persona 'mikebto'; did you mean 'mikebot'?\n  personas here: mikebot",
    ),
    "no sound": (["Hi.", "--out", "a.mp3"], "--out names a WAV file, not a.mp3\n  let its name end in .wav"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_said_is_told(place: Path, case: str) -> None:
    words, expected = BAD[case]
    said = mikebot(place, "say", *words)
    assert (said.code, said.out, said.err) == (2, "", f"mikebot: {expected}\n")


def test_of_two_personas_one_must_be_named(place: Path) -> None:
    shutil.copytree(place / "personas" / "mikebot", place / "personas" / "other")
    said = mikebot(place, "say", "Hi.")
    expected = "mikebot: no persona is named, and there is not one alone\n"
    expected += "  add --persona NAME; personas here: mikebot, other\n"
    assert (said.code, said.err) == (2, expected)
    assert mikebot(place, "say", "Hi.", "--persona", "other", "--out", "o.wav").code == 0


VOICED = """\
name: voiced
extends: draft
kinds:
  speech:
    backend: nemo
    params: {model: magpie, codec: codec, device: cpu, guard: false, seconds: 1.0, batch: 4}
"""
SAID = ("This door is red.", "That one is blue.", "Hello world.")
HERS = {"nemo": {"reference": "sample.wav"}}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import tiny_voice

    folder = tmp_path_factory.mktemp("models")
    tiny_voice.build(folder)
    return folder


def said_here(folder: Path, reference: Path) -> bytes:
    """The narration of what is said below, made in this process, sentence by sentence."""
    import torch

    torch.set_num_threads(1)
    folder.mkdir()
    said = yaml.safe_load(VOICED)["kinds"]["speech"]["params"]
    seed = int.from_bytes(hashlib.sha256(b"0/1/0").digest()[:4], "big")  # Of seed 0, take 1.
    backend, inputs, deaf = Nemo(), Inputs(), SimpleNamespace(progress=lambda *_: None)
    for number, text in enumerate(SAID, 1):
        params = NemoParams(text, seed=seed, **Nemo.settled(said))
        if number == 1:
            backend.load(backend.model(params))
        (out := folder / str(number)).mkdir()
        backend.run(params, Inputs(voice=reference), out, deaf)
        inputs |= {numbered(name, number): out / name for name in ("audio", "timing")}
    Join().run(JoinParams(), inputs, folder, deaf)
    return (folder / "audio").read_bytes()


def test_a_real_person_s_voice_is_heard_only_while_they_agree(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cloned by NeMo's real classes in a worker; refused without a word of consent, for another purpose, or revoked.

    NeMo has a Python of its own there, and is given several sentences at once. The samples are those that it gives
    here, one by one.
    """
    monkeypatch.setenv("MIKEBOT_MODELS", str(models))
    monkeypatch.setenv("MIKEBOT_PYTHON_NEMO", str(python := logged(tmp_path / "env")))
    place = Place(tmp_path)
    wav(place.persona.parent / "sample.wav", 2.0)
    (tmp_path / "profiles" / "voiced.yaml").write_text(VOICED)
    say = ("say", " ".join(SAID), "--profile", "voiced", "--out", "said.wav")
    place.says(voice=HERS)
    refused = place.run(*say)
    assert refused.code == 2
    assert "Ada is a real person, and there is no consent:" in refused.err
    place.says(consent(), voice=HERS)  # To pictures alone.
    assert "consent: does not cover their voice" in place.run(*say).err
    assert not (tmp_path / "said.wav").exists()
    place.says(consent(scope={"projects": ["doors"], "purposes": ["picture", "voice"]}), voice=HERS)
    agreed = place.run(*say)
    assert (agreed.code, agreed.out.split("(")[1][:14]) == (0, "4 made, 0 kept"), agreed.err
    assert seconds(tmp_path / "said.wav") > 0.5
    assert "-P -m engine.worker" in python.with_suffix(".log").read_text()
    assert (tmp_path / "said.wav").read_bytes() == said_here(tmp_path / "here", place.persona.parent / "sample.wav")
    assert place.run(*say).out.split("(")[1].startswith("0 made, 4 kept")
    place.says(consent(revoked="2026-01-02", scope={"projects": ["doors"], "purposes": ["voice"]}), voice=HERS)
    assert "consent: was revoked on 2026-01-02" in place.run(*say).err


def test_a_recording_that_is_not_there_is_told_at_its_place(tmp_path: Path, models: Path) -> None:
    place = Place(tmp_path)
    place.says(consent(), voice=HERS)
    said = place.run("check", "projects/doors")
    expected = "personas/ada/persona.yaml:15:17: reference: there is no file 'sample.wav'"
    assert (said.code, said.err.splitlines()[0]) == (2, expected)


def test_a_checkpoint_that_is_no_archive_is_told_before_anything_runs(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (place.persona.parent / "ada.nemo").write_bytes(b"not a tar")
    place.says(consent(), voice={"nemo": {"checkpoint": "ada.nemo"}})
    said = place.run("check", "projects/doors")
    expected = "personas/ada/persona.yaml:15:18: checkpoint: ada.nemo is no .nemo archive, or is cut off"
    assert (said.code, said.err.splitlines()[0]) == (2, expected)


def test_a_persona_tells_what_it_has(place: Path) -> None:
    said = mikebot(place, "persona", "show", "mikebot")
    lines = said.out.splitlines()
    assert (said.code, lines[0]) == (0, "Mikebot")
    assert lines[1] == "  portrait  portrait.png, 768 x 896"
    assert lines[-2:] == [
        "  voice     espeak: voice en-gb, pitch 45, rate 165",
        "  consent   not needed: nobody real is seen or heard",
    ]


def test_a_persona_tells_what_its_voice_was_made_of(tmp_path: Path) -> None:
    place = Place(tmp_path)
    folder = place.persona.parent
    wav(folder / "sample.wav", 2.0)
    digest = hashlib.sha256((folder / "sample.wav").read_bytes()).hexdigest()
    trained = {"nemo": {"reference": "sample.wav", "sha256": digest, "dataset": "f" * 64, "speaker": 0}}
    place.says(consent(), voice=trained)
    said = place.run("persona", "show", "ada").out.splitlines()
    assert said[3:] == [
        "  voice     nemo: speaker 0",
        f"              reference sample.wav (0.2 MB, sha256 {digest[:12]})",
        "                clipped: 0.06% of it lies flat at the loudest level, at most 0.02% may",
        "                it lasts 2.0 s; 5 to 20 s are best",
        "              trained on dataset ffffffffffff; the file is ANOTHER than the one that was trained",
        "  consent   consent: does not cover their voice: it covers picture: ask for their voice too",
    ]


def test_nothing_of_the_engine_is_written_outside_of_the_workspace(place: Path) -> None:
    home = place / "home"
    home.mkdir()
    assert mikebot(place, "say", "Hi.", "--out", "a.wav", env=environment() | {"HOME": str(home)}).code == 0
    assert list(home.iterdir()) == []
    theirs, ours = (folder / "personas" / "mikebot" for folder in (place, ROOT))
    assert {file.name for file in theirs.iterdir()} == {file.name for file in ours.iterdir()}
