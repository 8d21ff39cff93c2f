"""Storyboard + Profile + known lengths -> steps. Pure: reads no file, imports no backend, runs nothing.

A scene is planned in two halves. Its speech, narration and still are known at once; how many clips it
takes, and how many frames, only when its narration has been spoken. The film is planned when the last
scene's length is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from .graph import Artifact, Ref, Step
from .implied import chapter_of, occurs, seed_of, sound_grid
from .kinds import SAMPLE_RATE, frames_for, numbered, rate
from .naming import artifact, made
from .plan_picture import PicturePlan, speaks
from .plan_sound import SoundPlan
from .sentences import sentences
from .storyboard import Profile, Scene, Source, Storyboard

# What must be planned to reach a kind. Clips need the narration's length, so they need its sound.
_VOICE = frozenset({"speech", "narration"})
_PICTURE = _VOICE | {"still", "clip"}
_ALL = _PICTURE | {"talk", "scene", "joint", "music", "sound", "film"}
UNTIL: Mapping[str, frozenset[str]] = {
    "speech": frozenset({"speech"}),
    "narration": _VOICE,
    "still": frozenset({"still"}),
    "clip": _PICTURE,
    "talk": _PICTURE | {"talk"},
    "scene": _PICTURE | {"talk", "scene"},
    "joint": _PICTURE | {"talk", "joint"},
    "music": _VOICE | {"music"},
    "sound": _VOICE | {"music", "sound"},
    "film": _ALL,
    "stems": _ALL | {"stems"},
}
WORDS_A_SECOND = 2.6  # A guess of the length of what nobody has spoken yet.


class _Planned:
    """What one scene takes: what its length does not decide, and its frames and pictures by its length in samples."""

    def __init__(self, scene: Scene, opening: list[Step]) -> None:
        self.scene = scene
        self.opening = opening
        self.pictures: dict[int, tuple[int, list[Step]]] = {}
        self.sounds: dict[tuple[int, int], list[Step]] = {}  # Likewise by frames and channels, on the sound's grid.


class Planner:
    """Plans one storyboard for one profile, scene by scene.

    `apart` makes a film of every scene instead of one of all; `until` stops after a kind. `before` planned an earlier
    version: the steps of scenes that are as they were are taken from it, the same objects. `around` is all that the
    steps of a scene depend on besides the scene.
    """

    def __init__(
        self,
        board: Storyboard,
        profile: Profile,
        *,
        apart: bool = False,
        until: str = "film",
        before: Planner | None = None,
    ) -> None:
        self.board = replace(board, scenes=tuple(s for s in board.scenes if not s.hold))
        self.profile = profile
        self.apart = apart
        self.until = until
        self.fps = rate(board.format.fps)
        self.frames: dict[str, int] = {}  # Of each scene whose length is known.
        self._pictures, self._sound = PicturePlan(self.board, profile), SoundPlan(self.board, profile)
        self._placeless = not apart and self._sound.placeless() and all(map(self._on_grid, self.board.scenes))
        self._entered: dict[str, Step] = {}  # The step of each scene whose length is known.
        self._places = {scene.id: number for number, scene in enumerate(self.board.scenes)}
        self._speakers = {f"{s.id}/narration": s for s in self.board.scenes if speaks(s)}
        self.around = (replace(board, scenes=(), title="", poster=0), profile, apart)
        self._before = before._planned if before is not None and before.around == self.around else {}
        self._planned: dict[str, _Planned] = {}

    def begin(self) -> list[Step]:
        """Every step that needs no length."""
        steps = [step for scene in self.board.scenes for step in self._opening(scene)]
        for scene in self.board.scenes:
            if not speaks(scene):
                steps += self._known(scene, 0)
        return self._wanted(steps)

    def learn(self, step: str, facts: Mapping[str, int]) -> list[Step]:
        """The steps that can be planned now that a step's facts are known; none for most steps."""
        scene = self._speakers.get(step)
        if scene is None or scene.id in self.frames:
            return []
        return self._wanted(self._known(scene, facts["samples"]))

    def guess(self, step: str) -> Mapping[str, int]:
        """Facts of a narration that nobody has spoken yet, from its number of words."""
        words = len(self._speakers[step].narration.split())
        return {"samples": round((words / WORDS_A_SECOND + 1) * SAMPLE_RATE)}

    def goals(self, steps: Mapping[str, Step]) -> list[str]:
        """The steps whose bytes the author asked for."""
        wanted = {"film", "stems"} if self.until == "stems" else {self.until}
        return [step.name for step in steps.values() if step.kind in wanted]

    def _wanted(self, steps: list[Step]) -> list[Step]:
        kinds = UNTIL[self.until]
        return [step for step in steps if step.kind in kinds]

    def _opening(self, scene: Scene) -> list[Step]:
        planned = self._before.get(scene.id)
        if planned is None or planned.scene != scene:
            voice = self._voice(scene) if speaks(scene) else ()
            planned = _Planned(scene, [*voice, *self._pictures.stills(scene)])
        self._planned[scene.id] = planned
        return planned.opening

    def _known(self, scene: Scene, samples: int) -> list[Step]:
        """The rest of a scene, and of the film when this was the last scene whose length was missing."""
        pictures = self._planned[scene.id].pictures
        if samples not in pictures:
            frames = self._length(scene, samples)
            head = 0 if self.apart else self._pictures.head(scene, frames)
            pictures[samples] = (frames, list(self._pictures.picture(scene, frames, head)))
        self.frames[scene.id], planned = pictures[samples]
        self._entered[scene.id] = planned[-1]
        steps = [*planned, *self._own_sound(scene)]
        if self.apart:
            steps += self._film(scene.id, (scene,))
        else:
            steps += self._joints(scene)
            if len(self.frames) == len(self.board.scenes):
                steps += self._film("", self.board.scenes)
        return steps

    def _own_sound(self, scene: Scene) -> list[Step]:
        """The sound of a scene of known length, where its place in the film does not matter."""
        if not self._placeless:
            return []
        sounds, like = self._planned[scene.id].sounds, (self.frames[scene.id], self._sound.channels)
        if like not in sounds:
            sounds[like] = list(self._sound.sounds((scene,), self.frames))
        return sounds[like]

    def _joints(self, scene: Scene) -> Iterator[Step]:
        """The ways into a scene and into the next one, where both of their sides are planned now."""
        scenes = self.board.scenes
        at = self._places[scene.id]
        for number in (at, at + 1):
            if number == len(scenes) or not self._head(scenes[number]):
                continue
            entering = self._entered[scenes[number].id]
            if number == 0:
                yield self._pictures.joint(scenes[0], entering, None)
            elif scenes[number - 1].id in self._entered:
                yield self._pictures.joint(scenes[number], entering, self._entered[scenes[number - 1].id])

    def _head(self, scene: Scene) -> int:
        """Frames that a joint takes from a scene that is planned; 0 if none does."""
        return int(self._entered[scene.id].params.get("head", 0)) if scene.id in self._entered else 0

    def _length(self, scene: Scene, samples: int) -> int:
        """Frames of a scene: what is spoken, rounded up to where the film's sound can be cut.

        At 25 frames a second, 8 frames are exactly 15 AAC packets. Scenes that end there keep their encoded
        sound wherever they stand in the film, and a narration that grows a little keeps its picture.
        """
        asked = _asked(scene)
        least = -(-asked * self.fps).__floor__() if asked else 0
        spoken = frames_for(samples, self.fps)
        if spoken <= least or not spoken:
            return max(1, least)
        return -(-spoken // sound_grid(self.fps)) * sound_grid(self.fps)

    def _on_grid(self, scene: Scene) -> bool:
        """Whether a scene ends where the film's sound can be cut, however long its narration is."""
        free = speaks(scene) and not _asked(scene)
        return free or self._length(scene, 0) % sound_grid(self.fps) == 0

    def _voice(self, scene: Scene) -> Iterator[Step]:
        language, kinds = {"language": self.board.language}, self.profile.kinds
        if scene.audio is not None:
            params = {"text": " ".join(scene.narration.split()), **language}
            recording = {"recording": artifact(scene.audio)}
            yield made(self.profile.given["narration"], "narration", scene.id, params, recording)
            return
        inputs: dict[str, Ref | Artifact] = {}
        for number, text in enumerate(sentences(scene.narration), 1):
            step = self._speech(scene, number, text)
            inputs[numbered("audio", number)] = Ref(step.name, "audio")
            inputs[numbered("timing", number)] = Ref(step.name, "timing")
            yield step
        reference = self._voice_files().get("reference")
        if reference is not None:
            inputs["room"] = artifact(reference)
        yield made(kinds["narration"], "narration", scene.id, language, inputs)

    def _voice_files(self) -> Mapping[str, Source]:
        """What the persona brings for the voice that speaks."""
        persona = self.board.persona
        return persona.voice_files.get(self.profile.kinds["speech"].backend, {}) if persona is not None else {}

    def _speech(self, scene: Scene, number: int, text: str) -> Step:
        choice = self.profile.kinds["speech"]
        persona = self.board.persona
        known = {**(persona.pronunciation if persona is not None else {}), **self.board.pronunciation}
        said = {word: how for word, how in known.items() if occurs(word, text)}
        params: dict[str, Any] = {"text": text, "language": self.board.language}
        if said:
            params["pronunciation"] = said
        if choice.limits.get("seeded"):
            params["seed"] = seed_of(self.board, scene, 0)
        inputs: dict[str, Artifact] = {}
        if persona is not None:
            params |= persona.voice.get(choice.backend, {})
            files = self._voice_files()
            if "reference" in files:
                inputs["voice"] = artifact(files["reference"])
            if "checkpoint" in files:
                inputs["checkpoint"] = artifact(files["checkpoint"])
                params["checkpoint"] = files["checkpoint"].digest  # Which model is in memory, too.
        return made(choice, "speech", scene.id, params, inputs, number)

    def _film(self, owner: str, scenes: tuple[Scene, ...]) -> Iterator[Step]:
        """The sound of some scenes, if it is not planned with each of them, and the film of all."""
        board = self.board
        sounds = [sound for scene in scenes for sound in self._own_sound(scene)]
        if not sounds:
            sounds = list(self._sound.sounds(scenes, self.frames, owner))
            yield from sounds
        inputs: dict[str, Ref] = {}
        spoken = [index for index, scene in enumerate(scenes) if speaks(scene)]
        joints = [(index, head) for index, scene in enumerate(scenes) if (head := self._head(scene))]
        for number, scene in enumerate(scenes, 1):
            inputs[numbered("scene", number)] = Ref(f"{scene.id}/scene", "video")
            inputs[numbered("packets", number)] = Ref(f"{scene.id}/sound", "packets")
            inputs[numbered("levels", number)] = Ref(f"{scene.id}/sound", "levels")
        for number, (index, _) in enumerate(joints, 1):
            inputs[numbered("joint", number)] = Ref(f"{scenes[index].id}/joint", "video")
        for number, index in enumerate(spoken, 1):
            inputs[numbered("timing", number)] = Ref(f"{scenes[index].id}/narration", "timing")
        params: dict[str, Any] = {
            "title": board.title,
            "language": board.language,
            "fps": board.format.fps,
            "width": board.format.width,
            "height": board.format.height,
            "frames": tuple(self.frames[scene.id] for scene in scenes),
            "chapters": tuple(chapter_of(scene, number) for number, scene in enumerate(scenes, 1)),
            "spoken": tuple(spoken),
            "captions": board.captions,
            "poster": board.poster if len(scenes) > board.poster else 0,
        }
        if self._sound.channels > 1:
            params["channels"] = self._sound.channels
        if joints:
            params["joints"] = tuple(joints)
        yield made(self.profile.kinds["film"], "film", owner, params, inputs)
        if self.until == "stems":
            yield self._sound.stems([step for step in sounds if step.kind == "sound"])


def _asked(scene: Scene) -> Fraction | None:
    """The least that a scene lasts, in seconds: what the author says, or what footage without narration has."""
    return scene.duration or (None if speaks(scene) else _shown_seconds(scene))


def _shown_seconds(scene: Scene) -> Fraction | None:
    """How long the part of the author's footage that is shown lasts."""
    if scene.video is None:
        return None
    end = scene.video.seconds
    if scene.footage.end is not None:
        end = min(scene.footage.end, end) if end is not None else scene.footage.end
    return None if end is None else end - scene.footage.start
