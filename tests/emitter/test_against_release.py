"""The same emitters under the real 0.3.0: the same spans, and the same read from them."""

from __future__ import annotations

import inspect
import json
import logging
import warnings
from functools import cache
from typing import Any

import pytest

import agentlightning_compat
from tests.emitter import release_scenarios
from tests.oracles import run_in_oracle

pytestmark = pytest.mark.oracle

_MAIN = """
import agentlightning
answer(run(agentlightning))
"""


@cache
def real() -> dict[str, Any]:
    # There it does not begin the program, where this would have to stand.
    source = inspect.getsource(release_scenarios).replace("from __future__ import annotations", "")
    return run_in_oracle("0.3.0", source + _MAIN)


@cache
def ours() -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            return json.loads(json.dumps(release_scenarios.run(agentlightning_compat)))
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.parametrize("scenario", release_scenarios.SCENARIOS, ids=lambda text: text[-40:])
def test_a_scenario(scenario):
    assert ours()[scenario] == real()[scenario]


def test_the_comparison_compares_something():
    assert sum(len(found["spans"]) for found in real().values()) > 40
    assert sum(found["rewards"] for found in real().values()) > 10
