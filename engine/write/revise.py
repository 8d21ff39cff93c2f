"""An author's instruction and a model to changed, new, moved and removed scenes; the others are not even rewritten.

First the model says which scenes are concerned and how; then it writes each of those, one at a time. What it may not
write (files, seeds, takes, recordings) stays as the author has it, and so does each field that comes out as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..document import parse
from ..meaning import mistakes as meanings
from ..schema import mistakes as shape_mistakes
from ..show_mistakes import mistakes as show_mistakes
from . import checks, edits
from .checks import Flaws
from .compose import MOST_TOKENS, Desk, unique, written_scene
from .dialogue import Unusable
from .model import WriterError
from .shape import LINE, scene_shape

MOST = 20  # Operations that one instruction comes to.
WORDS = (1, 600)  # A scene: what the author asks for decides.
Data = Mapping[str, Any]


class Operation(NamedTuple):
    """One change of the storyboard; `idea` is what a scene's new text is to do."""

    do: str  # change, insert, remove or move.
    scene: str  # Its id; of a new scene, the id that it gets.
    after: str = ""
    idea: str = ""
    on_screen: bool = False


def operations(at: Desk, data: Data, instruction: str, free: Sequence[str]) -> list[Operation]:
    """What an instruction comes to; only the scenes in `free` may be changed. Raises WriterError."""
    ids = [str(scene["id"]) for scene in data["scenes"]]
    shape = operations_shape(ids, free)

    def check(value: Any) -> tuple[Any, Flaws]:
        return _understood(checks.pruned(value, shape).get("operations"), ids, free)

    about = {"scenes": [_listed(scene, free) for scene in data["scenes"]], "instruction": instruction}
    text = at.prompt("revise", about | {"some": len(free) < len(ids)}, title=data["title"])
    try:
        found: list[Operation] = at.talk.ask(text, shape, MOST_TOKENS, check).value
    except Unusable as problem:
        raise at.useless(problem) from None
    return found


def operations_shape(ids: Sequence[str], free: Sequence[str]) -> dict[str, Any]:
    """What the operations are to look like."""
    line = {"type": "string", "maxLength": 240, "pattern": LINE}
    scene, name = {"type": "string", "enum": list(free)}, {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,30}$"}
    beside, anywhere = {"type": "string", "enum": _beside(ids, free)}, {"type": "string", "enum": ["", *ids]}
    shown = {"type": "boolean"}
    kinds: Mapping[str, dict[str, Any]] = {
        "change": {"scene": scene, "idea": line},
        "insert": {"after": beside, "id": name, "idea": line, "on_screen": shown},
        "remove": {"scene": scene},
        "move": {"scene": scene, "after": anywhere},
    }
    each = [_mapping({"do": {"type": "string", "enum": [do]}, **fields}) for do, fields in kinds.items()]
    return _mapping({"operations": {"type": "array", "minItems": 1, "maxItems": MOST, "items": {"anyOf": each}}})


def revised(at: Desk, raw: bytes, name: str, instruction: str, wanted: Sequence[Operation]) -> bytes:
    """The text after the operations. Raises WriterError where a scene came to nothing, or the whole is not valid."""
    for operation in wanted:
        raw = _done(at, raw, name, instruction, operation)
    document = parse(raw, name)
    wrong = [*document.mistakes, *shape_mistakes(document, "storyboard"), *meanings(document)]
    for index, scene in enumerate(document.data["scenes"] if not wrong else ()):
        if not checks.brings_files(scene):
            wrong += show_mistakes(document, index, scene, None)
    if wrong:
        raise WriterError(f"what {at.talk.model.name} makes of it is no valid storyboard: {wrong[0].message}")
    return raw


def merged(old: Data, new: Data) -> dict[str, Any]:
    """A scene with what a model wrote: fields that say the same stay as they are written, the author's own, too."""
    made = dict(old)
    own = bool(old.keys() & {"image", "video"}) or checks.brings_files(old)
    for key, value in new.items():
        picture = key in {"image_prompt", "video_prompt", "show"}
        if key == "id" or (own and picture and (key not in old or key == "show")):
            continue
        if key not in old or _folded(old[key]) != _folded(value):
            made[key] = value
    if not own and "show" in new and "show" not in old:
        made = {key: value for key, value in made.items() if key not in {"image_prompt", "video_prompt"}}
    elif not own and "show" in old and "show" not in new and "image_prompt" in new:
        made.pop("show")
    return made


def _done(at: Desk, raw: bytes, name: str, instruction: str, operation: Operation) -> bytes:
    """The text after one operation."""
    if operation.do == "remove":
        return edits.remove(raw, name, operation.scene)
    if operation.do == "move":
        return edits.move(raw, name, operation.scene, operation.after)
    data = parse(raw, name).data
    ids = [scene["id"] for scene in data["scenes"]]
    if operation.do == "insert":
        place = ids.index(operation.after) + 1 if operation.after else 0
        operation = operation._replace(scene=unique(operation.scene, ids))
        return edits.insert(raw, name, operation.after, _scene(at, data, instruction, operation, None, place))
    place = ids.index(operation.scene)
    old = data["scenes"][place]
    new = merged(old, _scene(at, data, instruction, operation, old, place))
    for key in [key for key in old if key not in new]:
        raw = edits.drop(raw, name, ("scenes", place, key))
    for key in [key for key in new if key not in old or new[key] != old[key]]:
        raw = edits.put(raw, name, ("scenes", place, key), new[key])
    return raw


