"""A session by script, behind the real server: real films and pictures, and states and patches that a test decides."""

from __future__ import annotations

import copy
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from chromium_kit import browser
from playwright.sync_api import BrowserContext, Page, expect
from workshop import Here

from engine.backends.captions import CLOCK, cues
from engine.build import Built, build
from engine.errors import MikebotError
from engine.preview.server import Server
from engine.project import Project, open_project
from engine.store import Store

SEEN = "#film video:not(.next)"  # The player that is not getting the next film ready.
STEP = {"state": "hit", "seconds": 0.0, "progress": 1.0, "loading": False, "reasons": []}
SUFFIX = {"film": ".mp4", "vtt": ".vtt", "poster": ".jpg", "video": ".mp4", "audio": ".wav", "image": ".png"}


class Shown(NamedTuple):
    """A rendered film as a session tells it, with the files behind the names."""

    state: Mapping[str, Any]
    files: Mapping[str, Path]


class Stage:
    """A session that says what it is told to say; keeps every edit, and refuses them while `refusal` is set."""

    def __init__(self, shown: Shown, session: str = "one") -> None:
        self.files = dict(shown.files)
        self.edits: list[tuple[str, str, int | bool, str]] = []
        self.refusal: MikebotError | None = None
        self._state: dict[str, Any] = {**copy.deepcopy(dict(shown.state)), "session": session}
        self._hear: list[Callable[[str, Mapping[str, Any]], None]] = []
        self._lock = threading.RLock()

    def snapshot(self) -> Mapping[str, Any]:
        with self._lock:
            return copy.deepcopy(self._state)

    def subscribe(self, hear: Callable[[str, Mapping[str, Any]], None]) -> Callable[[], None]:
        self._hear.append(hear)
        return lambda: self._hear.remove(hear)

    def media(self, name: str) -> Path | None:
        return self.files.get(name)

    def edit(self, scene: str, field: str, value: int | bool, base: str) -> Mapping[str, Any]:
        self.edits.append((scene, field, value, base))
        if self.refusal:
            raise self.refusal
        return {}

    def tell(self, each: Mapping[str, Mapping[str, Any]] | None = None, **top: Any) -> None:
        """A patch: keys of the state, and of some scenes."""
        with self._lock:
            self._state |= top
            changed = {}
            for scene in self._state["scenes"]:
                if scene["id"] in (each or {}):
                    scene.update((each or {})[scene["id"]])
                    changed[scene["id"]] = scene
            self._patch(top=top, scenes=changed, gone=[])

    def reorder(self, *order: str) -> None:
        """A patch: these scenes, in this order; what is not named is gone."""
        with self._lock:
            scenes = {scene["id"]: scene for scene in self._state["scenes"]}
            self._state["scenes"] = [scenes[name] for name in order]
            gone = [name for name in scenes if name not in order]
            self._patch(top={}, scenes={}, order=list(order), gone=gone)

    def show(self, shown: Shown, **top: Any) -> None:
        """Another film, whole."""
        with self._lock:
            self.files |= shown.files
            version = self._state["version"] + 1
            own = {"session": self._state["session"], "version": version}
            self._state |= {**copy.deepcopy(dict(shown.state)), **own, **top}
            self._tell("state", self._state)

    def _patch(self, **changed: Any) -> None:
        self._state["version"] += 1
        self._tell("patch", {"version": self._state["version"], **changed})

    def _tell(self, event: str, data: Mapping[str, Any]) -> None:
        for hear in list(self._hear):
            hear(event, copy.deepcopy(data))


@contextmanager
def chromium() -> Iterator[Callable[..., BrowserContext]]:
    """A browser; what it gives makes a context with options of its own."""
    with browser() as started:
        yield started.new_context


@contextmanager
def served(stage: Stage, port: int = 0, token: str = "") -> Iterator[Server]:
    """The stage behind the real server."""
    with Server(stage, port, token) as server:
        yield server


class Desk:
    """Opens pages, and at the end holds that none of them complained."""

    def __init__(self, browser: Callable[..., BrowserContext]) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.said: list[str] = []
        self.permitted = ""  # A pattern.

    def context(self, **options: Any) -> BrowserContext:
        context = self._browser(**{"viewport": {"width": 1280, "height": 800}, **options})
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        return context

    def page(self, url: str, **options: Any) -> Page:
        return self.tab(self.context(**options), url)

    def tab(self, context: BrowserContext, url: str) -> Page:
        page = context.new_page()
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.goto(url)
        expect(page.locator("#told")).not_to_contain_text("connecting")
        return page

    def close(self) -> list[str]:
        for context in self._contexts:
            context.close()
        return [said for said in self.said if not (self.permitted and re.search(self.permitted, said))]


def mistake(**changed: Any) -> dict[str, Any]:
    source = "  - id: two words"
    found = {"file": "projects/film/storyboard.yaml", "line": 4, "column": 9, "end_line": 4, "end_column": 18}
    found |= {"severity": "error", "message": "an id has no blanks", "hint": "write two-words", "source": source}
    return found | {"link": "vscode://file/w/projects/film/storyboard.yaml:4:9"} | changed


