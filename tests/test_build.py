"""What the scheduler promises: which steps run, what becomes of the others, and what a failure costs."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest
from odd_kit import TinyPlan, flip, install, lose, odd, until

from engine.build import ATTEMPTS, Built, Event, build
from engine.errors import BuildError, Cancelled
from engine.executors.inline import InlineExecutor
from engine.executors.kept import KeptExecutor
from engine.executors.local import LocalExecutor
from engine.graph import Artifact, Result, Step
from engine.store import Store, hash_of

ENDS = {"hit", "built", "failed", "cancelled"}


class Bench:
    """A store, an executor, and the story of the last build."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder = folder
        self.log = log
        self.store = Store(folder / "store")
        self.executor = InlineExecutor(self.store)
        self.sources: dict[str, Path] = {}
        self.events: list[Event] = []
        self.listen: Callable[[Event], None] = self.events.append

    def build(self, *steps: Step, goals: str = "film", executor: object = None) -> Built:
        return self.plan(lambda: TinyPlan(steps, goals.split()), executor)

    def plan(self, make: object, executor: object = None) -> Built:
        self.events.clear()
        self.log.write_text("")
        return build(make, self.store, executor or self.executor, self.sources, self.listen)  # type: ignore[arg-type]

    @property
    def ran(self) -> list[str]:
        return sorted(self.log.read_text().splitlines())

    @property
    def ends(self) -> dict[str, str]:
        """How each step ended; fails unless each did so once."""
        ends = [(event.step.name, event.state) for event in self.events if event.state in ENDS]
        assert [name for name, times in Counter(name for name, _ in ends).items() if times > 1] == []
        return dict(ends)

    def text(self, built: Built, name: str, output: str) -> str:
        return self.store.path(built.results[name].outputs[output].digest).read_text()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = Bench(tmp_path, install(tmp_path, monkeypatch))
    yield bench
    bench.executor.close()
    bench.store.close()


def line(film: str = "f", scene: str = "s", speech: str = "a") -> list[Step]:
    """Three steps in a row."""
    return [
        odd("one/speech", "speech", speech),
        odd("one/scene", "scene", scene, "clip.0001=one/speech.audio"),
        odd("film", "film", film, "scene.0001=one/scene.video"),
    ]


def test_each_step_runs_once_and_then_never_again(bench: Bench) -> None:
    first = bench.build(*line())
    assert bench.ran == ["film f", "scene s", "speech a"]
    assert bench.ends == {"one/speech": "built", "one/scene": "built", "film": "built"}
    second = bench.build(*line())
    assert bench.ran == []
    assert bench.ends == {"one/speech": "hit", "one/scene": "hit", "film": "hit"}
    assert second == first


def test_same_bytes_end_the_matter(bench: Bench) -> None:
    """A step that runs again for another reason and comes out the same runs nothing below it."""
    length = bench.folder / "length"
    length.write_text("5")
    speaks = f"samples {length}"
    steps = [odd("one/narration", "narration", speaks), *line()[2:]]
    steps[1] = odd("film", "film", "f", "timing.0001=one/narration.timing")
    built = bench.build(*steps)
    lose(bench.store, built.results["one/narration"])
    bench.build(*steps, odd("one/scene", "scene", "new", "timing=one/narration.timing"))
    assert bench.ran == [f"narration {speaks}", "scene new"]
    assert bench.ends == {"one/narration": "built", "one/scene": "built", "film": "hit"}


def test_of_two_steps_with_one_action_one_is_built(bench: Bench) -> None:
    bench.build(odd("one/speech", "speech", "a"), odd("two/speech", "speech", "a"), goals="")
    assert bench.ran == ["speech a"]
    assert bench.ends == {"one/speech": "built", "two/speech": "hit"}


