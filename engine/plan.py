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
from .implied import chapter_of, occurs, persona_of, seed_of, sound_grid
from .kinds import PACKET, SAMPLE_RATE, first_sample, frames_for, numbered, rate
from .sentences import sentences
from .storyboard import Choice, Profile, Scene, Source, Storyboard

# What must be planned to reach a kind. Clips need the narration's length, so they need its sound.
UNTIL: Mapping[str, frozenset[str]] = {
    "speech": frozenset({"speech"}),
    "narration": frozenset({"speech", "narration"}),
    "still": frozenset({"still"}),
    "clip": frozenset({"speech", "narration", "still", "clip"}),
    "talk": frozenset({"speech", "narration", "still", "clip", "talk"}),
    "scene": frozenset({"speech", "narration", "still", "clip", "talk", "scene"}),
    "sound": frozenset({"speech", "narration", "sound"}),
    "film": frozenset({"speech", "narration", "still", "clip", "talk", "scene", "sound", "film"}),
}
WORDS_A_SECOND = 2.6  # A guess of the length of what nobody has spoken yet.


class Planner:
    """Plans one storyboard for one profile, scene by scene.

    `apart` makes a film of every scene instead of one of all; `until` stops after a kind.
    """

    def __init__(self, board: Storyboard, profile: Profile, *, apart: bool = False, until: str = "film") -> None:
        self.board = replace(board, scenes=tuple(s for s in board.scenes if not s.hold))
        self.profile = profile
        self.apart = apart
        self.until = until
        self.fps = rate(board.format.fps)
        self.frames: dict[str, int] = {}  # Of each scene whose length is known.
        self._speakers = {f"{s.id}/narration": s for s in self.board.scenes if _speaks(s)}

    def begin(self) -> list[Step]:
        """Every step that needs no length."""
        steps = [step for scene in self.board.scenes for step in self._opening(scene)]
        for scene in self.board.scenes:
            if not _speaks(scene):
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
        return [step.name for step in steps.values() if step.kind == self.until]

    def _wanted(self, steps: list[Step]) -> list[Step]:
        kinds = UNTIL[self.until]
        return [step for step in steps if step.kind in kinds]

    def _opening(self, scene: Scene) -> Iterator[Step]:
        if _speaks(scene):
            yield from self._voice(scene)
        if scene.video is None:
            yield self._still(scene)

    def _known(self, scene: Scene, samples: int) -> list[Step]:
        """The rest of a scene, and of the film when this was the last scene whose length was missing."""
        frames = self.frames[scene.id] = self._length(scene, samples)
        steps = list(self._picture(scene, frames))
        if self.apart:
            steps += [self._sound(scene, 0, frames), self._film(f"{scene.id}/film", scene.id, (scene,))]
        elif len(self.frames) == len(self.board.scenes):
            steps += [*self._sounds(), self._film("film", "", self.board.scenes)]
        return steps

    def _length(self, scene: Scene, samples: int) -> int:
        """Frames of a scene: what is spoken, rounded up to where the film's sound can be cut.

        At 25 frames a second, 8 frames are exactly 15 AAC packets. Scenes that end there keep their encoded
        sound wherever they stand in the film, and a narration that grows a little keeps its picture.
        """
        asked = scene.duration or (Fraction(0) if _speaks(scene) else _seconds(scene.video)) or Fraction(0)
        least = max(1, -(-asked * self.fps).__floor__())
        spoken = frames_for(samples, self.fps)
        if spoken <= least:
            return least
        return -(-spoken // sound_grid(self.fps)) * sound_grid(self.fps)

    def _voice(self, scene: Scene) -> Iterator[Step]:
        if scene.audio is not None:
            params = {"text": " ".join(scene.narration.split()), "language": self.board.language}
            yield self._step(scene, "narration", params, {"recording": _artifact(scene.audio)}, given=True)
            return
        inputs: dict[str, Ref] = {}
        for number, text in enumerate(sentences(scene.narration), 1):
            step = self._speech(scene, number, text)
            inputs[numbered("audio", number)] = Ref(step.name, "audio")
            inputs[numbered("timing", number)] = Ref(step.name, "timing")
            yield step
        yield self._step(scene, "narration", {"language": self.board.language}, inputs)

    def _speech(self, scene: Scene, number: int, text: str) -> Step:
        said = {word: how for word, how in self.board.pronunciation.items() if occurs(word, text)}
        params: dict[str, Any] = {"text": text, "language": self.board.language}
        if said:
            params["pronunciation"] = said
        if self.board.persona is not None:
            params |= self.board.persona.voice.get(self.profile.kinds["speech"].backend, {})
        return self._step(scene, "speech", params, {}, number)

    def _still(self, scene: Scene) -> Step:
        scale = self.profile.kinds["still"].limits.get("scale", 1) if scene.image is None else 1
        board, inputs = self.board, {}
        params: dict[str, Any] = {
            "prompt": scene.image_prompt,
            "style": board.style,
            "width": _even(board.format.width * scale),
            "height": _even(board.format.height * scale),
            "seed": seed_of(board, scene, 0),
        }
        if scene.image is not None:
            return self._step(scene, "still", params | {"prompt": ""}, {"image": _artifact(scene.image)}, given=True)
        if scene.on_screen and board.persona is not None:
            params["persona"] = persona_of(board)
            if board.persona.portrait is not None:
                inputs["portrait"] = _artifact(board.persona.portrait.image)
            if board.persona.look is not None:
                inputs["look"] = _artifact(board.persona.look)
        return self._step(scene, "still", params, inputs)

    def _picture(self, scene: Scene, frames: int) -> Iterator[Step]:
        board = self.board
        clips = [self._footage(scene)] if scene.video is not None else list(self._chain(scene, frames))
        yield from clips
        size = {"frames": frames, "fps": board.format.fps, "width": board.format.width, "height": board.format.height}
        inputs: dict[str, Ref | Artifact] = {
            numbered("clip", number): Ref(clip.name, "video") for number, clip in enumerate(clips, 1)
        }
        if scene.video is None and self.profile.kinds["clip"].limits.get("recipe"):
            inputs["still"] = Ref(f"{scene.id}/still", "image")
        if scene.on_screen and scene.video is None and _speaks(scene):
            talk = self._talk(scene, size, inputs)
            yield talk
            inputs = {numbered("clip", 1): Ref(talk.name, "video"), **_only(inputs, "still")}
        burn = board.captions == "burned" and _speaks(scene)
        if burn:
            inputs["timing"] = Ref(f"{scene.id}/narration", "timing")
        yield self._step(scene, "scene", size | {"burn": burn}, inputs)

    def _footage(self, scene: Scene) -> Step:
        assert scene.video is not None  # noqa: S101
        params = {
            "prompt": "",
            "number": 1,
            "frames": 0,
            "fps": self.board.format.fps,
            "width": self.board.format.width,
            "height": self.board.format.height,
            "seed": 0,
        }
        return self._step(scene, "clip", params, {"video": _artifact(scene.video)}, given=True)

    def _chain(self, scene: Scene, frames: int) -> Iterator[Step]:
        """Clips of the backend's full length, each from the last frame of the one before."""
        limits = self.profile.kinds["clip"].limits
        fps = str(limits.get("fps", self.board.format.fps))
        length = limits.get("frames") or round(limits.get("seconds", 5) * rate(fps))
        first = Ref(f"{scene.id}/still", "image")
        count = -((-frames * rate(fps) / self.fps) // length)
        for number in range(1, int(count) + 1):
            params = {
                "prompt": scene.video_prompt,
                "number": number,
                "frames": length,
                "fps": fps,
                "width": self.board.format.width,
                "height": self.board.format.height,
                "seed": seed_of(self.board, scene, number),
            }
            step = self._step(scene, "clip", params, {"first": first}, number)
            first = Ref(step.name, "last")
            yield step

    def _talk(self, scene: Scene, size: Mapping[str, Any], clips: Mapping[str, Ref | Artifact]) -> Step:
        narration = f"{scene.id}/narration"
        inputs = {**clips, "audio": Ref(narration, "audio"), "timing": Ref(narration, "timing")}
        face = None
        if scene.image is None and self.board.persona is not None:
            face = _only(persona_of(self.board), "mouth", "eyes")
        return self._step(scene, "talk", {**size, "persona": face}, inputs)

    def _sounds(self) -> Iterator[Step]:
        start = 0
        for scene in self.board.scenes:
            yield self._sound(scene, start, self.frames[scene.id])
            start += self.frames[scene.id]

    def _sound(self, scene: Scene, start: int, frames: int) -> Step:
        begin, end = first_sample(start, self.fps), first_sample(start + frames, self.fps)
        params = {"samples": end - begin, "phase": begin % PACKET, "loudness": self.board.loudness}
        inputs = {"audio": Ref(f"{scene.id}/narration", "audio")} if _speaks(scene) else {}
        return self._step(scene, "sound", params, inputs)

    def _film(self, name: str, owner: str, scenes: tuple[Scene, ...]) -> Step:
        board = self.board
        inputs: dict[str, Ref] = {}
        spoken = [index for index, scene in enumerate(scenes) if _speaks(scene)]
        for number, scene in enumerate(scenes, 1):
            inputs[numbered("scene", number)] = Ref(f"{scene.id}/scene", "video")
            inputs[numbered("packets", number)] = Ref(f"{scene.id}/sound", "packets")
            inputs[numbered("levels", number)] = Ref(f"{scene.id}/sound", "levels")
        for number, index in enumerate(spoken, 1):
            inputs[numbered("timing", number)] = Ref(f"{scenes[index].id}/narration", "timing")
        params = {
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
        choice = self.profile.kinds["film"]
        return Step(name, "film", owner, choice.backend, choice.version, params | dict(choice.params), inputs)

    def _step(
        self,
        scene: Scene,
        kind: str,
        params: Mapping[str, Any],
        inputs: Mapping[str, Ref | Artifact],
        number: int = 1,
        given: bool = False,
    ) -> Step:
        """Name a step, and let the profile say who makes it and with which knobs."""
        choice: Choice = (self.profile.given if given else self.profile.kinds)[kind]
        name = f"{scene.id}/{kind}" if number == 1 else f"{scene.id}/{kind}/{number}"
        return Step(name, kind, scene.id, choice.backend, choice.version, {**choice.params, **params}, inputs)


def _speaks(scene: Scene) -> bool:
    return scene.audio is not None or bool(scene.narration.strip())


def _seconds(source: Source | None) -> Fraction | None:
    return source.seconds if source is not None else None


def _artifact(source: Source) -> Artifact:
    return Artifact(source.digest, source.size)


def _only(mapping: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: mapping[name] for name in names if name in mapping}


def _even(value: float) -> int:
    return round(value / 2) * 2
