"""Its presence puts this folder on the path, so that tests in the folders below import the kits beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine import backends, bench


@pytest.fixture(autouse=True)
def _no_stranger_stays() -> Iterator[None]:
    """What a test installed beside our backends is forgotten after it."""
    yield
    if any(not point.value.startswith("engine.") for point in backends.registered().values()):
        for remembered in (backends.registered, backends.find, bench.instance):
            remembered.cache_clear()
