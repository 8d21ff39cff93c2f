"""A render from start to end: open, forecast if anyone looks, build, put what was made where people want it."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from .build import Built, Event, build, ungated
from .checkout import WHOLE, Checkout, Delivered
from .disk import KEEP_FREE
from .document import shown
from .errors import BackendError, BuildError, Refused, UsageError
from .estimate import Estimator
from .executors.local import LocalExecutor, cores
from .forecast import forecast
from .graph import Step
from .profile import on_folders
from .project import Project, open_project
from .recall import Note, Request, program, remember
from .remarks import remarks
from .report import Report, Tally, Terminal, reporter, seconds
from .store import Store
from .storyboard import Profile
from .wanted import missing, named

ROOMY = 60e9  # Bytes free where nobody needs to ask whether a render fits.


def render(args: argparse.Namespace, request: Request, begun: float) -> int:
    """Make what was asked for; returns the exit code."""
    project = open_project(args.path, args.profile, args.store, args.format)
    store = Store(project.store)
    try:
        return _Delivery(args, request, project, store, begun).run()
    finally:
        store.close()


class _Delivery:
    def __init__(
        self, args: argparse.Namespace, request: Request, project: Project, store: Store, begun: float
    ) -> None:
        self.args = args
        self.request = request
        self.project = project
        self.store = store
        self.begun = begun
        self.lanes = args.lanes or cores()
        self.warnings = [*store.ledger.notes, *map(str, project.loaded.warnings)]
        self.checkout = Checkout(project, store, args.until, args.scene, args.out or "")
        self.tally = Tally()
        self.program = program()
        self.marks: list[tuple[Path, list[int]]] = []  # Of what was checked out.

    def run(self) -> int:
        for warning in self.warnings:
            sys.stderr.write(f"{warning}\n")
        if not self.project.planner(scenes=self.args.scene).board.scenes:
            raise UsageError("every scene is on hold", "remove `hold: true` from one")
        self.checkout.refuse_place()
        self._refuse()
        report = reporter(self.args.json, self._terminal)
        executor = LocalExecutor(self.store.root, self.lanes, vram=self.args.vram)
        try:
            self._make(executor, report)
            return 0
        except BuildError as error:
            report.done(self._summary(None))
            if self.args.json:
                sys.stderr.write(f"{named(str(error), self.project.profile)}\n")
            if said := to_fetch(self.project):
                sys.stderr.write(f"{said}\n")
            return 1
        except (KeyboardInterrupt, Refused):
            report.done(self._summary(None))
            raise
        finally:
            executor.close()
            self.project.loaded_digests.save()

    def _make(self, executor: LocalExecutor, report: Report) -> None:
        """Build, check out, and remember what was done."""
        loaded, hearing = self.project.loaded, self._hearing(report)
        gate = self.project.gate or ungated
        done = self.checkout.deliver(
            lambda: build(self._planner, self.store, executor, loaded.sources, hearing, gate=gate)
        )
        built, self.marks = done.built, done.marks
        summary = self._summary(done)
        if self.args.until in WHOLE and not self.args.scene:
            self.store.remember(self.project.id, self.project.variant, built.keys)
        if told := [f"{name}: {note}" for name, note in remarks(built, self.store, built.steps)]:
            summary["remarks"] = told
        report.done(summary)
        for said in told:
            self.warnings.append(said)
            sys.stderr.write(f"{said}\n")
        self._note(built, summary)

    def _hearing(self, report: Report) -> Any:
        def listen(event: Event) -> None:
            self.tally.count(event)
            report(advised(event, self.project.profile))

        return listen

    def _planner(self) -> Any:
        return self.project.planner(self.args.until, self.args.scene)

    def _summary(self, done: Delivered | None) -> dict[str, Any]:
        """What is said at the end; after a failure there is no film to name."""
        tally = self.tally
        summary: dict[str, Any] = {"built": tally.built, "hits": tally.hits, "failed": tally.failed}
        summary["seconds"] = round(time.monotonic() - self.begun, 3)
        items = done.items if done is not None else []
        films = [item for item in items if item.output == "film"]
        if done is not None and done.loudness:
            summary |= {"digest": f"sha256:{films[0].artifact.digest}", "loudness": dict(done.loudness)}
        if films:
            summary["film"] = str(films[0].to) if len(films) == 1 else [str(film.to) for film in films]
        elif items:
            summary["files"] = str(items[0].to.parent)
        return summary

    def _note(self, built: Built, summary: dict[str, Any]) -> None:
        loaded = self.project.loaded
        if loaded.lacking or loaded.person is not None:  # Of a real person: asked anew each time.
            return
        if on_folders(self.project.profile):  # Weights: whether they are the same is seen when the profile is read.
            return
        own = self.project.profile_files
        files = [(source.path, source.digest) for source in loaded.files] + own.read
        steps = json.dumps([[step.name, step.kind, step.scene] for step in built.steps.values()])
        note = Note(summary, self.warnings, steps)
        remember(self.store.root, self.request, note, files, own.absent, self.marks, self.program)

    def _refuse(self) -> None:
        """Say no before anything runs: when it takes longer than allowed, or does not fit on the disk."""
        free = shutil.disk_usage(self.store.root).free
        if self.args.max_minutes is None and free > ROOMY:
            return
        look = forecast(self._planner(), self.store, exact)
        totals = self._estimator().totals(look, self.lanes)
        limit = self.args.max_minutes
        if limit is not None and totals.most_seconds > limit * 60:
            message = f"this may take {seconds(totals.most_seconds)}, more than --max-minutes {limit:g}"
            raise UsageError(message, f"see mikebot plan {shown(self.project.file)}")
        if totals.gigabytes * 1e9 + KEEP_FREE > free and totals.run:
            needs = f"{totals.gigabytes:.1f} GB" if totals.gigabytes >= 1 else f"{totals.gigabytes * 1e3:.0f} MB"
            message = f"this needs about {needs}, and the disk has {free / 1e9:.1f} GB, of which 1 GB stays free"
            raise UsageError(message, "free some space, or run: mikebot gc")

    def _estimator(self) -> Estimator:
        return Estimator(self.store.paces(), self.project.profile)

    def _terminal(self) -> Terminal:
        look = forecast(self._planner(), self.store, exact)
        expected = [look.steps[name] for name, state in look.states.items() if state != "hit"]
        return Terminal(sys.stdout, sys.stderr, expected, self._estimator().seconds, self.lanes)


def to_fetch(project: Project) -> str:
    """What to type, from here, where models are missing that can be fetched; empty where none are."""
    if not any(one.fetchable() for one, _ in missing(project.profile)):
        return ""
    place = "" if Path.cwd().is_relative_to(project.root) else f" {shown(project.file.parent)}"
    return f"models are missing; to download them, type: mikebot fetch --profile {project.profile.name}{place}"


def advised(event: Event, profile: Profile) -> Event:
    """An event as people hear it: a backend that lacks a model does not know which profile named it."""
    if not isinstance(event.error, BackendError):
        return event
    message, hint = (named(text, profile) for text in (event.error.message, event.error.hint))
    return event._replace(error=BackendError(message, hint))


def exact(step: Step) -> bool:
    """Whether a step that is made again gives the same bytes."""
    from .backends import find

    return find(step.kind, step.backend).exact
