"""The data of the table: complete rows, and a clear word on damaged ones."""

import json
from pathlib import Path

import pytest

from codemods import api_map
from codemods.api_map.source import FILES, ApiMapError, read_files
from codemods.api_map.symbol import last_component
from codemods.api_map.table import ApiMap

DATA = Path(api_map.__file__).parent / "data"
OURS = "agentlightning_compat"
REAL = "agentlightning"


@pytest.fixture(scope="module")
def table() -> ApiMap:
    return api_map.load()


def test_each_row_stands_on_a_line_of_its_own():
    for name in FILES:
        text = (DATA / name).read_text(encoding="utf-8")
        lines = text.splitlines()
        assert (lines[0], lines[-1]) == ("[", "]")
        rows = [json.loads(line.removesuffix(",")) for line in lines[1:-1]]
        assert rows == json.loads(text)


def test_all_data_files_are_read():
    assert sorted(FILES) == sorted(file.name for file in DATA.iterdir())


def test_rows_are_told_apart_and_complete(table):
    for symbol in table.symbols:
        assert symbol.paths[0] == symbol.path, symbol.path
        assert (symbol.versions == ()) == symbol.prerelease, symbol.path
        assert list(symbol.versions) == sorted(set(symbol.versions)), symbol.path
        reached = {version for versions in symbol.exists.values() for version in versions}
        assert set(symbol.versions) <= reached, symbol.path
        if symbol.change != "same" or symbol.applicability != "safe":
            assert symbol.advice.endswith("."), symbol.path


def test_change_and_replacement_agree(table):
    for symbol in table.symbols:
        real, ours = symbol.replacement[REAL], symbol.replacement[OURS]
        assert (real is None) == (symbol.change == "removed"), symbol.path
        if symbol.change == "removed":
            assert ours is None, symbol.path
        if symbol.change == "renamed" and real is not None:
            assert last_component(real) != symbol.name, symbol.path
        if symbol.change in ("same", "moved") and real is not None and not symbol.foreign:
            same_name = last_component(real) == symbol.name
            assert same_name or symbol.kind == "module", symbol.path
        assert ours is None or ours == real.replace(REAL, OURS, 1), symbol.path


def test_what_may_break_is_never_safe(table):
    for symbol in table.symbols:
        if symbol.change == "removed":
            assert symbol.applicability != "safe" or symbol.advice, symbol.path
        if symbol.kind != "module" and symbol.replacement[REAL] is None and symbol.legacy:
            assert symbol.applicability != "safe", symbol.path


def test_owners_of_members_and_parameters_are_in_the_map(table):
    for symbol in table.symbols:
        if symbol.kind == "parameter":
            owner = table.lookup(symbol.owner)
            assert owner is not None or "0.1.2" not in symbol.versions, symbol.path
            assert symbol.name in table.parameters_of(symbol.owner)
        elif symbol.kind in ("method", "attribute") and not symbol.foreign:
            owner = table.lookup(symbol.owner)
            assert owner is not None or "0.1.2" not in symbol.versions, symbol.path
            assert symbol.name in table.members_of(symbol.owner)


def test_bases_are_in_the_map(table):
    for symbol in table.symbols:
        for base in symbol.bases:
            assert table.lookup(base).path == base, symbol.path


# --- damaged data --------------------------------------------------------------------------


@pytest.fixture
def copied(tmp_path):
    for name in FILES:
        (tmp_path / name).write_bytes((DATA / name).read_bytes())
    return tmp_path


def change_row(folder: Path, name: str, row: int, **fields: object) -> None:
    rows = json.loads((folder / name).read_text(encoding="utf-8"))
    rows[row].update(fields)
    (folder / name).write_text(json.dumps(rows), encoding="utf-8")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"aplicability": "safe"}, "aplicability"),
        ({"applicability": "maybe"}, "applicability"),
        ({"versions": ["0.1.3"]}, "versions.0"),
        ({"position": "1"}, "position"),
        ({"replacement": {"agentlightning": None}}, "replacement.agentlightning_compat"),
        (
            {"replacement": {"agentlightning": None, "agentlightning_compat": None, "x": None}},
            "replacement.x",
        ),
        ({"advice": None}, "advice"),
    ],
)
def test_a_wrong_field_is_told_with_file_and_row(copied, fields, told):
    path = json.loads((copied / "symbols.json").read_text(encoding="utf-8"))[4]["path"]
    change_row(copied, "symbols.json", 4, **fields)
    with pytest.raises(ApiMapError) as error:
        read_files(copied)
    assert f"symbols.json: row 5 ({path}): {told}: " in str(error.value)


def test_broken_json_is_told_with_its_file(copied):
    (copied / "members.json").write_text("[\n{]\n", encoding="utf-8")
    with pytest.raises(ApiMapError, match=r"members\.json: Invalid JSON.*line 2"):
        read_files(copied)


def test_a_row_that_is_no_object_is_told(copied):
    (copied / "members.json").write_text("[3]", encoding="utf-8")
    with pytest.raises(ApiMapError, match=r"members\.json: row 1 \(not an object\): row: "):
        read_files(copied)


def test_a_file_that_is_missing_is_told(copied):
    (copied / "foreign.json").unlink()
    with pytest.raises(ApiMapError, match=r"foreign\.json: No such file"):
        read_files(copied)


def test_the_same_path_twice_is_told(copied):
    rows = json.loads((copied / "symbols.json").read_text(encoding="utf-8"))
    (copied / "symbols.json").write_text(json.dumps([*rows, rows[3]]), encoding="utf-8")
    with pytest.raises(ApiMapError) as error:
        read_files(copied)
    assert f"{rows[3]['path']} is in symbols.json already" in str(error.value)
