"""Comments by which a user tells the tool to pass over a line or a file."""

from __future__ import annotations

import re

_LINE = re.compile(
    r"#\s*(?:agl-migrate:\s*ignore|noqa)(?:\s*[\[:]\s*(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)\]?)?",
    re.IGNORECASE,
)
_FILE = re.compile(r"^\s*#\s*agl-migrate:\s*skip-file\b", re.MULTILINE)


def skips_file(text: str) -> bool:
    """Whether a comment line asks to pass over the whole file."""
    return "agl-migrate" in text and _FILE.search(text) is not None


def suppressed(line: str, code: str) -> bool:
    """Whether a comment on `line` (a physical line of source) asks to pass over rule `code`.

    `# agl-migrate: ignore` and `# noqa` stand for every rule; with codes behind them
    (`# agl-migrate: ignore[AGL101]`, `# noqa: AGL101, E501`) for those only.
    """
    if "#" not in line:
        return False
    if line.lstrip().startswith("# TODO(agl-migrate "):
        return True  # what `run --todo` wrote says itself what is legacy
    for match in _LINE.finditer(line):
        codes = match.group("codes")
        if codes is None or code in codes.upper().replace(",", " ").split():
            return True
    return False
