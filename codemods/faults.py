"""Faults of the tool itself, turned into a message about the one file that showed them."""

from __future__ import annotations

import os

from codemods.outcome import Problem

_RULE = r"agl(\d{3})_\w+\.py$"


def fault(path: str, error: Exception) -> Problem:
    """What to tell of an exception that a rule or the engine raised over one file.

    With AGL_MIGRATE_TRACEBACK set in the environment it is raised again, for a bug report.
    """
    if os.environ.get("AGL_MIGRATE_TRACEBACK"):
        raise error
    import re
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    codes = [f"AGL{found[1]}" for f in frames if (found := re.search(_RULE, f.filename))]
    place = f" in rule {codes[-1]}" if codes else ""
    if isinstance(error, RecursionError):
        message = f"the code is nested too deeply{place}"
        return Problem(path, 0, message, "split the expression, or exclude the file")
    text = str(error) or type(error).__name__
    if "RewriteError" not in type(error).__name__:
        text = f"{type(error).__name__}: {text}"
    return Problem(
        path,
        0,
        f"internal fault{place}: {text}",
        "the file was left as it is; please report this",
    )
