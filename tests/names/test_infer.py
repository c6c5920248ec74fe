"""What expressions are known to stand for."""

from __future__ import annotations

import ast

import pytest

from codemods.names import known
from codemods.names.values import External, Instance
from codemods.project import Project


def probe(code: str, others: dict[str, str] | None = None) -> list[str | None]:
    """The class (or name) behind each argument of `probe(...)` in `code`."""
    project = Project(".")
    module = project.add("pkg/main.py", code, ast.parse(code))
    for path, text in (others or {}).items():
        project.add(path, text, ast.parse(text))
    found: list[str | None] = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "probe":
            found += [shown(project, project.inference.infer(module, a)) for a in node.args]
    return found


def shown(project: Project, value: object) -> str | None:
    if isinstance(value, Instance):
        inner = value.of.path if isinstance(value.of, External) else value.of.node.name
        for base in (known.LIT_AGENT, known.TRAINER):
            if project.inference.derives(value, base):
                return f"a {base.rpartition('.')[2]}"
        return f"a {inner.rpartition('.')[2]}"
    return value.path if isinstance(value, External) else None


IMPORT = "import agentlightning as agl\nfrom agentlightning import Trainer, LitAgent\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("t = Trainer(n_workers=2)\nprobe(t)", "a Trainer"),
        ("t = agl.Trainer()\ndef f():\n    probe(t)", "a Trainer"),
        (
            "async def f(s: agl.AgentLightningServer):\n"
            "    return [probe(r) for r in await s.retrieve_completed_rollouts()]",
            "a Rollout",
        ),
        ("def f(t: Trainer):\n    probe(t)", "a Trainer"),
        ("def f(t: 'agl.Trainer'):\n    probe(t)", "a Trainer"),
        ("def f(t: 'Trainer | None' = None):\n    probe(t)", "a Trainer"),
        ("def make():\n    return Trainer()\nprobe(make())", "a Trainer"),
        ("def make() -> Trainer:\n    return build()\nt = make()\nprobe(t)", "a Trainer"),
        ("class T(Trainer):\n    pass\nprobe(T())", "a Trainer"),
        ("class A(LitAgent):\n    def f(self):\n        probe(self)", "a LitAgent"),
        ("class A(LitAgent['x']):\n    def f(self):\n        probe(self.trainer)", "a Trainer"),
        (
            "class R:\n    def __init__(self):\n        self.t = Trainer()\n"
            "    def go(self):\n        probe(self.t)",
            "a Trainer",
        ),
        ("if (t := Trainer()):\n    probe(t)", "a Trainer"),
        ("t = Trainer() if x else agl.Trainer(n_workers=1)\nprobe(t)", "a Trainer"),
        (
            "a, t = agl.lightning_cli(Agent, Trainer)\nprobe(t)",
            "a Trainer",
        ),
        (
            "import pytest\n@pytest.fixture\ndef t():\n    return Trainer()\n"
            "def test_x(t):\n    probe(t)",
            "a Trainer",
        ),
        (
            "import pytest\n@pytest.fixture\ndef t():\n    t = Trainer()\n    yield t\n"
            "def test_x(t):\n    probe(t)",
            "a Trainer",
        ),
        ("probe([Trainer for Trainer in things][0])", None),
        ("def f(Trainer):\n    probe(Trainer())", None),
        ("t = Trainer()\nt = other()\nprobe(t)", None),
        ("t = Trainer() if x else Other()\nprobe(t)", None),
        ("def f():\n    Trainer = None\n    probe(Trainer())", None),
        ("x = x\nprobe(x)", None),
    ],
)
def test_kind_of_value(code: str, expected: str | None) -> None:
    assert probe(IMPORT + code) == [expected]


def test_fixture_comes_from_a_conftest_above() -> None:
    fixture = "import pytest\n@pytest.fixture\ndef t():\n    return {}\n"
    near = {
        "pkg/conftest.py": "from agentlightning import LitAgent\n" + fixture.format("LitAgent()")
    }
    far = {"conftest.py": "from agentlightning import Trainer\n" + fixture.format("Trainer()")}
    code = "def test_x(t):\n    probe(t)"
    assert probe(code, far) == ["a Trainer"]
    assert probe(code, near | far) == ["a LitAgent"]
    assert probe(code, {"other/conftest.py": far["conftest.py"]}) == [None]


def test_import_error_fallback_is_the_import() -> None:
    code = (
        "try:\n    from agentlightning import Trainer\nexcept ImportError:\n    Trainer = None\n"
        "probe(Trainer())"
    )
    assert probe(code) == ["a Trainer"]


def test_other_librarys_trainer_is_not_ours() -> None:
    assert probe("from lightning import Trainer\nprobe(Trainer())") == ["a Trainer"]
    project = Project(".")
    code = "from lightning import Trainer\nt = Trainer()"
    module = project.add("m.py", code, ast.parse(code))
    value = project.inference.infer(module, module.tree.body[1].value)  # type: ignore[attr-defined]
    assert not project.inference.derives(value, known.TRAINER)


def test_classes_and_values_are_followed_over_files() -> None:
    others = {
        "pkg/__init__.py": "from .base import Base as Root\n",
        "pkg/base.py": "from agentlightning import LitAgent, Trainer\n"
        "class Base(LitAgent):\n    pass\ndef make():\n    return Trainer()\n",
        "pkg/mid.py": "from . import Root\nclass Mid(Root):\n    pass\n",
    }
    code = (
        "from pkg.mid import Mid\nfrom .base import make\nimport pkg.base as b\n"
        "class Leaf(Mid):\n    pass\nprobe(Leaf(), make(), b.make(), b.Base())"
    )
    assert probe(code, others) == ["a LitAgent", "a Trainer", "a Trainer", "a LitAgent"]


def test_circular_imports_and_bases_end() -> None:
    others = {
        "pkg/a.py": "from pkg.b import X\nclass Y(X):\n    pass\n",
        "pkg/b.py": "from pkg.a import Y\nclass X(Y):\n    pass\nfrom pkg.c import *\n",
        "pkg/c.py": "from pkg.b import *\n",
    }
    assert probe("from pkg.a import Y\nfrom pkg.c import Z\nprobe(Y(), Z())", others) == [
        "a Y",
        None,
    ]


def test_star_import_of_a_project_module() -> None:
    others = {"pkg/base.py": "from agentlightning import Trainer\n"}
    assert probe("from pkg.base import *\nprobe(Trainer())", others) == ["a Trainer"]


@pytest.mark.parametrize(
    "path", [v for k, v in vars(known).items() if k.isupper() and isinstance(v, str)]
)
def test_known_names_are_canonical_in_the_map(path: str) -> None:
    from codemods import api_map

    row = api_map.load().lookup(path)
    assert row is not None
    assert row.path == path
