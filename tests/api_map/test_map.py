"""The table by itself: what it answers."""

import subprocess
import sys
from pathlib import Path

import pytest

from codemods import api_map
from codemods.api_map.source import DATA, read_files
from codemods.api_map.symbol import Symbol, last_component, split_path
from codemods.api_map.table import ApiMap

OURS = "agentlightning_compat"
REAL = "agentlightning"


@pytest.fixture(scope="module")
def table() -> ApiMap:
    return api_map.load()


def test_loading_the_map_does_not_import_pydantic():
    code = (
        "import sys, codemods.api_map as m; m.load();"
        "print('pydantic' in sys.modules, 'libcst' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_the_packaged_rows_are_valid_and_read_the_same_way(table: ApiMap):
    assert read_files(Path(DATA)).symbols == table.symbols


def test_the_map_is_read_once():
    assert api_map.load() is api_map.load()


def test_classes_are_reachable_from_the_package():
    assert api_map.Symbol is Symbol
    assert api_map.ApiMap is ApiMap
    with pytest.raises(AttributeError, match="Nothing"):
        api_map.__getattr__("Nothing")


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("agentlightning.trainer.AgentRunner", "agentlightning.runner.AgentRunner"),
        ("agentlightning.AgentLightningClient", "agentlightning.client.AgentLightningClient"),
        ("agentlightning.client.Rollout", "agentlightning.types.Rollout"),
        ("agentlightning.reward", "agentlightning.reward.reward"),
        ("agentlightning.tracer.TripletExporter", "agentlightning.tracer.triplet.TripletExporter"),
        ("agentlightning.LegacyAgentRunner", "agentlightning.runner.legacy.LegacyAgentRunner"),
        ("agentlightning.Trainer.fit", "agentlightning.trainer.Trainer.fit"),
        ("agentlightning.Trainer(n_workers)", "agentlightning.trainer.Trainer(n_workers)"),
        ("agentlightning.Trainer.fit(backend)", "agentlightning.trainer.Trainer.fit(backend)"),
        ("agentlightning.Trainer.fit_v0", "agentlightning.trainer.Trainer.fit_v0"),
        ("agentlightning.tracer.http", "agentlightning.tracer.http"),
        ("agentlightning.RolloutV2", "agentlightning.types.core.RolloutV2"),
    ],
)
def test_every_path_of_a_name_finds_its_row(table, path, canonical):
    symbol = table.lookup(path)
    assert symbol is not None
    assert symbol.path == canonical


@pytest.mark.parametrize(
    "path",
    [
        "agentlightning",
        "agentlightning.Nothing",
        "agentlightning.Trainer.nothing",
        "agentlightning.Trainer(nothing)",
        "lightning.Trainer",
        "lightning.Trainer.fit",
        "Trainer(n_workers)",
        "",
        ")",
    ],
)
def test_other_names_have_no_row(table, path):
    found = table.lookup(path)
    assert found is None or (path == "agentlightning" and found.kind == "module")


@pytest.mark.parametrize(
    ("path", "real", "ours"),
    [
        # The same thing under another name.
        ("agentlightning.runner.AgentRunner", "LegacyAgentRunner", "LegacyAgentRunner"),
        ("agentlightning.tracer.base.BaseTracer", "Tracer", "Tracer"),
        ("agentlightning.tracer.TripletExporter", "TracerTraceToTriplet", "TracerTraceToTriplet"),
        ("agentlightning.types.Rollout", "RolloutLegacy", "RolloutLegacy"),
        # The package attribute is a module in 0.3.0.
        ("agentlightning.reward", "emitter.reward", "emitter.reward"),
        ("agentlightning.reward.reward", "emitter.reward", "emitter.reward"),
        # Never exported at the top.
        (
            "agentlightning.tracer.triplet.TraceTree",
            "adapter.triplet.TraceTree",
            "adapter.triplet.TraceTree",
        ),
        # Names that modules of 0.1 re-exported by accident.
        ("agentlightning.litagent.NamedResources", "NamedResources", "NamedResources"),
        ("agentlightning.trainer.AgentOpsTracer", "AgentOpsTracer", "AgentOpsTracer"),
        ("agentlightning.runner.Task", "Task", "Task"),
        # Still where they were: left alone in one target, our public name in the other.
        ("agentlightning.types.LLM", "types.LLM", "LLM"),
        ("agentlightning.types.Task", "types.Task", "Task"),
        # Still there, but in a module that warns.
        ("agentlightning.reward.find_final_reward", "find_final_reward", "find_final_reward"),
        # Parts of classes and calls.
        ("agentlightning.Trainer(max_tasks)", "Trainer(max_rollouts)", "Trainer(max_rollouts)"),
        ("agentlightning.tracer.TripletExporter.export",) + ("TracerTraceToTriplet.adapt",) * 2,
        # Without counterpart.
        ("agentlightning.tracer.http.HttpTracer", None, None),
        ("agentlightning.verl.AgentDataset", "verl.AgentDataset", None),
    ],
)
def test_replacement_for_either_target(table, path, real, ours):
    expected = (real and f"{REAL}.{real}", ours and f"{OURS}.{ours}")
    assert (table.replacement_for(path, REAL), table.replacement_for(path, OURS)) == expected


