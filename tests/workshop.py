"""A workspace to render in: a board becomes a film as in a real render, and a test hears which steps ran.

Everything is real: files, probing, planner, store, backends. The executor runs actions in this process and
keeps a log of its own, so that what the build tells is held against what was done.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from engine.bench import Bench
from engine.build import Built, Event, build, ungated
from engine.delivery import exact
from engine.errors import BackendError, BuildError, Damaged
from engine.forecast import Forecast, forecast
from engine.graph import Action, Result
from engine.perform import perform
from engine.project import Project, open_project
from engine.store import Store
from engine.trust.permit import Permit

HERE = Path(__file__).parent
FINAL = ("hit", "built", "failed", "cancelled")
SHORT = "name: short\nextends: draft\nkinds: {clip: {limits: {seconds: 1.2}}}\n"


class Rendered(NamedTuple):
    """How every step ended, what was asked for, what of it was performed, and the film's outputs, if it was made."""

    ended: Mapping[str, str]
    submitted: Sequence[Action]
    performed: Sequence[Action]
    film: Mapping[str, str]
    built: Built | None

    @property
    def ran(self) -> set[str]:
        """The steps that were built."""
        return {name for name, state in self.ended.items() if state == "built"}


class Here:
    """Runs actions in this process, one at a time, and logs them.

    `fails` says of an action whether it fails, "early" (before its backend ran) or "late" (after). With
    `shuffle`, what waits runs in random order in a thread; otherwise at once, as it comes.
    """

    def __init__(self, store: Store, fails: Callable[[Action], str] = lambda _: "", shuffle: int | None = None) -> None:
        self.performed: list[Action] = []
        self.submitted: list[Action] = []
        self._store = store
        self._bench = _Faulty(fails)
        self._random = random.Random(shuffle)
        self._thread = ThreadPoolExecutor(1) if shuffle is not None else None
        self._waiting: list[tuple[Action, Permit | None, Callable[[int, int], None], Future[Result]]] = []

    def submit(
        self, action: Action, listen: Callable[[int, int], None], ahead: bool = False, permit: Permit | None = None
    ) -> Future[Result]:
        future: Future[Result] = Future()
        self.submitted.append(action)
        self._waiting.append((action, permit, listen, future))
        if self._thread is None:
            self._next()
        else:
            self._thread.submit(self._next)
        return future

    def cancel(self, future: Future[Result]) -> None:
        """What is submitted is finished: soon enough for pieces this small."""

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()

    def _next(self) -> None:
        action, permit, listen, future = self._waiting.pop(self._random.randrange(len(self._waiting)))
        try:
            result = perform(action, self._store, _Tell(listen), self._bench, permit)
            if not result.found:
                self.performed.append(action)
            future.set_result(result)
        except Exception as error:
            future.set_exception(error)


class _Tell:
    def __init__(self, listen: Callable[[int, int], None]) -> None:
        self.progress = listen


class _Faulty(Bench):
    """Hands out the backends that there are; those that are to fail do."""

    def __init__(self, fails: Callable[[Action], str]) -> None:
        super().__init__()
        self._fails = fails

    def ready(self, action: Action, tell: Any) -> tuple[Any, Any]:
        backend, params = super().ready(action, tell)
        when = self._fails(action)
        if when == "early":
            raise BackendError("failed early")
        return (_Late(backend) if when else backend), params


class _Late:
    """A backend that fails when all its outputs are written."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def run(self, *args: Any) -> None:
        self._backend.run(*args)
        raise BackendError("failed late")


class Workshop:
    """A workspace with one project; `board` is the storyboard as data."""

    def __init__(self, root: Path, board: Mapping[str, Any], profile: str = "short") -> None:
        self.root = root
        self.profile = profile
        self.folder = root / "projects" / "film"
        self.store = root / ".mikebot"
        self.folder.mkdir(parents=True)
        (root / "profiles").mkdir()
        (root / "profiles" / "short.yaml").write_text(SHORT)
        self.persona = root / "personas" / "mikebot"
        shutil.copytree(HERE.parent / "personas" / "mikebot", self.persona)
        for file in self.persona.rglob("*.png"):
            with Image.open(file) as portrait:
                portrait.resize((48, 56)).save(file)  # Small: it is read again and again.
        self.write(board)

    def write(self, board: Mapping[str, Any] | str) -> None:
        """Write the storyboard: data (as JSON, which is YAML) or text."""
        text = board if isinstance(board, str) else json.dumps(board, indent=1, ensure_ascii=False)
        (self.folder / "storyboard.yaml").write_text(text, encoding="utf-8")

    def project(self, store: Path | None = None) -> Project:
        return open_project(str(self.folder), self.profile, str(store or self.store))

    def forecast(self) -> Forecast:
        """What a render would do."""
        store = Store(self.store)
        try:
            return forecast(self.project().planner(), store, exact)
        finally:
            store.close()

    def render(
        self,
        fails: Callable[[Action], str] = lambda _: "",
        shuffle: int | None = None,
        folder: Path | None = None,
        hear: Callable[[Event], None] = lambda _: None,
    ) -> Rendered:
        """Render into the store, or into that of another folder; what checking out finds damaged is made again."""
        project = self.project(folder)
        store = Store(folder or self.store)
        executor = Here(store, fails, shuffle)
        try:
            return _render(project, store, executor, hear)
        finally:
            executor.close()
            store.close()

    def clean(self) -> Mapping[str, str]:
        """The film as an empty store gives it."""
        folder = self.root / "clean"
        try:
            return self.render(folder=folder).film
        finally:
            shutil.rmtree(folder)


def _render(project: Project, store: Store, executor: Here, hear: Callable[[Event], None]) -> Rendered:
    events: list[tuple[str, str]] = []
    out = store.root / "tmp" / "out.mp4"

    def listen(event: Event) -> None:
        events.append((event.step.name, event.state))
        hear(event)

    while True:
        try:
            gate = project.gate or ungated
            built = build(project.planner, store, executor, project.loaded.sources, listen, gate=gate)
            outputs = built.results["film"].outputs
            for artifact in outputs.values():
                store.checkout(artifact, out)
        except BuildError:
            return Rendered(_ends(events), executor.submitted, executor.performed, {}, None)
        except Damaged as damage:
            store.discard(damage.digest)
        else:
            assert {name for name, _ in events} >= built.steps.keys()
            digests = {name: artifact.digest for name, artifact in outputs.items()}
            return Rendered(_ends(events), executor.submitted, executor.performed, digests, built)
        finally:
            out.unlink(missing_ok=True)


def _ends(events: Sequence[tuple[str, str]]) -> dict[str, str]:
    """How each step ended: once in one build; a repair after a checkout is one more build, and built outdoes hit."""
    ended: dict[str, str] = {}
    for name, state in events:
        if state in FINAL and ended.get(name) != "built":
            ended[name] = state
    return ended
