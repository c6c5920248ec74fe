"""Spans that hang at the root though they happened within another span."""

from __future__ import annotations

from agentlightning_compat.adapter.enclosing import Interval, shortest_around
from agentlightning_compat.adapter.tree import TraceTree


def repair_hierarchy(tree: TraceTree) -> None:
    """Put each child of the root below the shortest span that it happened within.

    Libraries that do not know each other's spans leave such children, and an LLM call would
    otherwise not be found below its agent. The root is the first span with several children:
    AgentOps, for one, puts another above all.
    """
    while len(tree.children) == 1:
        tree = tree.children[0]
    children = list(tree.children)
    enclosing = _enclosing(children)
    moved: set[int] = set()
    # Which child each child is below by now.
    below = list(range(len(children)))

    def top(group: int) -> int:
        while below[group] != group:
            below[group] = below[below[group]]
            group = below[group]
        return group

    for group, (child, found) in enumerate(zip(children, enclosing, strict=True)):
        if len(moved) == len(children) - 1:
            break
        # What is below a child by now cannot be above it.
        if found is not None and top(found[1]) != group:
            found[0].children.append(child)
            below[group] = found[1]
            moved.add(group)
    tree.children[:] = [child for group, child in enumerate(children) if group not in moved]


def _enclosing(children: list[TraceTree]) -> list[tuple[TraceTree, int] | None]:
    """For each child the node to put it below, and which child that one is below itself."""
    places: list[tuple[TraceTree, int]] = []
    intervals: list[Interval] = []
    asked: list[Interval] = []
    for group, child in enumerate(children):
        for node in child.walk():
            # Without both times nothing is known about what is within what.
            known = node.start_time is not None and node.end_time is not None
            if known:
                intervals.append(Interval(node.began, node.ended, len(places), group))
            places.append((node, group))
        place = len(places) - 1  # none has it twice: only `group` matters of those asked for
        asked.append(Interval(child.began, child.ended, place, group))
    found = shortest_around(intervals, asked)
    return [
        None
        if one is None or child.start_time is None or child.end_time is None
        else places[one.place]
        for child, one in zip(children, found, strict=True)
    ]
