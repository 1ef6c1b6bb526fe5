"""Records and their parts, where they are joined to and what stayed open, the labels that follow, whole data sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from polydata.catalogue.by_hand import settle_manual_links
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.staging import Staging, Target
from polydata.catalogue.successors import forget_hidden
from polydata.choices import BEST

RECORD_VOTES = ("record", "rule")
"""Sources of labels that follow from links; votes of other sources are never touched here."""
AT_ONCE = 5000
"""Records whose links are read at once."""
PARTS = ("record_components", "record_properties")
"""Tables of what a record consists of, in the order in which it was said."""
SAID = "SELECT * EXCLUDE (source_row) FROM records"
STANDS = "concat_ws(', row ', records.source, records.source_row) AS stands"
"""The table of a record and its row there, for a person."""


def records_by_id(catalogue: Catalogue, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Those of the records that stand in the catalogue, all that they say, by their id."""
    rows = catalogue.rows(f"{SAID} WHERE record_id IN (SELECT unnest(?::TEXT[]))", [list(ids)])
    return {row["record_id"]: row for row in rows}


def records_of_files(catalogue: Catalogue, sources: Sequence[str]) -> list[dict[str, Any]]:
    """Records that came from files of these names, all that they say."""
    return catalogue.rows(f"{SAID} WHERE source IN (SELECT unnest(?::TEXT[]))", [list(sources)])


def note_rows(catalogue: Catalogue, rows: Mapping[str, tuple[str, int | None]]) -> None:
    """Write table and row of records, by their id; one that stays as another table said it keeps its row there."""
    catalogue.run(
        """UPDATE records SET source_row = said.row
           FROM (SELECT unnest(?::TEXT[]) AS id, unnest(?::TEXT[]) AS source, unnest(?::INTEGER[]) AS row) said
           WHERE record_id = said.id AND records.source = said.source AND source_row IS DISTINCT FROM said.row""",
        [list(rows), *([row[place] for row in rows.values()] for place in (0, 1))],
    )


def replace_parts(catalogue: Catalogue, table: str, parts: Mapping[str, Sequence[Any]]) -> None:
    """Make these the parts of each record, in their order. Call it inside a transaction.

    Args:
        table: ``record_components`` or ``record_properties``.
        parts: dataclasses by record id; an empty sequence removes what stood there.
    """
    catalogue.run(f'DELETE FROM "{table}" WHERE record_id IN (SELECT unnest(?::TEXT[]))', [list(parts)])  # noqa: S608
    several = [(key, place, part) for key, its in parts.items() for place, part in enumerate(its)]
    catalogue.upsert(table, [{"record_id": key, "position": place, **asdict(part)} for key, place, part in several])


RECORDS = """
    SELECT records.* EXCLUDE (raw), coalesce(linked.panels, 0) AS linked_panels
    FROM records LEFT JOIN (SELECT record_id, count(*) AS panels FROM links GROUP BY record_id) linked
    USING (record_id) ORDER BY source, record_key, record_id
"""


def list_records(catalogue: Catalogue) -> list[dict[str, Any]]:
    """All records without their raw rows, with how many panels each is linked to, in a fixed order."""
    return catalogue.rows(RECORDS)


