"""Whether a voice and a codec belong together, by what their configurations say of it, before either is loaded.

Codes of another rate would be spoken too high, too low, too fast or too slow, and no library would notice. How many
codebooks there are, and how large, is told by the weights, which do not fit then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# What a voice says of its codec: those that we trained, and some of NeMo's. All have its name as it was in training.
RATE, FRAME, NAME = "sample_rate", "codec_model_samples_per_frame", "codecmodel_path"
_KILOHERTZ, _FRAMES = re.compile(r"(\d+(?:\.\d+)?)khz", re.IGNORECASE), re.compile(r"(\d+(?:\.\d+)?)fps", re.IGNORECASE)


def facts(model: Any) -> dict[str, int]:
    """What a model that is in memory would say of its codec."""
    return {RATE: int(model.sample_rate), FRAME: int(model.codec_model_samples_per_frame)}


def misfit(voice: Mapping[str, Any], codec: Mapping[str, Any]) -> str:
    """Why a codec is not the one of a voice; empty where nothing says so."""
    rate, frame = codec.get(RATE), codec.get("samples_per_frame")
    if not isinstance(rate, int | float) or not isinstance(frame, int | float) or rate <= 0 or frame <= 0:
        return ""  # NeMo says what it lacks.
    has = (rate / 1000, rate / frame)
    wants, within = _exact(voice), (0.001, 0.001)
    if wants == (None, None):
        wants, within = _by_name(str(voice.get(NAME) or "")), (0.6, 0.06)  # "22khz" is 22.05, "21.5fps" 21.533.
    units = ("kHz", "frames a second")
    for want, there, most, unit in zip(wants, has, within, units, strict=True):
        if want is not None and abs(want - there) > most:
            return f"it speaks in codes of {want:g} {unit}, and the codec has {there:.4g}"
    return ""


def _exact(voice: Mapping[str, Any]) -> tuple[float | None, float | None]:
    rate, frame = voice.get(RATE), voice.get(FRAME)
    if not isinstance(rate, int) or rate <= 0:
        return None, None
    return rate / 1000, rate / frame if isinstance(frame, int) and frame > 0 else None


def _by_name(name: str) -> tuple[float | None, float | None]:
    """NVIDIA's codecs are called by their rates: nemo-nano-codec-22khz-1.89kbps-21.5fps."""
    found = (_KILOHERTZ.search(name.rpartition("/")[2]), _FRAMES.search(name.rpartition("/")[2]))
    khz, fps = (float(match[1]) if match is not None else None for match in found)
    return khz, fps
