"""What is known of the models that our profiles name, for those who do not have them yet; docs/models.md says the same.

Licences as the models' own cards state them. Parameters are counted from the published configurations, in billions.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Known(NamedTuple):
    """A model's licence, its parts' parameters in billions, and how much there is to download, in gigabytes.

    `files`: of a model that is read file by file, the gigabytes of each that counts; the first has its weights.
    """

    licence: str
    parts: Mapping[str, float]
    gated: bool = False  # Whether its terms must be accepted on its page before it can be fetched.
    download: float = 0.0  # 0: told when it is fetched, before anything is.
    files: Mapping[str, float] = MappingProxyType({})

    def weights(self, file: str) -> bool:
        """Whether a file is the one that a model's parts come from."""
        return bool(self.parts) and file == next(iter(self.files), None)

    def size(self, file: str) -> float:
        """Gigabytes to download of a model, or of one file of it; 0 where nobody has told."""
        return self.files.get(file, 0.0) if self.files else self.download


_FLUX = {"transformer": 11.9, "text_encoder_2": 4.76, "text_encoder": 0.123, "vae": 0.084}
# The VAE is a model of its own, but never without the U-Net; Whisper's encoder has 8 million.
_LIPS = Known(
    "OpenRAIL++", {"unet": 1.267, "vae": 0.084}, files={"latentsync_unet.pt": 5.07, "whisper/tiny.pt": 0.0756}
)
KNOWN: Mapping[str, Known] = {
    "black-forest-labs/FLUX.1-dev": Known("FLUX.1 [dev] Non-Commercial", _FLUX, gated=True, download=33.7),
    "black-forest-labs/FLUX.1-schnell": Known("Apache 2.0", _FLUX, gated=True, download=33.7),
    "Wan-AI/Wan2.1-I2V-14B-480P-Diffusers": Known(
        "Apache 2.0", {"transformer": 16.4, "text_encoder": 5.68, "image_encoder": 0.632, "vae": 0.127}
    ),
    "Wan-AI/Wan2.2-TI2V-5B-Diffusers": Known("Apache 2.0", {"transformer": 5.0, "text_encoder": 5.68, "vae": 0.705}),
    "nvidia/magpie_tts_multilingual_357m": Known("NVIDIA Open Model License", {"voice": 0.357}, download=1.5),
    "ByteDance/LatentSync-1.6": _LIPS,
    "ByteDance/LatentSync-1.5": _LIPS,
    "stabilityai/sd-vae-ft-mse": Known("MIT", {}, files={"diffusion_pytorch_model.safetensors": 0.335}),
}
