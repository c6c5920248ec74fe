"""What rules ask of the whole project, asked from code in a document that imports none of it."""

from __future__ import annotations

import ast

import pytest

from codemods.context import FileContext, Options
from codemods.legacy.clients import clients_stay
from codemods.legacy.fallbacks import may_be_missing
from codemods.legacy.servers import class_stays
from codemods.legacy.trained_agents import is_matched
from codemods.names.module import Module
from codemods.project import Project

OWN_CLIENT = (
    "from agentlightning import AgentLightningClient\n\n"
    "class Mine(AgentLightningClient): ...\n\n"
    "client = Mine('http://x')\n"
)
PLAIN_CLIENT = (
    "from agentlightning import AgentLightningClient\n\nclient = AgentLightningClient('http://x')\n"
)

OWN_SERVER = OWN_CLIENT.replace("AgentLightningClient", "AgentLightningServer")
PLAIN_SERVER = PLAIN_CLIENT.replace("AgentLightningClient", "AgentLightningServer")


def project_of(*texts: str) -> Project:
    project = Project("/repo")
    for number, text in enumerate(texts):
        project.add(f"/repo/file{number}.py", text, ast.parse(text))
    return project


def document(project: Project, text: str = "import json\n") -> FileContext:
    view, module = project.guest("/repo/README.md", text, ast.parse(text))
    return FileContext.of(view, module, Options())


def test_a_file_that_is_not_imported_says_agent_match():
    project = project_of("adapter = {'agent_match': 'x'}\n", "x = 1\n")
    assert is_matched(document(project).project)
    assert not is_matched(document(project_of("x = 1\n")).project)
    says_it = "adapter = {'agent_match': 'x'}\n"
    assert is_matched(document(project_of("x = 1\n"), says_it).project)


def test_a_file_that_is_not_imported_needs_agentlightning():
    assert not may_be_missing(document(project_of("import agentlightning\n")))
    assert may_be_missing(document(project_of("import json\n")))
    assert not may_be_missing(document(project_of("import json\n"), "import agentlightning\n"))


@pytest.mark.parametrize(
    ("files", "text", "stay"),
    [
        ([OWN_CLIENT], "import json\n", True),
        ([OWN_CLIENT, PLAIN_CLIENT], "import json\n", False),
        ([OWN_CLIENT], PLAIN_CLIENT, False),
        ([PLAIN_CLIENT], OWN_CLIENT, False),
        (["x = 1\n"], OWN_CLIENT, True),
        (["x = 1\n"], "import json\n", False),
    ],
)
def test_clients_of_files_and_of_the_document_count(files: list[str], text: str, stay: bool):
    assert clients_stay(document(project_of(*files), text)) is stay


@pytest.mark.parametrize(
    ("files", "stays"),
    [([OWN_SERVER], True), ([OWN_SERVER, PLAIN_SERVER], False), (["x = 1\n"], False)],
)
def test_servers_of_files_that_are_not_imported_count(files: list[str], stays: bool):
    assert class_stays(document(project_of(*files))) is stays


def test_what_one_document_says_is_not_said_for_the_next():
    project = project_of("x = 1\n")
    assert is_matched(document(project, "agent_match = 1\n").project)
    assert not is_matched(document(project).project)


def test_files_are_asked_once_for_any_number_of_documents():
    project = project_of("x = 1\n", "y = 2\n")
    asked: list[str] = []

    def ask(_: Project, module: Module) -> bool:
        asked.append(module.path)
        return False

    for _ in range(5):
        assert not document(project).project.anywhere("a question", ask)
    assert sorted(asked) == ["/repo/README.md"] * 5 + ["/repo/file0.py", "/repo/file1.py"]
