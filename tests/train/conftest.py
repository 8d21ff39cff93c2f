"""Recordings that are good, made once for all tests of a process: espeak-ng takes its time."""

from __future__ import annotations

from pathlib import Path

import pytest
from speech_kit import DOORS, FIREWALL, take


@pytest.fixture(scope="session")
def takes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two good recordings with their texts; to be copied by who changes anything."""
    folder = tmp_path_factory.mktemp("takes")
    take(folder, "firewall", FIREWALL)
    take(folder, "doors", DOORS)
    return folder
