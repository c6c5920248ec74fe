"""`python -m agentlightning_compat script.py args...`: an unmodified program on this runtime."""

from __future__ import annotations

import argparse
import sys

from agentlightning_compat.shim.running import run_program


def main(arguments: list[str] | None = None, name: str = "python -m agentlightning_compat") -> int:
    """Run the command line; 2 when it makes no sense, else the program decides."""
    parser = argparse.ArgumentParser(
        prog=name,
        description="Run a program that imports agentlightning on agentlightning-compat.",
    )
    parser.add_argument(
        "--as",
        dest="generation",
        choices=("0.1", "0.3"),
        default="0.3",
        help="the release whose meaning a name has that both have (%(default)s)",
    )
    parser.add_argument(
        "--shadow",
        action="store_true",
        help="also where a real agentlightning is installed",
    )
    parser.add_argument("-m", dest="module", action="store_true", help="the program is a module")
    parser.add_argument("program", help="a script, or with -m a module")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on to the program")
    known = parser.parse_args(arguments)
    try:
        run_program(
            [known.program, *known.arguments],
            as_=known.generation,
            shadow=known.shadow,
            module=known.module,
        )
    except FileNotFoundError as error:
        if error.errno is not None:
            raise
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
