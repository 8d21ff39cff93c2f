"""mikebot why: for one scene, or one step of it, what would run and why; else why it ran last."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..delivery import exact
from ..errors import UsageError
from ..explain import did_you_mean
from ..forecast import Forecast, forecast
from ..project import open_project
from ..store import Store
from ..why import explained, reasons


def run(args: argparse.Namespace) -> int:
    """Print one line a step."""
    project = open_project(args.path, args.profile, args.store, args.format)
    store = Store(project.store)
    try:
        look = forecast(project.planner(), store, exact)
        names = _chosen(args.scene, look)
        would = explained(look, store, project.id, project.variant)
        runs = [r.steps for r in store.renders() if (r.storyboard, r.profile) == (project.id, project.variant)]
        for name in names:
            if look.states[name] != "hit":
                verb = "runs" if look.states[name] == "run" else "may run"
                print(f"{name} {verb}: {'; '.join(would[name])}")
            else:
                print(f"{name} is kept{_last(name, runs, store)}")
    finally:
        store.close()
    return 0


def _chosen(asked: str, look: Forecast) -> list[str]:
    names = [name for name in look.steps if name == asked or name.startswith(f"{asked}/")]
    if not names:
        known = dict.fromkeys([step.scene for step in look.steps.values() if step.scene] + list(look.steps))
        raise UsageError(f"there is no scene or step '{asked}'{did_you_mean(asked, list(known))}", "see mikebot plan")
    return names


def _last(name: str, runs: list[Mapping[str, str]], store: Store) -> str:
    """Why a step that is up to date ran the last time that it did."""
    keys = list(dict.fromkeys(steps[name] for steps in runs if name in steps))
    if len(keys) < 2:
        return "; it has not changed since it was first made"
    actions = store.actions(keys[:2])
    if keys[0] not in actions:
        return ""
    return f"; last changed: {'; '.join(reasons(actions[keys[0]], actions.get(keys[1])))}"
