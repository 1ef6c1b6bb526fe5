"""Records, what they are linked to, and the labels that follow from the links: all SQL of the record stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from polydata.catalogue.connect import Catalogue

LINK_KEYS = {"links": ("panel_id", "record_id"), "paper_links": ("paper_id", "record_id")}
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


def papers_to_join(catalogue: Catalogue) -> list[dict[str, Any]]:
    """What is known of each paper that was read from a PDF."""
    return catalogue.rows(
        """
        SELECT paper_id, file_name, doi, title, journal, year, citation, first_page_text
        FROM known_papers WHERE source = 'pdf' ORDER BY paper_id
        """
    )


def records_to_join(catalogue: Catalogue) -> list[dict[str, Any]]:
    """All records without their raw rows."""
    return catalogue.rows("SELECT * EXCLUDE (raw) FROM records ORDER BY record_id")


def panels_to_join(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Panels of papers that were read from PDFs, with their figure and the scales read for them, in page order."""
    return catalogue.rows(
        """
        SELECT figures.paper_id, figures.figure_id, figures.page, figures.label AS figure_label,
               figures.caption AS figure_caption, panels.panel_id, panels.label, panels.caption,
               panels.caption_stem, coalesce(panels.kind, figures.kind) AS kind, scales.scales_um
        FROM panels JOIN figures USING (figure_id) JOIN papers USING (paper_id)
        LEFT JOIN (
            SELECT panel_id, list(DISTINCT value_um ORDER BY value_um) AS scales_um FROM panel_scales GROUP BY panel_id
        ) scales USING (panel_id)
        WHERE papers.source = 'pdf'
        ORDER BY figures.paper_id, figures.page, figures.y0, figures.x0, figures.figure_id, panels.position
        """
    )


def manual_links(catalogue: Catalogue) -> set[tuple[str, str]]:
    """(panel_id, record_id) of links that a person made."""
    return set(catalogue.tuples("SELECT panel_id, record_id FROM links WHERE method = 'manual'"))


def replace_links(
    catalogue: Catalogue, links: Sequence[Mapping[str, Any]], paper_links: Sequence[Mapping[str, Any]]
) -> bool:
    """Make these the automatic links of papers that were read from PDFs. Call it inside a transaction.

    Manual links and those of imported data sets are kept; links whose panel is gone are removed.

    Returns:
        Whether anything changed.
    """
    automatic = """
        SELECT panel_id, record_id, links.method, score FROM links
        LEFT JOIN panels USING (panel_id) LEFT JOIN figures USING (figure_id) LEFT JOIN papers USING (paper_id)
        WHERE links.method <> 'manual' AND coalesce(papers.source, 'pdf') = 'pdf'
        """
    changed = _replace(catalogue, "links", automatic, links)
    paper = "SELECT paper_id, record_id, method, score FROM paper_links WHERE method <> 'manual'"
    return _replace(catalogue, "paper_links", paper, paper_links) or changed


def _replace(catalogue: Catalogue, table: str, current: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Bring the rows that ``current`` selects to ``rows``, touching only those that differ."""
    one, other = LINK_KEYS[table]
    old = {(r[one], r[other]): r for r in catalogue.rows(current)}
    new = {(r[one], r[other]): dict(r) for r in rows}
    for gone in sorted(old.keys() - new.keys()):
        catalogue.run(f'DELETE FROM "{table}" WHERE {one} = ? AND {other} = ?', gone)  # noqa: S608
    changed = [row for key, row in sorted(new.items()) if old.get(key) != row]
    catalogue.upsert(table, changed)
    return bool(changed) or bool(old.keys() - new.keys())


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
    names = ("panel_id", "source", "record_id", "label", "evidence")
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


def unlinked_records(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Records without a panel: their id, key, reference and caption, and the paper where that much is known."""
    return catalogue.rows(
        """
        SELECT record_id, record_key, coalesce(reference, records.doi, reference_no) AS reference, figure, panel,
               caption, paper_links.paper_id, papers.file_name AS paper
        FROM records LEFT JOIN paper_links USING (record_id) LEFT JOIN papers USING (paper_id)
        WHERE record_id NOT IN (SELECT record_id FROM links)
        ORDER BY record_key, record_id, paper_id
        """
    )


def unlinked_panels(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Micrograph panels without a record: id, paper, figure, label, words, how many records of their paper wait."""
    return catalogue.rows(
        """
        SELECT panels.panel_id, papers.file_name AS paper, figures.page, figures.label AS figure, panels.label,
               coalesce(panels.caption, panels.caption_stem) AS caption, coalesce(panels.kind, figures.kind) AS kind,
               coalesce(waiting.records, 0) AS waiting_records
        FROM panels JOIN figures USING (figure_id) JOIN papers USING (paper_id)
        LEFT JOIN (SELECT paper_id, count(*) AS records FROM paper_links GROUP BY paper_id) waiting USING (paper_id)
        WHERE panels.panel_id NOT IN (SELECT panel_id FROM links)
          AND coalesce(panels.kind, figures.kind, 'micrograph') = 'micrograph'
        ORDER BY papers.file_name, figures.page, figures.figure_id, panels.position
        """
    )
