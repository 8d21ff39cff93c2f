"""An estimate is what was measured of such steps, else what the profile says, each at their steps and pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.estimate import Estimator
from engine.forecast import Forecast, Outlook
from engine.graph import Action, Artifact, Ref, Result, Step
from engine.profile import load_profile
from engine.store import Store
from engine.storyboard import Profile

FINAL = load_profile("final", Path())
FAST = load_profile("fast", Path())
PIECE = Artifact("0" * 64, 1_000_000)


@pytest.fixture(name="store")
def a_store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store")
    yield store
    store.close()


def still(profile: Profile, width: int = 1024, height: int = 1024, **params: Any) -> Step:
    choice = profile.kinds["still"]
    said = {**choice.params, "width": width, "height": height, "prompt": "a door", **params}
    return Step("still", "still", "door", choice.backend, choice.version, said, {})


def made(store: Store, step: Step, seconds: float) -> None:
    action = Action(step.kind, step.backend, step.version, step.params, {})
    store.record(action, Result({"image": PIECE}, {}, seconds))


def test_a_profile_says_its_pace_at_its_own_steps_and_pixels() -> None:
    fresh = Estimator({}, FINAL)
    assert fresh.seconds(still(FINAL)) == pytest.approx(30)
    assert fresh.seconds(still(FINAL, 512, 512)) == pytest.approx(7.5)
    assert fresh.seconds(still(FINAL, 1920, 1080)) == pytest.approx(30)  # Drawn smaller, and enlarged.
    clip = FINAL.kinds["clip"]
    params = {**clip.params, "width": 832, "height": 480, "frames": 80}
    assert fresh.seconds(Step("c", "clip", "", clip.backend, "1", params, {})) == pytest.approx(480)


def test_a_profile_that_takes_fewer_steps_takes_less_time(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()

    def pace(name: str, said: str) -> float:
        (tmp_path / f"profiles/{name}.yaml").write_text(f"name: {name}\nextends: final\nkinds: {{still: {said}}}\n")
        return float(load_profile(name, tmp_path).kinds["still"].limits["pace"])

    assert pace("few", "{params: {steps: 14}}") == 15
    assert pace("own", "{params: {steps: 14}, limits: {pace: 20}}") == 20
    assert pace("other", "{params: {steps: 14, model: a/b}}") == 30  # Another model: nothing is known of it.
    assert FAST.kinds["still"].limits["pace"] == 6


def test_what_was_measured_tells_of_other_sizes_and_steps_of_that_model(store: Store) -> None:
    made(store, still(FINAL), 5.6)
    made(store, still(FINAL, prompt="a cat"), 5.8)
    known = Estimator(store.paces(), FINAL)
    assert known.seconds(still(FINAL, prompt="a dog")) == pytest.approx(5.7)
    assert known.seconds(still(FINAL, 512, 512)) == pytest.approx(5.7 / 4)
    assert known.seconds(still(FINAL, steps=14)) == pytest.approx(5.7 / 2)
    assert known.size(still(FINAL, steps=14)) == pytest.approx(1_000_000)
    assert Estimator(store.paces(), FAST).seconds(still(FAST)) == pytest.approx(6)  # Another model.


def test_a_measured_number_of_steps_is_taken_before_a_reckoned_one(store: Store) -> None:
    for steps, seconds in ((4, 2.0), (20, 6.0), (28, 8.0)):
        made(store, still(FINAL, steps=steps), seconds)
    known = Estimator(store.paces(), FINAL)
    assert known.seconds(still(FINAL, steps=20)) == pytest.approx(6)
    assert known.seconds(still(FINAL, steps=30)) == pytest.approx(8 * 30 / 28)
    assert known.seconds(still(FINAL, steps=5)) == pytest.approx(2.5)


def test_a_render_takes_no_less_than_its_longest_chain() -> None:
    """Two steps of 30 s that need no GPU wait for none on two lanes; a third that reads one of them does."""
    choice = replace(FINAL.kinds["still"], limits={"pace": 30})
    free = replace(FINAL, kinds={**FINAL.kinds, "still": choice})
    one, two = still(free), still(free, prompt="a gate")._replace(name="two")
    third = still(free, prompt="a wall")._replace(name="three", inputs={"like": Ref("still", "image")})
    beside = forecast_of({"run": [one, two]})
    assert totals(free, beside) == (30, 30)
    assert totals(free, forecast_of({"run": [one, two], "maybe": [third]})) == (30, 60)
    assert totals(free, forecast_of({"run": [one, two, third]})) == (60, 60)


def totals(profile: Profile, look: Forecast) -> tuple[float, float]:
    found = Estimator({}, profile).totals(look, 2)
    return round(found.least_seconds), round(found.most_seconds)


def forecast_of(states: dict[Outlook, list[Step]]) -> Forecast:
    steps = {step.name: step for these in states.values() for step in these}
    return Forecast(steps, {step.name: state for state, these in states.items() for step in these}, {}, {}, {}, {}, {})
