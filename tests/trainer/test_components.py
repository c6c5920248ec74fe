"""Components from what a user writes for them."""

from __future__ import annotations

import pytest

from agentlightning_compat import DummyTracer, InMemoryLightningStore, build_component
from agentlightning_compat.trainer.components import (
    instantiate_component,
    instantiate_from_spec,
    load_class,
)


class Part:
    def __init__(self, size: int = 1, name: str = "part") -> None:
        self.size, self.name = size, name


class Other(Part):
    pass


PATH = f"{__name__}.Part"


def build(spec, **settings):
    return build_component(spec, expected_type=Part, spec_name="part", **settings)


@pytest.mark.parametrize(
    ("spec", "size"),
    [
        (Part(7), 7),
        (Part, 3),
        (Other, 3),
        (lambda: Part(5), 5),
        (PATH, 3),
        ("alias", 3),
        ({"type": PATH}, 3),
        ({"type": PATH, "size": 9}, 9),
        ({"type": "alias", "size": 9}, 9),
        ({"name": "alias", "size": 9}, 9),
        ({"type": Other, "size": 9}, 9),
        (None, 2),
    ],
)
def test_all_that_makes_a_component(spec, size) -> None:
    made = build(
        spec,
        optional_defaults={"size": 3, "unknown": 4},
        registry={"alias": PATH},
        default_factory=lambda: Part(2),
    )
    assert type(made).__name__ in ("Part", "Other")
    assert made.size == size


def test_an_instance_is_taken_as_it_is() -> None:
    part = Part()
    assert build(part) is part


def test_a_default_that_can_be_called_is_called_when_it_is_needed() -> None:
    calls = []
    made = instantiate_component(Part, {"size": 4}, {"size": calls.append, "name": lambda: "n"})
    assert (made.size, made.name, calls) == (4, "n", [])


def test_none() -> None:
    assert build(None, allow_none=True) is None
    with pytest.raises(ValueError, match="part: nothing can be made of <class 'NoneType'>"):
        build(None)


@pytest.mark.parametrize("spec", [3, 4.5, [], int])
def test_what_nothing_can_be_made_of(spec) -> None:
    with pytest.raises(ValueError, match="nothing can be made"):
        build(spec)
    with pytest.raises(ValueError, match=r"^Bad .* for Part$"):
        build(spec, invalid_spec_error_fmt="Bad {actual_type} for {expected_type}")


@pytest.mark.parametrize("spec", [lambda: 3, "collections.OrderedDict", {"type": "builtins.dict"}])
def test_what_makes_something_else(spec) -> None:
    with pytest.raises(TypeError, match="which is no Part"):
        build(spec)
    with pytest.raises(TypeError, match=r"^Got .* not Part$"):
        build(spec, type_error_fmt="Got {type_name} not {expected_type}")


def test_a_dictionary_without_a_type() -> None:
    with pytest.raises(ValueError, match="no 'type'"):
        build({"size": 1})
    with pytest.raises(ValueError, match="no 'type'"):
        build({"size": 1}, dict_requires_type=False)
    made = build({"size": 8}, dict_requires_type=False, dict_default_cls=Other)
    assert (type(made), made.size) == (Other, 8)
    spec = {"size": 8}
    build(spec, dict_requires_type=False, dict_default_cls=Other)
    assert spec == {"size": 8}


def test_paths() -> None:
    assert load_class("collections.OrderedDict").__name__ == "OrderedDict"
    with pytest.raises(ValueError, match="'Part' is no path"):
        load_class("Part")
    with pytest.raises(ImportError):
        load_class("no_such_module.Part")
    with pytest.raises(AttributeError):
        load_class("collections.NoSuchThing")
    with pytest.raises(TypeError, match="a string or a dictionary"):
        instantiate_from_spec(3, spec_name="part")  # type: ignore[arg-type]


def test_paths_of_agentlightning_lead_here() -> None:
    assert load_class("agentlightning.tracer.DummyTracer") is DummyTracer
    assert (
        load_class("agentlightning.store.memory.InMemoryLightningStore") is InMemoryLightningStore
    )
