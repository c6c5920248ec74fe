"""What legacy API a program really ran, merged with what is seen in its source.

The report has a JSON object a line, `{"symbol", "file", "line", "count"}`; lines of the same use
add up, since every process of a program writes its own.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from codemods.finding import Finding
from codemods.outcome import FileOutcome, Note, Outcome
from codemods.suppress import skips_file, suppressed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CODE = "AGL401"
_TYPES = {"symbol": str, "file": str, "line": int, "count": int}


class UsageError(ValueError):
    """A report that cannot be read, or has lines that are no uses; the text says which."""


class Use(NamedTuple):
    """A legacy name at a line of a file, of which `file` is the real path."""

    file: str
    line: int
    symbol: str


def read(path: str) -> dict[Use, int]:
    """How often each use of a report happened.

    Raises:
        UsageError: there is no such file, or it is no report.
    """
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{path}: the usage report cannot be read: {what}") from None
    counts: Counter[Use] = Counter()
    for number, line in enumerate(lines, 1):
        if line.strip():
            use, count = _parsed(line, f"{path}:{number}")
            counts[use] += count
    return dict(counts)


def _parsed(line: str, place: str) -> tuple[Use, int]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise UsageError(f"{place}: this line of the usage report is no JSON") from None
    fields = value if isinstance(value, dict) else {}
    for name, kind in _TYPES.items():
        if type(fields.get(name)) is not kind or (kind is int and fields[name] < 1):
            raise UsageError(f"{place}: this line of the usage report has no sound {name!r}")
    use = Use(os.path.realpath(fields["file"]), fields["line"], fields["symbol"])
    return use, fields["count"]


def merged(
    outcome: Outcome, uses: Mapping[Use, int], paths: Sequence[str], asked: Callable[[str], bool]
) -> Outcome:
    """The outcome with how often its findings ran, and with the uses that none stands for.

    `paths` are those that were looked at: of uses elsewhere a note only says how many there are.
    `asked` is whether uses without a finding are asked for in a file.
    """
    known = {os.path.realpath(file.real): file for file in outcome.files}
    places = [os.path.realpath(path) for path in paths]
    by_file: dict[str, dict[Use, int]] = {}
    elsewhere: list[str] = []
    for use, count in uses.items():
        if _is_below(use.file, places) and os.path.isfile(use.file):
            by_file.setdefault(use.file, {})[use] = count
        else:
            elsewhere.append(use.file)
    for real, found in by_file.items():
        file = known.get(real) or _unseen(real)
        file = _with_uses(file, found, reports_new=asked(real))
        if file.findings:
            known[real] = file
    notes = [
        Note(file, f"ran {times(n)} of the legacy API, and is not among the files looked at")
        for file, n in sorted(Counter(elsewhere).items())
    ]
    files = tuple(sorted(known.values(), key=lambda file: file.path))
    return outcome._replace(files=files, notes=(*outcome.notes, *notes))


def times(count: int) -> str:
    """`1 use`, `2 uses`."""
    return "1 use" if count == 1 else f"{count} uses"


def _is_below(file: str, places: Sequence[str]) -> bool:
    if f"{os.sep}site-packages{os.sep}" in file:
        return False
    return any(file == place or file.startswith(os.path.join(place, "")) for place in places)


def _unseen(real: str) -> FileOutcome:
    shown = os.path.relpath(real)
    shown = real if shown.startswith(os.pardir) else shown
    with open(real, "rb") as file:
        return FileOutcome(shown, real, (), file.read())


def _with_uses(file: FileOutcome, uses: Mapping[Use, int], *, reports_new: bool) -> FileOutcome:
    ran: dict[Finding, int] = {}
    fresh: list[Finding] = []
    text = file.before.decode("utf-8", "replace")
    lines = text.splitlines()
    for use, count in sorted(uses.items()):
        stands = _standing(file.findings, use)
        for finding in stands:
            # A class that is named and called in a line is two uses, and ran once.
            ran[finding] = max(ran.get(finding, 0), count)
        line = lines[use.line - 1] if use.line <= len(lines) else ""
        quiet = skips_file(text) or suppressed(line, CODE)
        if reports_new and not stands and not quiet:
            fresh.append(_seen_only(file.path, use, count, line))
    old = [_told(finding, ran[finding]) if finding in ran else finding for finding in file.findings]
    return file._replace(findings=tuple(sorted([*old, *fresh])))


def _standing(findings: Sequence[Finding], use: Use) -> list[Finding]:
    """The findings on the line of a use: those of its name, if there are any, else all."""
    here = [f for f in findings if f.line <= use.line <= f.end_line]
    name = use.symbol.rpartition(".")[2]
    return [f for f in here if f.symbol.rpartition(".")[2] == name] or here


def _often(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _told(finding: Finding, count: int) -> Finding:
    return finding._replace(message=f"{finding.message}; ran {_often(count)}", ran=count)


def _seen_only(path: str, use: Use, count: int, line: str) -> Finding:
    column = len(line) - len(line.lstrip()) + 1
    return Finding(
        path,
        use.line,
        column,
        use.line,
        max(column, len(line.rstrip()) + 1),
        CODE,
        f"`{use.symbol}` is legacy; ran {_often(count)}",
        "manual",
        fixable=False,
        reason="only seen when running",
        symbol=use.symbol,
        ran=count,
    )
