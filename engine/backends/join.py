"""Joins scenes into a film: checks that they fit, lays their bytes out side by side, and writes what goes with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BackendError
from ..kinds import PACKET, SAMPLE_RATE, Inputs, Tell, first_sample, rate
from . import aac, captions, loudness, mp4_read, mp4_words, mp4_write, youtube
from .boxes import Malformed
from .captions import Cue
from .poster import draw
from .tracks import Part, chunks, tracks

AGAIN = "Run `mikebot verify`, which finds what is damaged."


def make(params: Any, inputs: Inputs, out: Path, tell: Tell) -> None:
    """Write film, vtt, srt, poster, loudness and the text for YouTube."""
    fps = rate(params.fps)
    parts = list(_parts(params, inputs, fps, _share(tell, 0, 30)))
    cues = [cue for part in parts for cue in part.cues]
    (out / "vtt").write_text(captions.vtt(cues), encoding="utf-8", newline="\n")
    (out / "srt").write_text(captions.srt(cues), encoding="utf-8", newline="\n")
    report = _loudness(params, inputs.many("levels"), fps)
    said = youtube.text(params.title, params.chapters, params.frames, fps, params.source)
    (out / "youtube").write_text(said, encoding="utf-8", newline="\n")
    (out / "loudness").write_text(json.dumps(report, sort_keys=True, separators=(",", ":")), encoding="utf-8")
    tell.progress(40, 100)
    _film(params, parts, fps, out / "film", _share(tell, 40, 90))
    head = dict(params.joints).get(params.poster, 0)
    draw(parts[params.poster].videos[-1].path, params.frames[params.poster] - head, out / "poster", params.quality)
    tell.progress(100, 100)


def _parts(params: Any, inputs: Inputs, fps: Fraction, said: Callable[[int, int], None]) -> Iterator[Part]:
    videos, packets = inputs.many("scene"), inputs.many("packets")
    counts = {len(params.frames), len(params.chapters), len(videos), len(packets), len(inputs.many("levels"))}
    if len(counts) > 1 or not videos or len(params.spoken) != len(inputs.many("timing")):
        raise BackendError("the film was not given a picture, a sound and a title for each scene", "Plan it again.")
    timings = dict(zip(params.spoken, inputs.many("timing"), strict=True))
    if len(params.joints) != len(inputs.many("joint")):
        raise BackendError("the film was not given every joint", "Plan it again.")
    heads = dict(params.joints)
    joints = dict(zip(heads, inputs.many("joint"), strict=True))
    first: mp4_read.Video | None = None
    start = 0
    for index, (path, frames) in enumerate(zip(videos, params.frames, strict=True)):
        said(index, len(videos))
        head = heads.get(index, 0)
        pictures = [_video(path, f"scene {index + 1}", frames - head, params, fps)]
        if head:
            pictures.insert(0, _video(joints[index], f"the joint into scene {index + 1}", head, params, fps))
        first = first or pictures[-1]
        for video in pictures:
            if (video.entry, video.timescale, video.delta) != (first.entry, first.timescale, first.delta):
                raise BackendError(
                    f"scene {index + 1} is not encoded like scene 1, so they cannot be joined",
                    "Render every scene with one version of the scene backend: raise its version to make them again.",
                )
        begin, end = first_sample(start, fps), first_sample(start + frames, fps)
        sound = aac.read(packets[index])
        if (sound.phase, sound.samples) != (begin % PACKET, end - begin):
            raise BackendError(f"the sound of scene {index + 1} was made for another place or length", "Plan it again.")
        shown = _cues(timings[index], begin, end) if index in timings else []
        yield Part(start, begin, end, tuple(pictures), sound, packets[index], params.chapters[index], shown)
        start += frames


def _video(path: Path, what: str, frames: int, params: Any, fps: Fraction) -> mp4_read.Video:
    try:
        video = mp4_read.read(path)
    except Malformed as fault:
        raise BackendError(f"{what} is not an MP4 that can be joined: {fault}", AGAIN) from fault
    found = Fraction(video.timescale, video.delta)
    if (video.width, video.height, found) != (params.width, params.height, fps):
        raise BackendError(
            f"{what} is {video.width}x{video.height} at {found} frames a second, "
            f"the film {params.width}x{params.height} at {fps}",
            "The scene's backend must make the size and rate that it is asked for.",
        )
    if len(video.sizes) != frames:
        raise BackendError(f"{what} has {len(video.sizes)} frames, the film wants {frames}", "Plan it again.")
    return video


def _cues(timing: Path, begin: int, end: int) -> list[Cue]:
    said = json.loads(timing.read_bytes())
    found = captions.cues(said["words"], said["rate"], (end - begin) * said["rate"] // SAMPLE_RATE)
    return [Cue(cue.start + begin, min(cue.end + begin, end), cue.lines) for cue in found if cue.start < end - begin]


def _film(params: Any, parts: Sequence[Part], fps: Fraction, path: Path, said: Callable[[int, int], None]) -> None:
    starts = [round(Fraction(part.start * 10_000_000) / fps) for part in parts]
    extras = (
        mp4_words.udta(params.title, params.chapters, starts),
        mp4_words.xmp(params.title, params.language, params.source),
    )
    soft = params.captions == "soft" and any(part.cues for part in parts)
    written = tracks(params, parts, soft)
    pieces = list(chunks(parts, round(fps), soft))
    mp4_write.write(path, written, pieces, parts[0].videos[-1].timescale, extras, said)


def _loudness(params: Any, levels: Sequence[Path], fps: Fraction) -> dict[str, Any]:
    """What was measured: of the film, and of each scene by itself; null for silence."""
    scenes: list[dict[str, float | None]] = []
    parts: list[loudness.Part] = []
    start, peak = 0, 0.0
    for path, frames in zip(levels, params.frames, strict=True):
        found = json.loads(path.read_bytes())
        begin = first_sample(start, fps)
        parts.append(loudness.Part(begin, found["samples"], np.array(found["energies"], np.float64)))
        peak = max(peak, found["true_peak"])
        scenes.append({"integrated": found["integrated"], "true_peak": _decibels(found["true_peak"])})
        start += frames
    whole = loudness.integrated(loudness.combined(parts, first_sample(start, fps)))
    return {
        "integrated": None if whole is None else round(whole, 3),
        "scenes": scenes,
        "true_peak": _decibels(peak),
    }


def _decibels(magnitude: float) -> float | None:
    found = loudness.decibels(magnitude)
    return None if found is None else round(found, 3)


def _share(tell: Tell, start: int, end: int) -> Callable[[int, int], None]:
    """Progress of a part of the work, told as a part of the whole."""
    return lambda done, total: tell.progress(start + (end - start) * done // max(1, total), 100)
