"""Tables of records as people and spreadsheets write them."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter


def filled_template(path: Path) -> Path:
    """A template whose examples gave way to samples of one's own."""
    if path.suffix == ".csv":
        path.write_text(path.read_text().replace("example-", "mine-"))
        return path
    book = openpyxl.load_workbook(path)
    for row in (2, 3):
        book["records"].cell(row, 1).value = f"mine-{row - 1}"
    book.save(path)
    return path


HEADERS = {
    "record_key": ("record_key", "Key", "ID", "Sample", "record_id", "Sample No.", "Sample name"),
    "doi": ("doi", "DOI"),
    "journal": ("journal", "Journal name", "JOURNAL TITLE"),
    "figure": ("Fig.", "Fig. No.", "Figure number", "fig"),
    "caption": ("caption", "Figure caption", "Caption text"),
    "morphology": ("morphology", "Phase morphology", "Phase structure"),
}
"""Fields, and what people call their columns."""

PARTS = {
    "polymers": (("polymers",), ("Components",), ("Polymer A", "Polymer B"), ("Component 1", "Component 2")),
    "composition_ratio": (
        ("composition_ratio",),
        ("Ratio (w/w)",),
        ("A/B (wt%)",),
        ("wt% A", "wt% B"),
        ("Ratio A (wt%)", "Ratio B (wt%)"),
        ("Polymer A content (wt%)", "Polymer B content (wt%)"),
    ),
}
UNREAD = ("Operator", "Measured on", "Remarks", "Lab book")
"""Columns that no field has."""

WORDS = {
    "ascii": ("SEM of the blend", "droplets, fine", 'a "sea" of A', "two\nlines", "plain", "5 um; etched"),
    "latin": ("M\u00fcller\u2013\u00d6zg\u00fcr", "25 \u00b0C", "gr\u00f6\u00dfer", "5 \u00b5m \u00b1 1", "caf\u00e9"),
    "japanese": ("\u76f8\u5206\u96e2\u69cb\u9020", "\u6d77\u5cf6\u69cb\u9020 SEM", "\u30dd\u30ea\u30de\u30fc"),
    "chinese": ("\u76f8\u5206\u79bb\u7ed3\u6784", "\u805a\u5408\u7269\u5171\u6df7", "\u626b\u63cf\u7535\u955c"),
}
ENCODINGS = {
    "ascii": ("utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le"),
    "latin": ("utf-8", "utf-8-sig", "utf-16", "cp1252"),
    "japanese": ("utf-8", "utf-8-sig", "utf-16", "shift_jis", "euc_jp"),
    "chinese": ("utf-8", "utf-8-sig", "utf-16", "gbk"),
}
TURNED = (
    dt.datetime(1990, 10, 1),
    dt.timedelta(days=2, hours=12),
    dt.time(10, 30),
    '=CONCATENATE(70,"/",30)',
    "#REF!",
)
"""What a spreadsheet leaves where a ratio was typed."""
TURNED_TEXTS = ("Oct-90", "10-Jan", "1990/10/01", "60:40:00", "2 days, 12:00:00", "#DIV/0!", "1990-10-01 00:00:00")


