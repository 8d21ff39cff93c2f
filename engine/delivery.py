"""A render from start to end: open, forecast if anyone looks, build, put what was made where people want it."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .build import Built, Event, build
from .checkout import SUFFIXES, WHOLE, Checkout, Item
from .document import shown
from .errors import BuildError, Damaged, UsageError
from .estimate import Estimator
from .executors.local import LocalExecutor, cores
from .forecast import forecast
from .graph import Step
from .project import Project, open_project
from .recall import Note, Request, program, remember
from .report import Report, Tally, Terminal, reporter, seconds
from .store import Store

KEEP_FREE = 1e9  # Bytes of the disk that no render may take.
ROOMY = 60e9  # Bytes free where nobody needs to ask whether a render fits.
REPAIRS = 5  # How often a checkout may find damage before that is given up.


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
        self._refuse_place()
        self._refuse()
        report = reporter(self.args.json, self._terminal)
        executor = LocalExecutor(self.store.root, self.lanes)
        try:
            self._make(executor, report)
            return 0
        except BuildError as error:
            report.done(self._summary(None, []))
            if self.args.json:
                sys.stderr.write(f"{error}\n")
            return 1
        except KeyboardInterrupt:
            report.done(self._summary(None, []))
            raise
        finally:
            executor.close()
            self.project.loaded_digests.save()

    def _make(self, executor: LocalExecutor, report: Report) -> None:
        """Build and check out; what turns out to be damaged on the way out is made again."""
        for repairs in range(REPAIRS + 1):
            built = build(self._planner, self.store, executor, self.project.loaded.sources, self._hearing(report))
            try:
                items = list(self.checkout.items(built))
                self.marks = [(item.to, self.store.checkout(item.artifact, item.to)) for item in items]
                summary = self._summary(built, items)
                break
            except Damaged as damage:
                if repairs == REPAIRS:
                    raise
                self.store.discard(damage.digest)
        if self.args.until in WHOLE and not self.args.scene:
            self.store.remember(self.project.id, self.project.variant, built.keys)
        report.done(summary)
        for said in self._remarks(built):
            self.warnings.append(said)
            sys.stderr.write(f"{said}\n")
        self._note(built, summary)

    def _remarks(self, built: Built) -> Iterator[str]:
        """How the words of recordings were timed, where it was not in the best way."""
        for name, step in built.steps.items():
            if step.kind == "narration" and "recording" in step.inputs:
                timing = json.loads(self.store.read(built.results[name].outputs["timing"]))
                if timing.get("note"):
                    yield f"{name}: {timing['note']}"

    def _hearing(self, report: Report) -> Any:
        def listen(event: Event) -> None:
            self.tally.count(event)
            report(event)

        return listen

    def _planner(self) -> Any:
        return self.project.planner(self.args.until, self.args.scene)

    def _summary(self, built: Built | None, items: list[Item]) -> dict[str, Any]:
        """What is said at the end; after a failure there is no film to name."""
        tally = self.tally
        summary: dict[str, Any] = {"built": tally.built, "hits": tally.hits, "failed": tally.failed}
        summary["seconds"] = round(time.monotonic() - self.begun, 3)
        films = [item for item in items if item.output == "film"]
        if built is not None and len(films) == 1:
            outputs = next(built.results[name].outputs for name, step in built.steps.items() if step.kind == "film")
            summary |= {"digest": f"sha256:{outputs['film'].digest}"}
            summary["loudness"] = json.loads(self.store.read(outputs["loudness"]))
        if films:
            summary["film"] = str(films[0].to) if len(films) == 1 else [str(film.to) for film in films]
        elif items:
            summary["files"] = str(items[0].to.parent)
        return summary

    def _note(self, built: Built, summary: dict[str, Any]) -> None:
        loaded = self.project.loaded
        if loaded.lacking:
            return
        own = self.project.profile_files
        files = [(source.path, source.digest) for source in loaded.files] + own.read
        steps = json.dumps([[step.name, step.kind, step.scene] for step in built.steps.values()])
        note = Note(summary, self.warnings, steps)
        remember(self.store.root, self.request, note, files, own.absent, self.marks, self.program)

    def _refuse_place(self) -> None:
        """Say no to a place that would cost the author a file, or that leads out of the workspace."""
        if not self.args.out:
            root, build = os.path.realpath(self.project.root), os.path.realpath(self.project.build)
            if not Path(build).is_relative_to(root):
                message = f"{shown(self.project.build)} leads out of the workspace"
                raise UsageError(message, "remove the link, or name another place with --out")
            return
        film = Path(self.args.out).absolute()
        if film.suffix in {"", ".vtt", ".srt", ".jpg", ".txt", ".wav"} or film.is_dir():
            raise UsageError(f"--out {self.args.out} does not name a film", "name a file such as film.mp4")
        own = {SUFFIXES[part] for part in ("vtt", "srt", "poster", "youtube")}
        targets = {os.path.realpath(film.with_suffix(suffix)) for suffix in (film.suffix, *own)}
        for source in self.project.loaded.files:
            if os.path.realpath(source.path) in targets:
                message = f"--out {self.args.out} would overwrite {shown(source.path)}, which the film is made of"
                raise UsageError(message, "name another file")

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
            message = f"this needs about {totals.gigabytes:.1f} GB, and the disk has {free / 1e9:.1f} GB"
            raise UsageError(message, "free some space, or run: mikebot gc")

    def _estimator(self) -> Estimator:
        return Estimator(self.store.paces(), self.project.profile)

    def _terminal(self) -> Terminal:
        look = forecast(self._planner(), self.store, exact)
        expected = [look.steps[name] for name, state in look.states.items() if state != "hit"]
        return Terminal(sys.stdout, sys.stderr, expected, self._estimator().seconds, self.lanes)


def exact(step: Step) -> bool:
    """Whether a step that is made again gives the same bytes."""
    from .backends import find

    return find(step.kind, step.backend).exact