def _scene(
    at: Desk, data: Data, instruction: str, operation: Operation, old: Data | None, place: int
) -> dict[str, Any]:
    """A changed scene, or a new one, as a model writes it. Raises WriterError."""
    at.say.writing(place + 1, len(data["scenes"]) + (old is None), operation.scene)
    near = [str(scene.get("narration", "")) for scene in data["scenes"]]
    writable = checks.pruned(old, scene_shape()) if old is not None else {}
    least, most = at.brief.limits(at.brief.words)
    about = {
        "id": operation.scene,
        "idea": operation.idea,
        "on_screen": bool(old["on_screen"] if old is not None else operation.on_screen),
        "was": json.dumps(writable, ensure_ascii=False, indent=1) if old is not None else "",
        "above": near[place - 1] if place else "",
        "below": near[place + 1 if old is not None else place] if place + (old is not None) < len(near) else "",
        "least": least,
        "most": most,
    }
    text = at.prompt("rewrite", {"scene": about, "instruction": instruction}, title=data["title"])
    head = {key: data[key] for key in ("persona", "language", "format") if key in data}
    try:
        made = written_scene(at, text, operation.scene, None, head, WORDS)
    except Unusable as problem:
        raise at.useless(problem) from None
    at.say.scene(made)
    return made


def _understood(value: Any, ids: Sequence[str], free: Sequence[str]) -> tuple[list[Operation], Flaws]:
    """Operations that can be done, or why not."""
    found: list[Operation] = []
    wrong: list[str] = []
    here = list(ids)
    for item in value if isinstance(value, list) else []:
        operation = _operation(item) if isinstance(item, dict) else None
        reason = _why_not(operation, here, ids, free) if operation else "an operation has do, scene and idea"
        if operation is None or reason:
            wrong.append(reason)
        else:
            found.append(operation)
            here = [name for name in here if (operation.do, operation.scene) != ("remove", name)]
    if not here:
        wrong.append("a film keeps one scene at least")
    if not found and not wrong:
        wrong.append("there is no operation: name at least one")
    return found[:MOST], Flaws(wrong)


def _operation(item: Data) -> Operation | None:
    do, scene = item.get("do"), item.get("id" if item.get("do") == "insert" else "scene")
    if do not in {"change", "insert", "remove", "move"} or not isinstance(scene, str):
        return None
    after, idea = item.get("after", ""), item.get("idea", "")
    return Operation(str(do), scene, str(after), str(idea), item.get("on_screen") is True)


def _why_not(operation: Operation, here: Sequence[str], ids: Sequence[str], free: Sequence[str]) -> str:
    """Why an operation cannot be done; "" if it can."""
    if operation.do != "insert" and operation.scene not in here:
        return f"there is no scene '{operation.scene}': they are {', '.join(here)}"
    if operation.do != "insert" and operation.scene not in free:
        return f"the scene '{operation.scene}' stays as it is: change {', '.join(free)}"
    if operation.do in {"insert", "move"} and operation.after and operation.after not in here:
        return f"there is no scene '{operation.after}' to put one behind: they are {', '.join(here)}"
    if operation.do == "insert" and operation.after not in _beside(ids, free):
        return f"no scene can be put behind '{operation.after}': only beside {', '.join(free)}"
    return (
        "a scene cannot be moved behind itself" if (operation.do, operation.scene) == ("move", operation.after) else ""
    )


def _beside(ids: Sequence[str], free: Sequence[str]) -> list[str]:
    """Behind which scenes a new one may stand: those that may be changed, and those before them."""
    return [name for name, below in zip(["", *ids], [*ids, ""], strict=True) if name in free or below in free]


def _listed(scene: Data, free: Sequence[str]) -> dict[str, Any]:
    """A scene as the list for a model has it."""
    shows = next(iter(scene.get("show", ())), "")
    picture = f"a {shows}" if shows else scene.get("image_prompt", "the author's own file")
    said = {"id": scene["id"], "on_screen": scene["on_screen"], "free": scene["id"] in free}
    return {**said, "narration": scene.get("narration", ""), "picture": picture}


def _folded(value: Any) -> Any:
    """A field without how it is laid out: of a text, the words alone."""
    return " ".join(value.split()) if isinstance(value, str) else _plain(value)


def _plain(value: Any) -> Any:
    """A value without how it is laid out."""
    if isinstance(value, str):
        return value.strip() if "\n" in value.strip() else " ".join(value.split())
    if isinstance(value, dict):
        if value.keys() == {"text"}:
            return _plain(value["text"])
        return value["style"] if value.keys() == {"style", "seconds"} else {k: _plain(v) for k, v in value.items()}
    return list(map(_plain, value)) if isinstance(value, list) else value


def _mapping(fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def told(wanted: Sequence[Operation]) -> Iterator[str]:
    """The operations, a line each, for people."""
    words = {"change": "change  {0.scene}: {0.idea}", "remove": "remove  {0.scene}"}
    for operation in wanted:
        behind = f"behind {operation.after}" if operation.after else "to the beginning"
        said = words.get(operation.do, f"{operation.do:8}{operation.scene} {behind}")
        yield said.format(operation)