def test_a_failure_costs_what_needs_it_and_nothing_else(bench: Bench) -> None:
    steps = [
        odd("bad/speech", "speech", "fail"),
        odd("bad/scene", "scene", "s", "clip.0001=bad/speech.audio"),
        odd("good/speech", "speech", "a"),
        odd("good/scene", "scene", "s", "clip.0001=good/speech.audio"),
        odd("film", "film", "f", "scene.0001=bad/scene.video", "scene.0002=good/scene.video"),
    ]
    with pytest.raises(BuildError) as caught:
        bench.build(*steps)
    assert str(caught.value) == "bad/speech: as it was told\n  tell it something else"
    assert bench.ends == {
        "bad/speech": "failed",
        "bad/scene": "cancelled",
        "film": "cancelled",
        "good/speech": "built",
        "good/scene": "built",
    }
    bench.build(odd("bad/speech", "speech", "mended"), *steps[1:])
    assert bench.ran == ["film f", "scene s", "speech mended"]


def test_a_failure_is_no_result(bench: Bench) -> None:
    """What failed once is tried again by the next build."""
    for _ in range(2):
        with pytest.raises(BuildError):
            bench.build(odd("one/speech", "speech", "fail"), goals="")
        assert bench.ran == ["speech fail"]


def test_an_action_that_failed_is_not_tried_twice_in_one_build(bench: Bench) -> None:
    """Two steps come to the same action, the second long after the first has failed."""
    mark = bench.folder / "mark"
    steps = [
        odd("one/speech", "speech", "same"),
        odd("one/scene", "scene", "fail", "clip.0001=one/speech.audio"),
        odd("two/speech", "speech", f"same; wait {mark}"),
        odd("two/scene", "scene", "fail", "clip.0001=two/speech.audio"),
    ]

    def listen(event: Event) -> None:
        bench.events.append(event)
        if event.step.name == "one/scene" and event.state == "failed":
            mark.touch()

    bench.listen = listen
    with pytest.raises(BuildError) as caught, closing(LocalExecutor(bench.store.root, 2)) as executor:
        bench.build(*steps, goals="", executor=executor)
    assert sorted(caught.value.failures) == ["one/scene", "two/scene"]
    assert bench.ran == ["scene fail", "speech same", f"speech same; wait {mark}"]


def test_what_is_lost_and_cannot_be_made_again_fails_what_needs_it(bench: Bench) -> None:
    """Steps that had a result, and whose bytes nobody needs, stay what they are."""
    need = bench.folder / "need"
    need.touch()
    steps = [*line(speech=f"need {need}")[:2], odd("other/scene", "scene", "t", "clip.0001=one/speech.audio")]
    built = bench.build(*steps, goals="")
    lose(bench.store, built.results["one/speech"])
    lose(bench.store, built.results["one/scene"])
    need.unlink()
    with pytest.raises(BuildError) as caught:
        bench.build(*steps, *line()[2:])
    assert str(caught.value) == "one/speech: what it needs is not there"
    assert bench.ends == {"one/speech": "failed", "one/scene": "cancelled", "film": "cancelled", "other/scene": "hit"}


def test_lost_bytes_are_made_again_when_a_step_reads_them(bench: Bench) -> None:
    built = bench.build(*line())
    lose(bench.store, built.results["one/speech"])
    lose(bench.store, built.results["one/scene"])
    bench.build(*line())
    assert bench.ran == []  # The film is there, and nothing that runs reads them.
    bench.build(*line("other"))
    assert bench.ran == ["film other", "scene s", "speech a"]
    assert bench.ends == {"one/speech": "built", "one/scene": "built", "film": "built"}


def test_only_the_lost_step_runs_again(bench: Bench) -> None:
    built = bench.build(*line())
    lose(bench.store, built.results["one/scene"])
    bench.build(*line("other"))
    assert bench.ran == ["film other", "scene s"]
    assert bench.ends == {"one/speech": "hit", "one/scene": "built", "film": "built"}


def test_a_lost_film_is_made_again(bench: Bench) -> None:
    built = bench.build(*line())
    lose(bench.store, built.results["film"])
    bench.build(*line())
    assert bench.ran == ["film f"]


