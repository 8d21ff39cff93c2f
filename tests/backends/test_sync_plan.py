"""What lips do not follow is told: which seconds, why, and of how many frames; windows end there and mouths fade."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from lips_kit import SIZE, Spoken
from picture_kit import decoded
from tiny_lips import moving

from engine.backends import lossless
from engine.backends.faces_track import NOBODY, SEVERAL, SMALL, TURNED, Seen
from engine.backends.sync_plan import Plan, planned
from engine.errors import BackendError

EMPTY = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)


def plan(
    *spans: tuple[int, str], silent: range = range(0), fps: int = 25, least: float = 0.9, fading: bool = True
) -> Plan:
    """Of runs of frames, each with its reason; a run that can be used is of a track of its own."""
    seen = [Seen(None, -1 if why else track, why) for track, (count, why) in enumerate(spans) for _ in range(count)]
    spoken = [frame not in silent for frame in range(len(seen))]
    return planned(seen, [None] * len(seen), spoken, Fraction(fps), least, fading)


def test_nothing_is_told_where_lips_follow_in_every_frame() -> None:
    assert plan((50, "")).note == ""
    assert plan((25, ""), (25, NOBODY), silent=range(25, 50)).note == ""


def test_it_is_told_where_when_and_why_they_do_not() -> None:
    told = plan((40, ""), (10, NOBODY), (40, ""), (5, TURNED), (5, SEVERAL), (10, SMALL), (20, "")).note
    assert told == (
        "lips follow the voice in 90% of the frames that show a face; not in 1.60-2.00 s (no face), 3.60-3.80 s (the "
        "face is turned away), 3.80-4.00 s (several faces, and no choice), 4.00-4.40 s (a face of less than 50 pixels)"
    )
    assert plan((25, NOBODY)).note == "no lips follow the voice: 0.00-1.00 s (no face)"
    assert plan((25, SMALL), fps=50).note == "no lips follow the voice: 0.00-0.50 s (a face of less than 50 pixels)"


def test_of_many_spans_the_first_are_told_and_how_many_more_there_are() -> None:
    told = plan(*[(9, ""), (1, NOBODY)] * 9).note
    assert told.count("(no face)") == 6
    assert told.endswith("2.36-2.40 s (no face), 3 more")


def test_a_step_fails_where_a_tenth_of_the_faces_cannot_be_used() -> None:
    assert plan((90, ""), (10, TURNED)).note
    with pytest.raises(BackendError) as told:
        plan((89, ""), (11, TURNED))
    assert told.value.message == (
        "lips can follow the voice in only 89% of the frames that show a face: 3.56-4.00 s (the face is turned away)"
    )
    assert told.value.hint == (
        "Take another picture or clip, say whose face with which: or where with eyes:, or lower least:."
    )
    with pytest.raises(BackendError, match="in only 89% of"):
        plan((899, ""), (101, TURNED))
    assert plan((50, ""), (50, TURNED), least=0.5).note
    assert plan((50, ""), (50, TURNED), silent=range(50, 100)).note == ""  # Nobody speaks there.
    assert plan((10, ""), (90, NOBODY)).note  # These show no face.


def test_windows_end_where_lips_cannot_be_seen_where_nobody_speaks_and_where_another_does() -> None:
    assert plan((10, ""), (5, NOBODY), (10, "")).stretches == [range(10), range(15, 25)]
    assert plan((10, ""), (10, "")).stretches == [range(10), range(10, 20)]
    assert plan((30, ""), silent=range(10, 22)).stretches == [range(10), range(22, 30)]
    assert plan((10, NOBODY)).stretches == []


def test_mouths_fade_towards_frames_that_stay_as_they_are_and_not_at_a_cut_or_an_end() -> None:
    shares = plan((10, ""), (2, NOBODY), (10, "")).strengths
    np.testing.assert_allclose(shares[:10], [1] * 6 + [0.8, 0.6, 0.4, 0.2])
    assert shares[10:12] == [0, 0]
    np.testing.assert_allclose(shares[12:], [0.2, 0.4, 0.6, 0.8] + [1] * 6)
    assert plan((10, ""), (10, "")).strengths == [1] * 20
    assert plan((10, ""), (2, NOBODY), (10, ""), fading=False).strengths == [1] * 10 + [0, 0] + [1] * 10


def test_a_face_that_goes_away_for_a_while_is_left_out_in_the_video(tmp_path: Path) -> None:
    """For a moment it is not: there a mouth is made where it must have been."""
    pictures = moving(34)
    for frame in (6, 7, *range(12, 26)):
        pictures[frame] = EMPTY
    said = Spoken(tmp_path, pictures)
    made = said.run()
    touched = [bool((one != two).any()) for one, two in zip(decoded(made), pictures, strict=True)]
    assert touched == [frame not in range(12, 26) for frame in range(34)]
    assert lossless.note(made) == (
        "lips follow the voice in 100% of the frames that show a face; not in 0.48-1.04 s (no face)"
    )


def test_a_profile_may_choose_the_left_or_the_right_of_two(tmp_path: Path) -> None:
    pictures = [np.concatenate([one, one], axis=1) for one in moving(6)]
    said = Spoken(tmp_path, pictures)
    with pytest.raises(BackendError) as told:
        said.run()
    assert told.value.message == (
        "lips can follow the voice in only 0% of the frames that show a face: "
        "0.00-0.24 s (several faces, and no choice)"
    )
    for which, other in (("left", slice(SIZE[0], None)), ("right", slice(SIZE[0]))):
        for frame, picture in zip(decoded(said.run(which=which)), pictures, strict=True):
            np.testing.assert_array_equal(frame[:, other], picture[:, other])
            assert (frame != picture).any()
