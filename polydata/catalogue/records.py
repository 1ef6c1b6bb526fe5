"""Records, their parts, and the labels that follow from what they are linked to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from polydata.catalogue.connect import Catalogue

RECORD_VOTES = ("record", "rule")
"""Sources of labels that follow from links; votes of other sources are never touched here."""


def records_by_id(catalogue: Catalogue, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Those of the records that stand in the catalogue, all columns, by their id."""
    rows = catalogue.rows("SELECT * FROM records WHERE record_id IN (SELECT unnest(?::TEXT[]))", [list(ids)])
    return {row["record_id"]: row for row in rows}


def save_records(catalogue: Catalogue, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or replace records. Call it inside a transaction."""
    catalogue.upsert("records", rows)


def replace_parts(catalogue: Catalogue, table: str, parts: Mapping[str, Sequence[Any]]) -> None:
    """Make these the parts of each record, in their order. Call it inside a transaction.

    Args:
        table: ``record_components`` or ``record_properties``.
        parts: dataclasses by record id; an empty sequence removes what stood there.
    """
    catalogue.run(f'DELETE FROM "{table}" WHERE record_id IN (SELECT unnest(?::TEXT[]))', [list(parts)])  # noqa: S608
    catalogue.upsert(
        table,
        [
            {"record_id": key, "position": place, **asdict(part)}
            for key, several in parts.items()
            for place, part in enumerate(several)
        ],
    )


def list_records(catalogue: Catalogue) -> list[dict[str, Any]]:
    """All records without their raw rows, with how many panels each is linked to, in a fixed order."""
    return catalogue.rows(
        """
        SELECT records.* EXCLUDE (raw), coalesce(linked.panels, 0) AS linked_panels
        FROM records LEFT JOIN (SELECT record_id, count(*) AS panels FROM links GROUP BY record_id) linked
        USING (record_id) ORDER BY source, record_key, record_id
        """
    )


def linked_texts(catalogue: Catalogue) -> list[dict[str, Any]]:
    """For each link: panel_id, record_id, record_key, and the record's words that labels follow from."""
    return catalogue.rows(
        """
        SELECT links.panel_id, links.record_id, records.record_key, records.compatibility, records.morphology,
               records.literature_description
        FROM links JOIN records USING (record_id) JOIN panels USING (panel_id)
        ORDER BY links.panel_id, links.record_id
        """
    )


def replace_record_votes(catalogue: Catalogue, votes: Sequence[Mapping[str, Any]]) -> bool:
    """Make these the votes that follow from records; other sources are kept. Call it inside a transaction.

    Returns:
        Whether anything changed.
    """
    names = ("panel_id", "source", "record_id", "label", "evidence", "spans")
    stands = catalogue.tuples(
        f"SELECT {', '.join(names)} FROM label_votes WHERE source IN (SELECT unnest(?::TEXT[]))",  # noqa: S608
        [list(RECORD_VOTES)],
    )
    old = {row[:3]: row for row in stands}
    new = {tuple(v[n] for n in names[:3]): tuple(v[n] for n in names) for v in votes}
    for gone in sorted(old.keys() - new.keys()):
        catalogue.run("DELETE FROM label_votes WHERE panel_id = ? AND source = ? AND record_id = ?", gone)
    changed = [dict(zip(names, row, strict=True)) for key, row in sorted(new.items()) if old.get(key) != row]
    catalogue.upsert("label_votes", changed)
    return bool(changed) or bool(old.keys() - new.keys())