def test_flipped_bytes_of_the_right_size_never_reach_a_film(bench: Bench) -> None:
    built = bench.build(*line())
    flip(bench.store, built.results["one/scene"], "video")
    again = bench.build(*line("other"))
    assert bench.ran == ["film other", "scene s"]
    assert bench.ends == {"one/speech": "hit", "one/scene": "built", "film": "built"}
    video = bench.text(again, "one/scene", "video")
    assert bench.text(again, "film", "film").split(" of ")[1].strip() == hash_of_text(video)


def test_bytes_that_vanish_while_they_are_read(bench: Bench) -> None:
    """gc may free what a step has just begun to read: no fault of its backend."""
    steps = line(f"rob {bench.folder / 'mark'}")
    bench.build(*steps)
    assert bench.ran == [f"film {steps[2].params['do']}"] * 2 + ["scene s", "scene s", "speech a"]
    assert bench.ends == {"one/speech": "built", "one/scene": "built", "film": "built"}


def test_damage_below_damage(bench: Bench) -> None:
    """Repairing one artifact reads another, which turns out to be damaged too."""
    built = bench.build(*line())
    for name, output in (("one/scene", "video"), ("one/speech", "audio")):
        flip(bench.store, built.results[name], output)
    again = bench.build(*line("other"))
    assert bench.ran == ["film other", "scene s", "speech a"]
    assert again.results["one/scene"].outputs == built.results["one/scene"].outputs


def test_what_is_damaged_again_and_again_is_given_up(bench: Bench) -> None:
    built = bench.build(*line())

    def listen(event: Event) -> None:
        bench.events.append(event)
        if event.step.name == "film" and event.state == "started":
            flip(bench.store, built.results["one/scene"], "video")

    bench.listen = listen
    with pytest.raises(BuildError) as caught:
        bench.build(*line("other"))
    digest = built.results["one/scene"].outputs["video"].digest
    assert str(caught.value) == f"film: artifact {digest} is lost or damaged"
    assert bench.ran == ["scene s"] * ATTEMPTS


def test_what_comes_out_different_runs_what_follows(bench: Bench) -> None:
    """A backend that is not exact makes other bytes: the steps below read the new ones."""
    steps = line("f", "s", "dice")
    first = bench.build(*steps)
    for name in ("one/speech", "one/scene"):
        lose(bench.store, first.results[name])
    second = bench.build(*line("other", "s", "dice"))
    assert bench.ran == ["film other", "scene s", "speech dice"]
    assert second.results["one/speech"].outputs != first.results["one/speech"].outputs
    audio = bench.text(second, "one/speech", "audio")
    assert hash_of_text(audio) in bench.text(second, "one/scene", "video")
    assert hash_of_text(bench.text(second, "one/scene", "video")) in bench.text(second, "film", "film")


def test_other_bytes_reach_steps_that_had_a_result(bench: Bench) -> None:
    """Of two readers of a lost, inexact step only one ran; the other follows, as its input changed."""
    shared = [odd("one/speech", "speech", "dice")]
    reads = "clip.0001=one/speech.audio"
    ends = [odd("film", "film", "f", "scene.0001=one/scene.video", "scene.0002=two/scene.video")]
    first = bench.build(*shared, odd("one/scene", "scene", "s", reads), odd("two/scene", "scene", "t", reads), *ends)
    lose(bench.store, first.results["one/speech"])
    second = bench.build(*shared, odd("one/scene", "scene", "new", reads), odd("two/scene", "scene", "t", reads), *ends)
    assert bench.ran == ["film f", "scene new", "scene t", "speech dice"]
    audio = hash_of_text(bench.text(second, "one/speech", "audio"))
    assert audio in bench.text(second, "one/scene", "video")
    assert audio in bench.text(second, "two/scene", "video")


