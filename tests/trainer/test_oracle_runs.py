"""The same program on the real 0.3.0 and on ours, and with one of them on either side.

What is compared: statuses, attempts, spans with their attributes, rewards, final resources, and
the order in which hooks are called.
"""

from __future__ import annotations

import pytest

from tests.http.real.peers import free_port
from tests.http.real.runs import runs

pytestmark = pytest.mark.oracle

THREADS = {"type": "shm", "main_thread": "algorithm"}
SIDES = [("ours", "real"), ("real", "ours")]


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    with (
        runs("ours", tmp_path_factory.mktemp("ours")) as ours,
        runs("real", tmp_path_factory.mktemp("real")) as real,
    ):
        yield {"ours": ours, "real": real}


def both(sides, name, **settings):
    """What the program said on each, and its calls of hooks."""
    if settings["strategy"] == "cs":
        settings["port"] = free_port()
    real = sides["real"].start(name, **settings)
    said = (real.said(), real.hooks())
    if settings["strategy"] == "cs":
        settings["port"] = free_port()
    ours = sides["ours"].start(name, **settings)
    return (ours.said(), ours.hooks()), said


def split(sides, algorithm, runner, name, beating=2, count=None, **settings):
    """Start the algorithm's side on one, that of two runners on the other."""
    port = str(free_port())
    where = {"AGL_SERVER_HOST": "127.0.0.1", "AGL_SERVER_PORT": port, "AGL_MANAGED_STORE": "1"}
    settings["strategy"] = "cs"
    more = {"beating": beating, "hold": True} if name == "fit" else {}
    if count:
        more["count"] = count
    roles = [{**where, "AGL_CURRENT_ROLE": role} for role in ("algorithm", "runner")]
    return (
        sides[algorithm].start(name, roles[0], **settings, **more),
        sides[runner].start("run_runners", roles[1], n_runners=2, **settings),
    )


def ended(first, second):
    """The runners are stopped before the algorithm ends: what was said and called."""
    first.done(second)
    second.interrupt()
    assert second.said() is None
    first.go_on()
    return first.said(), second.hooks()


def statuses(said):
    return [rollout["status"] for rollout in said["rollouts"]]


def rewards(said):
    values = [
        value
        for rollout in said["rollouts"]
        for span in rollout["spans"][-1]
        for key, value in span[3].items()
        if key == "agentlightning.reward.0.value"
    ]
    return sorted(values)


@pytest.fixture(scope="module")
def processes(sides):
    """Runs with two runner processes."""
    return both(sides, "fit", strategy="cs", n_runners=2, beating=2)


def test_runner_processes(processes):
    ours, real = processes
    assert ours == real
    said, hooks = real
    assert len(said["rollouts"]) == 23
    assert statuses(said).count("failed") == 3
    assert rewards(said)[-3:] == [7.0, 8.5, 9.5]
    assert said["resources"]["prompt"]["template"].startswith("learned ")
    assert said["workers"] == [["Worker-0", True], ["Worker-1", True]]
    assert [line[2] for line in hooks[:4]] == [
        "rollout starts",
        "trace starts",
        "trace ends",
        "rollout ends",
    ]


def test_runner_threads(sides):
    ours, real = both(sides, "fit", strategy=THREADS)
    assert ours == real
    assert len(real[0]["rollouts"]) == 23


def test_two_runner_threads_of_ours_do_what_two_processes_do(sides, processes):
    # The real one has one runner only when it has the main thread, and does not end then.
    run = sides["ours"].start("fit", strategy="shm", n_runners=2, beating=2)
    assert (run.said(), run.hooks()) == processes[1]


@pytest.fixture(scope="module")
def agentops(sides):
    """Runs of an async agent with the tracer of AgentOps."""
    settings = {"of_async": True, "tracer": "AgentOpsTracer", "count": 7}
    return both(sides, "fit", strategy="cs", **settings)


def test_async_agents_under_agentops(agentops):
    ours, real = agentops
    assert ours == real
    names = {span[0] for one in real[0]["rollouts"] for span in one["spans"][-1]}
    assert "ROLLOUT.session" in names


@pytest.fixture(scope="module")
def of_dev(sides):
    """Runs of `Trainer.dev`."""
    return both(sides, "dev", strategy=THREADS)


def test_dev(of_dev):
    ours, real = of_dev
    assert ours == real
    assert len(real[0]["rollouts"]) == 8


@pytest.mark.parametrize(("algorithm", "runner"), SIDES)
def test_the_algorithm_here_and_the_runners_there(sides, processes, algorithm, runner):
    assert ended(*split(sides, algorithm, runner, "fit")) == processes[1]


@pytest.mark.parametrize(("algorithm", "runner"), SIDES)
def test_async_agents_from_one_side_to_the_other(sides, agentops, algorithm, runner):
    settings = {"of_async": True, "tracer": "AgentOpsTracer", "count": 7, "beating": 1}
    said, hooks = ended(*split(sides, algorithm, runner, "fit", **settings))
    whole, called = agentops[1]
    assert said["rollouts"] == whole["rollouts"]
    assert (said["resources"], hooks) == (whole["resources"], called)


@pytest.mark.parametrize(("algorithm", "runner"), SIDES)
def test_dev_with_runners_elsewhere(sides, of_dev, algorithm, runner):
    first, second = split(sides, algorithm, runner, "dev")
    said = first.said()
    second.kill()  # its server is gone
    assert (said, second.hooks()) == of_dev[1]


@pytest.mark.parametrize(("server", "trainer"), SIDES)
def test_a_trainer_whose_store_is_a_client_of_the_other_one(sides, processes, server, trainer):
    port = free_port()
    serving = sides[server].start("serve", port=port)
    serving.done()
    settings = {"server": f"http://127.0.0.1:{port}", "strategy": "cs", "n_runners": 2}
    run = sides[trainer].start("fit", {"AGL_MANAGED_STORE": "0"}, beating=2, **settings)
    assert (run.said(), run.hooks()) == processes[1]
    serving.go_on()
    assert serving.said() is None
