"""The table against the packages themselves: 0.1.2, 0.2.2 and 0.3.0."""

import pytest

from codemods import api_map
from tests.api_map.releases import REAL, is_module, places, rows, told
from tests.oracles import VERSIONS

pytestmark = pytest.mark.oracle

# What the probe sees of each kind of row. A constant may hold a function that is patched later;
# a type may be an alias of `Any`, which is a class.
SEEN = {
    "class": {"class"},
    "function": {"function"},
    "constant": {"value", "function", "class"},
    "type": {"value", "class"},
    "method": {"function"},
    "attribute": {"value", "property", "function"},
    "parameter": {"class", "function"},
    "module": {"module"},
}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_path_exists_exactly_where_the_map_says(version):
    answer = told(version)
    wrong = []
    for symbol in rows():
        for path, versions in symbol.exists.items():
            there = path in answer["modules"] if is_module(symbol) else None
            if there is None:
                there = answer["paths"][path]["found"]
            if there != (version in versions):
                wrong.append(f"{path}: map says {versions}, found: {there}")
    assert not wrong


@pytest.mark.parametrize("version", VERSIONS)
def test_where_a_name_has_its_legacy_meaning_it_is_of_that_kind(version):
    paths = told(version)["paths"]
    wrong = []
    for symbol in rows():
        if version not in symbol.versions or is_module(symbol):
            continue
        kinds = {paths[p]["kind"] for p, at in symbol.exists.items() if version in at}
        if not kinds & SEEN[symbol.kind]:
            wrong.append(f"{symbol.path}: a {symbol.kind}, found {kinds}")
    assert not wrong


@pytest.mark.parametrize("version", VERSIONS)
def test_all_paths_of_a_class_or_function_lead_to_the_same_thing(version):
    paths = told(version)["paths"]
    wrong = []
    for symbol in rows("class", "function"):
        if version not in symbol.versions or symbol.foreign:
            continue
        homes = {
            paths[path]["home"]
            for path, versions in symbol.exists.items()
            if version in versions and paths[path]["kind"] == symbol.kind
        }
        if len(homes) != 1:
            wrong.append(f"{symbol.path}: {sorted(homes)}")
    assert not wrong


def test_names_whose_meaning_changed_are_not_the_same_thing_later():
    early, late = told("0.1.2")["paths"], told("0.3.0")["paths"]
    for path, now in (
        ("agentlightning.Rollout", "agentlightning.types.core.Rollout"),
        ("agentlightning.reward", "agentlightning.reward"),
    ):
        symbol = api_map.load().lookup(path)
        assert early[path]["home"] == symbol.path
        assert late[path]["home"] == now
        assert late[symbol.replacement[REAL]]["home"] != now
    assert late["agentlightning.reward"]["kind"] == "module"
    fit = [told(version)["paths"]["agentlightning.trainer.Trainer.fit"] for version in VERSIONS]
    assert fit[0]["signature"] == "(agent, backend, dev_backend=None)"
    assert fit[1]["signature"] == fit[2]["signature"] != fit[0]["signature"]


def test_every_replacement_exists_in_the_newest_release_and_is_of_the_kind_it_replaces():
    answer = told("0.3.0")
    wrong = []
    for symbol in rows():
        path = symbol.replacement[REAL]
        if path is None:
            continue
        if is_module(symbol):
            if path not in answer["modules"]:
                wrong.append(f"{symbol.path}: no module {path}")
            continue
        seen = answer["paths"][path]
        if not seen["found"]:
            wrong.append(f"{symbol.path}: {path} does not exist")
        elif seen["kind"] not in SEEN[symbol.kind]:
            wrong.append(f"{symbol.path} is a {symbol.kind}, {path} a {seen['kind']}")
    assert not wrong


def test_every_successor_and_patch_target_exists_in_the_newest_release():
    answer = told("0.3.0")
    known = answer["modules"]
    wrong = []
    for symbol in rows():
        paths = {symbol.successor, *symbol.patch.values()} - {None} - set(known)
        wrong += [f"{symbol.path}: {p}" for p in paths if not answer["paths"][p]["found"]]
    assert not wrong


def test_stated_signatures_are_those_of_the_newest_release():
    paths = told("0.3.0")["paths"]
    wrong = []
    stated = 0
    for symbol in rows():
        pairs = (
            (symbol.signature, symbol.replacement[REAL]),
            (symbol.successor_signature, symbol.successor),
        )
        for signature, path in pairs:
            if signature is None or path is None:
                continue
            stated += 1
            if paths[path]["signature"] != signature:
                wrong.append(f"{path}{signature}: is {paths[path]['signature']}")
    assert not wrong
    assert stated > 100


def test_a_callable_that_changed_states_its_signature():
    paths = told("0.3.0")["paths"]
    for symbol in rows("class", "function", "method"):
        path = symbol.replacement[REAL]
        if symbol.change == "same" or path is None or symbol.foreign:
            continue
        assert symbol.signature == paths[path]["signature"], symbol.path


def test_unchanged_parameters_are_where_they_were():
    """A call that gives `same` parameters keeps its meaning under the replacement."""
    early, late = told("0.1.2")["paths"], told("0.3.0")["paths"]
    compared = 0
    for symbol in rows("parameter"):
        path = symbol.replacement[REAL]
        if symbol.change != "same" or path is None or "0.1.2" not in symbol.versions:
            continue
        before, after = early[symbol.path]["signature"], late[path]["signature"]
        compared += 1
        assert places(before)[symbol.name] == places(after)[symbol.name], symbol.path
    assert compared > 100
