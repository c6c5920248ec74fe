"""All rules, found by their files."""

from __future__ import annotations

import importlib
import os
import re
from abc import ABCMeta
from collections.abc import Sequence
from functools import cache

from codemods import rules
from codemods.rule import Rule

_FILE = re.compile(r"(agl\d{3}_\w+)\.pyc?")


class UnknownRule(ValueError):
    """A code that names no rule."""


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by code.

    Raises:
        ImportError: a rule file does not import, or does not define exactly its one rule.
    """
    found = (_FILE.fullmatch(file) for folder in rules.__path__ for file in os.listdir(folder))
    names = sorted({file[1] for file in found if file is not None})
    return tuple(_load(name) for name in names)


def select(select: Sequence[str] = (), ignore: Sequence[str] = ()) -> tuple[Rule, ...]:
    """The rules whose code starts with one of `select` (all, if empty) and none of `ignore`.

    Raises:
        UnknownRule: a code or prefix that matches no rule.
    """
    rules = all_rules()
    for code in [*select, *ignore]:
        if code != "ALL" and not any(rule.code.startswith(code) for rule in rules):
            raise UnknownRule(
                f"unknown rule code {code!r}; `agl-migrate rules` lists the codes there are"
            )
    chosen = [r for r in rules if not select or "ALL" in select or r.code.startswith(tuple(select))]
    if "ALL" in ignore:
        return ()
    return tuple(r for r in chosen if not ignore or not r.code.startswith(tuple(ignore)))


def _load(name: str) -> Rule:
    module = importlib.import_module(f"{rules.__name__}.{name}")
    classes = [
        value
        for value in vars(module).values()
        if type(value) is ABCMeta  # not an alias like `Callable[[X], Y]`, which claims to be one
        and issubclass(value, Rule)
        and value.__module__ == module.__name__
    ]
    code = "AGL" + name[3:6]
    if len(classes) != 1 or classes[0].code != code:
        raise ImportError(f"{module.__name__} has to define one rule, with the code {code}")
    return classes[0]()
