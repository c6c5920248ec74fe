"""`import agentlightning` served from this runtime."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path
from unittest import mock

import pytest

import agentlightning_compat as compat
from agentlightning_compat import shim
from agentlightning_compat.shim.table import load
from tests.oracles import oracle_python
from tests.shim import generate

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["0.1", "0.3"])
def generation(request):
    assert shim.install(request.param)
    yield request.param
    shim.uninstall()


@pytest.fixture
def quiet(recwarn):
    """Legacy names are used here on purpose."""
    warnings.simplefilter("ignore", DeprecationWarning)


def test_names_are_the_objects_of_this_package(generation, quiet):
    import agentlightning
    from agentlightning.types import Triplet

    assert agentlightning.Triplet is Triplet is compat.Triplet
    assert agentlightning.InMemoryLightningStore is compat.InMemoryLightningStore


def test_a_name_that_both_generations_have_is_what_was_asked_for(generation, quiet):
    from agentlightning import Rollout

    assert Rollout is {"0.1": compat.RolloutLegacy, "0.3": compat.Rollout}[generation]


def test_every_name_that_is_listed_is_there(generation, quiet):
    names = load(generation)
    for module in names._modules:
        if names.has_module(module):
            loaded = importlib.import_module(module)
            for name in loaded.__all__:
                assert getattr(loaded, name) is not None
            assert set(loaded.__all__) <= set(dir(loaded))


def test_one_object_under_every_path(generation, quiet):
    names = load(generation)
    seen: dict[str, set[int]] = {}
    for module, entries in names._modules.items():
        for name, entry in entries.items():
            if entry.target is not None:
                value = getattr(importlib.import_module(module), name)
                seen.setdefault(entry.target, set()).add(id(value))
    assert seen
    assert {target for target, ids in seen.items() if len(ids) > 1} == set()


def test_a_module_does_not_hide_a_name_of_its_spelling(quiet):
    assert shim.install("0.1")
    try:
        # A module and a function in 0.1, of which users got the function.
        module = importlib.import_module("agentlightning.reward")
        package = importlib.import_module("agentlightning")
        assert package.reward is module.reward
        assert callable(package.reward)
    finally:
        shim.uninstall()


def test_patches_reach_those_who_read_the_path(generation, quiet):
    import agentlightning.types

    with mock.patch("agentlightning.types.Triplet") as fake:
        assert agentlightning.types.Triplet is fake
    assert agentlightning.types.Triplet is compat.Triplet
    with mock.patch("agentlightning.types.Triplet.model_dump", return_value="patched"):
        assert compat.Triplet(prompt=1, response=2).model_dump() == "patched"


def test_what_is_not_served_says_what_to_do(generation):
    import agentlightning

    with pytest.raises(ModuleNotFoundError, match="GPU stack"):
        importlib.import_module("agentlightning.verl.daemon")
    with pytest.raises(ModuleNotFoundError, match="not served"):
        importlib.import_module("agentlightning.nothing")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = agentlightning.nothing
    with pytest.raises(ImportError, match="nothing"):
        exec("from agentlightning import nothing")


def test_the_version_is_that_of_the_generation(generation):
    import agentlightning

    assert agentlightning.__version__ == {"0.1": "0.1.2", "0.3": "0.3.0"}[generation]


def test_an_uninstalled_shim_leaves_nothing():
    assert shim.install("0.3")
    importlib.import_module("agentlightning.types")
    shim.uninstall()
    assert not [name for name in sys.modules if name.partition(".")[0] == "agentlightning"]
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("agentlightning")


def test_there_are_two_generations():
    with pytest.raises(ValueError, match=r"0\.1, 0\.3"):
        shim.install("0.2")


def run(tmp_path, text, *options, arguments=(), environment=None):
    script = tmp_path / "folder" / "script.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text(textwrap.dedent(text))
    paths = os.pathsep.join([str(ROOT), *filter(None, [(environment or {}).get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "agentlightning_compat", *options, str(script), *arguments],
        env={**os.environ, **(environment or {}), "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        check=False,
    )


def test_a_script_runs_as_python_runs_it(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "beside.py").write_text("HERE = 1\n")
    done = run(
        tmp_path,
        """\
        import sys
        import beside
        from agentlightning import Rollout
        print(__name__, sys.argv[1:], Rollout.__name__)
        sys.exit(7)
        """,
        "--as",
        "0.1",
        arguments=["--as", "x", "-m"],
    )
    assert (done.returncode, done.stdout) == (7, "__main__ ['--as', 'x', '-m'] RolloutLegacy\n")


def test_the_command_does_the_same(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import sys, agentlightning; print(sys.argv[1:], agentlightning.Task)\n")
    command = [
        sys.executable,
        str(ROOT / "agl_migrate.py"),
        "exec",
        "--as",
        "0.1",
        str(script),
        "x",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "['x'] <class 'agentlightning_compat.model.legacy.Task'>\n", done.stderr


def test_an_error_of_the_script_is_its_own(tmp_path):
    done = run(tmp_path, "import agentlightning\nraise RuntimeError('mine')\n")
    assert done.returncode == 1
    assert "RuntimeError: mine" in done.stderr


def test_a_script_that_is_not_there(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "agentlightning_compat", "nowhere.py"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "there is no nowhere.py" in done.stderr


def test_uses_are_reported_with_the_users_lines(tmp_path):
    report = tmp_path / "usage.json"
    done = run(
        tmp_path,
        """\
        import agentlightning as agl
        for _ in range(3):
            agl.RolloutLegacy(rollout_id="x")
        agl.Triplet(prompt=1, response=1)
        """,
        environment={"AGL_MIGRATE_REPORT": str(report)},
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert {(x["symbol"], x["line"]) for x in lines} == {("agentlightning.RolloutLegacy", 3)}
    assert sum(x["count"] for x in lines) == 3
    assert lines[0]["file"] == str(tmp_path / "folder" / "script.py")


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_processes_that_a_program_starts_have_the_shim(tmp_path, method):
    done = run(
        tmp_path,
        f"""\
        import multiprocessing
        import agentlightning

        def work(queue):
            queue.put(agentlightning.Triplet.__module__)

        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            queue = context.SimpleQueue()
            child = context.Process(target=work, args=(queue,))
            child.start()
            print(queue.get())
            child.join()
        """,
    )
    assert done.stdout == "agentlightning_compat.model.legacy\n", done.stderr


def test_a_sitecustomize_of_the_user_still_runs(tmp_path):
    mine = tmp_path / "site"
    mine.mkdir()
    (mine / "sitecustomize.py").write_text("import sys; sys.mine = 'mine'\n")
    done = run(
        tmp_path,
        """\
        import subprocess, sys
        text = "import sys, agentlightning; print(sys.mine, agentlightning.Triplet.__name__)"
        print(subprocess.run([sys.executable, "-c", text], capture_output=True, text=True).stdout)
        """,
        environment={"PYTHONPATH": str(mine)},
    )
    assert done.stdout.strip() == "mine Triplet", done.stderr


def test_a_real_package_is_left_alone_unless_asked(tmp_path):
    real = tmp_path / "real" / "agentlightning"
    real.mkdir(parents=True)
    (real / "__init__.py").write_text("__version__ = '9'\nWHO = 'real'\n")
    text = "import agentlightning; print(getattr(agentlightning, 'WHO', 'ours'))\n"
    environment = {"PYTHONPATH": str(real.parent)}
    done = run(tmp_path, text, environment=environment)
    assert done.stdout == "real\n"
    assert "agentlightning 9 is installed" in done.stderr
    assert run(tmp_path, text, "--shadow", environment=environment).stdout == "ours\n"


@pytest.mark.oracle
def test_the_table_of_names_is_up_to_date():
    assert oracle_python("0.1.2")
    assert json.loads(generate.DATA.read_text()) == generate.generated()
