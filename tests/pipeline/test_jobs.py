"""The same outcome however many processes there are."""

import pytest

from codemods import workers
from codemods.config import Settings
from codemods.pipeline import Job, run
from codemods.timings import Timings

FILES = 5


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.py").write_text(
        "from agentlightning import Trainer\n\n\nclass Mine(Trainer):\n    pass\n"
    )
    for number in range(FILES):
        text = f"from base import Mine\n\nMine(n_workers={number}, max_tasks=2)\n"
        (tmp_path / f"a{number}.py").write_text(text)
    return tmp_path


def job(**options):
    settings = Settings(select=("AGL2",))
    return Job(settings, (".",), options.pop("timings", Timings()), rewrites=True, **options)


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("notes", [False, True])
def test_processes_give_what_one_gives(project, monkeypatch, method, notes):
    serial = run(job(jobs=1, notes=notes))
    assert len(serial.changed()) == FILES
    monkeypatch.setattr(workers, "_start_method", lambda: method)
    assert run(job(jobs=3, notes=notes)) == serial


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_time_of_rules_is_counted_in_processes(project, monkeypatch, method):
    monkeypatch.setattr(workers, "_start_method", lambda: method)
    timings = Timings(enabled=True)
    run(job(jobs=2, timings=timings))
    assert timings.rules["AGL201"] > 0


def test_few_files_take_no_process(project, monkeypatch):
    def refuse(order, jobs, method):
        raise AssertionError("started processes")

    monkeypatch.setattr(workers, "_in_processes", refuse)
    assert len(run(job()).changed()) == FILES


def test_many_files_do(project, monkeypatch):
    asked = []

    def note(order, jobs, method):
        asked.append(jobs)
        return (workers.rewrite(order, index).result for index in range(len(order.tasks)))

    monkeypatch.setattr(workers, "_in_processes", note)
    monkeypatch.setattr(workers, "_processors", lambda: 8)
    monkeypatch.setattr(workers, "ENOUGH", FILES)
    assert len(run(job()).changed()) == FILES
    assert asked == [FILES]
