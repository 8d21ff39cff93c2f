"""profiles/NAME.yaml into a Profile: what it extends merged in, its backends and their knobs checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from .backends import find
from .document import Document, read
from .errors import AuthorError, Mistake, UsageError
from .explain import did_you_mean
from .kinds import KINDS
from .knobs import backend_mistakes, knob_mistakes, misfits
from .schema import mistakes as shape
from .storyboard import Choice, Profile

SHIPPED = Path(__file__).parent / "profiles"
GIVEN = ("still", "clip", "narration")
SHOWN = ("code", "slide", "diagram")


PARTS: Mapping[str, tuple[str, ...]] = {"kinds": tuple(KINDS), "given": GIVEN, "show": SHOWN}


def profile_file(name: str, root: Path) -> Path | None:
    """The workspace's profile of a name before the shipped one; None if there is neither."""
    for folder in (root / "profiles", SHIPPED):
        file = folder / f"{name}.yaml"
        if name.replace("-", "").isalnum() and file.is_file():
            return file
    return None


class ProfileFiles(NamedTuple):
    """Files that decided what a profile is, with their digests, and those that would have if they were there."""

    read: list[tuple[Path, str]]
    absent: list[Path]


def profile_files(name: str, root: Path) -> ProfileFiles:
    """The files behind a profile that can be loaded."""
    found, absent = [], []
    for document in _chain(name, root):
        path = Path(document.file).absolute()
        found.append((path, hashlib.sha256(path.read_bytes()).hexdigest()))
        own = root / "profiles" / path.name
        if path != own:
            absent.append(own)
    return ProfileFiles(found, absent)


def profiles(root: Path) -> list[str]:
    """Names of every profile that there is."""
    return sorted({file.stem for folder in (root / "profiles", SHIPPED) for file in folder.glob("*.yaml")})


def on_folders(profile: Profile) -> bool:
    """Whether a profile's weights lie in folders that may change between two renders, and not at a commit."""
    said = [(name, value) for choice in profile.kinds.values() for name, value in choice.params.items()]
    return any(name.endswith("revision") and len(value) == 16 for name, value in said)


def load_profile(name: str, root: Path) -> Profile:
    """Read a profile. Raises UsageError if there is none of that name, AuthorError with every mistake in it."""
    if profile_file(name, root) is None:
        there = profiles(root)
        raise UsageError(f"there is no profile '{name}'{did_you_mean(name, there)}", f"profiles: {', '.join(there)}")
    chain = _chain(name, root)
    wrong = [mistake for document in chain for mistake in _wrong(document)]
    if wrong:
        raise AuthorError(wrong)
    merged: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    for document in reversed(chain):
        for part, choices in merged.items():
            for kind, choice in document.data.get(part, {}).items():
                choices[kind] = _merge(choices.get(kind, {}), choice)
    wrong = [*_incomplete(chain[0], merged), *_misfits(chain)]
    if wrong:
        raise AuthorError(wrong)
    made = {
        part: {name: _choice(_kind(part, name), data) for name, data in found.items()} for part, found in merged.items()
    }
    return Profile(name, **made)


def mistake_at(name: str, root: Path, path: Sequence[str | int], message: str, hint: str = "") -> AuthorError:
    """What turned out to be wrong with a profile that can be loaded, at the file of its chain that says it."""
    chain = _chain(name, root)
    document = next((one for one in chain if one.says(path)), chain[0])
    return AuthorError([document.mistake(document.place(path), message, hint)])


def _chain(name: str, root: Path) -> list[Document]:
    """A profile, the one that it extends, and so on. Raises AuthorError where that has no end or no file."""
    chain: list[Document] = []
    names: list[str] = []
    file = profile_file(name, root)
    while file is not None:
        document, _ = read(file)
        chain.append(document)
        names.append(name)
        if document.data is not None and isinstance(document.data, dict) and document.data.get("name") != name:
            message = f"the profile in {name}.yaml must be named '{name}'"
            document.mistakes.append(document.mistake(document.place(("name",)), message, f"write name: {name}"))
        name = document.data.get("extends") if isinstance(document.data, dict) else None  # type: ignore[assignment]
        if not isinstance(name, str):
            break
        file = profile_file(name, root)
        if file is None or name in names:
            raise AuthorError([_bad_extends(document, name, names, profiles(root))])
    return chain


