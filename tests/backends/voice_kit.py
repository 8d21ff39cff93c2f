"""Recordings whose words are known to the millisecond, because espeak-ng spoke them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.backends import joining
from engine.backends.espeak import Espeak, EspeakParams
from engine.kinds import Inputs

FIREWALL = (
    "Every second, strangers knock on your computer's door.",
    "A firewall reads each packet, and asks one question: may you come in?",
    "Port 443 is open for the web, but nobody else gets through.",
    "The quick brown fox jumps over the lazy dog while twenty-three routers hum.",
    "Today Kubernetes, Wireshark and ARPANET's heirs — few of them known — do the rest.",
)
TUER = (
    "Jede Sekunde klopfen Fremde an die Tür deines Rechners.",
    "Eine Firewall liest jedes Paket, und stellt eine Frage: Darfst du herein?",
    "Das geht schnell, und es kostet wenig.",
)


class Deaf:
    def progress(self, done: int, total: int) -> None:
        assert 0 <= done <= total


def spoken(folder: Path, sentences: tuple[str, ...], pause: float = 0.4, **voice: Any) -> tuple[Any, dict[str, Any]]:
    """48 kHz samples with a little noise, and the true timing."""
    pieces, speaker = [], Espeak()
    for number, text in enumerate(sentences):
        out = folder / f"said{number}"
        out.mkdir(parents=True, exist_ok=True)
        speaker.run(EspeakParams(text, **voice), Inputs(), out, Deaf())
        pieces.append(joining.piece(out / "audio", out / "timing"))
    sound, timing = joining.join(pieces, 0.4, pause, 0.5)
    noise = np.random.default_rng(7).normal(0, 20, len(sound))
    return np.clip(np.rint(sound + noise), -32768, 32767).astype(np.int16), timing
