"""What a watched storyboard looks like from outside at one moment: plain data, ready for JSON.

A view is made when a save has been looked at, and follows the build step by step. It knows nothing of threads and
nothing of pages; media are named by digest and suffix.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .backends.captions import cues as captions
from .build import Event
from .forecast import Forecast
from .graph import Artifact, Result, Step
from .kinds import SAMPLE_RATE
from .plan import Planner
from .plan_picture import PicturePlan, speaks
from .storyboard import Profile, Scene, Storyboard

TAKES = 6  # As many takes are looked for at least, above the one that is chosen.
FINAL = frozenset({"hit", "built", "failed", "cancelled"})


@dataclass
class Work:
    """One step, as far as it has come."""

    step: Step
    state: str  # waiting, running, or how it ended.
    reasons: Sequence[str] = ()
    seconds: float = 0.0
    progress: float = 0.0
    loading: bool = False  # It runs, and waits for its model to come into memory.
    error: str = ""
    result: Result | None = None

    def told(self) -> dict[str, Any]:
        """As data."""
        return {
            "step": self.step.name,
            "kind": self.step.kind,
            "state": self.state,
            "seconds": round(self.seconds, 2),
            "progress": round(self.progress, 2),
            "loading": self.loading,
            "reasons": list(self.reasons),
        }


@dataclass
class View:
    """A storyboard and how far its film has come."""

    board: Storyboard
    planner: Planner  # The one that plans now: it knows the scenes' lengths, once it has come so far.
    frames: Mapping[str, int]  # Until then, those of the scenes that have been spoken.
    work: dict[str, Work] = field(default_factory=dict)
    takes: dict[str, list[tuple[int, Artifact]]] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)  # Media that were mentioned.
    cost: Callable[[Step], float] = lambda _: 0.0  # Seconds that a step will take, all lanes together.

    @classmethod
    def of(cls, board: Storyboard, planner: Planner, look: Forecast, why: Mapping[str, Sequence[str]]) -> View:
        """What a forecast promises."""
        spoken = {s.id for s in board.scenes if not speaks(s) or f"{s.id}/narration" in look.results}
        view = cls(board, planner, {name: frames for name, frames in planner.frames.items() if name in spoken})
        for name, step in look.steps.items():
            kept = look.states[name] == "hit" and name not in look.twins
            reasons = why.get(name, ()) if look.states[name] == "run" else ()
            state, progress = ("hit", 1.0) if kept else ("waiting", 0.0)
            view.work[name] = Work(step, state, reasons, progress=progress, result=look.results.get(name))
        return view

    def inherit(self, before: View, touched: Collection[str]) -> None:
        """Take over the takes that were found before of scenes whose pictures are drawn as they were."""
        if before.planner.around == self.planner.around:
            same = {scene.id for scene in self.board.scenes}.difference(touched)
            self.takes = {name: takes for name, takes in before.takes.items() if name in same}

    def unlike(self, before: View | None) -> set[str]:
        """The scenes that do not look as they did in another view."""
        ids = {scene.id for scene in self.board.scenes}
        if before is None or before.planner.around != self.planner.around:
            return ids
        was, now, known = before.steps(), self.steps(), {scene.id: scene for scene in before.board.scenes}
        return {
            scene.id
            for scene in self.board.scenes
            if known.get(scene.id) != scene
            or was[scene.id] != now[scene.id]
            or before.length(scene) != self.length(scene)
            or before.takes.get(scene.id) != self.takes.get(scene.id)
        }

    def hear(self, event: Event) -> None:
        """A step changed state."""
        work = self.work.setdefault(event.step.name, Work(event.step, "waiting"))
        work.step = event.step
        work.loading = event.state == "progress" and not event.total
        if event.state in FINAL:
            work.state = event.state
            work.progress = 1.0 if event.state in ("hit", "built") else 0.0
            work.seconds = event.seconds
            work.error = str(event.error) if event.state == "failed" else ""
            work.result = event.result or work.result
        elif event.state == "progress":  # Before that, it waits for its turn.
            work.state = "running"
            work.progress = event.done / event.total if event.total else 0.0

    def settle(self, steps: Mapping[str, Step], results: Mapping[str, Result]) -> set[str]:
        """The build is over: what it did not plan is gone, what it has is known. Returns the scenes that changed."""
        changed = {work.step.scene for name, work in self.work.items() if name not in steps}
        self.work = {name: work for name, work in self.work.items() if name in steps}
        for name, work in self.work.items():
            result = results.get(name, work.result)
            if result != work.result:
                changed.add(work.step.scene)
            work.result = result
        return changed

    def stop(self) -> set[str]:
        """The build was stopped: nothing runs any more. Returns the scenes that changed."""
        running = [work for work in self.work.values() if work.state == "running"]
        for work in running:
            work.state, work.progress, work.loading = "waiting", 0.0, False
        return {work.step.scene for work in running}

    def length(self, scene: Scene) -> int | None:
        """Frames of a scene, once they are known."""
        return self.planner.frames.get(scene.id, self.frames.get(scene.id))

    def progress(self) -> dict[str, Any]:
        """How much of the work is done, and how long the rest will take."""
        left = [part for part in self.work.values() if part.state in ("waiting", "running")]
        seconds = sum(self.cost(part.step) * (1 - part.progress) for part in left)
        return {"done": len(self.work) - len(left), "total": len(self.work), "seconds_left": round(seconds, 1)}

    def steps(self) -> dict[str, list[Work]]:
        """The work of each scene, and under "" that of the film."""
        found: dict[str, list[Work]] = {scene.id: [] for scene in self.board.scenes}
        for work in self.work.values():
            found.setdefault(work.step.scene, []).append(work)
        return found

    def scene(self, scene: Scene, work: Sequence[Work]) -> dict[str, Any]:
        """One scene as data; `captions` is left as the artifact that holds the words' times."""
        state = _state(scene, work)
        running = [part for part in work if part.state == "running"]
        told = {
            "id": scene.id,
            **{name: getattr(scene, name) for name in ("narration", "image_prompt", "chapter")},
            "video_prompt": "; then ".join((scene.video_prompt, *scene.moves)),
            **{name: getattr(scene, name) for name in ("on_screen", "hold", "take")},
            "seed": self.board.seed if scene.seed is None else scene.seed,
            "pinned": scene.seed is not None,
            "show": scene.show.kind if scene.show is not None else "",
            "given": [name for name in ("image", "video", "audio") if getattr(scene, name) is not None],
            "state": state,
            "progress": round(max((part.progress for part in running), default=0.0), 2),
            "error": next((part.error for part in work if part.error), ""),
            "reasons": list(_reasons(work)),
            "steps": [part.told() for part in work],
        }
        return told | self._seen(scene, {part.step.name: part.result for part in work if part.result is not None})

    def _seen(self, scene: Scene, made: Mapping[str, Result]) -> dict[str, Any]:
        """What can be looked at of a scene, and how long it is."""
        frames = self.length(scene)
        known = frames is not None and (f"{scene.id}/narration" in made or not speaks(scene))
        return {
            "seconds": round(float(frames / self.planner.fps), 3) if known and frames is not None else None,
            "still": self._media(made, f"{scene.id}/still", "image", "png"),
            "video": self._media(made, f"{scene.id}/scene", "video", "mp4"),
            "audio": self._media(made, f"{scene.id}/narration", "audio", "wav"),
            "takes": [{"take": number, "still": self.name(still, "png")} for number, still in self._takes(scene)],
        }

    def timing(self, scene: Scene) -> Artifact | None:
        """Where the times of a scene's words are, once it has been spoken."""
        work = self.work.get(f"{scene.id}/narration")
        return work.result.outputs.get("timing") if work is not None and work.result is not None else None

    def name(self, artifact: Artifact, suffix: str) -> str:
        """What a page calls an artifact; it may ask for it from now on."""
        self.named.add(artifact.digest)
        return f"/media/{artifact.digest}.{suffix}"

    def _media(self, made: Mapping[str, Result], step: str, output: str, suffix: str) -> str:
        return self.name(made[step].outputs[output], suffix) if step in made else ""

    def _takes(self, scene: Scene) -> list[tuple[int, Artifact]]:
        """Takes of the picture that were made before, and the one that is chosen, once it is there."""
        work = self.work.get(picture(scene))
        now = work.result.outputs["image"] if work is not None and work.result is not None else None
        found = [(number, still) for number, still in self.takes.get(scene.id, ()) if number != scene.take]
        return sorted([*found, *([(scene.take, now)] if now is not None else [])])


