"""Which column of a user's table is which field of a record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from polydata.records.record import FIELDS

ALIASES: Mapping[str, tuple[str, ...]] = {
    "record_key": ("key",),
    "reference": ("citation",),
    "reference_no": ("reference_number", "ref_no"),
    "authors": ("author",),
    "pages": ("page_range",),
    "figure": ("figure_label", "fig", "image"),
    "panel": ("panel_label",),
    "polymers": ("polymer", "polymer_name", "polymer_names", "components"),
    "composition_ratio": ("component_ratio", "ratio", "composition"),
    "blending_method": ("mixing_blending_method", "mixing_method", "mixing_or_blending_method"),
    "characteristics": ("characteristics_of_material",),
    "morphology": ("polyinfo_morphology",),
    "literature_description": ("literature", "description"),
    "scale_um": ("scale", "scale_bar_um"),
    "compatibility": ("label",),
}
"""Other names of a field, the likelier first; a column that bears the field's own name goes before all."""


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.strip().lower()).strip("_")


def map_columns(columns: Iterable[str]) -> dict[str, str]:
    """Field -> the column that holds it, for the fields that a table has. Other columns are kept in ``raw`` alone."""
    known = {_plain(column): column for column in reversed(list(columns))}
    found = {}
    for field in FIELDS:
        column = next((known[name] for name in (field, *ALIASES.get(field, ())) if name in known), None)
        if column is not None:
            found[field] = column
    return found


def cell_text(value: Any) -> str:
    """A cell as text: lists joined by ``; ``, objects as JSON, nothing as an empty text."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(cell_text(v) for v in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
