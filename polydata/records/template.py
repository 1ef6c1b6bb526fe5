"""The table that users fill in: header and two example rows, and in a workbook a sheet that explains the columns."""

from __future__ import annotations

import io
import json
from typing import Literal

from polydata.files.tables import csv_text
from polydata.records.record import FIELDS
from polydata.resources import schemas

EXAMPLES: tuple[dict[str, str], ...] = (
    {
        "record_key": "example-1",
        "doi": "10.1234/example.2004.001",
        "reference": "Example, A.; Sample, B. , Journal of Invented Polymers , 12 , 3 , 101-110 (2004)",
        "page": "4",
        "figure": "Figure 3",
        "panel": "a",
        "caption": "SEM micrographs of PA/PB blends: (a) 70/30",
        "polymers": "polymer A; polymer B",
        "composition_ratio": "70/30 wt%",
        "blending_method": "melt mixing, 200 °C, 10 min",
        "morphology": "PB domains dispersed in a PA matrix (SEM)",
        "literature_description": "Spherical domains of PB are seen in the PA matrix.",
        "scale_um": "10",
    },
    {
        "record_key": "example-2",
        "authors": "Example, A.; Sample, B.",
        "journal": "J. Invent. Polym.",
        "volume": "12",
        "issue": "3",
        "pages": "101-110",
        "year": "2004",
        "panel": "b",
        "caption": "SEM micrographs of PA/PB blends: (b) 70/30 with 5 phr of PA-g-MA",
        "polymers": "polymer A; polymer B; PA-g-MA",
        "composition_ratio": "70/30/5",
        "characteristics": "compatibilized",
        "sample_id": "1",
        "reference_no": "0000001",
    },
)


def template(kind: Literal["csv", "xlsx"] = "csv") -> bytes:
    """The template as a CSV file (UTF-8) or a workbook."""
    return _workbook() if kind == "xlsx" else csv_text(FIELDS, EXAMPLES).encode("utf-8")


def explanations() -> list[tuple[str, str]]:
    """Column and what belongs into it, as the schema says."""
    schema = json.loads((schemas() / "records.schema.json").read_text(encoding="utf-8"))
    return [(name, schema["properties"][name].get("description", "")) for name in FIELDS]


def _workbook() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    table = book.create_sheet("records", 0)
    table.append(list(FIELDS))
    for example in EXAMPLES:
        table.append([example.get(name, "") for name in FIELDS])
    columns = book.create_sheet("columns", 1)
    columns.append(["column", "what belongs into it"])
    for name, text in explanations():
        columns.append([name, text])
    del book["Sheet"]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
