from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.legacy.adapter.server import LegacyServer
from tests.store.conftest import pytest_pyfunc_call  # noqa: F401, coroutine tests


@pytest.fixture
def server() -> Iterator[LegacyServer]:
    with LegacyServer() as made:
        yield made


@pytest.fixture(autouse=True)
def spool(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("AGL_SPOOL", str(tmp_path / "spool"))
