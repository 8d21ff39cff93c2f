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

from engine.backends.mouth import Mouth
from engine.backends.phones import from_phones, shape_of
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
    assert shape_of("aI", 0.1) == shape_of("a")
    assert shape_of("aI", 0.9) == shape_of("I")
    assert 0 < shape_of("[unheard of]")[0] < 0.6


def test_a_mouth_opens_shuts_and_rests_in_silence() -> None:
    phones = [[9600, 19200, "A:"], [19200, 24000, "m"], [24000, 33600, "A:"]]
    shapes = from_phones(phones, 48000, 25, FPS)
    assert len(shapes) == 25
    assert all(openness == 0 for openness, _ in (*shapes[:3], *shapes[18:]))
    assert min(openness for openness, _ in shapes[9:12]) == 0
    assert shapes[7][0] > 0.8
    assert shapes[14][0] > 0.8


def test_the_mouth_lies_where_the_still_shows_the_portrait(tmp_path: Path) -> None:
    said = talk(tmp_path, [[0, 24000, "A:"]], {"mouth": MOUTH})
    box = face(96, 54)[1]
    assert said["mouth"]["box"][0] == pytest.approx((box[0] + 0.5 * box[2]) / 96, abs=1e-4)
    assert said["mouth"]["box"][2] == pytest.approx(0.3 * box[2] / 96, abs=1e-4)
    assert len(said["mouth"]["shapes"]) == 25
    assert said["clips"][0]["recipe"] == "camera"


@pytest.mark.parametrize(("persona", "portrait"), [(None, True), ({}, True), ({"mouth": MOUTH}, False)])
def test_without_a_portrait_there_is_no_mouth(tmp_path: Path, persona: Any, portrait: bool) -> None:
    assert talk(tmp_path, [[0, 24000, "A:"]], persona, portrait=portrait)["mouth"] is None


def test_a_recording_without_phones_moves_the_mouth_by_its_loudness(tmp_path: Path) -> None:
    sound = np.zeros(48000)
    sound[12000:24000] = 8000 * np.sin(np.arange(12000) / 20)
    shapes = talk(tmp_path, [], {"mouth": MOUTH}, sound=sound)["mouth"]["shapes"]
    assert all(openness == 0 for openness, _ in (*shapes[:6], *shapes[13:]))
    assert min(openness for openness, _ in shapes[7:12]) > 5


def test_real_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "video").write_bytes(b"\0\0\0\x18ftypisom")
    params = Mouth.Params(frames=25, fps="25", width=64, height=36)
    with pytest.raises(BackendError) as failure:
        Mouth().run(params, Inputs({"clip.0001": tmp_path / "video"}), tmp_path, Quiet())
    said = "talk.mouth moves the mouth of a still, not of real video\n  Use the clip backend camera."
    assert str(failure.value) == said
