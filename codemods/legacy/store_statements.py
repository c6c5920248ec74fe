"""The statements that fill a store in memory, in place of the construction of a loader."""

from __future__ import annotations

import ast
from typing import NamedTuple

from codemods.edit.ranges import Blocked
from codemods.legacy.call_comments import comments_outside
from codemods.legacy.given import arguments


class StoreStatements(NamedTuple):
    """Turns the text of `name = DevTaskLoader(tasks, resources)` into statements.

    `cls` names the store's class; `tasks` and `resources` are the helpers that take apart what
    may not be a plain list or dict, or empty; `item` is the loop variable. `before` stands in
    front of each call of a coroutine, `after` behind it; `joint` between two statements.
    """

    cls: str
    tasks: str
    resources: str
    item: str
    before: str
    after: str
    joint: str

    def instead_of(self, text: str) -> str:
        """The statements for a statement's current text.

        Raises:
            Blocked: another rewrite made something else of it.
        """
        statement = ast.parse(text).body[0]
        call = statement.value if isinstance(statement, ast.Assign) else None
        if not isinstance(statement, ast.Assign) or not isinstance(call, ast.Call):
            raise Blocked("another rewrite changed this construction into something else")
        given = arguments(call, ("tasks", "resources")).values
        name = ast.get_source_segment(text, statement.targets[0]) or ""
        tasks = self._taken(text, given["tasks"], self.tasks)
        resources = self._taken(text, given["resources"], self.resources)
        lines = [
            *comments_outside(text, given.values()),
            f"{name} = {self.cls}()",
            f"{self.before}{name}.add_resources({resources}){self.after}",
            f"for {self.item} in {tasks}:",
            f"    {self.before}{name}.enqueue_rollout(input={self.item}){self.after}",
        ]
        return self.joint.join(lines)

    def _taken(self, text: str, node: ast.expr, helper: str) -> str:
        source = ast.get_source_segment(text, node) or ""
        return f"{helper}({source})" if helper else source
