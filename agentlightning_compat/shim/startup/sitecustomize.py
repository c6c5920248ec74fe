"""Installs the shim in processes that a program under it starts; see `shim/running.py`.

It stands at the head of PYTHONPATH there, in front of a `sitecustomize` that may be the user's.
"""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec


def _run_the_one_behind() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    others = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


_run_the_one_behind()
if os.environ.get("AGL_SHIM"):
    from agentlightning_compat.shim import install

    install(os.environ["AGL_SHIM"], shadow=True)  # type: ignore[arg-type]
