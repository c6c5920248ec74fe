"""The statements that build a runner of today, in place of one construction of a legacy one."""

from __future__ import annotations

import ast
from typing import NamedTuple

from codemods.edit.ranges import Blocked
from codemods.legacy.call_comments import comments_outside
from codemods.legacy.clients import RUNNER_PARAMETERS
from codemods.legacy.given import arguments

_WIDTH = 100


class RunnerStatements(NamedTuple):
    """Turns the text of `name = LegacyAgentRunner(...)` into three statements.

    `cls` names today's class; `limit` and `interval` are the texts of its `max_rollouts` and
    `poll_interval`; an empty `limit` takes over the legacy `max_tasks`. `joint` stands between
    two statements. `hooks` is the list of hooks for `init`, or empty.
    """

    cls: str
    limit: str
    interval: str
    joint: str
    hooks: str = ""

    def instead_of(self, text: str) -> str:
        """The statements for a statement's current text.

        Raises:
            Blocked: another rewrite made something else of it, or there is no room for a comment.
        """
        statement = ast.parse(text).body[0]
        assert isinstance(statement, ast.Assign | ast.AnnAssign)
        call = statement.value
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        if not isinstance(call, ast.Call):
            raise Blocked("another rewrite changed this construction into something else")
        values = arguments(call, RUNNER_PARAMETERS).values
        values.pop("triplet_exporter", None)
        parts = {name: self._dedented(_segment(text, value)) for name, value in values.items()}
        head = text[: text.index(_segment(text, call))]
        name = _segment(text, target)
        hooks = f", hooks={self.hooks}" if self.hooks else ""
        lines = [
            *comments_outside(text, values.values()),
            self._construction(head, parts),
            f"{name}.init(agent={parts['agent']}{hooks})",
            f"{name}.init_worker(worker_id={_worker(parts)}, store={parts['client']})",
        ]
        if self.joint == "; " and any(line.startswith("#") for line in lines):
            raise Blocked("there is no line for the comment that stands in the call")
        return self.joint.join(lines)

    def _construction(self, head: str, parts: dict[str, str]) -> str:
        given = [f"tracer={parts['tracer']}"]
        limit = self.limit or parts.get("max_tasks", "")
        if limit and limit != "None":
            given.append(f"max_rollouts={limit}")
        if self.interval:
            given.append(f"poll_interval={self.interval}")
        line = f"{head}{self.cls}({', '.join(given)})"
        if len(line) + len(self.joint) <= _WIDTH or self.joint == "; ":
            return line
        inner = "".join(f"{self.joint}    {part}," for part in given)
        return f"{head}{self.cls}({inner}{self.joint})"

    def _dedented(self, part: str) -> str:
        """An argument of several lines, as far to the left as its new statement begins."""
        first, *rest = part.splitlines(keepends=True)
        if not rest or '"""' in part or "'''" in part or self.joint == "; ":
            return part
        indent = self.joint.lstrip("\r\n")
        depth = len(rest[-1]) - len(rest[-1].lstrip()) - len(indent)
        if depth <= 0 or any(line[:depth].strip() for line in rest):
            return part
        return first + "".join(line[depth:] for line in rest)


def _worker(parts: dict[str, str]) -> str:
    worker = parts.get("worker_id", "0")
    return "0" if worker == "None" else worker


def _segment(text: str, node: ast.expr) -> str:
    return ast.get_source_segment(text, node) or ""
