from __future__ import annotations

import pytest

from tests.coroutines import pytest_pyfunc_call  # noqa: F401


@pytest.fixture(autouse=True)
def spool(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("AGL_SPOOL", str(tmp_path / "spool"))
