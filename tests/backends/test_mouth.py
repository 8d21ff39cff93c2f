"""What the mouth promises: shut on m, b and p, open on vowels, at rest in silence, in the still's portrait."""

from __future__ import annotations

import json
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picture_kit import MOUTH, Quiet, clips, face, save

from engine.backends.espeak import Espeak
from engine.backends.mouth import OPENNESS, Mouth
from engine.backends.mouthing import SLOPE, from_phones
from engine.backends.narration import Join
from engine.backends.phones import APART, ON_LIP, REST, TOGETHER, letter_of, shape_of
from engine.errors import BackendError
from engine.kinds import Inputs

FPS = Fraction(25)


def talk(out: Path, phones: list[Any], persona: Any, *, portrait: bool = True, sound: Any = None) -> Any:
    out.mkdir(exist_ok=True)
    picture, box = face(96, 54)
    still = save(out / "still", picture, box if portrait else None)
    timing = {"rate": 48000, "samples": 48000, "words": [], "phones": phones}
    (out / "timing").write_text(json.dumps(timing), "utf-8")
    with wave.open(str(out / "audio"), "wb") as file:
        file.setparams((1, 2, 48000, 0, "NONE", ""))
        file.writeframes(np.asarray(np.zeros(48000) if sound is None else sound, "<i2").tobytes())
    video = clips(out, still, "push in", (64, 36))[0]
    inputs = Inputs({"clip.0001": video, "still": still, "timing": out / "timing", "audio": out / "audio"})
    Mouth().run(Mouth.Params(frames=25, fps="25", width=64, height=36, persona=persona), inputs, out, Quiet())
    return json.loads((out / "video").read_text("utf-8"))


@pytest.mark.parametrize("phone", ["m", "b", "p", "m;", "p-"])
def test_lips_shut(phone: str) -> None:
    assert shape_of(phone)[0] == 0


def test_vowels_have_their_shapes() -> None:
    assert shape_of("A:")[0] > shape_of("@")[0] > shape_of("s")[0]
    assert shape_of("i:")[1] > 0.9
    assert shape_of("u:")[1] < 0.1
    assert shape_of("y:")[1] < 0.1  # French, German
    assert shape_of("0").open > shape_of("@").open  # The vowel of "stop", not a mark.
    assert shape_of("aI", 0.1) == shape_of("a")
    assert shape_of("aI", 0.9) == shape_of("I")
    assert 0 < shape_of("[unheard of]")[0] < 0.6
    assert [shape_of(phone).teeth for phone in ("f", "v", "s", "z", "a")] == [ON_LIP, ON_LIP, TOGETHER, TOGETHER, APART]
    assert shape_of("tS", 0.9) == shape_of("S")


def test_a_mouth_opens_shuts_and_rests_in_silence() -> None:
    phones = [[9600, 19200, "A:"], [19200, 24000, "m"], [24000, 33600, "A:"]]
    shapes = from_phones(phones, 48000, 25, FPS)
    assert len(shapes) == 25
    assert all(shape == REST for shape in (*shapes[:3], *shapes[19:]))
    assert min(shape.open for shape in shapes[9:12]) == 0
    assert shapes[7].open > 0.8
    assert shapes[14].open > 0.8


TEXTS = {
    "en": (
        "Bob maps five big pumps before breakfast.",
        "Warm vision, hmm?",
        "Above all, keep both lamps from Pam's computer!",
    ),
    "de": ("Am Abend bimmelt ein Pumpwerk.", "Viele Affen beobachten schwimmende Bäume."),
    "fr": ("Le pape aime beaucoup les bombes à vapeur.", "Un homme va vers la fenêtre."),
}


