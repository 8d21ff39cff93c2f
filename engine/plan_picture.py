"""What a scene's picture takes: its still or what it shows, clips, talk, the scene itself, the way into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from .frame import even, inset
from .graph import Artifact, Ref, Step
from .implied import persona_of, pose_of, seed_of, theme_of
from .kinds import Scene as SceneParams
from .kinds import numbered, rate
from .naming import artifact, made, only
from .storyboard import Profile, Scene, Storyboard

Inputs = dict[str, Ref | Artifact]


class PicturePlan:
    """Plans the pictures of one storyboard's scenes, each from nothing but itself."""

    def __init__(self, board: Storyboard, profile: Profile) -> None:
        self.board = board
        self.profile = profile
        self.fps = rate(board.format.fps)
        self.theme = theme_of(board)
        limits = profile.kinds["clip"].limits
        self._clip_fps = str(limits.get("fps", board.format.fps))
        self._clip_frames: int = limits.get("frames") or round(limits.get("seconds", 5) * rate(self._clip_fps))
        covers = self._clip_frames * self.fps / rate(self._clip_fps)  # Frames of the film that one clip lasts.
        self._clip_covers = int(covers) if covers.denominator == 1 else covers
        self.fonts: Inputs = {numbered("font", n): artifact(font) for n, font in enumerate(board.fonts, 1)}

    def stills(self, scene: Scene) -> Iterator[Step]:
        """The pictures that a scene starts from; none for footage."""
        if scene.video is not None:
            return
        if scene.show is not None:
            yield self._shown(scene)
        if scene.show is None or self.windowed(scene):
            yield self._still(scene)

    def picture(self, scene: Scene, frames: int, head: int) -> Iterator[Step]:
        """Clips, talk and the scene's own step; `head` frames are left to a joint."""
        clips = list(self._clips(scene, frames))
        yield from clips
        inputs: Inputs = {numbered("clip", number): Ref(clip.name, "video") for number, clip in enumerate(clips, 1)}
        if clips and scene.video is None and self.profile.kinds["clip"].limits.get("recipe"):
            inputs["still"] = Ref(self._start(scene), "image")
        if clips and scene.on_screen and scene.video is None and speaks(scene):
            talk = self._talk(scene, {**self._size(scene), "frames": frames}, inputs)
            yield talk
            inputs = {numbered("clip", 1): Ref(talk.name, "video"), **only(inputs, "still")}
        yield self._scene(scene, frames, head, inputs)

    def head(self, scene: Scene, frames: int) -> int:
        """How many of a scene's frames the way into it takes: at most half of them."""
        if scene.transition is None:
            return 0
        return min(max(1, round(scene.transition.seconds * self.fps)), frames // 2)

    def joint(self, scene: Scene, entering: Step, leaving: Step | None) -> Step:
        """The way into a scene, from the pictures on both of its sides."""
        assert scene.transition is not None  # noqa: S101
        form = self.board.format
        params: dict[str, Any] = {"style": scene.transition.style, "frames": entering.params["head"]}
        params |= {"fps": form.fps, "width": form.width, "height": form.height, "entering": dict(entering.params)}
        inputs: Inputs = dict(entering.inputs)
        if leaving is not None:
            said = {field.name for field in fields(SceneParams)} - {"burn"}
            params["leaving"] = only(leaving.params, *sorted(said))
            inputs |= {f"leaving_{name}": ref for name, ref in leaving.inputs.items() if _seen(name, leaving)}
        if scene.transition.style == "dip" or "timing" in inputs:
            params["theme"] = self.theme
        return made(self.profile.kinds["joint"], "joint", scene.id, params, inputs)

    def windowed(self, scene: Scene) -> bool:
        """Whether the persona speaks from a window beside what is shown."""
        return scene.show is not None and scene.on_screen and self.board.persona is not None

    def _size(self, scene: Scene) -> dict[str, Any]:
        form = self.board.format
        width, height = form.width, form.height
        if scene.show is not None:
            _, _, width, height = inset(width, height)
        return {"fps": form.fps, "width": width, "height": height}

    def _start(self, scene: Scene) -> str:
        """The name of the still that a scene's clips start from."""
        return f"{scene.id}/still/2" if scene.show is not None else f"{scene.id}/still"

    def _shown(self, scene: Scene) -> Step:
        show, form = scene.show, self.board.format
        assert show is not None  # noqa: S101
        params: dict[str, Any] = {"prompt": "", "width": form.width, "height": form.height, "seed": 0}
        params |= {"theme": self.theme, "show": dict(show.said), "beside": self.windowed(scene)}
        inputs: Inputs = dict(self.fonts)
        if show.source is not None:
            inputs["source"] = artifact(show.source)
        return made(self.profile.show[show.kind], "still", scene.id, params, inputs)

    def _still(self, scene: Scene) -> Step:
        board, number, size = self.board, 1 if scene.show is None else 2, self._size(scene)
        if scene.image is not None:
            params = {"prompt": "", "fit": scene.fit, **only(size, "width", "height"), "seed": 0}
            return made(self.profile.given["still"], "still", scene.id, params, {"image": artifact(scene.image)})
        choice = self.profile.kinds["still"]
        scale = choice.limits.get("scale", 1)
        inputs: Inputs = dict(self.fonts)
        params = {
            "prompt": scene.image_prompt,
            "style": board.style,
            "theme": self.theme,
            "width": even(size["width"] * scale),
            "height": even(size["height"] * scale),
            "seed": seed_of(board, scene, 0),
        }
        if scene.show is not None:
            params["beside"] = True
        if scene.on_screen and board.persona is not None:
            params["persona"] = persona_of(board)
            if board.persona.portrait is not None:
                portrait = board.persona.portrait
                inputs["portrait"] = artifact(portrait.poses.get(pose_of(scene, portrait.poses), portrait.image))
            if board.persona.look is not None:
                inputs["look"] = artifact(board.persona.look)
        return made(choice, "still", scene.id, params, inputs, number)

    def _clips(self, scene: Scene, frames: int) -> Iterator[Step]:
        if scene.video is not None:
            form = self.board.format
            params = {"prompt": "", "number": 1, "frames": 0, "seed": 0}
            params |= {"fps": form.fps, "width": form.width, "height": form.height}
            yield made(self.profile.given["clip"], "clip", scene.id, params, {"video": artifact(scene.video)})
        elif scene.show is None or self.windowed(scene):
            yield from self._chain(scene, frames)

    def _chain(self, scene: Scene, frames: int) -> Iterator[Step]:
        """Clips of the backend's full length, each from the last frame of the one before."""
        choice, size = self.profile.kinds["clip"], self._size(scene)
        first = Ref(self._start(scene), "image")
        count = -(-frames // self._clip_covers)
        prompts = (scene.video_prompt or "hold still", *scene.moves)
        beside = {"still": first} if choice.limits.get("anchor") else {}
        for number in range(1, int(count) + 1):
            params = {"prompt": prompts[min(number, len(prompts)) - 1], "number": number, "frames": self._clip_frames}
            params |= {**size, "fps": self._clip_fps, "seed": seed_of(self.board, scene, number)}
            step = made(choice, "clip", scene.id, params, {"first": first, **beside}, number)
            first = Ref(step.name, "last")
            yield step

    def _talk(self, scene: Scene, size: Mapping[str, Any], clips: Mapping[str, Ref | Artifact]) -> Step:
        narration = f"{scene.id}/narration"
        inputs = {**clips, "audio": Ref(narration, "audio"), "timing": Ref(narration, "timing")}
        face = None
        if scene.image is None and self.board.persona is not None:
            face = only(persona_of(self.board), "mouth", "eyes")
        return made(self.profile.kinds["talk"], "talk", scene.id, {**size, "persona": face}, inputs)

    def _scene(self, scene: Scene, frames: int, head: int, inputs: Inputs) -> Step:
        """Says nothing that the scene does not read: what it does not read changes nothing."""
        form = self.board.format
        burn = self.board.captions == "burned" and speaks(scene)
        params: dict[str, Any] = {"frames": frames, "fps": form.fps, "width": form.width, "height": form.height}
        params |= {"burn": burn}
        if head:
            params["head"] = head
        if scene.video is not None:
            params |= {"start": str(scene.footage.start), "fit": scene.footage.fit}
        if scene.show is not None:
            inputs = {**inputs, "board": Ref(f"{scene.id}/still", "image")}
            if speaks(scene) and scene.show.cues:
                params["cues"] = scene.show.cues
        if burn or scene.show is not None:
            params["theme"] = self.theme
        if burn or "cues" in params:
            inputs = {**inputs, "timing": Ref(f"{scene.id}/narration", "timing")}
        if burn:
            inputs = {**inputs, **self.fonts}
        return made(self.profile.kinds["scene"], "scene", scene.id, params, inputs)


def speaks(scene: Scene) -> bool:
    """Whether a voice is heard in a scene."""
    return scene.audio is not None or bool(scene.narration.strip())


def _seen(name: str, leaving: Step) -> bool:
    """Whether an input of a scene that is left is still needed: its timing for what it shows, not for captions."""
    return not name.startswith("font.") and (name != "timing" or bool(leaving.params.get("cues")))
