"""Runs a program with `agentlightning` served from here, as Python itself would run it."""

from __future__ import annotations

import importlib
import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from agentlightning_compat.shim import Generation, install

_STARTUP = Path(__file__).with_name("startup")


def run_program(
    arguments: Sequence[str], *, as_: Generation = "0.3", shadow: bool = False, module: bool = False
) -> None:
    """Run a script, or with `module` a module, with its arguments; it ends as the program does.

    Processes that the program starts have the shim, too.

    Raises:
        FileNotFoundError: there is no such script.
    """
    program = arguments[0]
    if not module and not os.path.exists(program):
        raise FileNotFoundError(f"there is no {program}")
    if install(as_, shadow=shadow):
        _hand_down(as_)
    else:
        real = importlib.import_module("agentlightning")
        version = getattr(real, "__version__", "of an unknown version")
        print(
            f"agentlightning {version} is installed and is what {program} runs on;"
            " --shadow serves agentlightning-compat instead",
            file=sys.stderr,
        )
    sys.argv = list(arguments)
    if module:
        sys.path.insert(0, os.getcwd())
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, os.path.dirname(os.path.abspath(program)))
        runpy.run_path(program, run_name="__main__")


def _hand_down(as_: str) -> None:
    os.environ["AGL_SHIM"] = as_
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if str(_STARTUP) not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(_STARTUP), *filter(None, paths)])
