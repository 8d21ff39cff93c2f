"""What a scene's sound takes: its narration, the film's music where the scene stands, its footage's own sound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .graph import Artifact, Ref, Step
from .implied import sound_grid
from .kinds import PACKET, SAMPLE_RATE, first_sample, numbered, rate
from .naming import artifact, made
from .plan_picture import speaks
from .storyboard import Profile, Scene, Storyboard

_DECODED = 300  # Seconds: music is decoded in whole multiples, so that a film may grow without decoding it anew.


class SoundPlan:
    """Plans the sound of scenes that follow each other."""

    def __init__(self, board: Storyboard, profile: Profile) -> None:
        self.board = board
        self.profile = profile
        self.fps = rate(board.format.fps)
        own = any(scene.footage.sound is not None for scene in board.scenes)
        self.channels = 2 if own or board.music is not None else 1

    def placeless(self) -> bool:
        """Whether a scene sounds alike wherever it stands, as long as every scene ends on the sound's grid."""
        whole = sound_grid(self.fps) * SAMPLE_RATE % (self.fps * PACKET) == 0
        return whole and self.board.music is None

    def sounds(self, scenes: Sequence[Scene], frames: Mapping[str, int], owner: str = "") -> Iterator[Step]:
        """The music, if there is any, and every scene's sound; `frames` by scene id."""
        total = sum(frames[scene.id] for scene in scenes)
        if self.board.music is not None:
            yield self._music(total, owner)
        start = 0
        for number, scene in enumerate(scenes):
            length = frames[scene.id]
            begin, end = first_sample(start, self.fps), first_sample(start + length, self.fps)
            params: dict[str, Any] = {"samples": end - begin, "phase": begin % PACKET}
            params["loudness"] = self.board.loudness
            if self.board.music is not None:
                last = first_sample(total, self.fps)
                beside = [0 <= at < len(scenes) and speaks(scenes[at]) for at in (number - 1, number + 1)]
                params["music"] = self._below(begin, end, last, beside)
            yield self._sound(scene, params, owner)
            start += length

    def stems(self, sounds: Sequence[Step]) -> Step:
        """Narration, music and picture apart."""
        inputs: dict[str, Ref | Artifact] = {"film": Ref("film", "film")}
        for number, sound in enumerate(sounds, 1):
            for name in ("audio", "footage"):
                if name in sound.inputs:
                    inputs[numbered(name, number)] = sound.inputs[name]
            if "music" in sound.inputs:
                inputs["music"] = sound.inputs["music"]
        params = {"sounds": tuple(dict(sound.params) for sound in sounds)}
        return made(self.profile.kinds["stems"], "stems", "", params, inputs)

    def _music(self, frames: int, owner: str) -> Step:
        music = self.board.music
        assert music is not None  # noqa: S101
        pieces = -(-frames // (self.fps * _DECODED))
        params = {"seconds": int(pieces) * _DECODED, "loop": music.loop}
        return made(self.profile.kinds["music"], "music", owner, params, {"file": artifact(music.file)})

    def _below(self, begin: int, end: int, last: int, beside: list[bool]) -> dict[str, Any]:
        """Where a scene stands in the music, and what lies beside it."""
        music = self.board.music
        assert music is not None  # noqa: S101
        fade = round(music.fade * SAMPLE_RATE)
        fades = fade > 0 and end > last - fade
        return {
            "at": begin,
            "gain": music.gain,
            "duck": music.duck,
            "before": beside[0],
            "after": beside[1],
            "left": last - begin if fades else 0,
            "fade": fade if fades else 0,
        }

    def _sound(self, scene: Scene, params: dict[str, Any], owner: str) -> Step:
        inputs: dict[str, Ref | Artifact] = {}
        if self.channels > 1:
            params["channels"] = self.channels
        if self.board.room_tone:
            params["room"] = True
        if speaks(scene):
            inputs["audio"] = Ref(f"{scene.id}/narration", "audio")
        if self.board.music is not None:
            inputs["music"] = Ref(f"{owner}/music" if owner else "music", "audio")
        if scene.video is not None and scene.footage.sound is not None:
            params["own"] = {"start": str(scene.footage.start), "level": scene.footage.sound}
            if scene.footage.end is not None:
                params["own"]["end"] = str(scene.footage.end)
            inputs["footage"] = artifact(scene.video)
        return made(self.profile.kinds["sound"], "sound", scene.id, params, inputs)
