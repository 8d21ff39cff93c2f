"""The pictures of docs/live/: the real page in a real browser, with projects/firewalls as this version renders it.

python tools/live_shots.py [FOLDER]    renders, shows the page in each state, and writes FOLDER (or docs/live/)
"""

from __future__ import annotations

import copy
import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "browser")]

from live_kit import Shown, Stage, chromium, rendered, served  # noqa: E402

from engine.digests import Digests  # noqa: E402
from engine.errors import AuthorError, Mistake  # noqa: E402
from engine.load import load  # noqa: E402
from engine.news import link  # noqa: E402

LARGEST = 120_000  # Bytes of a picture.
BOARD = "projects/firewalls/storyboard.yaml"


class Shot(NamedTuple):
    """A picture: what the session says, the scheme, the window, and whether all of the page is in it."""

    name: str
    state: str
    scheme: str = "light"
    width: int = 1280
    height: int = 800
    whole: bool = False


SHOTS = (
    Shot("empty", "empty", "dark"),
    Shot("first", "first", "dark"),
    Shot("first-error", "first error"),
    Shot("rendering", "rendering", "dark"),
    Shot("error", "error"),
    Shot("error-dark", "error", "dark"),
    Shot("failed", "failed", "dark"),
    Shot("done", "done"),
    Shot("done-dark", "done", "dark"),
    Shot("narrow", "done", "light", 400, 860, whole=True),
    Shot("narrow-error", "error", "dark", 400, 860, whole=True),
    Shot("wide", "rendering", "light", 2560, 1440),
)
FAILURE = {  # As engine.executors.local says it.
    "step": "guard/talk",
    "scene": "guard",
    "message": "the worker died (signal 9) while it made a talk with mouth",
    "hint": "if memory ran out, close other programs or choose a smaller size",
}


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "live"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, chromium() as context:
        states = States(films(Path(place)), wrong(Path(place)))
        for shot in SHOTS:
            stage = Stage(states.shown)
            stage.tell(**states.of(shot.state))
            window = {"width": shot.width, "height": shot.height}
            with served(stage) as server:
                page = context(viewport=window, color_scheme=shot.scheme).new_page()
                (folder / f"{shot.name}.jpg").write_bytes(small(taken(page, server.url, shot)))
                page.context.close()
    return 0


def films(place: Path) -> Shown:
    """The film with another take of one scene, and both takes to choose from."""
    for part in ("personas/mikebot", "projects/firewalls"):
        shutil.copytree(ROOT / part, place / part, ignore=shutil.ignore_patterns("build"))
    project, store = place / "projects" / "firewalls", place / ".mikebot"
    command = [sys.executable, "-m", "engine.cli", "render", str(project), "--store", str(store)]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    first = rendered(project, "draft", store, 11)
    board = project / "storyboard.yaml"
    board.write_text(board.read_text("utf-8").replace("  - id: guard\n", "  - id: guard\n    take: 2\n"), "utf-8")
    second = rendered(project, "draft", store, 12)
    older, guard = (shown.state["scenes"][3] for shown in (first, second))
    guard["takes"] = [*older["takes"], *guard["takes"]]
    return Shown(second.state, {**first.files, **second.files})


def wrong(place: Path) -> list[dict[str, Any]]:
    """Two mistakes and a warning, as a check of the storyboard says them."""
    board = place / "projects" / "firewalls" / "storyboard.yaml"
    text = board.read_text("utf-8")
    found: list[Mistake] = []
    slips = text.replace("transition: crossfade", "transition: crosfade", 1).replace(
        "    chapter: The guard", "    chaptr: The guard"
    )
    for said in (slips, text.replace("a lamplit gatehouse", "a gatehouse \U00013080")):
        board.write_text(said, "utf-8")
        try:
            found += load(board, place, Digests()).warnings
        except AuthorError as error:
            found += error.mistakes
    board.write_text(text, "utf-8")
    editor = "vscode://file{path}:{line}:{column}"
    return [m._asdict() | {"file": BOARD, "link": link(editor, Path("/films", BOARD), m.line, m.column)} for m in found]


