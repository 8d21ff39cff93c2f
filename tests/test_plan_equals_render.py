"""What a plan says will run is what a render runs; what it calls a hit does not; what may run stands below a run."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from workshop import Workshop

Board = dict[str, Any]
BOARD: Board = {
    "title": "T",
    "persona": "mikebot",
    "format": {"width": 64, "height": 36, "fps": 25},
    "scenes": [
        {"id": "a", "on_screen": True, "narration": "Go.", "image_prompt": "a desk", "video_prompt": "push in"},
        {"id": "b", "on_screen": False, "duration": 0.32, "image_prompt": "a road", "video_prompt": "pan left"},
    ],
}
COPY = {**BOARD["scenes"][0], "id": "c"}


def planned(shop: Workshop, *states: str) -> set[str]:
    return {name for name, state in shop.forecast().states.items() if state in states}


def scene(number: int, **new: Any) -> Callable[[Board], Any]:
    return lambda board: board["scenes"][number].update(new)


def lose(shop: Workshop, step: str) -> None:
    render = shop.render()
    assert render.built is not None
    digest = next(iter(render.built.results[step].outputs.values())).digest
    (shop.store / "artifacts" / digest[:2] / digest).unlink()


# Each edit: what runs for certain, and what may.
EDITS: dict[str, tuple[Callable[[Board], Any], set[str], set[str]]] = {
    "nothing": (lambda _: None, set(), set()),
    "title": (lambda board: board.update(title="U"), {"film"}, set()),
    "a copy": (lambda board: board["scenes"].append(COPY), {"film"}, set()),
    "a narration": (
        scene(0, narration="No."),
        {"a/speech"},
        {"a/narration", "a/clip", "a/clip/2", "a/talk", "a/scene", "a/sound", "film"},
    ),
    "an image prompt": (scene(1, image_prompt="a lake"), {"b/still"}, {"b/clip", "b/scene", "film"}),
    "a video prompt": (scene(0, video_prompt="pan left"), {"a/clip"}, {"a/talk", "a/scene", "film"}),
    "burned captions": (lambda board: board.update(captions="burned"), {"a/scene"}, {"film"}),
    "loudness": (lambda board: board.update(loudness=-20), {"a/sound", "b/sound"}, {"film"}),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit(tmp_path: Path, name: str) -> None:
    edit, runs, may = EDITS[name]
    shop = Workshop(tmp_path / "w", BOARD)
    shop.render()
    board = copy.deepcopy(BOARD)
    edit(board)
    shop.write(board)
    assert planned(shop, "run") == runs
    assert planned(shop, "maybe") == may
    ran = shop.render().ran
    assert runs <= ran <= runs | may


def test_an_empty_store(tmp_path: Path) -> None:
    """What reads nothing is certain; of two scenes that are alike, one is made."""
    shop = Workshop(tmp_path / "w", {**BOARD, "scenes": [*BOARD["scenes"], COPY]})
    assert planned(shop, "run") == {"a/speech", "a/still", "b/still", "b/sound"}
    hits = planned(shop, "hit")
    assert hits == {"c/speech", "c/still"}
    render = shop.render()
    assert not hits & render.ran
    assert render.ran == {name for name in render.ended if not name.startswith("c/")}


def test_lost_bytes_are_made_again_only_for_who_reads_them(tmp_path: Path) -> None:
    shop = Workshop(tmp_path / "w", BOARD)
    lose(shop, "a/still")
    lose(shop, "b/scene")
    assert planned(shop, "run", "maybe") == set() == shop.render().ran
    shop.write({**BOARD, "title": "U"})
    assert planned(shop, "run") == {"b/scene", "film"} == shop.render().ran


def test_lost_bytes_of_two_scenes_that_are_alike_are_made_once(tmp_path: Path) -> None:
    board = {**BOARD, "scenes": [*BOARD["scenes"], COPY]}
    shop = Workshop(tmp_path / "w", board)
    lose(shop, "a/scene")
    shop.write({**board, "title": "U"})
    look = shop.forecast()
    runs = {name for name, state in look.states.items() if state == "run"}
    render = shop.render()
    assert [action.kind for action in render.performed] == ["scene", "film"]
    assert {look.steps[name].kind for name in runs} == {"scene", "film"}
    assert len(runs) == 2


def test_what_may_run_needs_lost_bytes_only_perhaps(tmp_path: Path) -> None:
    """A camera's prompt that moves as before: the clip runs, the lost still of the scene is not made again."""
    shop = Workshop(tmp_path / "w", BOARD)
    lose(shop, "b/scene")
    shop.write({**BOARD, "scenes": [BOARD["scenes"][0], {**BOARD["scenes"][1], "video_prompt": "pans left"}]})
    assert planned(shop, "run") == {"b/clip"}
    assert planned(shop, "maybe") == {"b/scene", "film"}
    assert shop.render().ran == {"b/clip"}
    shutil.rmtree(shop.store)
