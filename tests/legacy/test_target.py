"""Which package the helpers take the store API from, in programs that could have either."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agentlightning_compat.legacy import target

ROOT = Path(__file__).parents[2]
# A release as far as the helpers see one.
STAND_IN = "class Attempt:\n    pass\n"
ASK = "from agentlightning_compat.legacy import target\n"
SHOW = "print(target.api('Attempt').__module__.partition('.')[0])\n"
OURS = "import agentlightning_compat\nagentlightning_compat.Attempt\n"
REAL = "import agentlightning\n"


def run(folder: Path, program: str, *, installed: bool = True) -> str:
    """What the program prints, or the last line of its traceback."""
    if installed:
        (folder / "agentlightning.py").write_text(STAND_IN)
    path = f"import sys\nsys.path[:0] = [{str(folder)!r}, {str(ROOT)!r}]\n"
    hide = "" if installed else "sys.modules['agentlightning'] = None\n"
    done = subprocess.run(
        [sys.executable, "-c", path + hide + ASK + program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return (done.stdout or done.stderr).strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("before", "package"),
    [
        (REAL, "agentlightning"),
        (OURS, "agentlightning_compat"),
        ("target.use('agentlightning')\n", "agentlightning"),
        ("target.use('agentlightning_compat')\n", "agentlightning_compat"),
        (REAL + OURS + "target.use('agentlightning')\n", "agentlightning"),
        (REAL + OURS + "target.use('agentlightning_compat')\n", "agentlightning_compat"),
    ],
)
def test_the_package_that_the_program_uses(tmp_path, before, package):
    assert run(tmp_path, before + SHOW) == package


@pytest.mark.parametrize(("before", "state"), [("", "installed"), (REAL + OURS, "imported")])
def test_of_two_packages_none_is_guessed(tmp_path, before, state):
    said = run(tmp_path, before + SHOW)
    assert said.startswith(
        f"ImportError: agentlightning and agentlightning_compat are both {state}"
    )
    assert "target.use(" in said


def test_the_only_one_that_is_installed(tmp_path):
    assert run(tmp_path, SHOW, installed=False) == "agentlightning_compat"


def test_an_object_at_hand_tells(tmp_path):
    asked = "print(target.api('Attempt', {}.Attempt).__module__.partition('.')[0])\n"
    for package in ("agentlightning", "agentlightning_compat"):
        assert run(tmp_path, REAL + OURS + asked.format(package)) == package


def test_a_name_that_the_release_lacks_is_not_taken_from_ours(tmp_path):
    said = run(tmp_path, REAL + "target.api('DummyTracer')\n")
    assert said.startswith("ImportError: agentlightning has no 'DummyTracer'")


def test_under_the_shim_it_is_ours(tmp_path):
    shim = "from agentlightning_compat import shim\nshim.install(shadow=True)\n"
    assert run(tmp_path, shim + SHOW) == "agentlightning_compat"
    assert run(tmp_path, shim + REAL + "agentlightning.Attempt\n" + SHOW) == "agentlightning_compat"


def test_only_the_two_can_be_named():
    with pytest.raises(ValueError, match="agentlightning, agentlightning_compat"):
        target.use("agentlightning_of_mine")
