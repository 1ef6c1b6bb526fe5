"""Records, their parts, the labels that follow from what they are linked to, and data sets imported whole."""

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


RECORDS = """
    SELECT records.* EXCLUDE (raw), coalesce(linked.panels, 0) AS linked_panels
    FROM records LEFT JOIN (SELECT record_id, count(*) AS panels FROM links GROUP BY record_id) linked
    USING (record_id) ORDER BY source, record_key, record_id
"""


def list_records(catalogue: Catalogue) -> list[dict[str, Any]]:
    """All records without their raw rows, with how many panels each is linked to, in a fixed order."""
    return catalogue.rows(RECORDS)


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
    stands = catalogue.rows(
        """SELECT panel_id, source, record_id, label, evidence, spans FROM label_votes
           WHERE source IN (SELECT unnest(?::TEXT[]))""",
        [list(RECORD_VOTES)],
    )
    return catalogue.replace("label_votes", ("panel_id", "source", "record_id"), stands, votes)


def save_data_set(catalogue: Catalogue, source: str, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Insert or replace all rows of a data set that was imported whole, and remove what an earlier import left over.

    Call it inside a transaction. Records are never removed: another table may have brought them too. Links made
    by hand are kept.

    Args:
        source: what ``papers.source`` says of the data set's papers.
        rows: by table: papers, figures, images, panels, records, links, and label_votes, one a panel.
    """
    for table, its in rows.items():
        catalogue.upsert(table, its)
    shown = """panel_id IN (SELECT panel_id FROM panels JOIN figures USING (figure_id) JOIN papers USING (paper_id)
               WHERE papers.source = ?)"""
    papers, figures, panels = ([row[f"{one}_id"] for row in rows[f"{one}s"]] for one in ("paper", "figure", "panel"))
    pairs = [f"{row['panel_id']} {row['record_id']}" for row in rows["links"]]
    for table, thing, kept in (
        ("links", f"method <> 'manual' AND {shown} AND panel_id || ' ' || record_id", pairs),
        ("label_votes", f"{shown} AND panel_id", panels),
        ("panels", f"{shown} AND panel_id", panels),
        ("figures", "paper_id IN (SELECT paper_id FROM papers WHERE source = ?) AND figure_id", figures),
        ("papers", "source = ? AND paper_id", papers),
    ):
        catalogue.run(f"DELETE FROM {table} WHERE {thing} NOT IN (SELECT unnest(?::TEXT[]))", [source, kept])  # noqa: S608
