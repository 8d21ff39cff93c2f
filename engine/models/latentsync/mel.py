"""The log-mel picture of a sound, as Whisper was trained on it (specification, section 5, points 1 and 2)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from transformers.audio_utils import mel_filter_bank

RATE = 16_000  # Samples a second.
HOP = 160  # Samples a frame: 100 frames a second.
_SPAN = 400  # Samples of a Fourier transform.
_MIRRORED = _SPAN // 2 + 1  # Samples that a sound needs, or its ends cannot be mirrored: silence stands for what lacks.


def sound_of(pcm: NDArray[np.int16]) -> Tensor:
    """Mono 16-bit samples at 16 kHz -> 32-bit numbers in -1..1."""
    return torch.from_numpy(pcm.astype(np.float32)) / 32768


def log_mel(sound: Tensor, mels: int = 80) -> Tensor:
    """(samples,) at 16 kHz in -1..1 -> (mels, samples // 160), of the whole sound: its loudest sets the floor."""
    frames = len(sound) // HOP
    heard = functional.pad(sound, (0, max(_MIRRORED - len(sound), 0)))
    window = torch.hann_window(_SPAN, device=sound.device)
    waves = torch.stft(heard, _SPAN, HOP, window=window, pad_mode="reflect", return_complex=True)
    power = _filters(mels).to(sound.device).T @ waves[:, :frames].abs().square()
    loudness = power.clamp(min=1e-10).log10()
    floor = loudness.max() - 8 if frames else 0
    return (loudness.clamp(min=floor) + 4) / 4


def _filters(mels: int) -> Tensor:
    """(201, mels), each of area one on Slaney's scale."""
    bank = mel_filter_bank(_SPAN // 2 + 1, mels, 0.0, RATE / 2, RATE, norm="slaney", mel_scale="slaney")
    return torch.from_numpy(bank.astype(np.float32))
