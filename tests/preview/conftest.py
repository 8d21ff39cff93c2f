"""One session and one server for each file of tests; after each test it answers, and asyncio never complained."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kit import Told, lives

from engine.preview.server import Server


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return Told(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def server(live: Told) -> Iterator[Server]:
    with Server(live) as started:
        yield started


@pytest.fixture(autouse=True)
def _it_goes_on(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    if "server" in request.fixturenames:
        request.getfixturevalue("live").failure = None
        assert lives(request.getfixturevalue("server"))
    assert [record.getMessage() for record in caplog.get_records("call") if record.name == "asyncio"] == []