class States:
    """What the session says in each picture, as changes to the film when it is done."""

    def __init__(self, shown: Shown, wrong: list[dict[str, Any]]) -> None:
        self.shown = shown
        self.mistakes = [found for found in wrong if found["severity"] == "error"]
        self.warnings = [found for found in wrong if found["severity"] == "warning"]
        if (len(self.mistakes), len(self.warnings)) != (2, 1):
            raise SystemExit(f"two mistakes and a warning were to be shown: {wrong}")

    def of(self, name: str) -> dict[str, Any]:
        """The keys of the state that are otherwise than in the whole film."""
        found: dict[str, Any] = getattr(self, f"_{name.replace(' ', '_')}")()
        return {"edited": "guard", **found}

    def _empty(self) -> dict[str, Any]:
        return {"phase": "checking", "title": "", "save": 1, "film": None, "scenes": []}

    def _first(self) -> dict[str, Any]:
        bare = {"video": "", "audio": "", "state": "waiting", "progress": 0.0, "takes": [], "cues": [], "still": ""}
        made = {"state": "done", "reasons": ["nothing like it was made before"]}
        scenes = self._scenes()
        for number, scene in enumerate(scenes):
            scene.update(made if number < 3 else bare)
        guard = self._scenes()[3]
        scenes[3] |= {"state": "running", "progress": 0.62, **{key: guard[key] for key in ("still", "cues", "audio")}}
        progress = {"done": 34, "total": 96, "seconds_left": 18.0}
        return {"phase": "rendering", "save": 1, "film": None, "scenes": scenes, "progress": progress}

    def _first_error(self) -> dict[str, Any]:
        return {"phase": "invalid", "title": "", "save": 1, "film": None, "scenes": [], "mistakes": self.mistakes}

    def _rendering(self) -> dict[str, Any]:
        running = {"state": "running", "progress": 0.4, "reasons": ["take: 1 -> 2"], "video": ""}
        scenes = self._scenes(guard=running, outbound={"hold": True, "state": "held"})
        progress = {"done": 5, "total": 9, "seconds_left": 2.0}
        return {"phase": "rendering", "film": self._older(), "scenes": steps(scenes), "progress": progress}

    def _error(self) -> dict[str, Any]:
        return {"phase": "invalid", "film": self._older(), "mistakes": [*self.mistakes, *self.warnings]}

    def _failed(self) -> dict[str, Any]:
        broken = {"state": "failed", "error": FAILURE["message"], "reasons": ["take: 1 -> 2"], "video": ""}
        scenes = steps(self._scenes(guard=broken))
        return {"phase": "failed", "film": self._older(), "failures": [FAILURE], "scenes": scenes}

    def _done(self) -> dict[str, Any]:
        made = {"state": "done", "reasons": ["take: 1 -> 2"]}
        return {"scenes": steps(self._scenes(guard=made)), "mistakes": self.warnings}

    def _older(self) -> dict[str, Any]:
        return {**self.shown.state["film"], "save": 11}

    def _scenes(self, **changed: dict[str, Any]) -> list[dict[str, Any]]:
        scenes = copy.deepcopy(self.shown.state["scenes"])
        return [{**scene, **changed.get(scene["id"], {})} for scene in scenes]


def steps(scenes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Scenes whose steps stand as the scene does: what reads the picture was made, the rest was kept."""
    for scene in scenes:
        if scene["state"] in ("kept", "held"):
            continue
        for step in scene["steps"]:
            if step["kind"] in ("still", "clip", "talk", "scene"):
                step |= {"state": "built", "seconds": {"still": 0.2, "scene": 0.7}.get(step["kind"], 0.1)}
            last = {"running": "running", "failed": "failed", "done": "built"}[scene["state"]]
            if step["kind"] in ("talk", "scene") and last != "built":
                step |= {"state": last if step["kind"] == "talk" else "waiting", "progress": 0.4}
    return scenes


def taken(page: Page, url: str, shot: Shot) -> bytes:
    """The page, once its film and its pictures are there."""
    page.goto(url)
    page.wait_for_selector("#told:not(:has-text('connecting'))")
    if "empty" not in shot.state and "first" not in shot.state:
        page.wait_for_selector("#film [data-part=frame]:not([hidden])")
        page.evaluate("document.querySelector('#film video:not(.next)').currentTime = 31")
    page.evaluate(LOADED)
    return page.screenshot(full_page=shot.whole)


LOADED = """async () => {
    await document.fonts.ready;
    const pictures = [...document.images].filter(picture => picture.src && picture.checkVisibility());
    for (const picture of pictures) picture.loading = 'eager';
    await Promise.all(pictures.map(picture => picture.decode()));
    const video = document.querySelector('#film video:not(.next)');
    while (video.seeking) await new Promise(done => video.addEventListener('seeked', done, { once: true }));
    await new Promise(done => setTimeout(done, 1200));
}"""


def small(png: bytes) -> bytes:
    """As JPEG, no larger than a page of documentation may hold."""
    with Image.open(io.BytesIO(png)) as shot:
        picture = shot.convert("RGB")
    if picture.width > 2 * 800:
        picture = picture.reduce(2)
    for quality in range(90, 30, -5):
        packed = io.BytesIO()
        picture.save(packed, "JPEG", quality=quality, optimize=True, progressive=True)
        if packed.tell() <= LARGEST:
            break
    return packed.getvalue()


if __name__ == "__main__":
    raise SystemExit(main())
