"""Files that do not name the framework, and use it through modules of the project."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemods.config import Settings
from codemods.importers import Importers, import_lines, import_words, imported_modules
from codemods.pipeline import Job, run
from codemods.timings import Timings

BASE = "from agentlightning import Trainer\n\n\nclass Mine(Trainer):\n    pass\n"
USE = "Mine(n_workers=2)\n"


@pytest.fixture
def work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def found(*paths, **options):
    settings = Settings(select=("AGL201",))
    outcome = run(Job(settings, paths or (".",), Timings(), **options))
    assert outcome.problems == ()
    return [file.path for file in outcome.files]


@pytest.mark.parametrize(
    "text",
    [
        f"from base import Mine\n{USE}",
        f"from .base import Mine\n{USE}",
        f"from base import (\n    Other,\n    Mine,\n)\n{USE}",
        f"from base import Other, \\\n    Mine\n{USE}",
        f"from base import *\n{USE}",
        f"import base\nbase.{USE}",
        f"import os, base as b\nb.{USE}",
        "def f():\n    from base import Mine\n    Mine(n_workers=2)\n",
        "if x: from base import Mine\nMine(n_workers=2)\n",
    ],
)
def test_every_way_to_import(work, text):
    write(work, {"base.py": BASE, "use.py": text})
    assert found() == ["use.py"]


def test_a_file_before_the_first_hit_is_found_too(work):
    write(work, {"a.py": f"from base import Mine\n{USE}", "base.py": BASE, "z.py": "import os\n"})
    assert found() == ["a.py"]


def test_hop_by_hop(work):
    write(
        work,
        {
            "base.py": BASE,
            "one.py": "from base import Mine\n\n\nclass Ours(Mine):\n    pass\n",
            "two.py": "from one import Ours\n\n\nclass Theirs(Ours):\n    pass\n",
            "use.py": "from two import Theirs\n\nTheirs(n_workers=1)\n",
        },
    )
    assert found() == ["use.py"]


def test_through_the_init_of_a_package(work):
    write(
        work,
        {
            "pkg/__init__.py": "from .base import Mine\n",
            "pkg/base.py": BASE,
            "use.py": f"from pkg import Mine\n{USE}",
        },
    )
    assert found() == ["use.py"]


def test_what_is_not_imported_is_not_even_parsed(work):
    write(
        work,
        {
            "base.py": BASE,
            "own.py": "class Mine: ...\n\n\nMine(n_workers=2)  # base\n",
            "other.py": f"from elsewhere import Mine\n{USE}",
        },
    )
    outcome = run(Job(Settings(select=("AGL201",)), (".",), Timings()))
    assert outcome.files == ()
    assert (outcome.scanned, outcome.parsed) == (3, 1)


def test_a_file_of_the_second_round_that_does_not_parse_is_only_mentioned(work):
    write(work, {"base.py": BASE, "old.py": "from base import Mine\nprint 'x'\n"})
    outcome = run(Job(Settings(select=("AGL201",)), (".",), Timings()))
    assert outcome.problems == ()
    [note] = outcome.notes
    assert note.path == "old.py"
    assert "Python 2" in note.reason


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"import a.b as c", {b"import", b"a", b"b", b"as", b"c"}),
        (b"from .x import (\n  y,\n  z\n)\nw = 1\n", {b"from", b"x", b"import", b"y", b"z"}),
        (b"from x import a, \\\n  b\nc = 1\n", {b"from", b"x", b"import", b"a", b"b"}),
        (b"x = 1\r\nimport y\r\n", {b"import", b"y"}),
        (b"import (", {b"import"}),
        (b"import \\", {b"import"}),
        (b"x = 1\n", set()),
        (b"", set()),
    ],
)
def test_the_words_of_import_statements(data, words):
    assert set(import_words(data).split()) == words


PIECES = ["import", "from a", " ", "(", ")", "\\", "\n", "#", "x,", "y", ".", "*", "z" * 600]


@given(st.lists(st.sampled_from([piece.encode() for piece in PIECES]), max_size=40).map(b"".join))
def test_the_lines_around_imports_hold_all_that_is_asked_of_them(data):
    lines = import_lines(bytearray(data + b"import z)"), len(data))
    assert set(import_words(lines).split()) == set(import_words(data).split())
    assert set(imported_modules(lines)) == set(imported_modules(data))


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"import a.b as c, d", ["a.b", "d"]),
        (b"from .x import (\n  y,  # not z, (w)\n  z as w,\n)\nv = 1\n", [".x", ".x.y", ".x.z"]),
        (b"from . import a, \\\n  b\nc = 1\n", [".", ".a", ".b"]),
        (b"from x import *\nimport y; from z import v", ["x", "x.*", "y", "z", "z.v"]),
        (b"if a: from b import c", ["b", "b.c"]),
    ],
)
def test_the_modules_of_import_statements(data, names):
    assert list(imported_modules(data)) == names


def test_another_module_of_the_same_name_is_not_followed(work):
    write(
        work,
        {
            "pkg/client.py": BASE,
            "use.py": "from http.client import HTTPConnection as Mine\nimport http.client\n",
        },
    )
    outcome = run(Job(Settings(select=("AGL201",)), (".",), Timings()))
    assert (outcome.scanned, outcome.parsed) == (2, 1)


def anywhere(path: str, lines: bytes) -> bool:
    return b"import" in lines


def test_a_file_is_handed_out_once(work):
    text = f"from base import Mine\n{USE}"
    write(work, {"use.py": text, "later.py": text, "hit.py": "import agentlightning\n"})
    importers = Importers()
    sifted = importers.sift(["hit.py", "use.py"], b"agentlightning")
    assert sifted == [("hit.py", b"import agentlightning\n")]
    importers.add_unread(["later.py"])
    assert importers.take([("base", "Nothing")], anywhere) == []
    assert importers.take([("base", "Mine")], lambda *_: False) == []
    taken = importers.take([("base", "Mine")], anywhere)
    assert sorted(path for path, _ in taken) == ["later.py", "use.py"]
    assert importers.take([("base", "Mine")], anywhere) == []
