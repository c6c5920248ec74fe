"""The same agents, hooks and results under the real 0.3.0: the same calls, the same spans."""

from __future__ import annotations

import inspect
import json
import logging
from functools import cache
from typing import Any

import pytest

import agentlightning_compat
from tests.oracles import run_in_oracle
from tests.runner import release_scenarios

pytestmark = pytest.mark.oracle

_MAIN = """
import agentlightning, types, agentlightning.types as kinds
names = types.SimpleNamespace(**{**vars(kinds), **vars(agentlightning)})
answer(run(names))
"""


@cache
def real() -> dict[str, Any]:
    # There it does not begin the program, where this would have to stand.
    source = inspect.getsource(release_scenarios).replace("from __future__ import annotations", "")
    return run_in_oracle("0.3.0", source + _MAIN)


@cache
def ours() -> dict[str, Any]:
    try:
        return json.loads(json.dumps(release_scenarios.run(agentlightning_compat)))
    finally:
        logging.disable(logging.NOTSET)


def scenarios() -> list[str]:
    steps = ("succeeds", "fails", "rubbish", "mixed")
    return [
        *release_scenarios.agents(agentlightning_compat),
        *(f"step {name}" for name in steps),
    ]


@pytest.mark.parametrize("scenario", scenarios())
def test_a_scenario(scenario):
    assert ours()[scenario] == real()[scenario]


def test_there_are_no_other_scenarios():
    assert set(scenarios()) == set(ours()) == set(real())


def test_the_comparison_compares_something():
    assert sum(len(found["spans"]) for found in real().values()) > 40
    assert [call[:2] for call in real()["returns float"]["hooks"]] == [
        [which, name]
        for name in ("on_rollout_start", "on_trace_start", "on_trace_end", "on_rollout_end")
        for which in ("first", "second")
    ]
