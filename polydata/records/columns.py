"""Which column of a user's table is which field of a record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from polydata.errors import UsageError
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
    "polymer_ids": ("polymer_id",),
    "glass_transition": ("tg", "glass_transition_temperature"),
    "dsc": ("dsc_evidence", "calorimetry"),
    "measurement": ("measurement_method", "technique"),
}
"""Other names of a field, the likelier first; a column that bears the field's own name goes before all."""


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.strip().lower()).strip("_")


def parse_map(words: Iterable[str]) -> dict[str, str]:
    """Field -> column, from words like ``morphology=Phase structure``.

    Raises:
        UsageError: for a word without ``=`` or a field that records do not have.
    """
    chosen = {}
    for word in words:
        field, sign, column = word.partition("=")
        if not sign or field.strip() not in FIELDS:
            raise UsageError(f"--map {word}: it takes FIELD=COLUMN.", f"Fields: {', '.join(FIELDS)}.")
        chosen[field.strip()] = column.strip()
    return chosen


def map_columns(columns: Iterable[str], chosen: Mapping[str, str] | None = None) -> dict[str, str]:
    """Field -> the column that holds it, for the fields that a table has. Other columns are kept in ``raw`` alone.

    Args:
        columns: of the table.
        chosen: field -> column, said by the user; it goes before all names.

    Raises:
        UsageError: if a chosen column is not there.
    """
    columns, chosen = list(columns), dict(chosen or {})
    missing = sorted(set(chosen.values()) - set(columns))
    if missing and columns:
        raise UsageError(f"There is no column {missing[0]!r}.", f"Columns: {', '.join(map(str, columns))[:300]}.")
    known = {_plain(column): column for column in reversed(columns) if column not in chosen.values()}
    found = chosen if columns else {}
    for field in [name for name in FIELDS if name not in found]:
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
