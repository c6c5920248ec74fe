"""JSON with places: the same values as the standard library's, and each where it is written."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemods.formats import json_text
from codemods.formats.json_text import Node
from codemods.source import SourceError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def same(node: Node, value: object, text: str) -> None:
    assert json.loads(text[node.start : node.end]) == value
    if isinstance(value, dict):
        assert isinstance(node.value, dict)
        assert list(node.value) == list(value)
        for key, inner in value.items():
            start, end = node.keys[key]
            assert json.loads(text[start:end]) == key
            same(node.value[key], inner, text)
    elif isinstance(value, list):
        assert len(node.items) == len(value)
        for item, inner in zip(node.items, value, strict=True):
            same(item, inner, text)
    elif isinstance(value, str):
        assert node.string == value


@given(VALUES, st.sampled_from([None, 0, 2]), st.booleans())
def test_values_and_places(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    same(json_text.read("x.json", text), value, text)


@given(st.text(), st.booleans())
def test_every_character_has_its_place(value, ascii_only):
    text = f" {json.dumps(value, ensure_ascii=ascii_only)} "
    node = json_text.read("x.json", text)
    places = [*json_text.offsets(text, node), node.end - 1]
    pieces = [text[a:b] for a, b in itertools.pairwise(places)]
    assert [json.loads(f'"{piece}"') for piece in pieces] == list(value)


@pytest.mark.parametrize("text", ["{", "[1,]", '{"a": 1,}\n', "", '"\t"'])
def test_broken_json_is_an_error_of_the_file(text):
    with pytest.raises(SourceError) as error:
        json_text.read("x.json", text)
    assert error.value.message.startswith("not valid JSON")


def test_json_that_is_nested_too_deeply():
    with pytest.raises(SourceError, match="nested too deeply"):
        json_text.read("x.json", "[" * 100_000 + "]" * 100_000)
