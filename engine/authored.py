"""What an author wrote, once nothing is wrong with it, as the dataclasses that the engine works with."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from .document import Document
from .storyboard import (
    Footage,
    Format,
    Music,
    Persona,
    Portrait,
    Scene,
    Show,
    Source,
    Storyboard,
    Transition,
)

LOUDNESS = {"podcast": -16.0, "youtube": -14.0, "broadcast": -23.0}  # LUFS; the last is EBU R 128's.
Files = Mapping[str, Source]
MADE_OF = ("sha256", "dataset")  # What a voice says of how it was trained: for people, and in no key.


def board(
    document: Document, scenes: list[dict[str, Source]], persona: Persona | None, music: Source | None
) -> Storyboard:
    """A storyboard of a document and the files that its scenes name."""
    data = document.data
    made = tuple(_scene(document, index, scene, scenes[index]) for index, scene in enumerate(data["scenes"]))
    shown = [scene.id for scene in made if not scene.hold]  # The plan counts these alone.
    form = data.get("format", {})
    loudness = data.get("loudness", -16)
    return Storyboard(
        title=data["title"].strip(),
        scenes=made,
        persona=persona,
        seed=int(data.get("seed", 0)),
        style=data.get("style", "").strip(),
        theme=data.get("theme", ""),
        format=Format(int(form.get("width", 1280)), int(form.get("height", 720)), _rate(form.get("fps", 25))),
        language=data.get("language", "en"),
        captions=data.get("captions", "soft"),
        loudness=float(LOUDNESS.get(loudness, loudness)),
        poster=shown.index(data["poster"]) if "poster" in data else 0,
        pronunciation=data.get("pronunciation", {}),
        music=_music(document, music),
        room_tone=data.get("room_tone", False),
    )


def persona(data: dict[str, Any], name: str, files: Files) -> Persona:
    """A persona of its file's data; files are portrait, look, pose:NAME for each pose, voice:BACKEND:NAME."""
    portrait = data.get("portrait", {})
    eyes = tuple(_region(eye) for eye in portrait.get("eyes", ()))
    poses = {name: files[f"pose:{name}"] for name in portrait.get("poses", {})}
    voices = data.get("voice", {})
    return Persona(
        name=data["name"],
        id=name,
        **{field: data.get(field, "") for field in ("trigger", "appearance", "wardrobe", "manner")},
        portrait=Portrait(files["portrait"], _region(portrait.get("mouth", {})), eyes, poses) if portrait else None,
        look=files.get("look"),
        look_weight=float(data.get("look", {}).get("weight", 1)),
        voice={backend: _settings(backend, said, files) for backend, said in voices.items()},
        voice_files={backend: _brought(backend, said, files) for backend, said in voices.items()},
        pronunciation=data.get("pronunciation", {}),
        drawn=data.get("drawn", False),
        consent=data.get("consent", {}),
    )


def at_words(show: Mapping[str, Any]) -> list[tuple[tuple[str | int, ...], str]]:
    """The words at which what is shown goes on, in order, each with its path below `show`."""
    found: list[tuple[tuple[str | int, ...], str]] = []
    for kind, part in show.items():
        for name in ("steps", "bullets"):
            steps = part.get(name) if isinstance(part, dict) else None
            for number, step in enumerate(steps if isinstance(steps, list) else ()):
                if isinstance(step, dict) and isinstance(step.get("at"), str):
                    found.append(((kind, name, number, "at"), step["at"]))
    return found


def _scene(document: Document, index: int, data: dict[str, Any], files: Files) -> Scene:
    path = ("scenes", index)
    image, moves = data.get("image"), data.get("video_prompt", "")
    first, *then = [moves] if isinstance(moves, str) else moves
    return Scene(
        id=data["id"],
        on_screen=data["on_screen"],
        **{name: data.get(name, "").strip() for name in ("image_prompt", "narration", "chapter")},
        video_prompt=first.strip(),
        seed=int(data["seed"]) if "seed" in data else None,
        take=int(data.get("take", 1)),
        hold=data.get("hold", False),
        duration=_exact(document, (*path, "duration"), data.get("duration")),
        image=files.get("image"),
        video=files.get("video"),
        audio=files.get("audio"),
        show=_show(data.get("show"), files),
        transition=_transition(document, path, data.get("transition", "cut")),
        footage=_footage(document, (*path, "video"), data.get("video")),
        fit=image.get("fit", "fill") if isinstance(image, dict) else "fill",
        pose=data.get("pose", ""),
        moves=tuple(move.strip() for move in then),
    )


def _show(data: dict[str, Any] | None, files: Files) -> Show | None:
    if data is None:
        return None
    kind, said = next(iter(data.items()))
    fields = {name: value for name, value in said.items() if name != "file"}
    return Show(kind, fields, tuple(word for _, word in at_words(data)), files.get("show"))


def _transition(document: Document, path: tuple[str | int, ...], data: Any) -> Transition | None:
    style = data["style"] if isinstance(data, dict) else data
    if style == "cut":
        return None
    own = data.get("seconds") if isinstance(data, dict) else None
    seconds = _exact(document, (*path, "transition", "seconds"), own)
    return Transition(style) if seconds is None else Transition(style, seconds)


def _footage(document: Document, path: tuple[str | int, ...], data: Any) -> Footage:
    if not isinstance(data, dict):
        return Footage()
    sound = data.get("sound", False)
    return Footage(
        start=_exact(document, (*path, "start"), data.get("start")) or Fraction(0),
        end=_exact(document, (*path, "end"), data.get("end")),
        fit=data.get("fit", "fill"),
        sound=None if sound is False else 0.0 if sound is True else float(sound),
    )


def _music(document: Document, file: Source | None) -> Music | None:
    if file is None:
        return None
    said = document.data["music"]
    if isinstance(said, str):
        return Music(file)
    numbers = {name: float(said[name]) for name in ("gain", "duck") if name in said}
    fade = _exact(document, ("music", "fade"), said.get("fade"))
    return Music(file, **numbers, fade=Fraction(3) if fade is None else fade, loop=said.get("loop", True))


def _exact(document: Document, path: tuple[str | int, ...], value: Any) -> Fraction | None:
    """A number as it is written, not as a float rounds it."""
    if isinstance(value, float):
        return Fraction(document.written(path))
    return None if value is None else Fraction(value)


def _rate(value: Any) -> str:
    return value if isinstance(value, str) else str(int(value))


def _settings(backend: str, said: Mapping[str, Any], files: Files) -> dict[str, Any]:
    """A voice's knobs, without the files that it brings."""
    apart = {*MADE_OF, *_brought(backend, said, files)}
    return {name: value for name, value in said.items() if name not in apart}


def _brought(backend: str, said: Mapping[str, Any], files: Files) -> dict[str, Source]:
    return {name: files[f"voice:{backend}:{name}"] for name in said if f"voice:{backend}:{name}" in files}


def _region(data: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(share) for name, share in data.items()}
