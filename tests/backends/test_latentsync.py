"""talk.latentsync: mouths are made anew, every other pixel stays, and each thing done otherwise than upstream shows."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from contract_kit import Heard
from lips_kit import SIZE, Spoken, Stops, backend, differing, models, params
from picture_kit import decoded
from tiny_lips import moving, portrait

from engine.backends import sync_film, sync_sound
from engine.backends.faces_haar import Haar
from engine.backends.sync_film import Clock
from engine.backends.sync_plan import words_heard
from engine.errors import Cancelled
from engine.models.latentsync import hearing, whisper
from engine.models.latentsync.align import Aligner
from engine.models.latentsync.mouth import covered
from engine.models.latentsync.paste import paste
from engine.models.latentsync.sync import Sync
from engine.models.latentsync.warp import crop, face


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Spoken:
    """Frames of nearly a second, spoken over from beginning to end."""
    return Spoken(tmp_path_factory.mktemp("spoken"), moving(24))


def test_the_same_step_gives_the_same_bytes_and_another_seed_others(spoken: Spoken) -> None:
    one, two, other = (spoken.run(seed=seed).read_bytes() for seed in (1, 1, 2))
    assert one == two
    assert one != other


def test_every_frame_has_another_mouth_and_every_other_pixel_is_as_it_was(spoken: Spoken) -> None:
    for made, picture in zip(decoded(spoken.run()), spoken.pictures, strict=True):
        rows, _ = np.nonzero((made != picture).any(-1))
        assert 500 < len(rows) < 2500
        assert rows.min() > SIZE[1] * 0.4  # Eyes and brows stay.
    assert min(spoken.changed(mouth=False)) > 2600


def test_parity_is_what_upstream_computes(spoken: Spoken) -> None:
    made, finder, aligner = decoded(spoken.run(parity=True)), Haar(), Aligner(64)
    matrices = [aligner.matrix(np.rint(finder.faces(picture)[0].points)) for picture in spoken.pictures]
    faces = [face(crop(one, matrix, 64), 64) for one, matrix in zip(spoken.pictures, matrices, strict=True)]
    loaded = backend()._models
    features = whisper.features(loaded.ear, sync_sound.read(spoken.audio))
    sync = Sync(loaded.unet, loaded.vae, 64, seed=1247)
    for start in range(0, 24, 16):
        window = range(start, min(start + 16, 24))
        seen = torch.from_numpy(np.stack([faces[n].transpose(2, 0, 1) for n in window]))[None]
        heard = torch.stack([hearing.heard(features, n) for n in window])[None]
        for n, mouth in zip(window, sync.windows(seen, heard, 1, 1.5)[0], strict=True):
            np.testing.assert_array_equal(made[n], paste(spoken.pictures[n], mouth, matrices[n]))


def test_windows_that_overlap_go_over_into_one_another(tmp_path: Path) -> None:
    """Each window is noisy in its own way; where two are mixed, there is less of it."""
    still = Spoken(tmp_path, [portrait(*SIZE, 64, 46, 62)] * 44)
    shared = [*range(12, 16), *range(24, 28)]
    alone = [*range(12), *range(16, 24)]

    def noise(overlap: int, frames: list[int]) -> float:
        made = np.array(decoded(still.run(overlap=overlap))).astype(float)
        return float((made - made.mean(axis=0))[frames].std())

    assert noise(4, shared) < 0.85 * noise(4, alone)
    assert noise(0, shared) > 0.95 * noise(0, alone)


@pytest.mark.parametrize("overlap", [0.0, 10.0])
def test_what_is_heard_piece_by_piece_is_what_is_heard_at_once(overlap: float) -> None:
    ear = backend()._models.ear
    sound = torch.from_numpy(np.random.default_rng(1).normal(0, 0.1, 65 * 16000).astype(np.float32))
    whole = whisper.features(ear, sound, overlap)
    listening = sync_sound.Hearing(ear, sound, overlap, 25.0)
    for frame in (0, 1, 700, 748, 749, 750, 751, 760, 1499, 1500, 1624):
        assert torch.equal(listening.at(frame), hearing.heard(whole, frame))
    skipping = sync_sound.Hearing(ear, sound, overlap, 25.0)
    assert torch.equal(skipping.at(1600), hearing.heard(whole, 1600))


def test_pieces_of_sound_that_overlap_are_heard_alike_on_both_sides_of_a_seam() -> None:
    ear = backend()._models.ear
    sound = torch.from_numpy(np.random.default_rng(1).normal(0, 0.1, 65 * 16000).astype(np.float32))
    middle = whisper.features(ear, sound[20 * 16000 : 40 * 16000])  # The seam at 30 s lies in its middle.
    far = [
        float((whisper.features(ear, sound, overlap)[1490:1510] - middle[490:510]).abs().max()) for overlap in (0, 10.0)
    ]
    assert far[1] < far[0]


def test_rounding_takes_away_that_what_is_pasted_is_half_a_level_too_dark(spoken: Spoken) -> None:
    rounded, cut = (np.array(decoded(spoken.run(mouth=False, rounded=how))).astype(float) for how in (True, False))
    upper = slice(20, 40)
    pictures = np.array(spoken.pictures).astype(float)
    assert abs((rounded - pictures)[:, upper].mean()) < abs((cut - pictures)[:, upper].mean())
    assert (rounded - cut)[:, upper].mean() > 0.1


def test_silences_stay_as_they_are_and_mouths_fade_in_and_out(tmp_path: Path) -> None:
    said = Spoken(tmp_path, moving(72), [(1.2, 1.4), (1.6, 1.7)])
    touched = [number > 0 for number in said.changed()]
    assert touched == [27 <= frame < 48 for frame in range(72)]
    made = decoded(said.run())
    far = [float(np.abs(one.astype(float) - two).mean()) for one, two in zip(made, said.pictures, strict=True)]
    assert far[27] < far[28] < far[29] < far[31]
    assert far[47] < far[46] < far[45] < far[43]


def test_a_silence_is_as_long_as_it_is_said_to_be() -> None:
    timing = {"rate": 100, "words": [[50, 100, "a"], [170, 200, "b"]]}
    assert words_heard(timing, 100, Fraction(25), 0.8) == [True] * 55 + [False] * 45
    assert words_heard(timing, 100, Fraction(25), 0.7).count(False) == 45 + 9
    assert words_heard(timing, 100, Fraction(25), 0) == [True] * 100
    assert words_heard({"rate": 1, "words": []}, 9, Fraction(25), 0.7) == [True] * 9


def test_mouths_are_made_at_the_models_rate_or_at_the_films(tmp_path: Path) -> None:
    """In a picture that stands still, only a new mouth makes a new frame."""
    said = Spoken(tmp_path, [portrait(*SIZE, 64, 46, 62)] * 20, fps="50")

    def news(own: bool) -> list[bool]:
        made = decoded(said.run(fps="50", own_rate=own))
        return [bool((one != two).any()) for one, two in pairwise(made)]

    assert news(True) == [frame % 2 == 1 for frame in range(19)]
    assert news(False) == [True] * 19


@pytest.mark.parametrize("fps", ["24", "25", "30", "30000/1001", "60"])
def test_the_models_frames_are_25_a_second_and_none_is_off_by_more_than_half(fps: str) -> None:
    rate, half = Fraction(fps), Fraction(1, 2)
    clock = Clock(rate, True)
    stretch = range(int(60 * rate))
    for frame in stretch:
        assert abs((frame + half) / rate - (clock.shown(frame) + half) / 25) <= half / 25
    assert clock.moments(stretch) == range(25 * 60 if fps != "30000/1001" else 1500)
    for moment in clock.moments(stretch):
        assert abs((clock.taken(moment, stretch) + half) / rate - (moment + half) / 25) <= half / rate
    assert [Clock(rate, False).shown(frame) for frame in (0, 7, 99)] == [0, 7, 99]


@pytest.mark.parametrize(("source", "film"), [("16", "25"), ("30", "25"), ("25", "24"), ("24", "30")])
def test_clips_come_to_the_films_rate_before_the_mouth(tmp_path: Path, source: str, film: str) -> None:
    said = Spoken(tmp_path, moving(17), fps=source)
    frames = int(16 * Fraction(film) / Fraction(source))
    made = decoded(said.run(frames, fps=film))
    assert len(made) == frames
    for frame, picture in enumerate(made):
        shown = int((frame + Fraction(1, 2)) / Fraction(film) * Fraction(source))
        assert 400 < differing(picture, said.pictures[shown]) < 2500
        np.testing.assert_array_equal(picture[:40], said.pictures[shown][:40])


def test_windows_at_once_are_windows_one_by_one(spoken: Spoken) -> None:
    one, three = (np.array(decoded(spoken.run(batch=batch))).astype(int) for batch in (1, 3))
    assert np.abs(one - three).max() <= 1


def test_it_tells_of_each_denoising_step_and_stops_there(spoken: Spoken) -> None:
    heard = Heard()
    spoken.run(tell=heard, steps=3)
    told = [done for done, _ in heard.told]
    assert told == sorted(told)
    assert heard.told[-1] == (1000, 1000)
    looking = 1 + 24
    for after in (5, looking + 1, looking + 2):  # Looking for faces; in the first window.
        stops = Stops(after)
        with pytest.raises(Cancelled):
            spoken.run(tell=stops, steps=3)
        assert len(stops.told) == after
    assert spoken.run().stat().st_size


def test_frames_are_decoded_twice_and_no_more(spoken: Spoken, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    frames = sync_film.Shown.frames
    monkeypatch.setattr(sync_film.Shown, "frames", lambda self: opened.append(1) or frames(self))
    spoken.run()
    assert len(opened) == 2


def test_a_crop_covers_the_whole_mouth_of_the_head(spoken: Spoken) -> None:
    plan = sync_film.looked(
        sync_film.Shown([spoken.clip], 24, Fraction(25)), Haar(), params(24), [True] * 24, 64, lambda _: None
    )
    for matrix in plan.matrices:
        assert matrix is not None
        box = covered(matrix, 64, (SIZE[1], SIZE[0]))
        assert box.top < 40 < 75 < box.bottom
    assert models().is_dir()
