"""Code that stands in a document: what it sees of the project."""

from __future__ import annotations

import ast
from pathlib import Path

from codemods.project import Project

FILES = {
    "agents.py": "from agentlightning import LitAgent\n\nclass Solver(LitAgent): ...\n",
    "pkg/__init__.py": "",
    "pkg/work.py": "from agents import Solver\nfrom .more import helper\n",
    "pkg/more.py": "def helper(): ...\n",
    "alone.py": "from agents import Solver\n\nclass Alone(Solver): ...\n",
}


def project_of(files: dict[str, str]) -> Project:
    project = Project("/repo")
    for path, text in files.items():
        project.add(f"/repo/{path}", text, ast.parse(text))
    return project


def guest_of(project: Project, text: str) -> Project:
    view, module = project.guest("/repo/README.md", text, ast.parse(text))
    assert view.modules[module.path] is module
    return view


def reached(view: Project) -> set[str]:
    return {Path(path).relative_to("/repo").as_posix() for path in view.modules} - {"README.md"}


def test_it_sees_the_files_that_it_reaches():
    project = project_of(FILES)
    assert reached(guest_of(project, "import json\n")) == set()
    assert reached(guest_of(project, "import agents\n")) == {"agents.py"}
    everything = {"agents.py", "pkg/__init__.py", "pkg/work.py", "pkg/more.py"}
    for text in (
        "import pkg.work\n",
        "from pkg import work\n",
        "def f():\n    from pkg.work import Solver\n",
    ):
        assert reached(guest_of(project, text)) == everything


def test_it_knows_all_classes_and_is_known_by_none():
    project = project_of(FILES)
    view = guest_of(project, "from agents import Solver\n\nclass Mine(Solver): ...\n")
    assert [cls.node.name for cls in view.agents] == ["Solver", "Alone", "Mine"]
    assert [cls.node.name for cls in project.agents] == ["Solver", "Alone"]
    assert reached(guest_of(project, "import README\n")) == set()


def test_files_that_come_later_are_reached_too():
    project = project_of(FILES)
    assert "late.py" not in reached(guest_of(project, "import pkg.work, late\n"))
    project.add("/repo/late.py", "x = 1\n", ast.parse("x = 1\n"))
    project.reset()
    assert "late.py" in reached(guest_of(project, "import pkg.work, late\n"))


def test_what_is_found_out_about_files_is_found_out_once():
    project = project_of(FILES)
    seen: list[str] = []

    class Counting(type(project.inference)):  # type: ignore[misc]
        def _infer(self, module, node):
            seen.append(module.path)
            return super()._infer(module, node)

        def of_guest(self, imports):
            made = super().of_guest(imports)
            made.__class__ = Counting
            return made

    project.inference.__class__ = Counting
    for number in range(5):
        text = f"from agents import Solver\n\nclass Mine{number}(Solver): ...\n"
        assert len(guest_of(project, text).agents) == 3
        project.agents  # noqa: B018, the same question about the files
    # Once for the base of each class of a file; for each document only its own.
    assert seen.count("/repo/agents.py") == 1
    assert seen.count("/repo/alone.py") == 1
    assert seen.count("/repo/README.md") == 5
