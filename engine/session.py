"""A storyboard that is kept rendered while its author writes: each save is looked at, decided and built at once.

Three threads besides the caller's: one builds, one tells whoever listens (so that nobody who listens slowly holds up
a build), and the watch's own. What a build still works on when the next save comes goes on if that save wants the
same, and is stopped otherwise. What others see changes in two steps: at once, what is wanted; and when a film is
whole, the film.
"""

from __future__ import annotations

import gc
import secrets
import threading
import time
import traceback
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from .build import Built, Event, Halt, build, ungated
from .checkout import Checkout, Delivered
from .delivery import advised, exact, to_fetch
from .digests import Digests
from .errors import AuthorError, BuildError, Cancelled, MikebotError, Mistake, Refused
from .estimate import Estimator
from .executors.kept import KeptExecutor
from .executors.local import LocalExecutor, cores
from .forecast import Forecast, forecast
from .graph import Artifact, Step
from .news import Hear, News
from .plan import Planner
from .project import Project
from .remarks import remarks
from .resolve import Resolved
from .saves import Request, Saves
from .splice import write
from .store import Store
from .storyboard import Storyboard
from .trust.gate import Gate
from .view import View, drawn
from .watch import Watch
from .why import explained

FEW = 20  # Scenes whose takes are looked for before a film is made; those of the others are, after it.


class Say(Protocol):
    """Hears what the author should know; each is called from one thread at a time."""

    def saved(self, touched: list[str], run: int, maybe: int, kept: int) -> None:
        """A save was looked at."""

    def mistakes(self, found: list[Mistake], stays: bool = False) -> None:
        """It has mistakes, or warnings; `stays`: there is a film from before."""

    def failed(self, step: str, message: str) -> None:
        """A step failed, just now; or, without a name, the build did."""

    def remark(self, step: str, note: str) -> None:
        """A step that was made says something of it."""

    def film(self, path: Path, seconds: float, built: int, kept: int) -> None:
        """A film is whole, so many seconds after the save."""


class _Save(NamedTuple):
    """One save that can be rendered."""

    number: int
    base: str  # The digest of its text.
    begun: float  # On the monotonic clock.
    project: Project
    touched: list[str]


