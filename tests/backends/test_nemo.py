"""A persona's voice by NeMo's real classes with random weights: the library's own samples, timed, joined, in a film.

All of it in one process, whose import of NeMo takes longer than the rest.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import warnings
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tiny_voice
import yaml
from contract_kit import Heard
from media_kit import sound_file, spoken_film, tone
from workshop import Workshop

from engine.backends import joining, nemo_model, nemo_speak
from engine.backends.espeak_text import tokens
from engine.backends.nemo import Nemo, NemoParams
from engine.errors import BackendError, Cancelled
from engine.kinds import Inputs, Part

TEXT = "Hello world, this is a test."
LONG = "Hello world, this is a red door. That one is blue. " + "Hello red door, " * 11 + "hello."  # In three chunks.
ROW = "Hello world, this is a red door, that one is blue."
LOUD = tone(3.0, 24000, 1).reshape(-1)
SAID = {"model": "magpie", "codec": "codec", "device": "cpu", "guard": False}


def wav(file: Path, sound: np.ndarray[Any, Any], rate: int = tiny_voice.RATE) -> Path:
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(sound.astype("<i2").tobytes())
    return file


class Studio(NamedTuple):
    """Models in a folder, a reference recording, and a backend with a model that clones in memory."""

    folder: Path
    voice: tiny_voice.Voice
    reference: Path
    backend: Nemo

    def params(self, text: str = TEXT, **changes: Any) -> NemoParams:
        return NemoParams(**{"text": text, **SAID, **changes})

    def say(self, out: Path, text: str = TEXT, **changes: Any) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
        """Samples and timing of a sentence."""
        out.mkdir(parents=True, exist_ok=True)
        inputs = {"voice": changes.pop("reference", self.reference)}
        self.backend.run(self.params(text, **changes), Inputs(inputs), out, changes.pop("tell", Heard()))
        samples, rate = joining.read(out / "audio")
        timing = json.loads((out / "timing").read_bytes())
        assert (timing["rate"], timing["samples"]) == (rate, len(samples))
        return samples, timing

    def refusal(self, out: Path, text: str = TEXT, **changes: Any) -> str:
        with pytest.raises(BackendError) as told:
            self.say(out, text, **changes)
        return str(told.value)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    import torch

    torch.set_num_threads(1)  # As workers are: the same numbers however many cores there are.
    folder = tmp_path_factory.mktemp("voices")
    voice = tiny_voice.build(folder, baked=True)
    before = os.environ.get("MIKEBOT_MODELS")
    os.environ["MIKEBOT_MODELS"] = str(folder)
    reference = wav(folder / "reference.wav", tone(2.0, tiny_voice.RATE, 1).reshape(-1))
    backend = Nemo()
    params = NemoParams(text=TEXT, **SAID)
    assert backend.check(params) == []
    backend.load(backend.model(params))
    yield Studio(folder, voice, reference, backend)
    backend.unload("")
    os.environ.pop("MIKEBOT_MODELS") if before is None else os.environ.update(MIKEBOT_MODELS=before)


def library(studio: Studio, folder: Path, text: str, seed: int) -> np.ndarray[Any, Any]:
    """What the library gives when its own methods are called on the same weights, in the order of its `do_tts`."""
    import torch
    from nemo.collections.tts.models import MagpieTTSModel
    from nemo.collections.tts.parts.utils.tts_dataset_utils import chunk_text_for_inference

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = MagpieTTSModel.restore_from(str(studio.voice.magpie), return_config=True)
        config.codecmodel_path = str(studio.voice.codec)
        model = MagpieTTSModel.restore_from(str(studio.voice.magpie), override_config_path=config, map_location="cpu")
        model.eval()
        model.tokenizer.tokenizers["english_phoneme"].g2p.phoneme_probability = 1.0
        random.seed(seed)
        torch.manual_seed(seed)
        named = {"language": "en", "tokenizer_name": "english_phoneme", "eos_token_id": model.eos_id}
        parts, lengths, _ = chunk_text_for_inference(text=text, text_tokenizer=model.tokenizer, **named)
        with wave.open(str(studio.reference)) as file:
            heard = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
        wanted = int(1.0 * tiny_voice.RATE / tiny_voice.FRAME) * tiny_voice.FRAME
        context = torch.tensor(heard[:wanted])[None]
        state, codes = model.create_chunk_state(batch_size=1), []
        for number, (part, length) in enumerate(zip(parts, lengths, strict=True)):
            said = model.generate_speech(
                {
                    "text": part[None],
                    "text_lens": torch.tensor([length]),
                    "context_audio": context,
                    "context_audio_lens": torch.tensor([wanted]),
                },
                chunk_state=state,
                end_of_text=[number == len(parts) - 1],
                beginning_of_text=number == 0,
                use_cfg=True,
                use_local_transformer_for_inference=True,
            )
            codes.append(said.predicted_codes[0, :, : said.predicted_codes_lens[0]])
        whole = torch.cat(codes, 1)[None]
        sound = model._codec_helper.codes_to_audio(whole, torch.tensor([whole.shape[2]]))[0][0]
    return np.clip(np.rint(sound.numpy() * 32767), -32768, 32767).astype(np.int16)


@pytest.mark.parametrize(("text", "seed"), [(TEXT, 0), (LONG, 3)], ids=["short", "in chunks"])
def test_the_samples_are_those_of_the_library(studio: Studio, tmp_path: Path, text: str, seed: int) -> None:
    samples, _ = studio.say(tmp_path / "ours", text, seed=seed)
    assert np.array_equal(samples, library(studio, tmp_path, text.strip(), seed))


def test_a_sentence_sounds_the_same_whatever_was_said_before_it(studio: Studio, tmp_path: Path) -> None:
    first = studio.say(tmp_path / "1", seed=7)
    studio.say(tmp_path / "2", "That door is blue.", seed=8)
    again = studio.say(tmp_path / "3", seed=7)
    other = studio.say(tmp_path / "4", seed=9)
    assert np.array_equal(first[0], again[0])
    assert first[1] == again[1]
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("text", [TEXT, "Two.", "Hello, hello - world 😀 <b>red</b>!", LONG])
def test_words_and_phones_have_times(studio: Studio, tmp_path: Path, text: str) -> None:
    """Held against espeak-ng's of the same text: the same words, in order, none over another, until the end."""
    samples, timing = studio.say(tmp_path, text, seed=1)
    words = timing["words"]
    assert [word for _, _, word in words] == tokens(text)
    edges = [edge for start, end, _ in words for edge in (start, end)]
    assert edges == sorted(edges)
    assert edges[0] >= 0
    assert edges[-1] <= len(samples)
    loud = np.flatnonzero(np.abs(samples.astype(int)) > np.abs(samples.astype(int)).max() * 0.03)
    assert max(end for _, end, word in words if any(map(str.isalnum, word))) >= loud[-1] - tiny_voice.FRAME
    spans = [edge for start, end, _ in timing["phones"] for edge in (start, end)]
    assert spans == sorted(spans)
    assert timing["phones"]
    assert all(end > start for start, end, _ in timing["phones"])
    assert timing["method"] in {"attention", "espeak-stretched"}


