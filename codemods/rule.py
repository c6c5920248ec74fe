"""What a rule is, and what it is given to work with."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from codemods.finding import Applicability

if TYPE_CHECKING:
    from codemods.context import FileContext
    from codemods.edit.rewrite import Rewrite

Fix = Callable[["Rewrite"], None]


class Hit(NamedTuple):
    """What a detector saw at one node.

    `fix` puts the edits into a `Rewrite`; it is called in `run` only, so it may import LibCST.
    Without a `fix`, `reason` says why this place is left to a person. `symbol` is the dotted
    name of the legacy thing (for the report). `span` overrides the node's range.
    """

    node: ast.AST
    message: str
    fix: Fix | None = None
    reason: str = ""
    applicability: Applicability | None = None
    symbol: str = ""
    span: tuple[int, int] | None = None


class Rule(ABC):
    """One kind of legacy usage: its words, how it is seen and how it is rewritten.

    A rule file defines one subclass. `nodes` are the syntax node types that `check` wants to
    see; each is handed over once, together with its file's context. A rule with `words` is only
    asked about files that spell one of them (see `Module.words`): no other can have what it
    looks for. Of attributes it only gets those that spell one of its `attributes`, or `words`.
    """

    code: ClassVar[str]
    title: ClassVar[str]
    why: ClassVar[str]
    before: ClassVar[str]
    after: ClassVar[str]
    applicability: ClassVar[Applicability]
    nodes: ClassVar[tuple[type[ast.AST], ...]]
    words: ClassVar[frozenset[str]] = frozenset()
    attributes: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """What is wrong with `node`, if anything."""
