"""The spans of an attempt as the tree that their parents make of them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from agentlightning_compat.model import Span

_log = logging.getLogger(__name__)

# Where frameworks keep the name of an agent, the first that is there counts: the attribute, and
# what another attribute of the span must be for it to count.
_AGENT_NAMES: tuple[tuple[str, tuple[str, str] | None], ...] = (
    ("agent.name", None),  # the SDK of OpenAI
    ("operation.name", ("agentops.span.kind", "agent")),
    ("recipient_agent_type", None),  # AutoGen
    ("langchain.chain.type", None),  # LangGraph
    ("executor.id", None),  # agent-framework
    ("agentlightning.operation.input.name", ("type", "agent")),  # Weave
)


class TraceTree:
    """A span with those below it. Nothing here recurses: a tree may be as deep as it likes."""

    def __init__(self, id: str, span: Span, children: list[TraceTree] | None = None) -> None:
        self.id = id
        self.span = span
        self.children = children or []

    @property
    def start_time(self) -> float | None:
        """When it began, in seconds."""
        return self.span.start_time

    @property
    def end_time(self) -> float | None:
        """When it ended, in seconds."""
        return self.span.end_time

    @property
    def began(self) -> float:
        """When it began, for order: a span that does not say so began when it ended."""
        found = self.span.start_time if self.span.start_time is not None else self.span.end_time
        return 0.0 if found is None else found

    @property
    def ended(self) -> float:
        """When it ended; a span that does not say so ended at once."""
        return self.began if self.span.end_time is None else self.span.end_time

    @classmethod
    def from_spans(cls, spans: Sequence[Span]) -> TraceTree:
        """The tree of the spans.

        A parent that is not among them is made up. If there are several roots, one above them is.

        Raises:
            ValueError: there are no spans.
        """
        if not spans:
            raise ValueError("no spans, so no tree")
        nodes = {span.span_id: cls(span.span_id, span) for span in spans}
        orphans: dict[str, list[TraceTree]] = {}
        roots: list[TraceTree] = []
        for node in nodes.values():
            above = node.span.parent_id
            if above is None:
                roots.append(node)
            elif above in nodes:
                nodes[above].children.append(node)
            else:
                orphans.setdefault(above, []).append(node)
        roots += [cls(id, _above(id, below), below) for id, below in orphans.items()]
        roots += _cut_circles(roots, nodes)
        if len(roots) == 1:
            return roots[0]
        return cls("virtual-root", _top(roots), roots)

    def find_id(self, id: str) -> TraceTree | None:
        """The node of that id, here or below."""
        return next((node for node in self.walk() if node.id == id), None)

    def add_child(self, child: TraceTree) -> None:
        """Put a node below this one."""
        self.children.append(child)

    def traverse(self) -> list[TraceTree]:
        """This node and all below it, each before what is below it."""
        return list(self.walk())

    def walk(self) -> Iterator[TraceTree]:
        """`traverse`, one at a time."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))

    def agent_name(self) -> str | None:
        """The name of the agent that the span is of, if it is an agent's."""
        attributes = self.span.attributes
        for key, condition in _AGENT_NAMES:
            if condition is None or attributes.get(condition[0]) == condition[1]:
                name = attributes.get(key)
                if name is not None:
                    return str(name)
        if self.span.name.startswith("langchain.Chain."):  # Weave with LangChain
            name = attributes.get("lc_name")
            return None if name is None else str(name)
        return None

    def label(self) -> str:
        """The name of the span, and of its agent."""
        agent = self.agent_name()
        return self.span.name if agent is None else f"{self.span.name} [{agent}]"

    def names_tuple(self) -> tuple[str, list[Any]]:
        """Its label, and the same of each child."""
        made: dict[int, tuple[str, list[Any]]] = {}
        for node in reversed(self.traverse()):
            made[id(node)] = (node.label(), [made[id(child)] for child in node.children])
        return made[id(self)]

    def to_json(self) -> dict[str, Any]:
        """The tree as dicts and lists."""
        made: dict[int, dict[str, Any]] = {}
        for node in reversed(self.traverse()):
            below = [made[id(child)] for child in node.children]
            made[id(node)] = {"id": node.id, "span": node.span.model_dump(), "children": below}
        return made[id(self)]

    def __repr__(self) -> str:
        return f"<TraceTree {self.label()!r} of {len(self.traverse())} spans>"


def _above(id: str, children: list[TraceTree]) -> Span:
    """A span for a parent that is known by its id only."""
    first = children[0].span
    return Span.from_attributes(
        rollout_id=first.rollout_id,
        attempt_id=first.attempt_id,
        sequence_id=first.sequence_id,
        trace_id=first.trace_id,
        span_id=id,
        attributes={},
        start_time=min(child.began for child in children),
        end_time=max(child.ended for child in children),
    )


def _top(roots: list[TraceTree]) -> Span:
    first = roots[0].span
    return Span.from_attributes(
        rollout_id=first.rollout_id,
        attempt_id=first.attempt_id,
        sequence_id=first.sequence_id,
        trace_id=first.trace_id,
        name="virtual-root",
        attributes={},
        start_time=min(root.began for root in roots),
        end_time=max(root.ended for root in roots),
    )


def _cut_circles(roots: list[TraceTree], nodes: dict[str, TraceTree]) -> list[TraceTree]:
    """Further roots for spans that are below each other in a circle, and so below no root."""
    seen = {id(node) for root in roots for node in root.walk()}
    cut: list[TraceTree] = []
    for node in nodes.values():
        if id(node) in seen:
            continue
        _log.warning("span %s is above itself; it is taken for a root", node.id)
        nodes[str(node.span.parent_id)].children.remove(node)
        cut.append(node)
        seen.update(id(below) for below in node.walk())
    return cut