@dataclass
class Drawn:
    """A table as somebody would write it, and what it says.

    Attributes:
        header, rows: cells.
        truth: values of the fields of each row.
        odd: numbers of rows (from 0) with a cell that nobody typed, each with the place of the cell.
        above: rows above the header.
        words: which of ``WORDS`` it holds.
        unread: names of columns that no field has.
        merged: first and last row (from 0) over which the cells of the DOI are merged.
    """

    header: list[str]
    rows: list[list[Any]]
    truth: list[dict[str, Any]]
    words: str
    above: list[list[str]]
    unread: list[str]
    odd: dict[int, int] = field(default_factory=dict)
    merged: tuple[int, int] | None = None

    def address(self, row: int, *, shift: int = 0) -> str:
        """What a spreadsheet calls the odd cell of a row."""
        return f"{get_column_letter(self.odd[row] + 1)}{row + len(self.above) + 2 + shift}"

    def delimited(self, delimiter: str, encoding: str, said: bool) -> bytes:
        """As text."""
        out = io.StringIO()
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
        out.write(f"sep={delimiter}\r\n" if said else "")
        writer.writerows([*self.above, self.header, *self.rows])
        return out.getvalue().encode(encoding)

    def workbook(self, path: Path, sheets_before: int) -> None:
        """As a workbook whose first sheets hold none of it."""
        book = openpyxl.Workbook()
        sheet: Any = book.active
        sheet.title = "Samples"
        for number in range(sheets_before):
            book.create_sheet(f"README {number}", 0)["A1"] = "This workbook holds samples."
        for line in [*self.above, self.header, *self.rows]:
            sheet.append(line)
        if self.merged is not None:
            first, last = (row + len(self.above) + 2 for row in self.merged)
            column = get_column_letter(next(n for n, name in enumerate(self.header, start=1) if name.lower() == "doi"))
            for row in range(first + 1, last + 1):
                sheet[f"{column}{row}"] = None
            sheet.merge_cells(f"{column}{first}:{column}{last}")
        book.save(path)


@st.composite
def drawn_tables(draw: st.DrawFn, *, workbook: bool) -> Drawn:
    """Tables with columns in any order under people's names, odd cells among them."""
    words = draw(st.sampled_from(sorted(WORDS)))
    said = st.sampled_from(WORDS[words] + WORDS["ascii"])
    names = {field: (draw(st.sampled_from(its)),) for field, its in HEADERS.items()}
    names |= {field: draw(st.sampled_from(its)) for field, its in PARTS.items()}
    unread = draw(st.lists(st.sampled_from(UNREAD), unique=True, max_size=2))
    header = draw(st.permutations([*(name for its in names.values() for name in its), *unread]))
    table = Drawn(header, [], [], words, [], unread)
    if draw(st.booleans()):
        table.above = [["Samples of our laboratory, 2004"], *([[""]] if draw(st.booleans()) else [])]
    several = draw(st.integers(2, 6))
    doi = "10.1000/abc.1"
    for number in range(several):
        a = draw(st.integers(1, 99))
        doi = doi if workbook else f"10.1000/abc.{draw(st.integers(1, 3))}"
        texts = {"caption": draw(said) + f" {number}", "morphology": draw(said)}
        cells: dict[str, Any] = {names["record_key"][0]: f"s{number}", names["doi"][0]: doi}
        cells |= {names["journal"][0]: "Polymer", names["figure"][0]: number + 1 if workbook else str(number + 1)}
        cells |= {names[field][0]: text for field, text in texts.items()}
        cells |= dict(
            zip(names["polymers"], ("PP", "PA6") if len(names["polymers"]) > 1 else ("PP; PA6",), strict=True)
        )
        parts = names["composition_ratio"]
        cells |= dict(zip(parts, (a, 100 - a) if len(parts) > 1 else (f"{a}/{100 - a}",), strict=True))
        cells |= {name: draw(said) for name in unread}
        clean = {field: " ".join(text.split()) for field, text in texts.items()}
        truth = {"record_key": f"s{number}", "doi": doi, "journal": "Polymer", "figure": f"Figure {number + 1}"}
        table.truth.append(truth | clean | {"ratio": (float(a), float(100 - a)), "polymers": "PP; PA6"})
        if draw(st.integers(0, 5)) == 0:
            cells[parts[0]] = draw(st.sampled_from(TURNED if workbook else TURNED_TEXTS))
            table.odd[number] = header.index(parts[0])
        table.rows.append([cells[name] for name in header])
    if workbook and draw(st.booleans()):
        table.merged = (0, draw(st.integers(1, several - 1)))
    return table