def test_a_model_that_does_not_tell_where_it_looks_is_timed_by_espeak_and_says_so(
    studio: Studio, tmp_path: Path
) -> None:
    model = studio.backend._model
    own = model.inference_parameters.apply_attention_prior
    model.inference_parameters.apply_attention_prior = False
    try:
        _, timing = studio.say(tmp_path)
    finally:
        model.inference_parameters.apply_attention_prior = own
    assert timing["method"] == "espeak-stretched"
    assert timing["note"] == "the model did not tell its words' times: they are espeak-stretched"
    assert [word for _, _, word in timing["words"]] == tokens(TEXT)


def test_sentences_are_joined_without_a_click(studio: Studio, tmp_path: Path) -> None:
    """Where a sentence begins and ends, no step from sample to sample is larger than those inside of it."""
    pieces = []
    for number, text in enumerate((TEXT, "That door is blue.", "This one is red.")):
        studio.say(tmp_path / str(number), text, seed=number)
        pieces.append(joining.piece(tmp_path / str(number) / "audio", tmp_path / str(number) / "timing"))
    sound, _ = joining.join(pieces, 0.25, 0.3, 0.4)
    at = 12000
    for piece in pieces:
        inside = np.abs(np.diff(piece.sound.astype(int))[300:-300]).max()
        for edge in (at, at + len(piece.sound)):
            around = np.abs(np.diff(sound[edge - 24 : edge + 24].astype(int)))
            assert around[22:26].max() <= min(327, inside)  # A hundredth of full scale.
        at += len(piece.sound) + 14400