def linked_texts(catalogue: Catalogue, records: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """For each link, or those of some records: panel_id, record_id, record_key, and the record's words that labels
    follow from. Some thousand records at a time, in the order of their ids."""
    if records is None:
        records = catalogue.column("SELECT DISTINCT record_id FROM links ORDER BY record_id")
    for start in range(0, len(records), AT_ONCE):
        yield from catalogue.rows(
            """
            SELECT links.panel_id, links.record_id, records.record_key, records.compatibility, records.morphology,
                   records.literature_description
            FROM links JOIN records USING (record_id) JOIN panels USING (panel_id)
            WHERE links.record_id IN (SELECT unnest(?::TEXT[]))
            ORDER BY links.record_id, links.panel_id
            """,
            [list(records[start : start + AT_ONCE])],
        )


def staged_votes(catalogue: Catalogue, records: Sequence[str] | None = None) -> Staging:
    """What takes the place of the votes that follow from records, all or those of some; other sources are kept."""
    old = """SELECT panel_id, source, record_id, label, evidence, spans FROM label_votes
             WHERE source IN (SELECT unnest($1::TEXT[])) AND ($2 IS NULL OR record_id IN (SELECT unnest($2::TEXT[])))"""
    key = ("panel_id", "source", "record_id")
    return Staging(catalogue, {"label_votes": Target(key, old, [list(RECORD_VOTES), records])})


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
    forget_hidden(catalogue)
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


KEYS = {
    "links": ("panel_id", "record_id"),
    "figure_links": ("figure_id", "record_id"),
    "paper_links": ("paper_id", "record_id"),
    "link_candidates": ("panel_id", "record_id"),
}
"""The tables that a join writes, each with its key."""

AUTOMATIC = {
    "links": """
        SELECT panel_id, record_id, links.method, score FROM links
        LEFT JOIN panels USING (panel_id) LEFT JOIN figures USING (figure_id) LEFT JOIN papers USING (paper_id)
        WHERE links.method <> 'manual' AND coalesce(papers.source, 'pdf') = 'pdf'""",
    "figure_links": "SELECT figure_id, record_id, method, score FROM figure_links WHERE method <> 'manual'",
    "paper_links": "SELECT paper_id, record_id, method, score FROM paper_links",
    "link_candidates": "SELECT panel_id, record_id, score FROM link_candidates",
}
"""The rows of each that are a join's own: not those made by hand, nor those of imported data sets."""


def names_of_papers(catalogue: Catalogue) -> list[str]:
    """The names of the files that papers were read from, each once."""
    return catalogue.column("SELECT DISTINCT file_name FROM papers ORDER BY 1")


def records_saying(catalogue: Catalogue, words: Sequence[str]) -> list[dict[str, Any]]:
    """Of each record that says one of these words for the label: ``word``, ``source`` and ``raw``."""
    sql = "SELECT compatibility AS word, source, raw FROM records WHERE compatibility IN (SELECT unnest(?::TEXT[]))"
    return catalogue.rows(sql, [list(words)])


def papers_to_join(catalogue: Catalogue, papers: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """What is known of each paper that was read from a PDF, or of some, in any order: to sort takes all at once.

    Here and below ask nothing else of the catalogue until the last row came.
    """
    return catalogue.each(
        """
        SELECT paper_id, file_name, doi, title, journal, year, citation, first_page_text FROM known_papers
        WHERE source = 'pdf' AND ($1 IS NULL OR paper_id IN (SELECT unnest($1::TEXT[])))
        """,
        [papers],
        size=100,
    )


def records_to_join(catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    """All records without their raw rows, in any order."""
    return catalogue.each("SELECT * EXCLUDE (raw) FROM records", size=100)


def panels_to_join(catalogue: Catalogue, papers: Sequence[str]) -> list[dict[str, Any]]:
    """Panels of papers, with their figure and the scales read for them, in page order."""
    return catalogue.rows(
        """
        WITH chosen AS (
            SELECT figures.paper_id, figures.figure_id, figures.page, figures.y0, figures.x0,
                   figures.label AS figure_label, figures.caption AS figure_caption, panels.panel_id, panels.label,
                   panels.caption, panels.caption_stem, panels.composition,
                   coalesce(panels.kind, figures.kind) AS kind, panels.position
            FROM panels JOIN figures USING (figure_id) WHERE paper_id IN (SELECT unnest(?::TEXT[]))
        )
        SELECT chosen.* EXCLUDE (y0, x0, position), scales.scales_um
        FROM chosen LEFT JOIN (
            SELECT panel_id, list(DISTINCT value_um ORDER BY value_um) AS scales_um
            FROM panel_scales SEMI JOIN chosen USING (panel_id) GROUP BY panel_id
        ) scales USING (panel_id)
        ORDER BY paper_id, page, y0, x0, figure_id, position, panel_id
        """,
        [list(papers)],
    )


def staged_links(catalogue: Catalogue) -> Staging:
    """What takes the place of the automatic links and candidates of papers that were read from PDFs.

    Links by hand and those of imported data sets are kept; links whose panel is gone are removed.
    """
    return Staging(catalogue, {table: Target(KEYS[table], old) for table, old in AUTOMATIC.items()})


def list_candidates(catalogue: Catalogue) -> list[dict[str, Any]]:
    """The queue for review: a row for each panel that comes into question for a record without one.

    Returns:
        ``record_id``, ``record_key``, ``caption`` and ``label`` of the record, its table and row (``stands``), its
        polymers and their ratio (``sample``), what it says of its place (``record_figure``, ``record_panel``),
        ``linked_to`` (``figure``, ``paper`` or None), ``linked_figure`` (its label); ``paper``, ``pdf_sha256``,
        ``page``, ``figure``, ``panel`` and ``panel_caption`` of the candidate, ``panel_id``, ``score`` (0 to 1). The
        candidates of a record stand together, the best first, of equal ones those that the screening rejected last.
    """
    return catalogue.rows(
        f"""
        WITH linked AS (
            SELECT record_id, min(depth) AS depth, min(figures.label) AS label
            FROM record_places LEFT JOIN figures USING (figure_id) GROUP BY record_id
        )
        SELECT record_id, record_key, records.caption, records.compatibility AS label,
               concat_ws(' ', polymers, composition_ratio) AS sample, records.figure AS record_figure,
               records.panel AS record_panel, {STANDS}, linked.depth AS linked_to, linked.label AS linked_figure,
               papers.file_name AS paper, papers.sha256 AS pdf_sha256, figures.page, figures.label AS figure,
               panels.label AS panel, panels.caption AS panel_caption, panel_id, link_candidates.score
        FROM link_candidates JOIN records USING (record_id) JOIN panels USING (panel_id)
        JOIN figures USING (figure_id) JOIN papers USING (paper_id) LEFT JOIN linked USING (record_id)
        LEFT JOIN screened ON screened.image_sha256 = panels.image_sha256
        ORDER BY record_key, record_id, link_candidates.score DESC, coalesce(screened.decision = 'rejected', false),
                 figures.page, panels.position, panel_id
        """  # noqa: S608 - a constant
    )


def best_candidates(rows: Sequence[dict[str, Any]], most: int = BEST) -> list[dict[str, Any]]:
    """Of the rows of ``list_candidates`` the first so many of each record, without those that score nothing beside one
    that does."""
    shown: Counter[str] = Counter()
    found = []
    for row in rows:
        shown[row["record_id"]] += 1
        place = shown[row["record_id"]]
        if place == 1 or (place <= most and round(row["score"], 3) > 0):
            found.append(row)
    return found


def link_exports(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Every link of a record to a panel or figure of a PDF, in the shape of ``polydata export links``."""
    return catalogue.rows(
        """
        SELECT papers.sha256 AS pdf_sha256, figures.page, figures.label AS figure_label,
               panels.label AS panel_label, record_id, record_places.method, record_places.score,
               coalesce(record_key, records.sample_id) AS record_key
        FROM record_places JOIN figures USING (figure_id) JOIN papers ON papers.paper_id = figures.paper_id
        LEFT JOIN records USING (record_id)
        LEFT JOIN panels USING (panel_id)
        WHERE papers.sha256 IS NOT NULL
        ORDER BY papers.sha256, figures.page, figures.y0, figures.x0, figures.figure_id, panels.position, record_id
        """
    )


def unlinked_records(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Records without a panel: id, key, reference, place and caption, and paper and figure where they are known."""
    return catalogue.rows(
        """
        WITH stands AS (
            SELECT record_id, places.paper_id, figures.label AS linked_figure
            FROM record_places places LEFT JOIN figures USING (figure_id) WHERE depth <> 'panel'
        ), queued AS (SELECT record_id, count(*) AS candidates FROM link_candidates GROUP BY record_id)
        SELECT record_id, record_key, coalesce(reference, records.doi, reference_no) AS reference, figure, panel,
               caption, paper_id, papers.file_name AS paper, linked_figure, coalesce(candidates, 0) AS candidates
        FROM records LEFT JOIN stands USING (record_id) LEFT JOIN papers USING (paper_id)
        LEFT JOIN queued USING (record_id)
        WHERE record_id NOT IN (SELECT record_id FROM links)
        ORDER BY record_key, record_id, paper_id, linked_figure
        """
    )


def unlinked_panels(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Panels without a record whose image is accepted, or not screened and found as a micrograph.

    Columns: id, paper, figure, label, words, how many records of their paper wait.
    """
    return catalogue.rows(
        """
        SELECT panels.panel_id, papers.file_name AS paper, figures.page, figures.label AS figure, panels.label,
               coalesce(panels.caption, panels.caption_stem) AS caption, coalesce(panels.kind, figures.kind) AS kind,
               coalesce(waiting.records, 0) AS waiting_records
        FROM panels JOIN figures USING (figure_id) JOIN papers USING (paper_id) LEFT JOIN screened USING (image_sha256)
        LEFT JOIN (
            SELECT paper_id, count(DISTINCT record_id) AS records FROM record_places WHERE depth <> 'panel'
            GROUP BY paper_id
        ) waiting USING (paper_id)
        WHERE panels.panel_id NOT IN (SELECT panel_id FROM links)
          AND coalesce(screened.decision = 'accepted', coalesce(panels.kind, figures.kind, 'micrograph') = 'micrograph')
        ORDER BY papers.file_name, figures.page, figures.figure_id, panels.position
        """
    )


def extraction_leftovers(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Captions without a figure and figures without a caption, by paper and page."""
    return catalogue.rows(
        """SELECT papers.file_name AS paper, leftovers.page, leftovers.what, leftovers.label, leftovers.text
           FROM leftovers JOIN papers USING (paper_id) ORDER BY papers.file_name, leftovers.page, leftovers.y0"""
    )


def all_leftovers(catalogue: Catalogue) -> dict[str, list[dict[str, Any]]]:
    """Every kind of leftover by its name."""
    return {
        "captions and figures": extraction_leftovers(catalogue),
        "records without a panel": unlinked_records(catalogue),
        "micrographs without a record": unlinked_panels(catalogue),
    }


HANGING = {
    "links": "links",
    "figures": "figure_links",
    "papers": "paper_links",
    "candidates": "link_candidates",
    "labels": "label_votes",
    "links by hand": "manual_links",
}
"""What hangs on a record: the word for it, and the table."""


def what_hangs_on(catalogue: Catalogue, record_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Records in this order: record_id, record_key, source, and how many they have of each of ``HANGING``."""
    counts = ", ".join(
        f'(SELECT count(*) FROM {table} t WHERE t.record_id = r.record_id) AS "{what}"'  # noqa: S608 - constants
        for what, table in HANGING.items()
    )
    return catalogue.rows(
        f"""SELECT record_id, record_key, source, {counts} FROM records r
            WHERE list_contains($1, record_id) ORDER BY list_position($1, record_id)""",  # noqa: S608 - constants
        [list(record_ids)],
    )


def remove_records(catalogue: Catalogue, record_ids: Sequence[str]) -> None:
    """Take records out with their parts and what joins made of them, within the caller's transaction.

    Links by hand stay, and wait for the record to be imported again; labels follow when votes are written anew.
    """
    for table in ("links", "figure_links", "paper_links", "link_candidates", *PARTS, "records"):
        catalogue.run(f"DELETE FROM {table} WHERE list_contains(?, record_id)", [list(record_ids)])  # noqa: S608


def supersede_records(catalogue: Catalogue, heirs: Mapping[str, str], standing: Collection[str]) -> None:
    """Let records take over from others the links by hand, all at once, and take those out; within a transaction.

    Args:
        heirs: the id of the record that takes over, by that of the one that goes; an id may be on both sides, where
            what it meant goes on under another.
        standing: ids under which a record stands now.
    """
    links = catalogue.rows("SELECT * FROM manual_links WHERE record_id IN (SELECT unnest(?::TEXT[]))", [list(heirs)])
    catalogue.run("DELETE FROM manual_links WHERE record_id IN (SELECT unnest(?::TEXT[]))", [list(heirs)])
    catalogue.upsert("manual_links", [link | {"record_id": heirs[link["record_id"]]} for link in links])
    remove_records(catalogue, [old for old in heirs if old not in standing])
    settle_manual_links(catalogue, list(heirs.values()))


def place_of(catalogue: Catalogue, kind: str, identifier: str) -> dict[str, Any]:
    """Where a panel or figure stands: file_name, doi, figure and panel, the latter None for a figure."""
    panel = "panels.label" if kind == "panel" else "NULL"
    joined = "figures JOIN panels USING (figure_id)" if kind == "panel" else "figures"
    (row,) = catalogue.rows(
        f"""SELECT known_papers.file_name, doi, figures.label AS figure, {panel} AS panel
            FROM {joined} JOIN known_papers USING (paper_id) WHERE {kind}_id = ?""",  # noqa: S608 - constants
        [identifier],
    )
    return row


def whole_record(catalogue: Catalogue, record_id: str) -> dict[str, Any]:
    """A record with its raw row as text, its parts, and where it is linked to: ``places`` and ``links by hand``."""
    (record,) = catalogue.rows("SELECT * FROM records WHERE record_id = ?", [record_id])
    for table in PARTS:
        parts = f"SELECT * EXCLUDE (record_id, position) FROM {table} WHERE record_id = ? ORDER BY position"  # noqa: S608
        rows = catalogue.rows(parts, [record_id])
        record[table.removeprefix("record_")] = rows
    record["places"] = catalogue.rows(
        """SELECT depth, papers.file_name AS paper, figures.label AS figure, panels.label AS panel, panel_id,
                  record_places.method, score
           FROM record_places LEFT JOIN papers USING (paper_id)
           LEFT JOIN figures ON figures.figure_id = record_places.figure_id LEFT JOIN panels USING (panel_id)
           WHERE record_id = ? ORDER BY score DESC, paper, figure, panel, panel_id""",
        [record_id],
    )
    by_hand = "SELECT target, target_id FROM manual_links WHERE record_id = ? ORDER BY ALL"
    return record | {"links by hand": catalogue.rows(by_hand, [record_id])}
