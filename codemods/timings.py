"""Where the time of a run goes, by tier and by rule."""

from __future__ import annotations

from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from codemods.rule import Rule

TIERS = ("discover", "read", "parse", "index", "detect", "rewrite", "write")


class Timings:
    """Seconds by tier and by rule. Rules are only timed when `enabled`."""

    def __init__(self, *, enabled: bool = False) -> None:
        self.enabled = enabled
        self.tiers = dict.fromkeys(TIERS, 0.0)
        self.rules: dict[str, float] = {}

    @contextmanager
    def tier(self, name: str) -> Iterator[None]:
        """Add the time inside to a tier."""
        start = perf_counter()
        try:
            yield
        finally:
            self.tiers[name] += perf_counter() - start

    def add_rules(self, seconds: Mapping[str, float]) -> None:
        """Add what a worker process measured."""
        for code, spent in seconds.items():
            self.rules[code] = self.rules.get(code, 0.0) + spent

    def watch(self, rules: Iterable[Rule]) -> tuple[Rule, ...]:
        """The same rules, with their checks and fixes measured if that is wanted."""
        if not self.enabled:
            return tuple(rules)
        from codemods.timed_rule import timed

        return tuple(timed(rule, self.rules) for rule in rules)

    def lines(self) -> list[str]:
        """The table that `--timings` prints."""
        rows = [(name, self.tiers[name]) for name in TIERS]
        rows += sorted(self.rules.items(), key=lambda item: -item[1])
        return [f"{name:10} {seconds * 1000:10.1f} ms" for name, seconds in rows]
