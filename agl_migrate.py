"""The command `agl-migrate`, also where the user's repository has a package `codemods` itself.

Importing this module loads our `codemods` by its location, so that neither PYTHONPATH nor the
current folder decides which one is meant. Worker processes come in here for the same reason.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codemods.libcst_command import MigrateCommand

__all__ = ["MigrateCommand", "main", "start_worker"]

_NAME = "codemods"


def _load_codemods() -> None:
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), _NAME)
    start = os.path.join(folder, "__init__.py")
    loaded = sys.modules.get(_NAME)
    if loaded is not None:
        if os.path.realpath(getattr(loaded, "__file__", None) or "") == os.path.realpath(start):
            return
        for name in [n for n in sys.modules if n == _NAME or n.startswith(_NAME + ".")]:
            del sys.modules[name]
    spec = importlib.util.spec_from_file_location(_NAME, start, submodule_search_locations=[folder])
    if spec is None or spec.loader is None:
        raise ImportError(f"agl-migrate is not installed completely: {start} is missing")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module
    spec.loader.exec_module(module)


_load_codemods()


def main() -> None:
    """Run the command line; exits with 0 (clean), 1 (findings) or 2 (error)."""
    if sys.argv[1:2] == ["serve"]:
        from agentlightning_compat.serving import main as serve

        sys.exit(serve(sys.argv[2:]))
    if sys.argv[1:2] == ["exec"]:
        from agentlightning_compat.__main__ import main as run_program

        sys.exit(run_program(sys.argv[2:], "agl-migrate exec"))
    from codemods.cli import main as run

    code = run(sys.argv[1:])
    # All is done and written; taking the syntax trees apart would be a twelfth of the time.
    atexit._run_exitfuncs()
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def __getattr__(name: str) -> object:
    if name == "MigrateCommand":
        from codemods.libcst_command import MigrateCommand

        return MigrateCommand
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def start_worker(payload: bytes) -> None:
    """Make a worker process ready."""
    from codemods.workers import start

    start(payload)


if __name__ == "__main__":
    main()
