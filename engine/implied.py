"""What a storyboard implies without saying it: seeds, chapter titles, where a scene may end."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any

from .kinds import PACKET, SAMPLE_RATE
from .sentences import sentences
from .storyboard import Scene, Source, Storyboard


@cache
def sound_grid(fps: Fraction) -> int:
    """The fewest frames that are a whole number of AAC packets; 1 where that would be longer than 0.6 s."""
    frames = 1
    while frames <= fps * 3 / 5:
        if (frames * SAMPLE_RATE * fps.denominator) % (fps.numerator * PACKET) == 0:
            return frames
        frames += 1
    return 1


def seed_of(board: Storyboard, scene: Scene, number: int) -> int:
    """The seed of a scene's still and sentences (number 0) or of a clip of its chain.

    It knows nothing of the scene's name or place: moving or renaming a scene draws no picture again.
    """
    own = board.seed if scene.seed is None else scene.seed
    digest = hashlib.sha256(f"{own}/{scene.take}/{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def persona_of(board: Storyboard) -> dict[str, Any]:
    """What a picture needs to know of the persona; empty fields left out."""
    persona = board.persona
    if persona is None:
        return {}
    said: dict[str, Any] = {"name": persona.name, "trigger": persona.trigger}
    said |= {"appearance": persona.appearance, "wardrobe": persona.wardrobe}
    if persona.look is not None:
        said["weight"] = persona.look_weight
    if persona.portrait is not None:
        said |= {"mouth": dict(persona.portrait.mouth), "eyes": [dict(eye) for eye in persona.portrait.eyes]}
    if persona.silhouette:
        said["silhouette"] = list(persona.silhouette)
    return {name: value for name, value in said.items() if value or value == 0}


def chapter_of(scene: Scene, number: int) -> str:
    """A scene's chapter title: the author's, else the first words of its narration."""
    if scene.chapter:
        return scene.chapter
    words = (sentences(scene.narration) or [""])[0]
    if len(words) > 40:
        words = words[:40].rsplit(" ", 1)[0].rstrip(",;:") + "…"
    return words or f"Scene {number}"


def occurs(word: str, text: str) -> bool:
    """Whether a text holds a word, whatever its case."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def theme_of(board: Storyboard) -> str:
    """The theme of what is drawn: the author's, else the first that a word of `style` asks for."""
    if board.theme:
        return board.theme
    said = re.findall(r"\w+", board.style.lower())
    return next((theme for word in said for theme, begins in _THEMES.items() if re.match(begins, word)), "studio")


def pose_of(scene: Scene, poses: Mapping[str, Source]) -> str:
    """The persona's pose in a scene: the author's, else the first that a word of its prompts asks for; "" is none."""
    if scene.pose:
        return scene.pose
    said = re.findall(r"\w+", " ".join((scene.video_prompt, *scene.moves, scene.image_prompt)).lower())
    return next((pose for word in said for pose in poses if re.match(_POSES.get(pose, f"{pose}$"), word)), "")


# Beginnings of words.
_THEMES = {
    "chalk": "chalk|blackboard|classroom|school",
    "blueprint": "blueprint|technical|engineering|schematic",
    "night": "night|dark|neon|terminal|noir|cyberpunk|midnight",
    "paper": "paper|watercolo|sketch|pencil|ink|bright|white|pastel",
    "studio": "studio|cinematic|warm",
}
_POSES = {
    "happy": "smil|laugh|happ|cheer|nod|wav|proud",
    "thinking": "think|wonder|ponder|consider|read|listen|stud|puzzl|remember",
    "worried": "frown|worr|sad|afraid|nervous|anxious|burglar|thie",
    "surprised": "surpris|startl|gasp|astonish|amaz|jump|shock",
    "pointing": "point|finger|show|gestur|tap|present|explain",
}
