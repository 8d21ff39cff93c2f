"""Where tiny models lie, as MIKEBOT_MODELS names it: several tests of one process each bring their own."""

from __future__ import annotations

import os
from pathlib import Path


def name(folder: Path) -> Path:
    """Make the models of a folder found before all others; what else was named stays."""
    others = [
        place for place in os.environ.get("MIKEBOT_MODELS", "").split(os.pathsep) if place not in {"", str(folder)}
    ]
    os.environ["MIKEBOT_MODELS"] = os.pathsep.join([str(folder), *others])
    return folder
