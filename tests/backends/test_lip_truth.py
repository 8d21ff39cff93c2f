"""Mouth and sound are together at the end of a minute as at its beginning, whatever the rate of the clips.

A drawn mouth opens at every fifth second, and in between something is said with a click. All of it goes through
clip, talk, scene, sound and film; what is measured is the film, decoded.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_lips
from contract_kit import Heard
from film_kit import heard, join, write_wav
from lips_kit import backend, params
from picture_kit import decoded

from engine.backends import sync_sound
from engine.backends.film import Mp4
from engine.backends.given import Footage
from engine.backends.scene import X264
from engine.backends.sound import Aac
from engine.kinds import Inputs, numbered

SIZE, SECONDS = (96, 64), 60
OPENS, SAYS = range(4, SECONDS, 5), range(2, SECONDS, 5)  # Seconds.


def clips(path: Path, rate: int) -> Path:
    """A head whose mouth opens for a fifth of a second."""
    shut, opened = (tiny_lips.portrait(*SIZE, 48, 31, 60, mouth) for mouth in (0.0, 1.0))
    frames = [opened if number // rate in OPENS and number % rate < rate / 5 else shut for number in range(60 * rate)]
    return tiny_lips.clip(path, frames, str(rate))


def clicks() -> Any:
    sound = np.zeros(SECONDS * 48000)
    for second in SAYS:
        sound[second * 48000 : second * 48000 + 240] = 0.9
    return sound


def film(folder: Path, rate: int) -> Path:
    """The one scene's film, step by step as a plan has them."""
    given, talk, scene, sound = (folder / name for name in ("given", "talk", "scene", "sound"))
    for place in (given, talk, scene, sound):
        place.mkdir()
    size = {"width": SIZE[0], "height": SIZE[1], "fps": "25"}
    video = clips(folder / "clip.mp4", rate)
    Footage().run(Footage.Params(prompt="", number=1, frames=0, seed=0, **size), Inputs(video=video), given, Heard())
    audio = write_wav(folder / "audio.wav", clicks())
    timing = tiny_lips.timing(folder / "timing.json", [(second, second + 0.3) for second in SAYS], SECONDS)
    spoken = Inputs({numbered("clip", 1): given / "video", "audio": audio, "timing": timing})
    backend().run(params(SECONDS * 25, **size), spoken, talk, Heard())
    frames = {"frames": SECONDS * 25, **size}
    X264().run(X264.Params(**frames, crf=4), Inputs({numbered("clip", 1): talk / "video"}), scene, Heard())
    Aac().run(Aac.Params(samples=SECONDS * 48000, phase=0, loudness=-16.0), Inputs(audio=audio), sound, Heard())
    made = {"scene": scene / "video", "packets": sound / "packets", "levels": sound / "levels", "timing": timing}
    said = {"title": "T", "language": "en", "frames": (SECONDS * 25,), "chapters": ("One",), "spoken": (0,), **size}
    return join(folder, Mp4.Params(**said), Inputs({numbered(n, 1): path for n, path in made.items()})) / "film"


@pytest.mark.parametrize("rate", [16, 24, 25, 30])
def test_nothing_is_a_frame_off_at_the_end_of_a_minute(tmp_path: Path, rate: int) -> None:
    made = film(tmp_path, rate)
    frames = np.array([frame[:, :, 1] for frame in decoded(made)]).astype(int)
    assert len(frames) == SECONDS * 25
    mouth = frames[:, 48:54, 44:53].mean(axis=(1, 2))
    quiet = float(np.median(mouth))
    opened = [number for number in range(1, len(mouth)) if mouth[number] < quiet - 20 <= mouth[number - 1]]
    assert [number for number in opened if number % 125 == 100] == [second * 25 for second in OPENS]
    around = np.abs(frames[:, 36:60, 28:68] - np.median(frames[:, 36:60, 28:68], axis=0)).mean(axis=(1, 2))
    moved = [number for number in range(len(around)) if around[number] > 1.5 and number % 125 < 90]
    by_second = [[number - second * 25 for number in moved if number // 125 == second // 5] for second in SAYS]
    assert by_second[0] == by_second[-1]
    assert all(one == by_second[0] for one in by_second)
    assert -3 <= by_second[0][0] <= 0  # Lips open a tenth of a second before they are heard, and fade in.
    assert 10 <= by_second[0][-1] <= 12  # They close when 0.3 s are said.
    sound = np.abs(heard(made))
    for second in SAYS:
        near = sound[second * 48000 - 4800 : second * 48000 + 4800]
        assert abs(int(np.argmax(near > near.max() / 2)) - 4800) < 96  # Two milliseconds.


@pytest.mark.parametrize("fps", ["16", "24", "25", "30"])
def test_the_frames_that_hear_a_click_are_those_around_it(tmp_path: Path, fps: str) -> None:
    """By the first of Whisper's states, which hears a few hundredths of a second and no more."""
    before = np.zeros(SECONDS * 48000)
    before[2 * 48000 : 2 * 48000 + 48] = 0.9  # The loudest of both sounds, by which all of it is measured.
    click = before.copy()
    click[58 * 48000 : 58 * 48000 + 48] = 0.9
    rate = Fraction(fps)
    steps = []
    for sound in (before, click):
        file = write_wav(tmp_path / "audio.wav", sound)
        listening = sync_sound.Hearing(backend()._models.ear, sync_sound.read(file, SECONDS), 10.0, float(rate))
        steps.append([listening.at(frame)[::5] for frame in range(int(57 * rate), int(59 * rate))])
    hears = [frame for frame, (one, two) in enumerate(zip(*steps, strict=True), int(57 * rate)) if not one.equal(two)]
    at = 58 * rate
    assert abs((hears[0] + hears[-1]) / 2 - at) <= 0.5
    assert abs(hears[-1] - hears[0]) / rate < 0.3
