"""Why a step runs: which of the things in its key is not what it was at the last render."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .forecast import Forecast
from .graph import Action
from .store import Store
from .words import stretches

WIDE = 60  # Characters of a value that are shown.


def reasons(action: Action, before: Action | None) -> list[str]:
    """What differs between an action and the one that the step of the same name had; most telling first."""
    if before is None:
        return ["new"]
    if action.key == before.key:
        return ["its record is gone from the store"]
    return list(_differences(action, before))


def explained(look: Forecast, store: Store, storyboard: str, profile: str) -> dict[str, list[str]]:
    """For each step that is no hit, why: what differs from the last render of the same storyboard and profile."""
    last = store.last_render(storyboard, profile)
    keys = last.steps if last is not None else {}
    before = store.actions(keys[name] for name, state in look.states.items() if state == "run" and name in keys)
    why: dict[str, list[str]] = {}
    for name, state in look.states.items():
        if name in look.lost:
            why[name] = [f"its bytes are gone, and {look.lost[name]} needs them"]
        elif state == "run":
            why[name] = reasons(look.actions[name], before.get(keys.get(name, "")))
        elif state == "maybe":
            above = [need for need in look.steps[name].needs() if look.states[need] != "hit"]
            why[name] = [_doubt(above, name in keys)]
        elif name in look.twins:
            why[name] = [f"the same as {look.twins[name]}"]
    return why


def _doubt(above: list[str], before: bool) -> str:
    if not above:
        return "once the lengths of the narrations are known"
    if not before:
        return f"new, after {above[0]}" + (f" and {len(above) - 1} more" if len(above) > 1 else "")
    return f"if {above[0]} comes out different" + (f" (or any of {len(above) - 1} more)" if len(above) > 1 else "")


def _differences(action: Action, before: Action) -> Iterator[str]:
    if action.backend != before.backend:
        yield f"backend: {before.backend} -> {action.backend}"
    elif action.version != before.version:
        yield f"{action.backend} is now version {action.version} (was {before.version})"
    yield from _params(action.params, before.params, "")
    yield from _inputs(action.inputs, before.inputs)


def _params(now: Mapping[str, Any], was: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name in sorted({*now, *was}):
        new, old = _plain(now.get(name)), _plain(was.get(name))
        if new == old:
            continue
        if isinstance(new, dict) and isinstance(old, dict):
            yield from _params(new, old, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}: {_change(old, new)}"


def _inputs(now: Mapping[str, str], was: Mapping[str, str]) -> Iterator[str]:
    changed = [name for name in now if name in was and now[name] != was[name]]
    added, gone = [name for name in now if name not in was], [name for name in was if name not in now]
    for names, what in ((changed, "has other bytes"), (added, "is new"), (gone, "is gone")):
        if len(names) > 3:
            yield f"{names[0]} and {len(names) - 1} more inputs: each {what}"
        else:
            yield from (f"{name} {what}" for name in names)


def _change(old: Any, new: Any) -> str:
    if isinstance(old, str) and isinstance(new, str) and len(old) + len(new) > WIDE:
        return _words(old, new)
    return f"{_shown(old)} -> {_shown(new)}"


def _words(old: str, new: str) -> str:
    """How many words differ, and the first of them."""
    parts = [part for part in stretches(old.split(), new.split()) if not part.same]
    count = sum(max(len(part.was), len(part.now)) for part in parts)
    if not parts:
        return "only white space"
    first = f"{_shown(' '.join(parts[0].was))} -> {_shown(' '.join(parts[0].now))}"
    return f"{count} word{'s' * (count != 1)} changed, first {first}"


def _shown(value: Any) -> str:
    text = repr(value) if not isinstance(value, str) else f'"{value}"'
    if value is None:
        return "nothing"
    return text if len(text) <= WIDE else text[: WIDE - 2] + '…"'


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