def test_a_store_that_remembers_forgets_what_was_made_again_with_other_bytes(bench: Bench) -> None:
    """Else each build after it would take the step for lost again."""
    with closing(Store(bench.store.root, remembering=True)) as bench.store:
        first = bench.build(odd("film", "film", "dice"))
        bench.build(odd("film", "film", "dice"))
        lose(bench.store, first.results["film"])
        again = bench.build(odd("film", "film", "dice"))
        assert again.results["film"].outputs != first.results["film"].outputs
        assert bench.store.lookup(again.keys.values()) == {again.keys["film"]: again.results["film"]}


def test_a_narration_that_comes_out_longer_is_planned_again(bench: Bench) -> None:
    """Its bytes were lost, the voice is not exact, and the scene below must have its new length."""
    length = bench.folder / "length"
    speaks = odd("one/narration", "narration", f"samples {length}; dice")

    def make() -> TinyPlan:
        def scenes(facts: object) -> list[Step]:
            scene = odd("one/scene", "scene", f"long {facts['samples']}", "timing=one/narration.timing")  # type: ignore[index]
            return [scene, odd("film", "film", film, "scene.0001=one/scene.video")]

        return TinyPlan([speaks], ["film"], {"one/narration": scenes})

    film = "f"
    length.write_text("100")
    first = bench.plan(make)
    assert bench.ran == ["film f", "narration " + speaks.params["do"], "scene long 100"]
    for name in ("one/narration", "one/scene"):
        lose(bench.store, first.results[name])
    film = "other"
    length.write_text("200")
    second = bench.plan(make)
    assert bench.text(second, "one/scene", "video").startswith("scene video: long 200 of ")
    assert hash_of_text(bench.text(second, "one/scene", "video")) in bench.text(second, "film", "film")
    assert bench.ends == {"one/narration": "built", "one/scene": "built", "film": "built"}


def test_an_authors_file_is_taken_in_when_a_step_reads_it(bench: Bench) -> None:
    given = bench.folder / "given"
    given.write_text("a portrait")
    artifact = Artifact(hash_of(given), 10)
    step = odd("one/speech", "speech", "a")._replace(inputs={"voice": artifact})
    bench.sources[artifact.digest] = given
    bench.build(step, goals="")
    assert bench.store.whole(artifact.digest)
    given.unlink()
    bench.build(step, goals="")
    assert bench.ran == []


@pytest.mark.parametrize("change", ["other", "gone"])
def test_an_authors_file_that_changed_meanwhile_fails_its_step(bench: Bench, change: str) -> None:
    given = bench.folder / "given"
    given.write_text("a portrait")
    artifact = Artifact(hash_of(given), 10)
    bench.sources[artifact.digest] = given
    given.write_text("a picture!") if change == "other" else given.unlink()
    step = odd("one/speech", "speech", "a")._replace(inputs={"voice": artifact})
    with pytest.raises(BuildError) as caught:
        bench.build(step, odd("two/speech", "speech", "b"), goals="")
    assert str(caught.value) == f"one/speech: {given} changed while it was being rendered\n  render again"
    assert bench.ends == {"one/speech": "failed", "two/speech": "built"}


def test_a_damaged_copy_of_an_authors_file_is_taken_in_again(bench: Bench) -> None:
    given = bench.folder / "given"
    given.write_text("a portrait")
    artifact = Artifact(hash_of(given), 10)
    bench.sources[artifact.digest] = given
    step = odd("one/speech", "speech", "a")._replace(inputs={"voice": artifact})
    first = bench.build(step, goals="one/speech")
    bench.store.path(artifact.digest).write_text("A PORTRAIT")
    lose(bench.store, first.results["one/speech"])
    second = bench.build(step, goals="one/speech")
    assert second.results["one/speech"].outputs == first.results["one/speech"].outputs
    assert bench.store.whole(artifact.digest)