def test_a_sentence_that_fails_is_said_again_and_that_is_told(studio: Studio, tmp_path: Path) -> None:
    notes = [
        studio.say(tmp_path, "Hello world.", guard=True, retries=9, seed=seed)[1].get("note") for seed in (5, 6, 10)
    ]
    told = [note for note in notes if note]
    assert told, "all were said well at once: choose another text"
    assert all(note.startswith(("said 2 times: in try 1 it ", "said ")) and "in try 1 it " in note for note in told)


def test_a_sentence_that_never_comes_out_well_fails_with_every_reason(studio: Studio, tmp_path: Path) -> None:
    said = studio.refusal(tmp_path, guard=True, retries=1, seconds=0.2)
    assert said.splitlines()[0].startswith(f"the model did not say {TEXT!r} well in 2 tries: in try 1 it did not end")
    assert "; in try 2 it did not end within 0.2 s" in said
    hint = "  Raise take:, reword the sentence, or set guard: false in the profile to hear it."
    assert said.splitlines()[1] == hint
    assert not (tmp_path / "audio").exists()


@pytest.mark.parametrize("text", ["…", "😀", "--", ""])
def test_a_text_with_nothing_to_say_is_a_short_rest(studio: Studio, tmp_path: Path, text: str) -> None:
    samples, timing = studio.say(tmp_path, text)
    assert len(samples) == int(0.3 * tiny_voice.RATE)
    assert not samples.any()
    assert timing["phones"] == []


def test_words_without_sounds_are_left_out_and_told(studio: Studio, tmp_path: Path) -> None:
    _, timing = studio.say(tmp_path, "Hello 你好 world, hello", seed=2)
    assert [word for _, _, word in timing["words"]] == ["Hello ", "你", "好 ", "world, ", "hello"]
    assert timing["note"].startswith("left out, because the model has no sounds for it: 你好")


