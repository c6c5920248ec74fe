"""One text file while it is looked at: what was seen in it, and what becomes of it."""

from __future__ import annotations

import bisect
import copy
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from codemods.finding import Applicability, Finding
from codemods.formats.asked import Asked
from codemods.suppress import suppressed

_LINE_END = re.compile(r"\r\n|\r|\n")
_WITHIN_LINE = re.compile(r"[^\r\n]+")
MENTION = "AGL122"


class Spot(NamedTuple):
    """Something legacy at `text[start:end]`; `new` is the text for it, None for a person's work.

    With `at`, the new text is put there and the range is kept as it is.
    """

    start: int
    end: int
    code: str
    message: str
    new: str | None = None
    reason: str = ""
    applicability: Applicability = "review"
    symbol: str = ""
    at: int | None = None


class Page:
    """The text of a file, with the findings and edits that were made so far.

    A place belongs to who asks for it first: spots that overlap an earlier one are dropped.
    `whole` is the file's text; `text` is what of it can be seen, blanks elsewhere.
    """

    def __init__(self, shown: str, text: str, asked: Asked) -> None:
        self.shown = shown
        self.text = text
        self.whole = text
        self.asked = asked
        self._codes = frozenset(rule.code for rule in asked.rules)
        self._starts = [0, *(found.end() for found in _LINE_END.finditer(text))]
        self._findings: list[Finding] = []
        self._edits: list[tuple[int, int, str]] = []
        self._taken: list[tuple[int, int]] = []
        self._said: set[str] = set()

    def within(self, spans: Iterable[tuple[int, int]], plain: Callable[[str], str] = str) -> Page:
        """A view of the page that shows only some places, ordered, with blanks around them.

        What is added to it is added to the page. `plain` makes the text of a place readable
        without changing its length.
        """
        pieces: list[str] = []
        position = 0
        for start, end in spans:
            pieces += [_blanked(self.text[position:start]), plain(self.text[start:end])]
            position = end
        pieces.append(_blanked(self.text[position:]))
        view = copy.copy(self)
        view.text = "".join(pieces)
        return view

    def wants(self, code: str) -> bool:
        """Whether the rule is among those of the run."""
        return code in self._codes

    def is_first(self, what: str) -> bool:
        """Whether this is asked for the first time, of what is said once in a file."""
        if what in self._said:
            return False
        self._said.add(what)
        return True

    def is_free(self, start: int, end: int) -> bool:
        """Whether nothing was said about a place yet."""
        at = bisect.bisect_left(self._taken, (start, end))
        before = at == 0 or self._taken[at - 1][1] <= start
        return before and (at == len(self._taken) or end <= self._taken[at][0])

    def add(self, spots: Iterable[Spot]) -> None:
        """Report some places, and change them where they have a new text."""
        for spot in spots:
            if spot.at is not None or self.is_free(spot.start, spot.end):
                self._add(spot)

    def _add(self, spot: Spot) -> None:
        if spot.at is None:
            bisect.insort(self._taken, (spot.start, spot.end))
        if not self.wants(spot.code) or suppressed(self.line(spot.start), spot.code):
            return
        fixable = spot.new is not None
        fixed = fixable and (not self.asked.safe_only or spot.applicability == "safe")
        line, column = self.position(spot.start)
        end_line, end_column = self.position(spot.end)
        self._findings.append(
            Finding(
                path=self.shown,
                line=line,
                column=column,
                end_line=end_line,
                end_column=end_column,
                code=spot.code,
                message=spot.message,
                applicability=spot.applicability if fixable else "manual",
                fixable=fixable,
                reason=spot.reason,
                fixed=fixed,
                symbol=spot.symbol,
            )
        )
        if fixed and spot.new is not None:
            place = (spot.start, spot.end) if spot.at is None else (spot.at, spot.at)
            self._edits.append((*place, spot.new))

    def embed(self, findings: Iterable[Finding], edits: Iterable[tuple[int, int, str]]) -> None:
        """Take in what the Python rules said of code inside the file, its places translated."""
        for finding in findings:
            if finding.code != MENTION or self.is_first(finding.symbol):
                self._findings.append(finding._replace(path=self.shown))
        self._edits += edits

    def line(self, offset: int) -> str:
        """The line around a place, without its end."""
        index = bisect.bisect_right(self._starts, offset) - 1
        start = self._starts[index]
        last = self._starts[index + 1] if index + 1 < len(self._starts) else len(self.whole)
        return self.whole[start:last].rstrip("\r\n")

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a place, both from 1."""
        line = bisect.bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def start_of(self, line: int) -> int:
        """Where a line (from 1) begins."""
        return self._starts[line - 1]

    def result(self) -> tuple[tuple[Finding, ...], str | None]:
        """All findings by place, and the new text if there is one."""
        findings = tuple(sorted(self._findings, key=lambda f: (f.line, f.column, f.code)))
        if not self._edits:
            return findings, None
        pieces: list[str] = []
        position = 0
        for start, end, new in sorted(self._edits, key=lambda edit: edit[:2]):
            pieces += [self.whole[position:start], new]
            position = end
        pieces.append(self.whole[position:])
        text = "".join(pieces)
        return findings, None if text == self.whole else text


def _blanked(text: str) -> str:
    return _WITHIN_LINE.sub(lambda found: " " * (found.end() - found.start()), text)
