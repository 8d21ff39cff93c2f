"""A talking video is a stream: few frames are held, however long it is, and it stops when it is told to."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from contract_kit import Heard
from lips_kit import Spoken, Stops, models, params
from tiny_lips import LAMPS, robot

from engine.backends import sync_film
from engine.backends.latentsync import LatentSync
from engine.bench import Bench
from engine.errors import Cancelled
from engine.graph import Action, Artifact
from engine.kinds import numbered
from engine.perform import perform
from engine.store import Store, hash_of

FRAMES = 65
HELD = 16 + 12 + 4  # Frames: a window, what the next one has beside the overlap, and what is at hand.


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Spoken:
    """Some seconds, with a silence in them."""
    pictures = [robot(number % 9) for number in range(FRAMES)]
    return Spoken(tmp_path_factory.mktemp("said"), pictures, [(0.1, 1.3), (2.3, 2.6)])


@pytest.mark.parametrize("knobs", [{}, {"parity": True}], ids=["better", "parity"])
def test_no_more_frames_are_held_than_windows_see(
    said: Spoken, knobs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the video's own; in the first pass two are enough."""
    passes: list[list[int]] = []
    frames = sync_film.Shown.frames

    def counted(self: sync_film.Shown) -> Iterator[Any]:
        there: list[weakref.ref[Any]] = []
        passes.append([])
        for pixels in frames(self):
            there.append(weakref.ref(pixels))
            passes[-1].append(sum(one() is not None for one in there))
            yield pixels

    monkeypatch.setattr(sync_film.Shown, "frames", counted)
    said.run(eyes=LAMPS, **knobs)
    looking, speaking = passes
    assert len(looking) == len(speaking) == FRAMES
    assert max(looking) <= 3
    assert max(speaking) <= HELD < FRAMES / 2


def test_progress_never_falls_and_tells_of_each_window(said: Spoken) -> None:
    heard = Heard()
    said.run(tell=heard, eyes=LAMPS, steps=2)
    told = [done for done, _ in heard.told]
    assert {total for _, total in heard.told} == {1000}
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 1000)
    assert max(later - before for before, later in pairwise(told)) < 200  # A window's 16 frames of 65, and 0.8.
    assert len([done for done in told if done < 200]) >= FRAMES  # The first pass.


@pytest.mark.parametrize("after", [10, 78], ids=["looking", "in a window"])
def test_a_step_that_is_cancelled_ends_at_its_next_word_and_leaves_nothing(
    said: Spoken, after: int, tmp_path: Path
) -> None:
    models()
    knobs = {name: value for name, value in vars(params(FRAMES, eyes=LAMPS, steps=4)).items() if name != "persona"}
    files = {numbered("clip", 1): said.clip, "audio": said.audio, "timing": said.timing}
    with closing(Store(tmp_path)) as store:
        inputs = {name: Artifact(hash_of(file), file.stat().st_size) for name, file in files.items()}
        for name, file in files.items():
            store.adopt(file, inputs[name])
        digests = {name: artifact.digest for name, artifact in inputs.items()}
        action = Action("talk", LatentSync.name, LatentSync.version, knobs, digests)
        stops = Stops(after)
        with pytest.raises(Cancelled):
            perform(action, store, stops, Bench())
        assert len(stops.told) == after
        assert list((tmp_path / "tmp").iterdir()) == []
        assert store.lookup([action.key]) == {}
        kept = {file.name for file in (tmp_path / "artifacts").rglob("*") if file.is_file()}
        assert kept == set(digests.values())
