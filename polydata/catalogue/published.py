"""Writes an imported data set into the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from polydata.catalogue.connect import Catalogue

Rows = Sequence[Mapping[str, Any]]


def save_data_set(
    catalogue: Catalogue,
    source: str,
    *,
    papers: Rows,
    figures: Rows,
    panels: Rows,
    images: Rows,
    records: Rows,
    links: Rows,
    votes: Rows,
) -> None:
    """Insert or replace all rows of a data set, and remove what an earlier import of it left over.

    Call it inside a transaction. Records are never removed: another table may have brought them too. Links made
    by hand are kept.

    Args:
        source: what ``papers.source`` says of the data set's papers.
        votes: labels of the source ``file``, one a panel.
    """
    for table, rows in (
        ("papers", papers),
        ("figures", figures),
        ("images", images),
        ("panels", panels),
        ("records", records),
        ("links", links),
        ("label_votes", votes),
    ):
        catalogue.upsert(table, rows)
    shown = (
        "SELECT panel_id FROM panels JOIN figures USING (figure_id) JOIN papers USING (paper_id) "
        "WHERE papers.source = ?"
    )
    pairs = [f"{row['panel_id']} {row['record_id']}" for row in links]
    catalogue.run(
        f"DELETE FROM links WHERE method <> 'manual' AND panel_id IN ({shown}) "  # noqa: S608
        "AND panel_id || ' ' || record_id NOT IN (SELECT unnest(?::TEXT[]))",
        [source, pairs],
    )
    kept = [row["panel_id"] for row in panels]
    catalogue.run(
        f"DELETE FROM label_votes WHERE panel_id IN ({shown}) AND panel_id NOT IN (SELECT unnest(?::TEXT[]))",  # noqa: S608
        [source, kept],
    )
    catalogue.run(
        f"DELETE FROM panels WHERE panel_id IN ({shown}) AND panel_id NOT IN (SELECT unnest(?::TEXT[]))",  # noqa: S608
        [source, kept],
    )
    catalogue.run(
        "DELETE FROM figures WHERE paper_id IN (SELECT paper_id FROM papers WHERE source = ?) "
        "AND figure_id NOT IN (SELECT unnest(?::TEXT[]))",
        [source, [row["figure_id"] for row in figures]],
    )
    catalogue.run(
        "DELETE FROM papers WHERE source = ? AND paper_id NOT IN (SELECT unnest(?::TEXT[]))",
        [source, [row["paper_id"] for row in papers]],
    )
