"""The author's recording: decoded to 48 kHz mono, framed in silence, its words spread over what is heard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .. import probe
from ..kinds import SAMPLE_RATE, Tell
from .espeak_text import tokens
from .heard import WINDOW, voiced
from .joining import FADE, Interval, Sound


def decoded(path: Path, tell: Tell, rate: int = SAMPLE_RATE) -> Sound:
    """All of the first sound stream, mono. Raises Unreadable."""
    import av

    sounds: list[Sound] = []
    with probe.open_media(path, probe.AUDIO_HINT) as container:
        stream = container.streams.audio[0]
        stream.codec_context.thread_count = 1
        resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
        for frame in container.decode(stream):
            sounds += [part.to_ndarray()[0] for part in resampler.resample(frame)]
            tell.progress(0, 1)
        sounds += [part.to_ndarray()[0] for part in resampler.resample(None)]
    if not sum(map(len, sounds)):
        raise probe.Unreadable("it is empty: nothing in it can be heard", probe.CUT)
    return np.concatenate(sounds).astype(np.int16)


def framed(sound: Sound, quiet: float) -> Sound:
    """Zeros at both ends, as many as are missing; a short fade where the recording itself begins and ends."""
    wanted = round(quiet * SAMPLE_RATE)
    heard = np.flatnonzero(sound)
    head, tail = (int(heard[0]), len(sound) - 1 - int(heard[-1])) if len(heard) else (len(sound), len(sound))
    faded = sound.astype(np.float32)
    ramp = np.linspace(0, 1, min(FADE, len(sound)), dtype=np.float32)
    if head < wanted:
        faded[: len(ramp)] *= ramp
    if tail < wanted:
        faded[len(faded) - len(ramp) :] *= ramp[::-1]
    ends = [np.zeros(max(0, wanted - there), np.float32) for there in (head, tail)]
    whole: Sound = np.rint(np.concatenate([ends[0], faded, ends[1]])).astype(np.int16)
    return whole


def timing(text: str, sound: Sound) -> dict[str, Any]:
    """Words spread over the windows in which something is heard, in proportion to their characters."""
    heard = np.flatnonzero(voiced(sound))
    audible = (heard if len(heard) else np.arange(max(1, len(sound) // WINDOW))) * WINDOW
    parts = tokens(text)
    weights = np.cumsum([0, *(max(1, len(part.strip())) for part in parts)])
    edges = [int(weight * len(audible) // max(1, weights[-1])) for weight in weights]
    words: list[Interval] = []
    for part, first, after in zip(parts, edges, edges[1:], strict=False):
        start = int(audible[min(first, len(audible) - 1)])
        end = int(audible[max(first, after - 1)]) + WINDOW if after > first else start
        words.append((start, min(end, len(sound)), part))
    return {"rate": SAMPLE_RATE, "samples": len(sound), "words": words, "phones": []}
