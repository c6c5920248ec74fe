"""Access to real agentlightning releases, each installed in a virtual environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

VERSIONS = ("0.1.2", "0.2.2", "0.3.0")
_MARK = "\x1eoracle\x1e"

# Code for an oracle ends with `answer(value)`: what libraries print is kept out of the answer.
_PRELUDE = f"""
import json as _json, sys as _sys
def answer(value):
    _sys.__stdout__.write({_MARK!r} + _json.dumps(value) + "\\n")
    _sys.__stdout__.flush()
"""


class OracleError(RuntimeError):
    """The release is not installed, or the code that it was given failed."""


def oracle_python(version: str) -> Path:
    """The interpreter with this release installed.

    Looked for in `agl-<version>` under the folder that AGL_ORACLES names, else under
    `~/.cache/agl-oracles`. Raises `OracleError`: a test that asks for a release never passes
    without it.
    """
    root = Path(os.environ.get("AGL_ORACLES") or Path.home() / ".cache" / "agl-oracles")
    python = root / f"agl-{version}" / "bin" / "python"
    if not python.exists():
        raise OracleError(
            f"agentlightning {version} is not installed in {python.parent.parent}; "
            f"set AGL_ORACLES, or create it: python3.11 -m venv {python.parent.parent} and "
            f"{python} -m pip install 'agentlightning=={version}'"
        )
    return python


def oracle_package(version: str) -> Path:
    """The folder of the installed `agentlightning` package."""
    venv = oracle_python(version).parent.parent
    found = sorted(venv.glob("lib/python3*/site-packages/agentlightning"))
    if not found:
        raise OracleError(f"no agentlightning package in {venv}")
    return found[0]


def run_in_oracle(version: str, code: str, payload: Any = None, timeout: float = 300.0) -> Any:
    """Run code on a real release and return what it gave to `answer(value)`.

    `payload` reaches the code as JSON on standard input; `timeout` is in seconds. The code runs
    in an empty folder. Raises `OracleError` when it fails or does not answer.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    # Otherwise importing litellm waits for a download.
    environment["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    with tempfile.TemporaryDirectory(prefix="agl-oracle-") as folder:
        try:
            done = subprocess.run(
                [str(oracle_python(version)), "-c", _PRELUDE + code],
                input=json.dumps(payload),
                capture_output=True,
                text=True,
                cwd=folder,
                env=environment,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise OracleError(f"no answer from {version} in {timeout:g} s") from error
    _, mark, rest = done.stdout.rpartition(_MARK)
    if done.returncode or not mark:
        raise OracleError(f"{version} exited {done.returncode}: {done.stderr[-4000:]}")
    return json.loads(rest.splitlines()[0])