def narrated(out: Path, language: str, rate: int) -> Any:
    """The timing of a real narration of several sentences."""
    inputs = Inputs()
    for number, text in enumerate(TEXTS[language], 1):
        folder = out / str(number)
        folder.mkdir()
        Espeak().run(Espeak.Params(text, language, rate=rate), Inputs(), folder, Quiet())
        inputs |= {f"{name}.{number:04}": folder / name for name in ("audio", "timing")}
    Join().run(Join.Params(), inputs, out, Quiet())
    return json.loads((out / "timing").read_text("utf-8"))


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001), Fraction(60), Fraction(12)])
@pytest.mark.parametrize(("language", "rate"), [("en", 165), ("en", 260), ("de", 175), ("fr", 175)])
def test_speech_shuts_bites_rests_and_never_pops(tmp_path: Path, language: str, rate: int, fps: Fraction) -> None:
    timing = narrated(tmp_path, language, rate)
    frames = -(-timing["samples"] * fps.numerator // (48000 * fps.denominator))
    shapes = from_phones(timing["phones"], timing["rate"], frames, fps)
    assert len(shapes) == frames
    seen = set()
    for start, end, name in timing["phones"]:
        near = shapes[max(0, int(start * fps / 48000) - 1) : int(end * fps / 48000) + 2]
        seen.add(letter_of(name))
        if letter_of(name) in "mbp":
            assert any(shape == REST for shape in near), (start, name)
        if letter_of(name) in "fv" and fps >= 25:
            assert any(shape.teeth == ON_LIP and 0 < shape.open < 0.4 for shape in near), (start, name)
    assert {"m", "b", "p", "v"} <= seen
    assert max(shape.open for shape in shapes) > 0.7 if fps >= 25 else True
    openness = np.array([0.0, *(shape.open for shape in shapes), 0.0])
    assert np.abs(np.diff(openness)).max() <= SLOPE / float(fps) + 1e-9
    told = [0, *(round(shape.open * OPENNESS) for shape in shapes), 0]
    assert np.abs(np.diff(told)).max() <= SLOPE / float(fps) * OPENNESS + 1
    pauses = [(a[1], b[0]) for a, b in zip(timing["phones"], timing["phones"][1:], strict=False) if b[0] - a[1] > 9600]
    assert len(pauses) >= len(TEXTS[language]) - 1
    for start, end in pauses:  # From a tenth of a second after the last phone to a tenth before the next.
        first, last = int((start + 4800) * fps / 48000) + 1, int((end - 4800) * fps / 48000)
        assert set(shapes[first:last]) <= {REST}


def test_width_runs_ahead_of_rounded_vowels() -> None:
    phones = [[9600, 14400, "s"], [14400, 19200, "t"], [19200, 28800, "u:"]]
    shapes = from_phones(phones, 48000, 25, FPS)
    beside = from_phones([*phones[:2], [19200, 28800, "i:"]], 48000, 25, FPS)
    assert shapes[7].width < beside[7].width - 0.1  # During the t.
    assert shapes[12].width < 0.15
    assert beside[12].width > 0.9


def test_the_mouth_lies_where_the_still_shows_the_portrait(tmp_path: Path) -> None:
    said = talk(tmp_path, [[0, 24000, "A:"]], {"mouth": MOUTH})
    box = face(96, 54)[1]
    assert said["mouth"]["box"][0] == pytest.approx((box[0] + 0.5 * box[2]) / 96, abs=1e-4)
    assert said["mouth"]["box"][2] == pytest.approx(0.3 * box[2] / 96, abs=1e-4)
    assert len(said["mouth"]["shapes"]) == 25
    assert said["clips"][0]["recipe"] == "camera"


@pytest.mark.parametrize(("persona", "portrait"), [(None, True), ({}, True), ({"mouth": MOUTH}, False)])
def test_without_a_portrait_there_is_no_mouth(tmp_path: Path, persona: Any, portrait: bool) -> None:
    said = talk(tmp_path, [[0, 24000, "A:"]], persona, portrait=portrait)
    assert (said["mouth"], said["face"]) == (None, None)


def test_a_recording_without_phones_moves_the_mouth_by_its_loudness(tmp_path: Path) -> None:
    sound = np.zeros(48000)
    sound[12000:24000] = 8000 * np.sin(np.arange(12000) / 20)
    shapes = talk(tmp_path, [], {"mouth": MOUTH}, sound=sound)["mouth"]["shapes"]
    assert all(shape == [0] for shape in (*shapes[:6], *shapes[13:]))
    assert min(shape[0] for shape in shapes[7:11]) > 10


def test_real_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "video").write_bytes(b"\0\0\0\x18ftypisom")
    params = Mouth.Params(frames=25, fps="25", width=64, height=36)
    with pytest.raises(BackendError) as failure:
        Mouth().run(params, Inputs({"clip.0001": tmp_path / "video"}), tmp_path, Quiet())
    said = "talk.mouth moves the mouth of a still, not of real video\n  Use the clip backend camera."
    assert str(failure.value) == said


def test_wrong_knobs_are_told() -> None:
    params = Mouth.Params(frames=25, fps="25", width=64, height=36, strength=3.0, head=-1.0)
    assert Mouth().check(params) == [
        "talk.mouth: strength is 3.0; it takes 0 to 2",
        "talk.mouth: head is -1.0; it takes 0 to 1",
    ]
