"""Tables that are written: no cell of them is worked out by a spreadsheet, and all are read again as they were."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from polydata.files.cells import harmless, original
from polydata.files.tables import csv_text, read_table, write_csv, write_frame
from polydata.splits.manifest import Item, _read_items, list_text

SIGNS = "=+-@\t\r'"
FORMULA = re.compile(r"[=+\-@\t\r]")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?")
ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
TEXT = st.one_of(ANY, st.tuples(st.text(SIGNS, min_size=1, max_size=3), ANY).map("".join))
ROWS = st.lists(TEXT, min_size=1, max_size=5)
ONES = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def as_read(text: str) -> str:
    """Lines in a cell end alike, however they were ended in the file."""
    return re.sub(r"\r\n?", "\n", text)


def is_harmless(text: str) -> bool:
    """Whether nothing in a CSV file, as a spreadsheet reads it, would be worked out."""
    cells = [cell for line in csv.reader(io.StringIO(text, newline="")) for cell in line]
    return not any(FORMULA.match(cell) and not NUMBER.fullmatch(cell) for cell in cells)


@given(TEXT)
@example("=cmd|' /C calc'!A0")
@example("'=1")
@example("''=1")
@example("-5")
@example("-5\n")
@example("\uff1d1+1")
def test_a_text_is_what_it_was(text: str) -> None:
    assert original(harmless(text)) == text
    assert not FORMULA.match(harmless(text)) or NUMBER.fullmatch(text)


@pytest.mark.parametrize("value", [-5, -0.25, True, None, float("-inf"), "-5", "+3.5", "-1e-05", "-inf"])
def test_numbers_and_nothing_stay(value: Any) -> None:
    assert harmless(value) is value or harmless(value) == value


@given(ROWS)
@ONES
def test_a_table_comes_back(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "table.csv"
    rows = [{"key": n, "=text": text, "number": -n / 4} for n, text in enumerate(texts)]
    write_csv(path, list(rows[0]), rows)
    assert is_harmless(path.read_bytes().decode())
    wanted = [{name: as_read(str(value)) for name, value in row.items()} for row in rows]
    assert [row.values for row in read_table(path)] == wanted


@given(ROWS)
@ONES
def test_a_list_of_a_split_comes_back(tmp_path: Path, texts: list[str]) -> None:
    items = [Item(f"{n:064x}", text, text, f"store/{n}", {"-caption": text}) for n, text in enumerate(texts)]
    path = tmp_path / "train.csv"
    path.write_text(list_text(items), encoding="utf-8", newline="")
    assert is_harmless(list_text(items))
    wanted = [(t, t, {"-caption": t}) for t in map(as_read, texts)]
    assert [(i.label, i.group, dict(i.extra)) for i in _read_items(path)] == wanted


@given(ROWS)
@ONES
def test_a_frame_comes_back(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "frame.csv"
    on = [None, *[True] * (len(texts) - 1)]
    frame = pd.DataFrame({"key": range(len(texts)), "path": texts, "@p": -0.5, "on": on})
    write_frame(path, frame)
    assert is_harmless(path.read_bytes().decode())
    rows = [row.values for row in read_table(path)]
    assert [(row["path"], row["@p"]) for row in rows] == [(as_read(text), "-0.5") for text in texts]
    assert rows[0]["on"] == ""


def test_an_older_list_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text("image_sha256,label,group,path,caption\na,b,c,d,=1+1\n")
    assert _read_items(path)[0].extra == {"caption": "=1+1"}


def test_lines_end_alike() -> None:
    assert csv_text(["a", "b"], [{"a": None, "b": "x,y"}]) == 'a,b\n,"x,y"\n'
