from __future__ import annotations

import pytest

from tests.coroutines import pytest_pyfunc_call  # noqa: F401
from tests.http.real.peers import real_server


@pytest.fixture(scope="session")
def real_peer(tmp_path_factory):
    """The server of 0.3.0: one for all tests, for it takes longer to start than most of them."""
    with real_server(tmp_path_factory.mktemp("real")) as peer:
        yield peer