class Session:
    """Watches one storyboard; what it knows is in `news`."""

    def __init__(self, request: Request, say: Say, editor: str = "") -> None:
        self._request = request
        self._say = say
        self._store = Store(request.store, remembering=True)
        self._watch = Watch(Digests(request.store / "digests.json"))
        self._work = KeptExecutor(LocalExecutor(request.store, request.lanes, vram=request.vram))
        self._halt = Halt()
        self._thread: threading.Thread | None = None
        self._board: Storyboard | None = None  # Of the last save without mistakes.
        self._planner: Planner | None = None  # Likewise.
        self._gate: Gate | None = None  # Of whoever real is shown.
        self._who: tuple[Path, bool] | None = None  # Their file, and whether it is them or a silhouette.
        self._resolved: dict[str, Resolved] = {}
        self._saves = Saves(request, self._watch)
        self._number = 0
        self._failed = False  # What was saved last: to save it again is to try it again.
        self._writing = threading.Lock()
        self.news = News(secrets.token_hex(8), self._store.read, editor)

    def run(self) -> None:
        """Look at the storyboard as it is, and at every save, until `leave` is called."""
        begun = time.monotonic()
        gc.disable()  # It would go through all that is kept in the middle of a decision; see _build.
        try:
            while True:
                self._look(begun)
                if not self._watch.next(lambda: self._failed):
                    return
                begun = self._watch.heard
        finally:
            self._close()

    def leave(self) -> None:
        """End `run`, from any thread."""
        self._watch.leave()

    def snapshot(self) -> Mapping[str, Any]:
        """Everything that a page shows."""
        return self.news.snapshot()

    def subscribe(self, hear: Hear) -> Callable[[], None]:
        """Tell of each change, until the returned function is called."""
        return self.news.subscribe(hear)

    def media(self, name: str) -> Path | None:
        """The file behind a name that the news mentioned."""
        digest = name.partition(".")[0]
        if self._gate is not None and not self._gate.holds():
            return None
        return self._store.path(digest) if self.news.mentioned(digest) else None

    def edit(self, scene: str, field: str, value: int | bool, base: str) -> Mapping[str, Any]:
        """Write one value into the storyboard; raises MikebotError where engine.splice does."""
        with self._writing:
            digest = write(self._request.file, scene, field, value, base)
        self._watch.wake()
        return {"base": digest}

    def _look(self, begun: float) -> None:
        """Take in a save: decide what it needs, stop what it does not, and build."""
        self._number, self._failed = self._number + 1, False
        found = self._saves.read()
        if isinstance(found, AuthorError):
            if isinstance(found, Refused):
                self._stop()
                self._forbid()
            self._say.mistakes(found.mistakes, self.news.has_film)
            self.news.invalid(self._number, self._saves.base, found.mistakes)
            return
        save = _Save(self._number, self._saves.base, begun, found, _touched(self._board, found.loaded.board))
        self._board = found.loaded.board
        self._stop()  # First: what it would begin while the forecast is made, the forecast would not know.
        self._admit(found)
        try:
            view = self._decided(save)
        except MikebotError as problem:
            self._failed = True
            self._say.failed("", str(problem))
            self.news.undecided(save.number, save.base, str(problem))
            return
        self._halt = Halt()
        self._thread = threading.Thread(target=self._build, args=[save, view, self._halt], daemon=True)
        self._thread.start()

    def _decided(self, save: _Save) -> View:
        """Decide what a save needs, stop what it does not, and tell."""
        found = save.project
        self._planner = found.planner(before=self._planner)
        look = forecast(self._planner, self._store, exact, self._resolved)
        for gone in self._resolved.keys() - look.steps.keys():
            del self._resolved[gone]
        self._work.keep(set(look.keys.values()))
        why = explained(look, self._store, found.id, found.variant)
        view = View.of(found.loaded.board, self._planner, look, why)
        view.cost = self._costs(found)
        self.news.begin(save.number, save.base, found, save.touched, view)
        self._tell(save, look)
        return view

    def _tell(self, save: _Save, look: Forecast) -> None:
        counts = [list(look.states.values()).count(state) for state in ("run", "maybe", "hit")]
        self._say.saved(save.touched, *counts)
        if save.project.loaded.warnings:
            self._say.mistakes(save.project.loaded.warnings)

    def _build(self, save: _Save, view: View, halt: Halt) -> None:
        """Build one save; runs in a thread of its own."""
        checkout = Checkout(save.project, self._store)
        try:
            self.news.takes(view, self._takes(save.project, save.touched[:FEW]))
            checkout.refuse_place()
            self._deliver(save, view, checkout.deliver(lambda: self._built(save, view, halt)))
        except Cancelled:
            return
        except Refused as error:
            self._forbid()
            self._say.failed("", str(error))
            self.news.undecided(save.number, save.base, str(error))
        except BuildError:
            self._fail(view, halt, to_fetch(save.project))
        except MikebotError as error:
            self._fail(view, halt, str(error))
        except Exception:
            self._fail(view, halt, traceback.format_exc())
        save.project.loaded_digests.save()
        gc.collect()

    def _built(self, save: _Save, view: View, halt: Halt) -> Built:
        """One try at it; a plan that changes under the build is made anew."""
        ahead = frozenset(save.touched)

        def plan() -> Planner:
            view.planner = save.project.planner(before=view.planner)
            return view.planner

        return build(
            plan,
            self._store,
            self._work,
            save.project.loaded.sources,
            lambda event: self._hear(view, advised(event, save.project.profile)),
            lambda step: step.scene in ahead,
            halt,
            self._resolved,
            save.project.gate or ungated,
        )

    def _hear(self, view: View, event: Event) -> None:
        """A step changed state. What failed is told at once: the others may take hours."""
        self.news.hear(view, event)
        if event.state == "failed":
            self._say.failed(event.step.name, str(event.error))

    def _admit(self, project: Project) -> None:
        """Who is shown from now on: where that is somebody else, nothing stays to be seen of the one before."""
        person = project.loaded.person
        who = (person.file, project.gate is not None) if person is not None else None
        if who != self._who:
            self.news.forget()
        self._who, self._gate = who, project.gate

    def _forbid(self) -> None:
        """A real person may be shown no more: what shows them ends, and is forgotten."""
        self._work.keep(())
        self.news.forget()

    def _fail(self, view: View, halt: Halt, message: str) -> None:
        """A build is over; `message`: what there is to say beside the steps that failed."""
        if not halt.said.is_set():
            self._failed = True
            if message:
                self._say.failed("", message)
            self.news.failed(view, message)

    def _deliver(self, save: _Save, view: View, done: Delivered) -> None:
        seconds = time.monotonic() - save.begun
        self.news.film(save.number, save.base, view, done, seconds)
        made = [name for name, work in view.work.items() if work.state == "built" and name in done.built.steps]
        for name, note in remarks(done.built, self._store, made):
            self._say.remark(name, note)
        built = sum(work.state == "built" for work in view.work.values())
        film = next(item.to for item in done.items if item.output == "film")
        self._say.film(film, seconds, built, len(done.built.steps) - built)
        self._store.remember(save.project.id, save.project.variant, done.built.keys)
        touched = frozenset(save.touched)
        new = [scene.id for scene in view.board.scenes if scene.id in touched or scene.id not in view.takes]
        self.news.takes(view, self._takes(save.project, new))

    def _costs(self, project: Project) -> Callable[[Step], float]:
        """How long a step takes, shared among the lanes."""
        estimator, lanes = Estimator(self._store.paces(), project.profile), self._request.lanes or cores()
        return lambda step: estimator.seconds(step) / lanes

    def _takes(self, project: Project, names: Collection[str]) -> dict[str, list[tuple[int, Artifact]]]:
        """The takes that are in the store, of some scenes."""
        board, wanted = project.loaded.board, frozenset(names)
        keys = list(drawn(board, project.profile, [scene for scene in board.scenes if scene.id in wanted]))
        made = self._store.lookup(key for _, _, key in keys)
        found: dict[str, list[tuple[int, Artifact]]] = {name: [] for name in names}
        for scene, take, key in keys:
            if key in made and self._store.holds(made[key].outputs["image"]):
                found[scene].append((take, made[key].outputs["image"]))
        return found

    def _stop(self) -> None:
        """Let go of the build that runs, if one does: it ends at once, its actions when `keep` says so."""
        self._halt()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()

    def _close(self) -> None:
        try:
            self._stop()
        finally:
            gc.enable()
            self._watch.close()
            self._work.close()
            self.news.close()
            self._store.close()


def _touched(before: Storyboard | None, now: Storyboard) -> list[str]:
    """The scenes that are not what they were at the save before; none at the first."""
    if before is None:
        return []
    known = {scene.id: scene for scene in before.scenes}
    return [scene.id for scene in now.scenes if known.get(scene.id) != scene]