RIGHT = "\n  Is the storyboard's language: right? Write numbers and signs as words."
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "Chinese": ({"text": "你好，世界。"}, f"the model has no sounds for '你好，世界。' in 'en'{RIGHT}"),
    "language": (
        {"language": "de"},
        "the model does not speak 'de'; it speaks en\n  Use another model, or speech: {backend: espeak} for this film.",
    ),
    "topk": (
        {"topk": 500},
        "topk is 500, and a codebook of this model has 136 entries\n  Set topk to 136 or less in the profile.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_the_model_cannot_do_is_told(studio: Studio, tmp_path: Path, case: str) -> None:
    changes, expected = BAD[case]
    assert studio.refusal(tmp_path, **changes) == expected


def test_a_reference_in_which_no_voice_is_heard_is_refused(studio: Studio, tmp_path: Path) -> None:
    quiet = wav(tmp_path / "quiet.wav", np.zeros(3 * tiny_voice.RATE))
    short = wav(tmp_path / "short.wav", tone(0.4, tiny_voice.RATE, 1).reshape(-1))
    (tmp_path / "none.wav").write_bytes(b"RIFF, perhaps")
    silent = "the reference recording is silent\n  Bring one in which the voice is heard."
    assert studio.refusal(tmp_path, reference=quiet) == silent
    expected = "the reference recording lasts 0.4 s; a voice needs 1 s, and better 5 to 20\n  Bring a longer one."
    assert studio.refusal(tmp_path, reference=short) == expected
    assert studio.refusal(tmp_path, reference=tmp_path / "none.wav").startswith("the reference recording: ")


def test_a_reference_is_what_it_holds_at_any_rate_and_of_a_video_its_sound(studio: Studio, tmp_path: Path) -> None:
    """Each is heard as the model wants it: at its rate, as long as it listens, and repeated where it is shorter."""
    model = studio.backend._model
    sound_file(tmp_path / "voice.mp3", "libmp3lame", "mp3", 3.0).rename(tmp_path / "called.wav")
    files = [tmp_path / "called.wav", spoken_film(tmp_path / "film.mp4", 3.0)]
    files.append(wav(tmp_path / "telephone.wav", LOUD[::3], 8000))
    files.append(wav(tmp_path / "clipped.wav", np.clip(LOUD * 9.0, -32768, 32767)))
    for file in files:
        heard = nemo_speak.heard(file, model, Heard())
        assert heard.shape == (21 * tiny_voice.FRAME,)
        assert 0.1 < np.abs(heard).max() <= 1


def test_bfloat16_speaks_too_with_samples_of_its_own(studio: Studio, tmp_path: Path) -> None:
    """It is a knob of the profile, and so in the key."""
    whole, half, again = (
        studio.say(tmp_path / str(number), ROW, seed=9, dtype=dtype)[0]
        for number, dtype in enumerate(("float32", "bfloat16", "bfloat16"))
    )
    assert half.any()
    assert not np.array_equal(whole, half)
    assert np.array_equal(half, again)


def test_a_cancel_ends_a_sentence_between_two_frames(studio: Studio, tmp_path: Path) -> None:
    class Impatient(Heard):
        def progress(self, done: int, total: int) -> None:
            super().progress(done, total)
            if total > 1 and done > 3:
                raise Cancelled

    heard = Impatient()
    with pytest.raises(Cancelled):
        studio.backend.run(studio.params(), Inputs({"voice": studio.reference}), tmp_path, heard)
    assert heard.told[-1] == (4, 41)
    assert not (tmp_path / "audio").exists()


def test_sentences_that_are_said_at_once_are_those_of_one_by_one(studio: Studio, tmp_path: Path) -> None:
    """What fails, is not wanted any more, or is said in several chunks costs the others nothing."""
    said = [
        TEXT,
        "That door is blue.",
        "…",
        "Hello hello, one two three.",
        LONG,
        "Two.",
        "你好，世界。",
        "This is red.",
    ]
    stale, tells = said.index("Two."), [Heard() for _ in said]
    tells[stale].stop = Cancelled
    parts, alone = [], []
    for number, text in enumerate(said):
        (tmp_path / f"many{number}").mkdir()
        params = studio.params(text, seed=number, batch=len(said), seconds=0.9)
        parts.append(Part(params, Inputs(voice=studio.reference), tmp_path / f"many{number}", tells[number]))
        alone.append(tmp_path / f"one{number}")
        if text.isascii() or text == "…":
            studio.say(alone[-1], text, seed=number, seconds=0.9)
    ends = studio.backend.run_many(parts)
    assert [type(end) for end in ends] == [dict] * 5 + [Cancelled, BackendError, dict]
    assert str(ends[6]).startswith("the model has no sounds for '你好，世界。' in 'en'")
    for part, file, end in zip(parts, alone, ends, strict=True):
        for name in ("audio", "timing"):
            assert isinstance(end, Exception) or (part.out / name).read_bytes() == (file / name).read_bytes()
    assert [tell.told[-1] for tell in (tells[0], tells[-1])] == [tells[0].told[-1]] * 2  # They were said together.
    assert tells[0].told[-1][1] == 20


def test_what_fails_of_several_is_said_again_with_those_that_do(studio: Studio, tmp_path: Path) -> None:
    notes = {}
    for name in ("one", "many"):
        parts = []
        for seed in (6, 7, 10):
            (out := tmp_path / f"{name}{seed}").mkdir()
            params = studio.params("Hello world.", guard=True, retries=9, seed=seed, batch=3)
            parts.append(Part(params, Inputs(voice=studio.reference), out, Heard()))
        ends = studio.backend.run_many(parts) if name == "many" else [studio.backend.run(*part) or {} for part in parts]
        assert ends == [{}] * 3
        notes[name] = [json.loads((part.out / "timing").read_bytes()).get("note") for part in parts]
    assert notes["one"] == notes["many"]
    assert any(notes["many"]), "all were said well at once: choose another text"


def test_what_is_wrong_is_told_before_anything_is_loaded(studio: Studio) -> None:
    def check(**changes: Any) -> list[str]:
        return studio.backend.check(studio.params(**changes))

    nowhere = "the model nobody/voice is not on this machine. "
    nowhere += "Put its folder below one that MIKEBOT_MODELS names, or fetch it: mikebot fetch --profile NAME."
    assert check(model="nobody/voice") == [nowhere]
    assert check(codec="nobody/voice") == [nowhere]
    hint = "Name a folder below one that MIKEBOT_MODELS names, or an id of the hub, which holds a .nemo."
    assert check(codec="") == [f"no codec is named ({hint})"]
    assert check(codec="../codec") == [f"'../codec' is no name of a model ({hint})"]
    assert check(dtype="float31") == [
        "dtype cannot be 'float31': did you mean 'float32'? (It takes float32, bfloat16.)"
    ]
    assert check(dtype="float16") == [
        "dtype cannot be 'float16': did you mean 'bfloat16'? (It takes float32, bfloat16.)"
    ]
    assert check(batch=65) == ["batch is 65, but must be from 1 to 64"]
    assert check(temperature=3.0) == ["temperature is 3.0, but must be from 0 to 2"]
    (studio.folder / "empty").mkdir(exist_ok=True)
    empty = "the model empty holds no .nemo archive. Leave one in its folder, called empty.nemo."
    assert check(model="empty") == [empty]
    assert check(model="codec") == [
        "codec.nemo is a AudioCodecModel, not a MagpieTTSModel. Name an archive of the right class in the profile."
    ]
    long = "a sentence has 5000 words, and the model says 150 at most. End it earlier with a full stop"
    assert check(text="door " * 5000) == [long]


def test_what_does_not_fit_together_is_told_when_it_is_loaded(studio: Studio, tmp_path: Path) -> None:
    from nemo.collections.tts.models import AudioCodecModel
    from omegaconf import OmegaConf

    other = tiny_voice.codec_config()
    other["vector_quantizer"]["num_levels_per_group"] = [4, 4, 2, 2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        AudioCodecModel(cfg=OmegaConf.create(other)).save_to(str(tmp_path / "other" / "other.nemo"))
    with pytest.raises(BackendError) as told:
        nemo_model.restored(studio.voice.magpie, tmp_path / "other" / "other.nemo", tmp_path / "into")
    assert str(told.value).startswith("magpie.nemo and its codec make no voice: RuntimeError: ")
    assert str(told.value).endswith("\n  Do they fit?")


def test_an_archive_that_names_a_codec_of_its_own_gets_the_one_that_was_named(studio: Studio, tmp_path: Path) -> None:
    """Where it was saved its codec lay elsewhere; a name of the hub would be downloaded."""
    import tarfile

    hostile = tmp_path / "v.nemo"
    aside = tmp_path / "aside"
    with tarfile.open(studio.voice.magpie) as tar:
        tar.extractall(aside, filter="data")
    said = yaml.safe_load((aside / "model_config.yaml").read_text())
    said["codecmodel_path"] = "nvidia/nemo-nano-codec-22khz-1.89kbps-21.5fps"
    (aside / "model_config.yaml").write_text(yaml.safe_dump(said))
    with tarfile.open(hostile, "w:") as tar:
        tar.add(aside, arcname=".")
    model = nemo_model.restored(hostile, studio.voice.codec, tmp_path / "into")
    assert model.cfg.codecmodel_path == str(tmp_path / "into" / "codec.nemo")
    with nemo_model.offline():
        model.save_to(str(tmp_path / "again.nemo"))  # Its dictionaries are still there.
    assert nemo_model.restored(tmp_path / "again.nemo", studio.voice.codec, tmp_path / "once more")


def test_a_model_with_speakers_of_its_own_takes_no_recording(studio: Studio, tmp_path: Path) -> None:
    backend = Nemo()
    backend.load(backend.model(studio.params(model="baked")))
    for speaker in (0, 1):
        params = studio.params(model="baked", speaker=speaker, seed=5)
        backend.run(params, Inputs(), tmp_path, Heard())
        with nemo_model.offline():
            nemo_model.seeded(5)
            sound = backend._model.do_tts(TEXT, speaker_index=speaker)[0][0].numpy()
        expected = np.clip(np.rint(sound * 32767), -32768, 32767).astype(np.int16)
        assert np.array_equal(joining.read(tmp_path / "audio")[0], expected)
    for inputs, changes, expected in (
        (
            {"voice": studio.reference},
            {},
            "baked has 2 speakers of its own, and cannot follow a recording"
            "\n  Remove reference: from the persona, or name a model that clones.",
        ),
        ({}, {"speaker": 2}, "speaker is 2, but the model has 2\n  Set 0 to 1."),
    ):
        with pytest.raises(BackendError) as told:
            backend.run(studio.params(model="baked", **changes), Inputs(inputs), tmp_path, Heard())
        assert str(told.value) == expected
    backend.unload("")
    with pytest.raises(BackendError) as told:
        studio.backend.run(studio.params(), Inputs(), tmp_path, Heard())
    expected = "magpie speaks as a recording does, and the persona has none"
    assert str(told.value) == f"{expected}\n  Name one in persona.yaml: voice: {{nemo: {{reference: FILE}}}}."


def test_a_persona_s_own_checkpoint_comes_with_the_step(studio: Studio, tmp_path: Path) -> None:
    backend = Nemo()
    params = studio.params(model="", checkpoint="ab" * 32)
    backend.load(backend.model(params))
    backend.run(params, Inputs({"voice": studio.reference, "checkpoint": studio.voice.magpie}), tmp_path, Heard())
    ours, _ = studio.say(tmp_path / "ours")
    assert np.array_equal(joining.read(tmp_path / "audio")[0], ours)
    backend.unload("")


PROFILE = {"name": "short", "extends": "draft", "kinds": {"speech": {"backend": "nemo", "params": SAID}}}


def board(*narrations: str) -> dict[str, Any]:
    scenes = [
        {"id": f"s{number}", "on_screen": False, "narration": text, "image_prompt": "a door", "video_prompt": "hold"}
        for number, text in enumerate(narrations)
    ]
    size = {"width": 64, "height": 36}
    return {"title": "T", "persona": "mikebot", "format": size, "scenes": scenes}


def test_a_film_is_spoken_and_one_changed_sentence_alone_is_said_again(studio: Studio, tmp_path: Path) -> None:
    shop = Workshop(tmp_path, board("Hello world. This is a test. That one is blue.", "This door is red."))
    (tmp_path / "profiles" / "short.yaml").write_text(yaml.safe_dump(PROFILE))
    shutil.copy(studio.reference, shop.persona / "voice.wav")
    persona = yaml.safe_load((shop.persona / "persona.yaml").read_text())
    persona["voice"] = {"nemo": {"reference": "voice.wav"}}
    (shop.persona / "persona.yaml").write_text(yaml.safe_dump(persona))
    made = shop.render()
    assert made.ended["film"] == "built"
    assert all("room" in action.inputs for action in made.submitted if action.kind == "narration")
    assert {name for name in made.ran if "/speech" in name} == {"s0/speech", "s0/speech/2", "s0/speech/3", "s1/speech"}
    assert not shop.render().ran
    shop.write(board("Hello world. This is a door. That one is blue.", "This door is red."))
    changed = shop.render()
    assert {name for name in changed.ran if "/speech" in name} == {"s0/speech/2"}
    shop.write(board("This door is red.", "That one is blue. Hello world."))  # Another order: nothing is said again.
    assert not {name for name in shop.render().ran if "/speech" in name}
    shutil.copy(wav(tmp_path / "other.wav", tone(3.0, tiny_voice.RATE, 1).reshape(-1) // 2), shop.persona / "voice.wav")
    assert {name for name in shop.render().ran if "/speech" in name} == {"s0/speech", "s1/speech", "s1/speech/2"}