def picture(scene: Scene) -> str:
    """The name of the step that draws a scene's picture: of what it shows, the persona's window."""
    return f"{scene.id}/still/2" if scene.show is not None else f"{scene.id}/still"


def drawn(board: Storyboard, profile: Profile, scenes: Sequence[Scene]) -> Iterator[tuple[str, int, str]]:
    """The key that each take of some scenes' pictures has, made or not: scene, take, key."""
    plan = PicturePlan(board, profile)
    for scene in scenes:
        if scene.image is not None or scene.video is not None:
            continue
        for take in range(1, max(scene.take, TAKES) + 1):
            for step in plan.stills(replace(scene, take=take)):
                if step.name == picture(scene):
                    yield scene.id, take, step.resolve({}).key


def cues(timing: Mapping[str, Any]) -> list[list[Any]]:
    """The captions of a narration: start and end in seconds from the scene's start, and text of one or two lines."""
    found = captions(timing["words"], timing["rate"], timing["samples"])
    return [[round(cue.start / SAMPLE_RATE, 3), round(cue.end / SAMPLE_RATE, 3), "\n".join(cue.lines)] for cue in found]


def _state(scene: Scene, work: Sequence[Work]) -> str:
    states = {part.state for part in work}
    if scene.hold:
        return "held"
    for state in ("failed", "running"):
        if state in states:
            return state
    if states & {"waiting", "cancelled"}:
        return "waiting"
    return "done" if "built" in states else "kept"


def _reasons(work: Sequence[Work]) -> Iterator[str]:
    """Why a scene runs, each reason once, in the words of the storyboard where it has some."""
    said = [f"{part.step.kind}: {reason}" for part in work for reason in part.reasons]
    for reason in dict.fromkeys(said):
        yield next(
            (written + reason.removeprefix(ours) for ours, written in _WRITTEN if reason.startswith(ours)), reason
        )


_WRITTEN = (
    ("speech: text:", "narration:"),
    ("narration: text:", "narration:"),
    ("still: prompt:", "image_prompt:"),
    ("clip: prompt:", "video_prompt:"),
    ("still: show.", "show."),
)
