"""Recordings and models that listen, made once for all tests of a process."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_hearing
from speech_kit import DOORS, FIREWALL, take


@pytest.fixture(scope="session")
def takes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two good recordings with their texts; to be copied by who changes anything."""
    folder = tmp_path_factory.mktemp("takes")
    take(folder, "firewall", FIREWALL)
    take(folder, "doors", DOORS)
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for MIKEBOT_MODELS with a Whisper and a model that tells speakers apart."""
    folder = tmp_path_factory.mktemp("models")
    tiny_hearing.build(folder)
    return folder
