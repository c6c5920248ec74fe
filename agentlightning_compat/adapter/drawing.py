"""A drawing of a tree of spans, by Graphviz."""

from __future__ import annotations

import re

from agentlightning_compat.adapter.tree import TraceTree
from agentlightning_compat.errors import UnsupportedError


def draw(tree: TraceTree, filename: str, interested_span_match: str | None = None) -> None:
    """Write it as `filename`.png: all spans, or those that match and those above them.

    Raises:
        UnsupportedError: the package graphviz is not installed.
    """
    try:
        import graphviz  # type: ignore[import-not-found,unused-ignore]
    except ModuleNotFoundError as error:
        raise UnsupportedError("a drawing of spans needs graphviz: pip install graphviz") from error
    shown = _shown(tree, interested_span_match)
    graph = graphviz.Digraph(comment="spans")
    for node in tree.walk():
        if node.id in shown:
            graph.node(node.id, f"{node.id[-8:]} ({node.label()})")
            for child in node.children:
                if child.id in shown:
                    graph.edge(node.id, child.id)
    graph.render(filename, format="png", cleanup=True)


def _shown(tree: TraceTree, match: str | None) -> set[str]:
    nodes = tree.traverse()
    if match is None:
        return {node.id for node in nodes}
    shown: set[str] = set()
    for node in reversed(nodes):
        if re.search(match, node.span.name) or any(child.id in shown for child in node.children):
            shown.add(node.id)
    return shown