def test_an_interrupt_stops_the_build_and_keeps_what_was_finished(bench: Bench) -> None:
    mark = bench.folder / "never"
    steps = [
        odd("one/speech", "speech", "a"),
        odd("two/speech", "speech", f"wait {mark}", "voice=one/speech.audio"),
        odd("film", "film", "f", "scene.0001=two/speech.audio"),
    ]

    def listen(event: Event) -> None:
        bench.events.append(event)
        if event.state == "progress" and event.step.name == "two/speech":
            raise KeyboardInterrupt

    bench.listen = listen
    with pytest.raises(KeyboardInterrupt):
        bench.build(*steps)
    bench.listen = bench.events.append
    assert bench.ends == {"one/speech": "built", "two/speech": "cancelled", "film": "cancelled"}
    mark.touch()
    bench.build(*steps)
    assert bench.ran == ["film f", f"speech wait {mark}"]


def test_an_interrupt_does_not_wait_for_what_cannot_be_stopped(bench: Bench) -> None:
    """A model that loads does not listen; whoever closes the executor ends it."""
    never = bench.folder / "never"

    class Deaf(InlineExecutor):
        def cancel(self, future: Future[Result]) -> None:
            """It goes on."""

    def listen(event: Event) -> None:
        bench.events.append(event)
        if event.state == "progress":
            raise KeyboardInterrupt

    bench.listen = listen
    try:
        with pytest.raises(KeyboardInterrupt):
            bench.build(odd("film", "film", f"wait {never}"), executor=Deaf(bench.store))
    finally:
        never.touch()
    assert bench.ends == {"film": "cancelled"}


def test_a_build_that_ends_with_a_fault_waits_for_nothing_any_more(bench: Bench) -> None:
    """Whoever keeps its actions for the next build can stop them."""
    never = bench.folder / "never"

    def listen(event: Event) -> None:
        if event.state == "progress":
            raise ZeroDivisionError

    bench.listen = listen
    with closing(KeptExecutor(LocalExecutor(bench.store.root, 1))) as kept:
        with pytest.raises(ZeroDivisionError):
            bench.build(odd("film", "film", f"wait {never}"), executor=kept)
        kept.keep(set())
        until(lambda: list((bench.store.root / "tmp").iterdir()) == [], "the end of what ran")


def test_a_build_whose_executor_is_closed_is_cancelled(bench: Bench) -> None:
    executor = LocalExecutor(bench.store.root, 1)
    executor.close()
    with pytest.raises(Cancelled):
        bench.build(odd("film", "film", "a"), executor=executor)
    assert bench.ends == {"film": "cancelled"}


def test_what_another_build_makes_meanwhile_is_a_hit(bench: Bench) -> None:
    mark = bench.folder / "mark"
    step = odd("one/speech", "speech", f"wait {mark}")
    other = Store(bench.store.root)
    executor = InlineExecutor(other)
    theirs: list[Event] = []
    plan = TinyPlan([step], [])
    thread = threading.Thread(target=build, args=(lambda: plan, other, executor, {}, theirs.append))
    bench.log.write_text("")
    thread.start()
    until(Path(f"{mark}.begun").exists, "the other build's start")
    waits = itertools.count()

    def listen(event: Event) -> None:
        bench.events.append(event)
        if event.state == "progress" and next(waits) == 2:
            mark.touch()  # We have been waiting for its lease.

    build(lambda: TinyPlan([step], []), bench.store, bench.executor, {}, listen)
    thread.join()
    executor.close()
    other.close()
    assert bench.ran == [f"speech wait {mark}"]
    assert (bench.ends, theirs[-1].state) == ({"one/speech": "hit"}, "built")


def test_a_step_that_cannot_run_here_fails_with_every_reason(bench: Bench) -> None:
    with pytest.raises(BuildError) as caught, closing(LocalExecutor(bench.store.root, 1)) as executor:
        bench.build(odd("one/speech", "speech", "refuse"), goals="", executor=executor)
    assert str(caught.value) == "one/speech: it is not in the mood; it is a Monday"


def hash_of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
