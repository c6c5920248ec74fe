"""Whether a text is TOML: a file that its own tools cannot read is not one to edit."""

from __future__ import annotations

import importlib
import re
import sys

from codemods.source import SourceError

_PLACE = re.compile(r" \(at line (\d+), column \d+\)$")


def require_toml(path: str, text: str) -> None:
    """Raise SourceError, with the line, for a text that is no TOML."""
    tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        found = _PLACE.search(said)
        message = f"not valid TOML: {_PLACE.sub('', said)}"
        line = int(found[1]) if found else 0
        raise SourceError(path, line, message, "correct the file and run again") from None
