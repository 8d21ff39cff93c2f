"""One small real step of every kind, each fed by the backends before it; a stranger's backend runs on them too."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import tiny_diffusion
import tiny_lips
import tiny_places
import tiny_voice
from media_kit import drawn, movie, wav

from engine.backends import find, registered
from engine.kinds import KINDS, Inputs, numbered

SIZE = {"width": 64, "height": 36}
PERSONA = {"name": "Bot", "mouth": {"x": 0.5, "y": 0.6, "width": 0.4, "height": 0.1}}
PERSONA |= {"eyes": ({"x": 0.35, "y": 0.4, "width": 0.15, "height": 0.15},)}


class Case(NamedTuple):
    """What the plan would say to a backend, and the files it would read."""

    backend: str
    says: Mapping[str, Any]
    inputs: Mapping[str, Path]


class Heard:
    """Listens to a step; raises `stop`, if there is one, at the first progress."""

    def __init__(self, stop: type[Exception] | None = None) -> None:
        self.told: list[tuple[int, int]] = []
        self.stop = stop

    def progress(self, done: int, total: int) -> None:
        self.told.append((done, total))
        if self.stop:
            raise self.stop


def run(case: Case, out: Path, tell: Heard) -> Mapping[str, int]:
    """One run in a new instance, as a worker would."""
    kind, name = case.backend.split(".")
    backend = find(kind, name)()
    params = backend.Params(**case.says)
    backend.load(backend.model(params))
    out.mkdir(parents=True, exist_ok=True)
    return backend.run(params, Inputs(case.inputs), out, tell) or {}


def cases(folder: Path) -> Iterator[Case]:
    """The draft's line from speech to film, then what an author gives. Outputs land in folder/KIND.NAME."""
    sentence = Case("speech.espeak", {"text": "Every second, someone knocks."}, {})
    yield sentence
    spoken = _made(sentence, folder)
    narration = Case("narration.join", {"language": "en"}, _numbered(spoken))
    yield narration
    told = _made(narration, folder)
    samples = json.loads(told["timing"].read_bytes())["samples"]
    frames = -(-samples * 25 // (48000 * 8)) * 8
    persona = drawn(folder / "portrait.png", (60, 80), "RGBA", (220, 210, 190, 255))
    still = Case(
        "still.card",
        {"prompt": "a brass door", "width": 96, "height": 54, "seed": 1, "persona": PERSONA},
        {"portrait": persona},
    )
    yield still
    image = _made(still, folder)["image"]
    prompt = {"prompt": "slow push in", "number": 1, "frames": 125, "fps": "25", "seed": 1}
    clip = Case("clip.camera", prompt | SIZE, {"first": image, "still": image})
    yield clip
    video = _made(clip, folder)["video"]
    size = {"frames": frames, "fps": "25"} | SIZE
    talk = Case("talk.mouth", size | {"persona": PERSONA}, {numbered("clip", 1): video, "still": image, **told})
    yield talk
    talking = {numbered("clip", 1): _made(talk, folder)["video"], "still": image, "timing": told["timing"]}
    scene = Case("scene.x264", size | {"burn": True}, talking)
    yield scene
    way = {"style": "crossfade", "frames": 5, "fps": "25", "entering": size | {"burn": True, "head": 5}, **SIZE}
    before = {"leaving_clip.0001": video, "leaving_still": image}
    yield Case("joint.moviepy", way | {"leaving": {"frames": 10, "fps": "25"} | SIZE}, talking | before)
    music = Case("music.pcm", {"seconds": 4}, {"file": wav(folder / "m.wav")})
    yield music
    below = {"at": 0, "gain": -8.0, "duck": 12.0, "before": False, "after": False, "left": frames * 1920, "fade": 9600}
    said = {"samples": frames * 1920, "phase": 0, "loudness": -16.0, "channels": 2, "room": True, "music": below}
    sound = Case("sound.aac", said, {"audio": told["audio"], "music": _made(music, folder)["audio"]})
    yield sound
    film = {"title": "Doors", "language": "en", "frames": (frames,), "chapters": ("One",), "spoken": (0,)}
    files = {"scene": _made(scene, folder)["video"], "timing": told["timing"], **_made(sound, folder)}
    joined = Case(
        "film.mp4",
        film | {"fps": "25", "channels": 2} | SIZE | _loudness("film.mp4"),
        {numbered(name, 1): path for name, path in files.items()},
    )
    yield joined
    heard = {"film": _made(joined, folder)["film"], numbered("audio", 1): told["audio"], "music": sound.inputs["music"]}
    yield Case("stems.pcm", {"sounds": (said,)}, heard)
    yield from _given(folder)


def table(folder: Path) -> dict[str, Case]:
    """A case for every backend that is installed; a stranger's takes the case of its kind."""
    ours = {case.backend: case for case in cases(folder)}
    of_kind = {case.backend.split(".")[0]: case for case in reversed(ours.values())}
    return {name: ours.get(name, of_kind[name.split(".")[0]])._replace(backend=name) for name in registered()}


def _given(folder: Path) -> Iterator[Case]:
    yield from _shown()
    yield Case("still.given", {"prompt": "", "seed": 0} | SIZE, {"image": drawn(folder / "a.png")})
    footage = {"prompt": "", "number": 1, "frames": 0, "fps": "25", "seed": 0} | SIZE
    yield from _real(folder)
    yield Case("clip.given", footage, {"video": movie(folder / "v.mp4", 10)})
    yield Case("narration.given", {"text": "one two", "language": "en"}, {"recording": wav(folder / "r.wav")})


def _real(folder: Path) -> Iterator[Case]:
    """Pictures and clips by tiny models, which are built once in the folder."""
    tiny_places.name(folder / "models")
    if not (folder / "models").exists():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tiny_diffusion.build(folder / "models", "flux", "wan21-i2v")
        tiny_voice.build(folder / "models")
        tiny_lips.build(folder / "models")
    voice = {"model": "magpie", "codec": "codec", "device": "cpu", "guard": False, "seconds": 0.5}
    yield Case("speech.nemo", {"text": "This door is red."} | voice, {"voice": wav(folder / "voice.wav")})
    model = {"dtype": "float32", "device": "cpu", "steps": 1, "pixels": 1024}
    said = {"prompt": "a door", "width": 64, "height": 36, "seed": 1, "pipeline": "FluxPipeline", "model": "flux"}
    still = Case("still.flux", said | model | {"call": {"max_sequence_length": 32}}, {})
    yield still
    said |= {"pipeline": "WanImageToVideoPipeline", "model": "wan21-i2v", "number": 1, "frames": 4, "fps": "16"}
    first = _made(still, folder)["image"]
    clip = Case("clip.wan", said | model | {"call": {"max_sequence_length": 32}}, {"first": first})
    yield clip
    size = {"frames": 12, "fps": "25"} | SIZE
    clips = {numbered("clip", number): _made(clip, folder)["video"] for number in (1, 2)}
    yield Case("talk.chain", size, clips)
    told = {"audio": wav(folder / "said.wav", 1.0, 48000), "timing": tiny_lips.timing(folder / "said.json", (), 0.48)}
    yield Case("talk.latentsync", size | tiny_lips.KNOBS, clips | told)


def _shown() -> Iterator[Case]:
    says = {"prompt": "", "seed": 0, "width": 320, "height": 180}
    code = {"language": "python", "text": "x = 1\ny = 2", "steps": [{"at": "two", "show": "2", "highlight": "2"}]}
    yield Case("still.code", says | {"show": code}, {})
    yield Case("still.slide", says | {"show": {"title": "Doors", "bullets": ["One", {"text": "Two", "at": "two"}]}}, {})
    graph = {"dot": "digraph { a -> b }", "steps": [{"at": "b", "show": ["b"]}]}
    yield Case("still.diagram", says | {"show": graph}, {})


def _loudness(backend: str) -> dict[str, float]:
    """The film's loudness, where its Params has a place for it."""
    kind, name = backend.split(".")
    return {"loudness": -16.0} if "loudness" in find(kind, name).Params.__dataclass_fields__ else {}


def _made(case: Case, folder: Path) -> dict[str, Path]:
    """The outputs of a case, which is run once."""
    out = folder / case.backend
    if not out.exists():
        run(case, out, Heard())
    return {name: out / name for name in KINDS[case.backend.split(".")[0]].outputs}


def _numbered(files: Mapping[str, Path]) -> dict[str, Path]:
    return {numbered(name, 1): path for name, path in files.items()}


if __name__ == "__main__":  # What a fresh process does: FOLDER BACKEND OUT.
    folder, backend, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    run(table(folder)[backend], out, Heard())
