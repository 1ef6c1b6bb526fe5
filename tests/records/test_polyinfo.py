"""PoLyInfo's own shapes: one JSON a sample in numbered folders, and the workbook of samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from workspaces import bare_session

from polydata.catalogue.connect import Catalogue
from polydata.errors import InputError, UsageError
from polydata.records.columns import parse_map
from polydata.records.importer import import_records
from polydata.records.polyinfo import MAX_ITEMS, cells_of, is_sample, properties_of, unwrap, words
from polydata.records.reading import read_records
from polydata.text.composition import components_of

SAMPLE: dict[str, Any] = {
    "sample_id": 12,
    "polymer_id": ["P000001", "P000002"],
    "reference_no": "",
    "polymer_name": ["polymer one", "polymer two"],
    "polymer_type": "polymer_blend",
    "characteristics_of_material": "two phases&slash;fine",
    "component_ratio": "70/30 wt%",
    "mixing_blending_method": ["melt mixing", {"temperature": "200 C"}],
    "property": [
        {
            "property_title": "Thermal property",
            "property_item": [
                {
                    "measurement_method": "DSC",
                    "measurement_condition": {"rate": "10 K/min"},
                    "remark": None,
                    "property_values": [
                        {
                            "property_name": "Glass transition temp.",
                            "property_value_min": -60,
                            "property_value_max": "-58",
                            "property_value_inequality": "ca",
                            "property_unit": "C",
                        },
                        {"property_name": "Glass transition temp.", "property_value_min": 100, "property_unit": "C"},
                    ],
                }
            ],
        },
        {
            "property_title": "Morphology",
            "property_item": {
                "measurement_method": ["SEM"],
                "property_values": {"property_name": "Morphology", "property_value_min": "droplets in a matrix"},
            },
        },
    ],
}


def folder_of(root: Path, sample: dict[str, Any] | None = None) -> Path:
    place = root / "reference_no_0101911"
    place.mkdir(parents=True)
    (place / "BD0001.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(sample or SAMPLE).encode())
    return root


def workbook_of(path: Path) -> Path:
    book = openpyxl.Workbook()
    book.active.append(["nothing", "here"])
    sheet = book.create_sheet("sample_export")
    sheet.append(["reference_no", "sample_id", "polymer_id", "sample_json"])
    sheet.append(["0101911", 12, "P000001", json.dumps(SAMPLE)])
    book.save(path)
    return path


def test_a_sample_becomes_a_record_with_components_and_properties(tmp_path: Path) -> None:
    path = next(folder_of(tmp_path).rglob("*.json"))
    read = read_records(path)
    (record,) = read.records
    assert not read.bad
    assert (record.values["sample_id"], record.values["reference_no"]) == ("12", "0101911")
    assert record.values["characteristics"] == "two phases/fine"
    assert record.values["blending_method"] == "melt mixing; 200 C"
    assert record.values["morphology"] == "droplets in a matrix"
    assert record.values["glass_transition"] is not None
    assert "≈ -60--58 C" in record.values["glass_transition"]
    assert "100 C (DSC; 10 K/min)" in record.values["glass_transition"]
    assert record.values["measurement"] == "DSC; SEM"
    assert [(c.name, c.polymer_id, c.ratio, c.unit) for c in record.components] == [
        ("polymer one", "P000001", 70.0, "wt%"),
        ("polymer two", "P000002", 30.0, "wt%"),
    ]
    assert [p.name for p in record.properties] == ["Glass transition temp."] * 2 + ["Morphology"]
    assert json.loads(record.raw)["polymer_type"] == "polymer_blend"


def test_both_shapes_are_the_same_record_and_a_second_import_changes_nothing(tmp_path: Path) -> None:
    folder, book = folder_of(tmp_path / "samples"), workbook_of(tmp_path / "samples.xlsx")
    (one,) = read_records(next(folder.rglob("*.json"))).records
    (other,) = read_records(book).records
    assert one.record_id == other.record_id
    with Catalogue.open(tmp_path / "c.duckdb") as catalogue:
        first = import_records(bare_session(catalogue), [folder]).records
        second = import_records(bare_session(catalogue), [folder]).records
        parts = [
            catalogue.tuples(f"SELECT count(*) FROM {table}")[0][0]
            for table in ("record_components", "record_properties")
        ]
    assert (first.imported, second.unchanged, second.imported) == (1, 1, 0)
    assert parts == [2, 3]


def test_a_folder_without_tables_says_so(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path / "c.duckdb") as catalogue, pytest.raises(InputError, match="holds no table"):
        import_records(bare_session(catalogue), [tmp_path / "."])


def test_a_cell_that_holds_no_sample_is_a_bad_row(tmp_path: Path) -> None:
    table = tmp_path / "samples.jsonl"
    cells = ["[1]", "{", json.dumps(SAMPLE)]
    table.write_text("\n".join(json.dumps({"sample_id": n, "sample_json": c}) for n, c in enumerate(cells)))
    read = read_records(table)
    assert len(read.records) == 1
    assert [b.row for b in read.bad] == [1, 2]
    assert "holds no sample" in read.bad[0].reason
    assert "not JSON" in read.bad[1].reason


def test_a_sample_of_too_many_values_is_refused() -> None:
    value = {"property_name": "x", "property_value_min": 1}
    many = {"property": {"property_item": {"property_values": [value] * (MAX_ITEMS + 1)}}}
    with pytest.raises(ValueError, match="more than"):
        properties_of(many)
    with pytest.raises(ValueError, match="more than"):
        words([0] * (MAX_ITEMS + 1))


def test_a_plain_table_is_no_sample() -> None:
    assert not is_sample({"sample_id": "1", "morphology": "x"})
    assert is_sample(SAMPLE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(SAMPLE)), inner, max_size=4),
    max_leaves=25,
)


@given(st.dictionaries(st.sampled_from([*SAMPLE, "property_item", "property_values"]), JSON, max_size=8))
def test_whatever_a_sample_holds_its_cells_are_texts(sample: dict[str, Any]) -> None:
    cells, properties = cells_of(unwrap(sample, "0000001"))
    assert all(isinstance(cell, str) for cell in cells.values())
    assert all(isinstance(one.words(), str) for one in properties)


@pytest.mark.parametrize(
    ("polymers", "ratio", "expected"),
    [
        ("A; B", "80:20 (v/v)", [("A", 80.0, "vol%"), ("B", 20.0, "vol%")]),
        ("PP/PA6", "70/30", [("PP", 70.0, None), ("PA6", 30.0, None)]),
        ("A; B; C", "70/30", [("A", None, None), ("B", None, None), ("C", None, None)]),
        (None, "70/30", []),
    ],
)
def test_components_get_their_part_only_where_numbers_match_names(
    polymers: str | None, ratio: str, expected: list[tuple[str, float | None, str | None]]
) -> None:
    assert [(c.name, c.ratio, c.unit) for c in components_of(polymers, ratio, None)] == expected


def test_columns_can_be_named_for_fields(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("key,Phase,label\na,droplets,incompatible\n")
    (record,) = read_records(table, columns=parse_map(["morphology=Phase", "record_key=key"])).records
    assert (record.values["record_key"], record.values["morphology"], record.values["compatibility"]) == (
        "a",
        "droplets",
        "incompatible",
    )
    with pytest.raises(UsageError, match="no column 'Nowhere'"):
        read_records(table, columns={"morphology": ("Nowhere",)})
    with pytest.raises(UsageError, match="no field 'nofield'"):
        parse_map(["nofield=Phase"])
