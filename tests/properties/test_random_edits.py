"""Whatever an author does and whatever breaks, the film is that of an empty store, and nothing runs in vain."""

from __future__ import annotations

from pathlib import Path

import pytest
from random_edits import run_one

PARTS = 20  # The sequences are spread over this many tests, for the cores to share.


@pytest.mark.parametrize("part", range(PARTS))
def test_two_hundred_sequences(tmp_path: Path, part: int) -> None:
    for seed in range(part, 200, PARTS):
        run_one(seed, tmp_path / str(seed), rounds=2, size=(64, 36))


@pytest.mark.parametrize("part", range(PARTS))
def test_at_full_size(tmp_path: Path, part: int) -> None:
    """Few and short scenes: a frame has two hundred times as many pixels."""
    run_one(1000 + part, tmp_path / "w", rounds=1, size=(1280, 720), scenes=2)
