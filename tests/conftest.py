"""Set-up that all tests share."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.oracle_venvs import build_missing

# The same examples in every run, so that a change is judged by what it changes. New examples:
# pytest --hypothesis-profile explore
_slow = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("steady", derandomize=True, **_slow)
settings.register_profile("explore", **_slow)
settings.load_profile("steady")


# A shell that starts the tests in the background has interrupts ignored, in all their children too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Install the real releases when a test that was chosen needs one."""
    chosen = any(item.get_closest_marker("oracle") for item in session.items)
    if chosen and not session.config.option.collectonly:
        build_missing()
