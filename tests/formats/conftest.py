"""The fixtures of the command's own tests."""

from tests.cli.conftest import invoke, work

__all__ = ["invoke", "work"]