def _bad_extends(document: Document, name: str, names: list[str], there: list[str]) -> Mistake:
    place = document.place(("extends",))
    if name in names:
        circle = " -> ".join([*names[names.index(name) :], name])
        return document.mistake(place, f"profiles extend each other in a circle: {circle}", "remove one extends:")
    message = f"there is no profile '{name}'{did_you_mean(name, there)}"
    return document.mistake(place, message, f"profiles: {', '.join(there)}")


def _wrong(document: Document) -> list[Mistake]:
    """Mistakes in one file, without those it extends."""
    found = [*document.mistakes, *shape(document, "profile")]
    if found:
        return found
    for part, kind, choice in _choices(document):
        if "backend" in choice:
            found += backend_mistakes(document, (part, kind, "backend"), _kind(part, kind), choice["backend"])
    return found


def _choices(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for part in PARTS:
        for kind, choice in document.data.get(part, {}).items():
            yield part, kind, choice


def _merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """A choice over the one it extends; another backend's params and limits mean nothing to this one."""
    if new.get("backend", old.get("backend")) != old.get("backend"):
        old = {}
    merged = {**old, **new}
    for part in ("params", "limits"):
        merged[part] = {**old.get(part, {}), **new.get(part, {})}
    if "pace" in merged["limits"] and "pace" not in new.get("limits", {}):
        merged["limits"]["pace"] *= _growth(old.get("params", {}), merged["params"])
    return merged


def _growth(old: Mapping[str, Any], new: Mapping[str, Any]) -> float:
    """How much longer than before a model takes, with more denoising steps or pixels; of another nothing is known."""
    both = [(old.get(name), new.get(name)) for name in ("steps", "pixels") if old.get("model") == new.get("model")]
    return prod(now / was for was, now in both if type(was) is type(now) is int and was > 0)


def _incomplete(document: Document, merged: dict[str, dict[str, Any]]) -> Iterator[Mistake]:
    """Kinds for which neither the profile nor those that it extends name a backend."""
    for part, wanted in PARTS.items():
        missing = [kind for kind in wanted if "backend" not in merged[part].get(kind, {})]
        if missing:
            message = f"no backend is named for {', '.join(f'{part}.{kind}' for kind in missing)}"
            yield document.mistake(document.start(()), message, "name them, or add extends: draft")


def _misfits(chain: list[Document]) -> list[Mistake]:
    """Params that their backend does not have, each once, in the file that says them."""
    found: list[Mistake] = []
    merged: dict[tuple[str, str], dict[str, Any]] = {}
    sayers: dict[tuple[str, str], list[Document]] = {}  # The newest first, from the one that names the backend on.
    for document in reversed(chain):
        for part, kind, choice in _choices(document):
            before = merged.get((part, kind), {})
            merged[part, kind] = _merge(before, choice)
            backend = merged[part, kind].get("backend", "")
            older = sayers.get((part, kind), []) if backend == before.get("backend") else []
            sayers[part, kind] = [document, *older]
            if backend:
                path, params = (part, kind, "params"), merged[part, kind]["params"]
                wrong = list(knob_mistakes(document, path, _kind(part, kind), backend, choice.get("params", {})))
                if not wrong and "params" in choice:
                    wrong = list(misfits(sayers[part, kind], path, _kind(part, kind), backend, params))
                found += [mistake for mistake in wrong if mistake not in found]
    return found


def _kind(part: str, name: str) -> str:
    """The kind of a step that a choice is for: what is shown is a still."""
    return "still" if part == "show" else name


def _choice(kind: str, data: dict[str, Any]) -> Choice:
    backend = find(kind, data["backend"])
    settled = getattr(backend, "settled", dict)  # What is true here and now: which weights a model's name means.
    limits = data["limits"] | ({"seeded": True} if getattr(backend, "seeded", False) else {})
    return Choice(data["backend"], backend.version, settled(data["params"]), limits)