def until(page: Page, holds: str) -> None:
    """Wait for a condition on the film that is seen, or the scene's video; the policy forbids Playwright's own way."""
    page.evaluate(f"""() => new Promise(done => {{
        const look = () => {{
            const film = document.querySelector('{SEEN}');
            const scene = document.querySelector('#scene video');
            if ({holds}) done(); else requestAnimationFrame(look);
        }};
        look();
    }})""")


def frame(page: Page, scene: str) -> Any:
    return page.locator(f"#sheet li[data-id={scene}]")


def rendered(folder: Path, profile: str, store: Path, save: int = 1) -> Shown:
    """What a session tells when this project's film is whole; what the store holds already is not made again."""
    project = open_project(str(folder), profile, str(store))
    kept = Store(project.store)
    try:
        built = build(project.planner, kept, Here(kept), project.loaded.sources, lambda _: None)
        return _Teller(project, kept, built).shown(save)
    finally:
        kept.close()


class _Teller:
    def __init__(self, project: Project, store: Store, built: Built) -> None:
        self._project = project
        self._store = store
        self._built = built
        self._files: dict[str, Path] = {}
        self._params = built.steps["film"].params
        self._fps = int(self._params["fps"])

    def shown(self, save: int) -> Shown:
        board = self._project.loaded.board
        lengths = [frames / self._fps for frames in self._params["frames"]]
        scenes = [self._scene(scene, length) for scene, length in zip(board.scenes, lengths, strict=True)]
        state = {
            "session": "",
            "version": 1,
            "title": board.title,
            "storyboard": "projects/firewalls/storyboard.yaml",
            "link": "vscode://file/films/projects/firewalls/storyboard.yaml:1:1",
            "links": "vscode://file/films/projects/firewalls/storyboard.yaml:{line}:1",
            "lines": {scene["id"]: 9 + 6 * at for at, scene in enumerate(scenes)},
            "profile": "draft",
            "base": "b" * 64,
            "save": save,
            "phase": "done",
            "mistakes": [],
            "failures": [],
            "film": self._film(save, [scene["id"] for scene in scenes], lengths),
            "edited": "",
            "progress": {"done": 0, "total": 0, "seconds_left": None},
            "seconds": 1.2,
            "format": {"width": self._params["width"], "height": self._params["height"], "fps": float(self._fps)},
            "language": "en",
            "file": "",
            "scenes": scenes,
        }
        return Shown(state, self._files)

    def _film(self, save: int, ids: list[str], lengths: list[float]) -> dict[str, Any]:
        outputs = self._built.results["film"].outputs
        loudness = json.loads(self._store.read(outputs["loudness"]))
        return {
            "save": save,
            "video": self._link("film", "film"),
            "captions": self._link("film", "vtt"),
            "poster": self._link("film", "poster"),
            "seconds": sum(lengths),
            "digest": outputs["film"].digest,
            "starts": {name: sum(lengths[:at]) for at, name in enumerate(ids)},
            "loudness": loudness.get("integrated"),
        }

    def _scene(self, scene: Any, length: float) -> dict[str, Any]:
        mine = {name: step for name, step in self._built.steps.items() if name.startswith(f"{scene.id}/")}
        still = self._link(f"{scene.id}/still", "image")
        return {
            "id": scene.id,
            "narration": scene.narration,
            "image_prompt": scene.image_prompt or "",
            "video_prompt": scene.video_prompt or "",
            "chapter": scene.chapter or "",
            "on_screen": scene.on_screen,
            "hold": False,
            "take": scene.take,
            "seed": 7 if scene.seed is None else scene.seed,
            "pinned": scene.seed is not None,
            "show": "",
            "given": [],
            "state": "kept",
            "progress": 1.0,
            "error": "",
            "seconds": length,
            "still": still,
            "video": self._link(f"{scene.id}/scene", "video"),
            "audio": self._link(f"{scene.id}/narration", "audio"),
            "cues": self._cues(scene.id, length),
            "reasons": [],
            "steps": [{**STEP, "step": name, "kind": step.kind} for name, step in mine.items()],
            "takes": [{"take": scene.take, "still": still}],
        }

    def _cues(self, scene: str, length: float) -> list[list[Any]]:
        timing = json.loads(self._store.read(self._built.results[f"{scene}/narration"].outputs["timing"]))
        found = cues(timing["words"], timing["rate"], round(length * timing["rate"]))
        return [[cue.start / CLOCK, cue.end / CLOCK, "\n".join(cue.lines)] for cue in found]

    def _link(self, step: str, output: str) -> str:
        artifact = self._built.results[step].outputs[output]
        name = artifact.digest + SUFFIX[output]
        self._files[name] = self._store.path(artifact.digest)
        return f"/media/{name}"
