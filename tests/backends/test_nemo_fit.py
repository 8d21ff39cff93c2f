"""A codec of another rate than the voice's own is found before anything is loaded, and told in words.

Archives without weights: their configurations are enough.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_nemo_archive import archive, config

from engine.backends import nemo_model
from engine.backends.nemo import Nemo, NemoParams
from engine.backends.nemo_archive import CODEC
from engine.backends.nemo_fit import misfit
from engine.errors import BackendError

NANO = "nvidia/nemo-nano-codec-22khz-1.89kbps-21.5fps"
CODECS = {
    "its own": ({"sample_rate": 22050, "samples_per_frame": 1024}, ""),
    "another rate": (
        {"sample_rate": 44100, "samples_per_frame": 2048},
        "it speaks in codes of {khz} kHz, and the codec has 44.1",
    ),
    "another frame rate": (
        {"sample_rate": 22050, "samples_per_frame": 512},
        "it speaks in codes of {fps} frames a second, and the codec has 43.07",
    ),
    "nothing that is told": ({"sample_rate": "high"}, ""),
}
VOICES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "by the name": ({"codecmodel_path": NANO}, {"khz": "22", "fps": "21.5"}),
    "by its path": ({"codecmodel_path": "codecs/nano-22khz-21.5fps.nemo"}, {"khz": "22", "fps": "21.5"}),
    "by figures": ({"sample_rate": 22050, "codec_model_samples_per_frame": 1024}, {"khz": "22.05", "fps": "21.5332"}),
}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("voice", VOICES)
def test_a_codec_is_held_against_what_the_voice_says_of_it(voice: str, codec: str) -> None:
    (said, figures), (has, why) = VOICES[voice], CODECS[codec]
    assert misfit(said, has) == why.format(**figures)


@pytest.mark.parametrize("said", [{}, {"codecmodel_path": "codec.nemo"}, {"codecmodel_path": None}])
def test_a_voice_that_says_nothing_of_its_codec_takes_any(said: dict[str, Any]) -> None:
    assert all(misfit(said, has) == "" for has, _ in CODECS.values())


def test_it_is_told_before_a_film_runs_and_when_a_voice_of_the_persona_s_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIKEBOT_MODELS", str(tmp_path))
    for name in ("magpie", "codec"):
        (tmp_path / name).mkdir()
    voice = archive(tmp_path / "magpie" / "magpie.nemo", config(codecmodel_path=NANO))
    wrong = {"target": CODEC, "sample_rate": 44100, "samples_per_frame": 512}
    codec = archive(tmp_path / "codec" / "codec.nemo", wrong)
    why = "it speaks in codes of 22 kHz, and the codec has 44.1"
    told = f"codec is not the codec of magpie: {why}. Name the one that it was trained with."
    assert Nemo().check(NemoParams(text="Hi.", model="magpie", codec="codec")) == [told]
    with pytest.raises(BackendError) as refused:
        nemo_model.opened(voice, codec, tmp_path / "into")
    hint = "Name the one that it was trained with."
    assert str(refused.value) == f"codec.nemo is not the codec of magpie.nemo: {why}\n  {hint}"
