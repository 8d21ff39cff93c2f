"""The plan of a small board, step by step, against tests/golden/plans/: a new field shows here, and nowhere else.

python tests/test_plan.py     writes the golden plans anew; read their difference before it is committed
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from engine.graph import Artifact, Step
from engine.plan import Planner
from engine.plan_sound import SoundPlan
from engine.storyboard import (
    Choice,
    Footage,
    Format,
    Music,
    Persona,
    Portrait,
    Profile,
    Scene,
    Show,
    Source,
    Storyboard,
    Transition,
)

GOLDEN = Path(__file__).parent / "golden" / "plans"


def source(name: str, seconds: str | None = None) -> Source:
    return Source(Path(name), name.ljust(64, "0"), 1, Fraction(seconds) if seconds is not None else None)


def scene(name: str, **fields: Any) -> Scene:
    return Scene(name, **{"image_prompt": "a desk", "video_prompt": "push in", "on_screen": False, **fields})


MIKE = Persona(
    "Mike",
    appearance="a robot",
    portrait=Portrait(
        source("portrait"), {"x": 0.5, "y": 0.6, "width": 0.4, "height": 0.1}, poses={"worried": source("worried")}
    ),
    look=source("look"),
    voice={"espeak": {"pitch": 45}, "another": {"pitch": 1}},
)
SPOKEN = Storyboard(
    title="Spoken",
    persona=MIKE,
    seed=7,
    style="plain",
    format=Format(64, 36, "25"),
    pronunciation={"Go": "[[g'oU]]", "never": "[[n]]"},
    captions="burned",
    scenes=(
        scene("seen", on_screen=True, narration="Hi there. Go!", take=2),
        scene("held", narration="Not yet.", hold=True),
        scene("heard", narration="Ask it.", seed=9, chapter="The rules"),
    ),
)
GIVEN = Storyboard(
    title="Given",
    persona=MIKE,
    format=Format(64, 36, "30000/1001"),
    loudness=-20.0,
    poster=1,
    scenes=(
        scene("silent", duration=Fraction("1.4")),
        scene("picture", on_screen=True, narration="Look.", image=source("image")),
        scene("footage", video=source("video", "0.9")),
        scene("recorded", narration="As  I said.", audio=source("audio", "1")),
    ),
)
SHOWING = Storyboard(
    title="Showing",
    persona=MIKE,
    style="a chalkboard",
    format=Format(96, 54, "25"),
    music=Music(source("music"), gain=-10.0, fade=Fraction(1)),
    fonts=(source("font"),),
    captions="burned",
    scenes=(
        scene(
            "code",
            on_screen=True,
            narration="Look at this.",
            transition=Transition("fade"),
            show=Show(
                "code", {"language": "c", "text": "int i;", "steps": [{"at": "this", "highlight": "1"}]}, ("this",)
            ),
        ),
        scene("quiet", duration=Fraction(2), show=Show("diagram", {}, (), source("dot"))),
        scene("posed", on_screen=True, narration="Hm.", video_prompt="frowns", transition=Transition("crossfade")),
        scene("footage", video=source("video", "3"), footage=Footage(Fraction(1, 2), Fraction(2), "fit", -6.0)),
    ),
)
KINDS = {kind: Choice(name, "1") for kind, name in (("narration", "join"), ("talk", "mouth"), ("scene", "x264"))} | {
    "speech": Choice("espeak", "2", {"rate": 150}),
    "still": Choice("card", "1", {}, {"scale": 1.5}),
    "clip": Choice("camera", "1", {}, {"seconds": 1, "recipe": True}),
    "sound": Choice("aac", "1"),
    "film": Choice("mp4", "1"),
}
KINDS |= {"joint": Choice("moviepy", "1"), "music": Choice("pcm", "1"), "stems": Choice("pcm", "1")}
SHOWN = {kind: Choice(kind, "1") for kind in ("code", "slide", "diagram")}
DRAFT = Profile("draft", KINDS, {kind: Choice("given", "1") for kind in ("still", "clip", "narration")}, SHOWN)
MODEL = Choice("model", "3", {"steps": 4}, {"frames": 33, "fps": "16"})
PLAIN = Profile("final", KINDS | {"clip": MODEL}, DRAFT.given)

PLANS: dict[str, Planner] = {
    "spoken": Planner(SPOKEN, DRAFT),
    "given": Planner(GIVEN, DRAFT),
    "spoken-model": Planner(SPOKEN, PLAIN),
    "given-apart": Planner(GIVEN, DRAFT, apart=True),
    "showing": Planner(SHOWING, DRAFT, until="stems"),
    "spoken-until-still": Planner(SPOKEN, DRAFT, until="still"),
}
SAMPLES = {"seen": 90_000, "heard": 40_000, "picture": 30_000, "recorded": 96_000, "code": 50_000, "posed": 60_000}


def planned(planner: Planner) -> list[Step]:
    """Every step, once every narration has its length."""
    steps = planner.begin()
    for step in [step for step in steps if step.kind == "narration"]:
        steps += planner.learn(step.name, {"samples": SAMPLES.get(step.scene, 20_000)})
    return steps


def written(steps: list[Step]) -> str:
    """One paragraph a step."""
    return "\n".join(_paragraph(step) for step in steps)


def _paragraph(step: Step) -> str:
    lines = [f"{step.name}: {step.kind}.{step.backend} {step.version}"]
    lines += [f"  {name} = {json.dumps(value, ensure_ascii=False)}" for name, value in sorted(step.params.items())]
    for name, read in step.inputs.items():
        lines.append(f"  {name} <- {read.digest.rstrip('0') if isinstance(read, Artifact) else '/'.join(read)}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", PLANS)
def test_a_golden_plan(name: str) -> None:
    assert written(planned(_fresh(PLANS[name]))) == (GOLDEN / f"{name}.txt").read_text("utf-8")


def _fresh(planner: Planner) -> Planner:
    return Planner(planner.board, planner.profile, apart=planner.apart, until=planner.until)


def frames(samples: int, fps: str = "25", **fields: Any) -> int:
    """How long a scene becomes whose narration has so many samples."""
    board = Storyboard("T", (scene("a", narration="Hi.", **fields),), format=Format(64, 36, fps))
    steps = {step.name: step for step in Planner(board, DRAFT).begin()}
    planner = Planner(board, DRAFT)
    assert steps.keys() == {step.name for step in planner.begin()}
    learned = {step.name: step for step in planner.learn("a/narration", {"samples": samples})}
    found: int = learned["a/scene"].params["frames"]
    return found


@pytest.mark.parametrize(("samples", "expected"), [(2_000, 8), (15_360, 8), (15_361, 16), (96_000, 56)])
def test_a_spoken_scene_ends_where_sound_can_be_cut(samples: int, expected: int) -> None:
    """8 frames at 25 a second are 15 packets of 1,024 samples."""
    assert frames(samples) == expected


@pytest.mark.parametrize(("duration", "expected"), [("0.1", 8), ("0.5", 13), ("0.52", 13), ("0.521", 14), ("3", 75)])
def test_a_scene_lasts_at_least_its_duration_and_exactly_if_that_is_longer(duration: str, expected: int) -> None:
    assert frames(15_000, duration=Fraction(duration)) == expected


def test_a_rate_at_which_packets_and_frames_meet_too_late_has_no_grid() -> None:
    assert frames(48_000, "30000/1001") == 30
    assert frames(48_049, "30000/1001") == 31


@pytest.mark.parametrize("fps", ["24", "25", "30", "48", "50", "60", "30000/1001", "1"])
@pytest.mark.parametrize("duration", [None, "0.32", "0.5", "3"])
def test_sound_that_is_planned_early_is_what_its_place_in_the_film_asks_for(fps: str, duration: str | None) -> None:
    """A scene's sound is known with its own length where every scene ends on the grid, else with the film's."""
    lasts = Fraction(duration) if duration else None
    scenes = (scene("a", narration="Hi."), scene("b", narration="Ho.", duration=lasts), scene("c", narration="Hu."))
    board = Storyboard("T", scenes, format=Format(64, 36, fps))
    planner = Planner(board, DRAFT)
    steps = {step.name: step for step in planned(planner)}
    placed = list(SoundPlan(board, DRAFT).sounds(board.scenes, planner.frames))
    assert [steps[sound.name] for sound in placed] == placed
    early = Planner(board, DRAFT)
    early.begin()
    learned = {step.name for step in early.learn("c/narration", {"samples": 20_000})}
    on_grid = {None: {"25", "30", "50", "60"}, "0.32": {"25", "50"}}
    assert ("c/sound" in learned) == (fps in on_grid.get(duration, ()))


def test_a_length_is_learned_once() -> None:
    planner = Planner(SPOKEN, DRAFT)
    planner.begin()
    assert planner.learn("seen/speech", {}) == []
    assert planner.learn("seen/narration", {"samples": 1})
    assert planner.learn("seen/narration", {"samples": 999_999}) == []


def test_a_scene_copied_renamed_or_moved_asks_for_the_same(tmp_path: Path) -> None:
    """Steps differ in nothing but their names and what they are numbered by."""

    def asked(board: Storyboard) -> list[Mapping[str, Any]]:
        steps = Planner(board, DRAFT).begin()
        return [step.params for step in steps if step.kind in {"speech", "still"}]

    first, _, last = SPOKEN.scenes
    one, other = (Storyboard("T", scenes, seed=7, persona=MIKE) for scenes in ((first, last), (last, first)))
    assert sorted(map(str, asked(one))) == sorted(map(str, asked(other)))


OTHERS: Mapping[str, Any] = {
    "title": "Another",
    "persona": replace(MIKE, wardrobe="a red coat"),
    "seed": 8,
    "style": "another",
    "theme": "paper",
    "format": Format(128, 72, "30"),
    "language": "de",
    "captions": "soft",
    "loudness": -23.0,
    "poster": 0,
    "pronunciation": {"Ask": "[[a]]"},
    "music": Music(source("other")),
    "room_tone": True,
    "fonts": (source("another font"),),
}
SCENES: Mapping[str, Any] = {
    "image_prompt": "a lake",
    "video_prompt": "pan right",
    "on_screen": True,
    "narration": "Something else. Go!",
    "seed": 3,
    "take": 5,
    "hold": True,
    "chapter": "Another",
    "duration": Fraction(9),
    "transition": Transition("dip", Fraction(1)),
}


def test_every_field_of_a_storyboard_is_edited_below() -> None:
    assert {field.name for field in fields(Storyboard)} - OTHERS.keys() == {"scenes"}


@pytest.mark.parametrize("field", [*OTHERS, *(f"scene.{name}" for name in SCENES)])
@pytest.mark.parametrize("board", [SPOKEN, GIVEN, SHOWING], ids=lambda board: board.title)
def test_a_planner_that_knows_the_one_before_plans_the_same(board: Storyboard, field: str) -> None:
    """Whatever was edited; and steps of scenes that were not are the very same objects."""
    before = Planner(board, DRAFT)
    planned(before)
    if field.startswith("scene."):
        name = field.removeprefix("scene.")
        edited = replace(board.scenes[0], **{name: SCENES[name]})
        now = replace(board, scenes=(edited, *board.scenes[1:]))
    else:
        now = replace(board, **{field: OTHERS[field]})
    steps = planned(Planner(now, DRAFT, before=before))
    assert steps == planned(Planner(now, DRAFT))
    if field.startswith("scene."):
        kept = {id(step) for step in planned(Planner(board, DRAFT, before=before))}
        last = board.scenes[-1].id
        assert all(
            id(step) in kept for step in steps if step.scene == last and step.kind in {"speech", "still", "clip"}
        )


if __name__ == "__main__":
    for name, planner in PLANS.items():
        (GOLDEN / f"{name}.txt").write_text(written(planned(planner)), "utf-8")
