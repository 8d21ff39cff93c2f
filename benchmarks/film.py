"""The draft film of projects/firewalls from an empty store, and MoviePy composing the same scenes.

MoviePy gets what mikebot made before the pictures move: the stills, the sounds and the camera paths. It moves
them by `resized` and `with_position`, and encodes with x264 at the same preset and quality, on all cores. It
draws no mouth. Unless told to compose the whole film, it is given the first scenes, and its time is scaled to
the film's length.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import av

from .place import HERE, Options, Place, render
from .smooth import moving
from .table import Figure

SAMPLE = 20  # Seconds of film for MoviePy, at least.


def figures(options: Options) -> Iterator[Figure]:
    """Times real time, and how many times faster than MoviePy."""
    place = firewalls(options.room / "film")
    ours = render(place)
    length = seconds_of(place.film)
    composed, took = moviepy(place, length if options.whole else SAMPLE)
    speed = length / ours
    what = f"draft film of {length:.0f} s, 720p25, empty store"
    yield Figure(what, speed, "x real time", 4, more=True)
    peer = f"MoviePy ({composed:.0f} s of it)"
    yield Figure(f"{what}, beside MoviePy", ours, "s", peer=peer, peer_value=took / composed * length)
    yield Figure("times faster than MoviePy", took / composed * speed, "x", 6, more=True)
    for kind, seconds in sorted(by_kind(place).items(), key=lambda pair: -pair[1]):
        yield Figure(f"of that film, all lanes together: {kind}", seconds, "s")


def by_kind(place: Place) -> dict[str, float]:
    """Seconds that the last render's steps took, by kind, as the store remembers them."""
    from engine.store import Store

    store = Store(place.root / ".mikebot")
    try:
        kinds: dict[str, float] = {}
        for step, key in next(store.renders()).steps.items():
            made = store.lookup([key])[key]
            kind = step.split("/")[1] if "/" in step else step
            kinds[kind] = kinds.get(kind, 0.0) + made.seconds
        return kinds
    finally:
        store.close()


def firewalls(root: Path) -> Place:
    """A copy of the project in a workspace of its own, without what was made of it."""
    for part in ("personas/mikebot", "projects/firewalls"):
        shutil.copytree(HERE / part, root / part, ignore=shutil.ignore_patterns("build"))
    return Place(root, "firewalls")


def seconds_of(film: Path) -> float:
    """The length of a film's picture."""
    with av.open(str(film)) as container:
        video = container.streams.video[0]
        assert video.duration is not None
        assert video.time_base is not None
        return float(video.duration * video.time_base)


def moviepy(place: Place, enough: float) -> tuple[float, float]:
    """Compose scenes until they last long enough; returns seconds of film and seconds that it took."""
    from moviepy import AudioFileClip, ImageClip, concatenate_videoclips

    from engine.backends import recipe

    for kind in ("still", "narration", "clip"):
        render(place, "--until", kind)
    made = place.film.parent
    start = time.perf_counter()
    clips = []
    for scene in scene_names(place):
        path, still = made / "clip" / f"{scene}.json", made / "still" / f"{scene}.png"
        said = recipe.read(path) if path.exists() else None
        sound = AudioFileClip(str(made / "narration" / f"{scene}.wav"))
        moves = said is not None and not (made / "still" / f"{scene}.2.png").exists()  # What is shown stands still.
        clip = moving(still, recipe.path_of(said)) if said is not None and moves else ImageClip(str(still))
        clip = clip.with_duration(sound.duration)
        clips.append(clip.with_audio(sound))
        if sum(clip.duration for clip in clips) >= enough:
            break
    film = concatenate_videoclips(clips)
    film.write_videofile(
        str(made / "moviepy.mp4"),
        fps=25,
        codec="libx264",
        preset="veryfast",
        audio_codec="aac",
        threads=os.cpu_count(),
        ffmpeg_params=["-crf", "20"],
        logger=None,
    )
    took = time.perf_counter() - start
    return sum(clip.duration for clip in clips), took


def scene_names(place: Place) -> list[str]:
    """The scenes of a storyboard, in order."""
    from engine.project import open_project

    return [scene.id for scene in open_project(str(place.board), "draft", None).loaded.board.scenes]
