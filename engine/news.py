"""What a session knows, for any number of listeners: the whole state when asked, and what changed as it changes.

Changes are told from a thread of its own, some milliseconds after they happened and together with those that followed:
a build never waits for whoever listens, and a thousand steps do not make a thousand messages.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .build import Event
from .checkout import Delivered
from .errors import Damaged, Mistake
from .graph import Artifact
from .links import link
from .project import Project
from .storyboard import Scene
from .view import View, cues

Hear = Callable[[str, Mapping[str, Any]], None]
TOGETHER = 0.03  # Seconds between two messages.
REMEMBERED = 5000  # Narrations whose captions are kept.


class News:
    """The state of a session; every method may be called from any thread."""

    def __init__(self, session: str, read: Callable[[Artifact], bytes], editor: str = "") -> None:
        self._read = read
        self._editor = editor
        self._lock = threading.RLock()
        self._woken = threading.Condition(self._lock)
        self._hearers: dict[int, Hear] = {}
        self._view: View | None = None
        self._dirty: set[str] = set()  # Scenes.
        self._all = False  # Every scene is to be looked at.
        self._changed = self._closed = False
        self._top: dict[str, Any] = {"session": session, "version": 0, **_nothing()}
        self._sent: dict[str, Any] = {}  # What listeners know: top, and scenes by id.
        self._scenes: dict[str, dict[str, Any]] = {}
        self._named: set[str] = set()
        self._captions: dict[str, list[list[Any]]] = {}
        self._thread = threading.Thread(target=self._run, name="mikebot news", daemon=True)
        self._thread.start()

    @property
    def has_film(self) -> bool:
        """Whether a film is shown."""
        return self._top["film"] is not None

    def invalid(self, save: int, base: str, mistakes: Sequence[Mistake]) -> None:
        """A save has mistakes; what was before stays, and goes on."""
        with self._woken:
            self._top |= {"save": save, "base": base, "phase": "invalid", "mistakes": self._told(mistakes)}
            self._wake()

    def undecided(self, save: int, base: str, message: str) -> None:
        """What a save needs cannot be told, for a reason that is not the author's; what was before stays."""
        with self._woken:
            if self._view is not None:
                self._dirty |= self._view.stop()
            failures = [{"step": "", "scene": "", "message": message, "hint": ""}]
            self._top |= {"save": save, "base": base, "phase": "failed", "mistakes": [], "failures": failures}
            self._wake()

    def begin(self, save: int, base: str, project: Project, touched: Sequence[str], view: View) -> None:
        """A save can be rendered, and will be."""
        board, form = project.loaded.board, project.loaded.board.format
        top = {
            "save": save,
            "base": base,
            "phase": "rendering",
            "mistakes": self._told(project.loaded.warnings),
            "failures": [],
            "title": board.title,
            "storyboard": project.id,
            "profile": project.variant,
            "language": board.language,
            "edited": touched[0] if touched else "",
            "format": {"width": form.width, "height": form.height, "fps": round(float(view.planner.fps), 3)},
            "link": link(self._editor, project.file, 1),
            "links": link(self._editor, project.file),
            "lines": {scene.id: line for scene, line in zip(board.scenes, project.loaded.lines, strict=True)},
        }
        with self._woken:
            if self._view is not None:
                view.inherit(self._view, touched)
            self._dirty |= view.unlike(self._view)
            self._view = view
            self._top |= top
            self._wake()

    def forget(self) -> None:
        """Show nothing of what was shown, and name nothing that was named."""
        with self._woken:
            self._view, self._all = None, True
            self._named.clear()
            self._captions.clear()
            self._top |= {"film": None, "file": ""}
            self._wake()

    def hear(self, view: View, event: Event) -> None:
        """A step of a build changed state."""
        with self._woken:
            view.hear(event)
            if view is self._view:
                self._dirty.add(event.step.scene)
                self._wake()

    def failed(self, view: View, message: str) -> None:
        """A build is over, without a film."""
        with self._woken:
            changed = view.stop()
            failures = [
                {"step": name, "scene": work.step.scene, "message": work.error, "hint": ""}
                for name, work in view.work.items()
                if work.error
            ]
            if message:
                failures.append({"step": "", "scene": "", "message": message, "hint": ""})
            self._end(view, "failed", changed, failures=failures)

    def film(self, save: int, base: str, view: View, done: Delivered, seconds: float) -> None:
        """A film is whole."""
        with self._woken:
            changed = view.settle(done.built.steps, done.built.results)
            items = {item.output: item for item in done.items}
            starts, at = {}, 0
            for scene in view.board.scenes:
                if not scene.hold:
                    starts[scene.id] = round(float(at / view.planner.fps), 3)
                    at += view.planner.frames[scene.id]
            film = {
                "save": save,
                "base": base,
                "video": view.name(items["film"].artifact, "mp4"),
                "captions": view.name(items["vtt"].artifact, "vtt"),
                "poster": view.name(items["poster"].artifact, "jpg"),
                "seconds": round(float(at / view.planner.fps), 3),
                "digest": items["film"].artifact.digest,
                "starts": starts,
                "loudness": done.loudness.get("integrated"),
            }
            self._named |= view.named  # A page may play on what a newer save has no use for.
            self._top |= {"film": film, "file": str(items["film"].to)}
            self._end(view, "done", changed, seconds=round(seconds, 2))

    def takes(self, view: View, found: Mapping[str, list[tuple[int, Artifact]]]) -> None:
        """The takes of some scenes' pictures that were made so far."""
        with self._woken:
            view.takes |= found
            self._dirty |= found.keys()
            self._wake()

    def snapshot(self) -> dict[str, Any]:
        """The whole state."""
        with self._lock:
            top, scenes = dict(self._top) | self._progress(), self._gathered(None)
            self._remember_names()
        return top | {"scenes": [self._captioned(scene) for scene in scenes.values()]}

    def subscribe(self, hear: Hear) -> Callable[[], None]:
        """Tell of each change from now on, until the returned function is called."""
        with self._lock:
            number = max(self._hearers, default=0) + 1
            self._hearers[number] = hear
            self._sent, self._scenes = {}, {}  # Nobody was told before: what is told next is whole.
        return lambda: self._forget(number)

    def mentioned(self, digest: str) -> bool:
        """Whether an artifact was named to anyone."""
        with self._lock:
            return digest in self._named

    def close(self) -> None:
        """Tell nobody any more."""
        with self._woken:
            self._closed = True
            self._woken.notify_all()
        self._thread.join()

    def _forget(self, number: int) -> None:
        with self._lock:
            self._hearers.pop(number, None)

    def _end(self, view: View, phase: str, changed: set[str], **top: Any) -> None:
        """A build is over. A newer save may have mistakes: then it is that of which the phase tells."""
        if view is self._view:
            self._dirty |= changed
            self._top |= top
            if self._top["phase"] == "rendering":
                self._top["phase"] = phase
            self._wake()

    def _wake(self) -> None:
        self._changed = True
        self._woken.notify_all()

    def _told(self, mistakes: Iterable[Mistake]) -> list[dict[str, Any]]:
        return [m._asdict() | {"link": link(self._editor, Path(m.file), m.line, m.column)} for m in mistakes]

    def _progress(self) -> dict[str, Any]:
        none = {"done": 0, "total": 0, "seconds_left": None}
        return {"progress": self._view.progress() if self._view is not None else none}

    def _gathered(self, wanted: set[str] | None) -> dict[str, dict[str, Any]]:
        """Scenes as data, all or some; their captions are still artifacts."""
        if self._view is None:
            return {}
        work = self._view.steps()
        scenes = [scene for scene in self._view.board.scenes if wanted is None or scene.id in wanted]
        return {scene.id: self._scene(scene, work[scene.id]) for scene in scenes}

    def _scene(self, scene: Scene, work: Any) -> dict[str, Any]:
        assert self._view is not None  # noqa: S101
        return self._view.scene(scene, work) | {"cues": self._view.timing(scene)}

    def _captioned(self, scene: dict[str, Any]) -> dict[str, Any]:
        """A scene with its captions; reads them where they are not known, so it is called without the lock."""
        artifact = scene["cues"]
        if artifact is None:
            return scene | {"cues": []}
        found = self._captions.get(artifact.digest)
        if found is None:
            try:
                found = cues(json.loads(self._read(artifact)))
            except (Damaged, OSError):  # The next build that needs it makes it again.
                return scene | {"cues": []}
            if len(self._captions) > REMEMBERED:
                self._captions.clear()
            self._captions[artifact.digest] = found
        return scene | {"cues": found}

    def _remember_names(self) -> None:
        if self._view is not None:
            self._named |= self._view.named

    def _run(self) -> None:
        while True:
            with self._woken:
                self._woken.wait_for(lambda: self._changed or self._closed)
                if self._closed:
                    return
                patch, scenes = self._taken()
            if patch is not None:
                patch["scenes"] = {name: self._captioned(scene) for name, scene in scenes.items()}
                for hear in list(self._hearers.values()):
                    hear("patch", patch)
            time.sleep(TOGETHER)

    def _taken(self) -> tuple[dict[str, Any] | None, dict[str, dict[str, Any]]]:
        """What changed since it was last told."""
        self._changed = False
        dirty, whole = self._dirty, self._all or not self._scenes
        self._dirty, self._all = set(), False
        if not self._hearers:
            return None, {}
        self._top["version"] += 1
        top = dict(self._top) | self._progress()
        now = self._gathered(None if whole else dirty)
        self._remember_names()
        changed = {name: scene for name, scene in now.items() if self._scenes.get(name) != scene}
        patch = {"version": top["version"], "top": {k: v for k, v in top.items() if self._sent.get(k, ...) != v}}
        order = [scene.id for scene in self._view.board.scenes] if self._view is not None else []
        if whole or order != list(self._scenes):
            patch["order"] = order
            patch["gone"] = sorted(self._scenes.keys() - set(order))
        known = self._scenes | now
        self._scenes = {name: known[name] for name in order}
        self._sent = top
        return patch, changed


def _nothing() -> dict[str, Any]:
    """The state before anything was read."""
    return {
        "title": "",
        "storyboard": "",
        "link": "",
        "links": "",
        "lines": {},
        "profile": "",
        "base": "",
        "save": 0,
        "phase": "checking",
        "mistakes": [],
        "failures": [],
        "film": None,
        "edited": "",
        "seconds": None,
        "format": {"width": 16, "height": 9, "fps": 25},
        "language": "",
        "file": "",
    }
