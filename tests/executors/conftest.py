"""What every test of an executor stands on: a store; the backends that it runs are each file's own (`log`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.store import Store


@pytest.fixture
def store(tmp_path: Path, log: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "store")) as store:
        yield store