def test_unknown_names_have_neither_replacement_nor_successor(table):
    assert table.replacement_for("torch.nn", REAL) is None
    assert table.successor_for("torch.nn", REAL) is None
    assert table.patch_target_for("torch.nn") is None


def test_successor_is_the_store_api_in_either_target(table):
    path = "agentlightning.runner.AgentRunner"
    assert table.successor_for(path, REAL) == "agentlightning.LitAgentRunner"
    assert table.successor_for(path, OURS) == "agentlightning_compat.LitAgentRunner"
    assert table.successor_for("agentlightning.types.LLM", REAL) is None


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("agentlightning.trainer.AgentRunner", "agentlightning.trainer.legacy.LegacyAgentRunner"),
        (
            "agentlightning.trainer.AgentLightningClient",
            "agentlightning.trainer.legacy.AgentLightningClient",
        ),
        ("agentlightning.reward.operation", "agentops.sdk.decorators.operation"),
        ("agentlightning.client.requests", "agentlightning.client.requests"),
        ("agentlightning.Trainer.fit", "agentlightning.Trainer.fit"),
        ("agentlightning.tracer.http.HttpTracer", None),
    ],
)
def test_patch_targets_lead_to_where_the_name_is_looked_up(table, path, target):
    assert table.patch_target_for(path) == target


def test_parameters_keep_the_order_of_the_call(table):
    queue = table.parameters_of("agentlightning.server.AgentLightningServer.queue_task")
    assert [(p.name, p.position) for p in queue.values()] == [
        ("sample", 0),
        ("mode", 1),
        ("resources_id", 2),
        ("metadata", 3),
    ]
    assert queue["sample"].default is None
    assert queue["mode"].default == "None"


def test_keyword_only_parameters_have_no_position(table):
    trainer = table.parameters_of("agentlightning.trainer.Trainer")
    assert {p.position for p in trainer.values()} == {None}
    assert trainer["n_workers"].default == "1"
    assert {"dev", "n_workers", "max_tasks", "daemon", "tracer", "triplet_exporter"} == set(trainer)


def test_members_include_inherited_ones_and_own_ones_win(table):
    client = table.members_of("agentlightning.client.AgentLightningClient")
    loader = table.members_of("agentlightning.client.DevTaskLoader")
    assert loader["endpoint"] is client["endpoint"]
    assert loader["post_rollout"].owner == "agentlightning.client.DevTaskLoader"
    assert "rollouts" not in client
    assert table.lookup("agentlightning.DevTaskLoader.endpoint") is client["endpoint"]
    assert table.members_of("agentlightning.types.Nothing") == {}


def test_a_module_and_a_name_may_share_a_path(table):
    assert table.modules["agentlightning.reward"].kind == "module"
    assert table.lookup("agentlightning.reward").kind == "function"
    assert table.modules["agentlightning.tracer"].change == "changed"
    assert table.modules["agentlightning.tracer.triplet"].replacement[REAL] == (
        "agentlightning.adapter.triplet"
    )


def test_legacy_names_are_those_that_can_mean_nothing_else(table):
    expected = {
        "AgentLightningClient",
        "AgentLightningServer",
        "AgentRunner",
        "BaseTracer",
        "DevTaskLoader",
        "HttpTracer",
        "LegacyAgentRunner",
        "RolloutLegacy",
        "TrainerLegacy",
        "TripletExporter",
        "configure_logger",
        "fit_v0",
        "training_rollout",
        "validation_rollout_async",
        "poll_next_task",
        "n_workers",
        "max_tasks",
        "triplet_exporter",
        "trained_agents",
    }
    names = table.legacy_names()
    assert expected <= names
    generic = {"Rollout", "Task", "Trainer", "fit", "dev", "reward", "rollout_id", "resources"}
    assert not names & (generic | {"tracer", "metadata", "timeout", "endpoint", "start", "stop"})


def test_splitting_paths():
    assert split_path("a.b.C") == ("a.b", "C")
    assert split_path("a.b.C(x)") == ("a.b.C", "x")
    assert split_path("a") == ("", "a")
    assert last_component("a.b.C.f(x)") == "x"
