"""The ways from one scene into the next: what each frame shows, and that nothing around them changes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import media_kit
import numpy as np
import picture_kit
import pytest
from contract_kit import Heard
from workshop import Workshop

from engine.backends.joint import Moviepy
from engine.backends.themes import THEMES
from engine.errors import BackendError
from engine.kinds import Inputs, numbered

SIZE = (96, 54)
COUNT = 9


def pictures(folder: Path, colour: tuple[int, int, int], name: str) -> tuple[list[Path], Path]:
    """A still of one colour and the clip that holds it."""
    folder.mkdir(exist_ok=True)
    still = picture_kit.save(folder / f"{name}.png", np.full((SIZE[1], SIZE[0], 3), colour, np.uint8))
    return picture_kit.clips(folder / name, still, "hold still", SIZE), still


def joint(folder: Path, style: str, leaving: bool = True, **more: Any) -> np.ndarray[Any, Any]:
    """The joint's frames from a blue scene into a yellow one, as mean colours."""
    before, old = pictures(folder, (30, 40, 200), "old")
    after, new = pictures(folder, (230, 200, 40), "new")
    size = {"fps": "25", "width": SIZE[0], "height": SIZE[1]}
    inputs = {numbered("clip", 1): after[0], "still": new}
    if leaving:
        inputs |= {numbered("leaving_clip", 1): before[0], "leaving_still": old}
    params = Moviepy.Params(
        style=style,
        frames=COUNT,
        entering={"frames": 40, "head": COUNT, **size},
        leaving={"frames": 30, **size} if leaving else None,
        **size,
        **more,
    )
    out = folder / "joint"
    out.mkdir(exist_ok=True)
    Moviepy().run(params, Inputs(inputs), out, Heard())
    return np.array([frame.mean(axis=(0, 1)) for frame in picture_kit.decoded(out / "video")])


OLD, NEW = np.array([30, 40, 200]), np.array([230, 200, 40])


def test_a_crossfade_goes_from_one_picture_to_the_other_in_even_steps(tmp_path: Path) -> None:
    found = joint(tmp_path, "crossfade")
    shares = np.arange(1, COUNT + 1)[:, None] / (COUNT + 1)
    assert len(found) == COUNT
    assert np.abs(found - (OLD * (1 - shares) + NEW * shares)).max() < 6


def test_a_fade_goes_through_black(tmp_path: Path) -> None:
    found = joint(tmp_path, "fade")
    assert found[COUNT // 2].max() < 8
    assert np.abs(found[0] - OLD * 0.8).max() < 8
    assert np.abs(found[-1] - NEW * 0.8).max() < 8


def test_a_dip_goes_through_a_colour_of_the_theme(tmp_path: Path) -> None:
    found = joint(tmp_path, "dip", theme="paper")
    assert np.abs(found[COUNT // 2] - np.array(THEMES["paper"].accents[0])).max() < 8


def test_a_film_that_begins_with_a_joint_comes_out_of_the_dark(tmp_path: Path) -> None:
    found = joint(tmp_path, "crossfade", leaving=False)
    assert (np.diff(found.sum(axis=1)) > 0).all()
    assert found[0].max() < 40


def test_a_scene_of_another_backend_is_refused(tmp_path: Path) -> None:
    params = Moviepy.Params("fade", 2, "25", 96, 54, {"frames": 9, "codec": "other"})
    with pytest.raises(BackendError, match=r"was not made by scene\.x264"):
        Moviepy().run(params, Inputs({}), tmp_path, Heard())


def scene(name: str, prompt: str, **more: Any) -> dict[str, Any]:
    said = {"id": name, "on_screen": False, "narration": f"This is {name}.", "image_prompt": prompt}
    return said | {"video_prompt": "pan left"} | more


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The outputs of one board with cuts, and with every way into a scene."""
    folder = tmp_path_factory.mktemp("films")
    ways = "fade", "crossfade", {"style": "dip", "seconds": 0.3}
    prompts = "a desk", "a lake", "a tower"
    for name, entered in (("cuts", ("cut",) * 3), ("ways", ways)):
        scenes = [
            scene(f"s{number}", prompt, transition=way)
            for number, (prompt, way) in enumerate(zip(prompts, entered, strict=True))
        ]
        board = {"title": "T", "format": {"width": 96, "height": 54}, "music": "m.wav", "scenes": scenes}
        shop = Workshop(folder / name / "w", board, "draft")
        media_kit.wav(shop.folder / "m.wav", 2)
        built = shop.render().built
        assert built is not None
        for output, artifact in built.results["film"].outputs.items():
            store = shop.store / "artifacts"
            (path,) = [found for found in store.rglob("*") if found.is_file() and artifact.digest in _digest(found)]
            (folder / f"{name}.{output}").write_bytes(path.read_bytes())
    return folder / "cuts.film", folder / "ways.film"


def _digest(path: Path) -> str:
    return path.parent.name + path.name


def packets(film: Path, kind: str) -> list[tuple[int | None, int, bytes]]:
    with av.open(str(film)) as container:
        stream = getattr(container.streams, kind)[0]
        return [(p.pts, p.duration or 0, bytes(p)) for p in container.demux(stream) if p.size]


def test_durations_sound_and_captions_are_as_with_cuts(films: tuple[Path, Path]) -> None:
    cuts, ways = films
    assert packets(cuts, "audio") == packets(ways, "audio")
    for output in ("vtt", "srt", "youtube", "loudness"):
        assert cuts.with_suffix(f".{output}").read_bytes() == ways.with_suffix(f".{output}").read_bytes()
    assert len(picture_kit.decoded(cuts)) == len(picture_kit.decoded(ways))


def test_time_stamps_rise_evenly_through_joints(films: tuple[Path, Path]) -> None:
    with av.open(str(films[1])) as container:
        times = [frame.pts for frame in container.decode(video=0)]
    assert len({after - before for before, after in pairwise(times)}) == 1


def test_pictures_beside_joints_are_those_of_the_scenes(films: tuple[Path, Path]) -> None:
    """Frames that no joint takes look as they do with cuts: encoded from another first frame, so not to the bit."""
    cuts, ways = (np.array(picture_kit.decoded(film), np.float64) for film in films)
    likeness = [10 * np.log10(255**2 / max(1e-9, np.mean((a - b) ** 2))) for a, b in zip(cuts, ways, strict=True)]
    assert sum(value < 34 for value in likeness) <= 12 + 12 + 8
    assert np.median(likeness) > 40
