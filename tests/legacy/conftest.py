"""Runs the scripts in `real/` under a real agentlightning and gives their findings to the tests."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.oracles import oracle_python

_ROOT = Path(__file__).parents[2]
_SCRIPTS = Path(__file__).parent / "real"
_SECONDS = 300


@cache
def _findings(name: str) -> dict[str, Any]:
    # Otherwise importing litellm waits for a download.
    quick = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    environment = {**os.environ, **quick, "PYTHONPATH": str(_ROOT)}
    run = subprocess.run(
        # -P: a script's neighbours must not stand in for modules that agentlightning imports.
        [oracle_python("0.3.0"), "-P", _SCRIPTS / f"{name}.py"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    found["log"] = run.stderr
    return found


@pytest.fixture
def real() -> Callable[[str], dict[str, Any]]:
    """Return what a script in `real/` found; a script runs once per test run."""
    return _findings
