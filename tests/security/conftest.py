"""One real engine for the attacks of a whole test process, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.chdb_engine import EngineProcess


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    process = EngineProcess(tmp_path_factory.mktemp("engine"))
    yield process
    process.close()
