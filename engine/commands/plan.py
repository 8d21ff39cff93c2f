"""mikebot plan: what a render would do, why, and about how long it takes."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..delivery import exact
from ..estimate import Estimator, Totals
from ..executors.local import cores
from ..forecast import Forecast, forecast
from ..project import open_project
from ..report import seconds
from ..store import Store
from ..why import explained


def run(args: argparse.Namespace) -> int:
    """Print the plan as a table or as JSON."""
    project = open_project(args.path, args.profile, args.store, args.format)
    store = Store(project.store)
    try:
        look = forecast(project.planner(), store, exact)
        estimator = Estimator(store.paces(), project.profile)
        why = explained(look, store, project.id, project.variant)
        totals = estimator.totals(look, cores())
        if args.json:
            print(json.dumps(_object(look, why, estimator, totals), ensure_ascii=False))
        else:
            _table(look, why, estimator, totals)
    finally:
        store.close()
    return 0


def _object(look: Forecast, why: dict[str, list[str]], estimator: Estimator, totals: Totals) -> dict[str, Any]:
    steps = [
        {
            "step": name,
            "kind": step.kind,
            "scene": step.scene,
            "state": look.states[name],
            "reasons": why.get(name, []),
            "estimate_seconds": round(estimator.seconds(step), 3),
        }
        for name, step in look.steps.items()
    ]
    return {"steps": steps, "totals": totals._asdict()}


def _table(look: Forecast, why: dict[str, list[str]], estimator: Estimator, totals: Totals) -> None:
    busy = [name for name, state in look.states.items() if state != "hit"]
    width = max(map(len, busy), default=0)
    for name in busy:
        cost = seconds(estimator.seconds(look.steps[name]))
        print(f"{look.states[name]:<6} {name:<{width}}  {cost:>6}  {'; '.join(why.get(name, []))}".rstrip())
    print(ending(totals))


def ending(totals: Totals) -> str:
    """How much there is to do, in one line."""
    text = f"{totals.hit} kept, {totals.run} to run, {totals.maybe} that may"
    if not totals.run + totals.maybe:
        return f"{text}: nothing to do"
    span = seconds(totals.most_seconds)
    if seconds(totals.least_seconds) != span:
        span = f"{seconds(totals.least_seconds)} to {span}"
    gpu = f", {seconds(totals.gpu_seconds)} of it on the GPU" if totals.gpu_seconds else ""
    size = f"{totals.gigabytes:.1f} GB" if totals.gigabytes >= 1 else f"{totals.gigabytes * 1000:.0f} MB"
    return f"{text}; about {span}{gpu}, {size}"
