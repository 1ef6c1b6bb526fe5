"""Samples as PoLyInfo writes them: nested JSON made into the cells of a record, its properties and components.

PoLyInfo (NIMS) has no public interface; these are the shapes in which its users hold their own exports: one JSON
file a sample, in folders named by reference number, or a workbook whose column ``sample_json`` holds the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SAMPLE_KEYS = frozenset(
    {
        "polymer_type", "polymer_class", "material_type", "cu_formula", "cu_chemical_structure",
        "characteristics_of_material", "mixing_blending_method", "polymerization_information",
        "processing_information", "average_molecular_weight", "solution_viscosity", "property",
    }
)  # fmt: skip
"""Keys that no plain table has; one of them beside ``sample_id`` tells a sample."""

FOLDER = re.compile(r"reference_no_(\d{4,12})", re.IGNORECASE)
GLASS = re.compile(r"glass[\s-]*transition|\bTg\b", re.IGNORECASE)
DSC = re.compile(r"\bDSC\b|differential scanning calorimetry|calorimetr", re.IGNORECASE)
MORPHOLOGY = re.compile(r"morpholog|phase structure", re.IGNORECASE)
COMPATIBILITY = re.compile(r"compatib|miscib", re.IGNORECASE)
RATIO = re.compile(r"ratio|composition|content", re.IGNORECASE)
SIGNS = {"ca": "≈", "lt": "<", "gt": ">", "le": "≤", "ge": "≥"}

MAX_ITEMS = 20_000
"""Values of one sample that are read; a real one has some hundreds."""


@dataclass(frozen=True)
class Property:
    """One measured value of a sample.

    Attributes:
        title: the group it stands in.
        name: of the value.
        low, high: as written; equal texts where one value is given.
        sign: ``≈``, ``<``, ``>``, ``≤``, ``≥`` or nothing.
        unit, method, condition, remark: as written.
    """

    title: str
    name: str
    low: str
    high: str
    sign: str
    unit: str
    method: str
    condition: str
    remark: str

    def words(self) -> str:
        """The value as a text: ``Tg: ≈ 100-105 °C (DSC)``."""
        span = self.low if self.high in ("", self.low) else f"{self.low}-{self.high}" if self.low else self.high
        value = " ".join(part for part in (self.sign, span, self.unit) if part)
        notes = "; ".join(part for part in (self.method, self.condition, self.remark) if part)
        return f"{self.name or self.title}: {value}" + (f" ({notes})" if notes else "")


def is_sample(values: Mapping[str, Any]) -> bool:
    """Whether a row is a sample in PoLyInfo's own shape."""
    return "sample_json" in values or ("sample_id" in values and not SAMPLE_KEYS.isdisjoint(values))


def unwrap(values: Mapping[str, Any], reference_no: str | None = None) -> dict[str, Any]:
    """The sample itself: out of its ``sample_json`` cell, with the numbers that stand beside it or in its path.

    Args:
        values: a row of a workbook, or a sample.
        reference_no: from the name of the folder.

    Raises:
        ValueError: if the cell holds no sample.
    """
    sample = dict(values)
    if "sample_json" in values:
        inner = values["sample_json"]
        try:
            inner = json.loads(inner) if isinstance(inner, str) else inner
        except RecursionError as error:
            raise ValueError("sample_json is nested too deeply") from error
        except ValueError as error:
            raise ValueError(f"sample_json is not JSON: {error}") from error
        if not isinstance(inner, dict):
            raise ValueError("sample_json holds no sample")
        beside = {key: value for key, value in values.items() if key != "sample_json" and value not in (None, "")}
        sample = {**beside, **{key: value for key, value in inner.items() if value not in (None, "")}}
    if reference_no and not sample.get("reference_no"):
        sample["reference_no"] = reference_no
    return sample


def words(value: Any) -> str:
    """Any value as one text: what stands in lists and objects joined by ``; ``, empty ones left out."""
    found, stack = [], [value]
    for _ in range(MAX_ITEMS):
        if not stack:
            break
        item = stack.pop()
        if isinstance(item, Mapping):
            stack.extend(reversed(list(item.values())))
        elif isinstance(item, list):
            stack.extend(reversed(item))
        elif item is not None and (text := str(item).strip()):
            found.append(text)
    if stack:
        raise ValueError(f"the sample has more than {MAX_ITEMS} values")
    return "; ".join(found)


def _objects(value: Any) -> list[Mapping[str, Any]]:
    """One object or a list of them, as a list; anything else is none."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, Mapping)]


def properties_of(sample: Mapping[str, Any]) -> list[Property]:
    """Every measured value of a sample, in its order.

    Raises:
        ValueError: if there are more than ``MAX_ITEMS``.
    """
    found: list[Property] = []
    for group in _objects(sample.get("property")):
        title = words(group.get("property_title"))
        for item in _objects(group.get("property_item")):
            notes = [words(item.get(key)) for key in ("measurement_method", "measurement_condition", "remark")]
            for value in _objects(item.get("property_values")):
                low, high = words(value.get("property_value_min")), words(value.get("property_value_max"))
                sign = words(value.get("property_value_inequality")).lower()
                unit = words(value.get("property_unit"))
                name = words(value.get("property_name"))
                found.append(Property(title, name, low, high, SIGNS.get(sign, sign), unit, *notes))
                if len(found) > MAX_ITEMS:
                    raise ValueError(f"the sample has more than {MAX_ITEMS} values")
    return found


def _said(properties: list[Property], pattern: re.Pattern[str]) -> str:
    """What properties of this name say, without the name: descriptions are values of their own."""
    chosen = [one for one in properties if pattern.search(f"{one.name} {one.title}")]
    return "; ".join(
        part for one in chosen for part in (one.low, one.high if one.high != one.low else "", one.remark) if part
    )


def cells_of(sample: Mapping[str, Any]) -> tuple[dict[str, str], list[Property]]:
    """Cells of the record that a sample makes, by the names of its fields, and its properties.

    Raises:
        ValueError: if it holds more values than a sample can.
    """
    properties = properties_of(sample)
    glass = [one for one in properties if GLASS.search(f"{one.name} {one.title}")]
    heat = [one for one in properties if DSC.search(f"{one.method} {one.title} {one.name}")]
    ratio = next((key for key in sample if key not in ("property",) and RATIO.search(key)), None)
    return {
        "sample_id": words(sample.get("sample_id")),
        "reference_no": words(sample.get("reference_no")),
        "doi": words(sample.get("doi")),
        "reference": words(sample.get("reference")),
        "polymers": words(sample.get("polymer_name")),
        "polymer_ids": words(sample.get("polymer_id")),
        "composition_ratio": words(sample[ratio]) if ratio else "",
        "blending_method": words(sample.get("mixing_blending_method")),
        "characteristics": words(sample.get("characteristics_of_material")),
        "morphology": words(sample.get("morphology")) or _said(properties, MORPHOLOGY),
        "compatibility": words(sample.get("compatibility")) or _said(properties, COMPATIBILITY),
        "glass_transition": "; ".join(one.words() for one in glass),
        "dsc": "; ".join(one.words() for one in heat),
        "measurement": "; ".join(dict.fromkeys(one.method for one in properties if one.method)),
    }, properties
