"""Bringing the rows of another catalogue into this one.

The other catalogue stands beside this one under the name ``other``, see ``Catalogue.beside``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from polydata.catalogue.by_hand import settle_manual_links
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.metadata import note_papers_changed

OTHER = "other"

SHOWN = "SELECT image_sha256 FROM other.panels JOIN other.figures USING (figure_id) JOIN coming USING (paper_id)"

OF_PAPERS = {
    "papers": "paper_id IN (SELECT paper_id FROM coming)",
    "figures": "paper_id IN (SELECT paper_id FROM coming)",
    "panels": "figure_id IN (SELECT figure_id FROM other.figures JOIN coming USING (paper_id))",
    "leftovers": "paper_id IN (SELECT paper_id FROM coming)",
    "images": f"sha256 IN ({SHOWN})",
    "scale_bars": """panel_id IN (SELECT panel_id FROM other.panels JOIN other.figures USING (figure_id)
                     JOIN coming USING (paper_id))""",
}
"""Tables whose rows come with their paper, and only with it: a paper is never put together from two readings."""

OF_RECORDS = ("record_components", "record_properties")
"""Tables whose rows come with their record, and only with it."""

BY_KEY = {
    "screenings": "image_sha256 IN (SELECT sha256 FROM main.images)",
    "scale_readings": "image_sha256 IN (SELECT sha256 FROM main.images)",
    "screening_corrections": "true",
    "records": "true",
    "paper_resolutions": "paper_id IN (SELECT paper_id FROM main.papers)",
    "paper_licences": "true",
    "links": "panel_id IN (SELECT panel_id FROM main.panels)",
    "figure_links": "figure_id IN (SELECT figure_id FROM main.figures)",
    "paper_links": "paper_id IN (SELECT paper_id FROM main.papers)",
    "link_candidates": "panel_id IN (SELECT panel_id FROM main.panels)",
    "manual_links": "record_id NOT IN (SELECT record_id FROM main.manual_links)",
    "image_successors": "image_sha256 NOT IN (SELECT image_sha256 FROM main.panels)",
    "seen_images": "true",
    "label_renames": "true",
    "distinct_images": "true",
    "label_votes": "panel_id IN (SELECT panel_id FROM main.panels)",
}
"""Tables whose rows come one by one; what belongs to a panel, image or paper comes where this catalogue has that."""

WAITING = "brought by a merge; it is made when the PDF is read again: polydata extract --again"
"""Why a correction by hand is not in force yet that came to a paper which was here already."""


@contextmanager
def coming_papers(catalogue: Catalogue) -> Iterator[None]:
    """The papers that only the other catalogue has, in the table ``coming`` while the block lasts."""
    catalogue.run(
        """CREATE TEMP TABLE coming AS
           SELECT paper_id, sha256, file_name FROM other.papers ANTI JOIN main.papers USING (paper_id)"""
    )
    try:
        yield
    finally:
        catalogue.run("DROP TABLE coming")


def images_to_copy(catalogue: Catalogue) -> list[tuple[str, str]]:
    """SHA-256 and true format of the images of coming papers that this catalogue lacks."""
    return catalogue.tuples(
        f"""SELECT sha256, format FROM other.images
            WHERE sha256 IN ({SHOWN}) AND sha256 NOT IN (SELECT sha256 FROM main.images) ORDER BY sha256"""  # noqa: S608
    )


def leave_behind(catalogue: Catalogue, images: Mapping[str, str]) -> list[str]:
    """Take the papers that show one of these images out of those that are coming.

    Args:
        images: SHA-256 of images that cannot be had, each with the reason.

    Returns:
        A line for each of the papers, with the first of these images.
    """
    rows = catalogue.tuples(
        """SELECT paper_id, any_value(coming.file_name), min(image_sha256)
           FROM other.panels JOIN other.figures USING (figure_id) JOIN coming USING (paper_id)
           WHERE image_sha256 IN (SELECT unnest(?::TEXT[])) GROUP BY paper_id ORDER BY 2, 1""",
        [list(images)],
    )
    catalogue.run("DELETE FROM coming WHERE paper_id IN (SELECT unnest(?::TEXT[]))", [[paper for paper, _, _ in rows]])
    return [f"{paper} ({name}): {images[image]}" for paper, name, image in rows]


def differing_papers(catalogue: Catalogue) -> list[str]:
    """A line for each paper that both have with other figures or panels, or read by other versions of the method."""
    reading = """SELECT paper_id, sha256(string_agg(concat_ws(' ', panel_id, image_sha256, panels.caption), ''
                                                    ORDER BY panel_id)) AS reading
                 FROM {0}.panels JOIN {0}.figures USING (figure_id) JOIN common USING (paper_id) GROUP BY paper_id"""
    rows = catalogue.tuples(
        f"""WITH common AS (
                SELECT paper_id, own.file_name, own.extractor AS here, theirs.extractor AS there
                FROM main.papers own JOIN other.papers theirs USING (paper_id)
            ), own AS ({reading.format("main")}), theirs AS ({reading.format("other")})
            SELECT paper_id, file_name, here, there FROM common
            LEFT JOIN own USING (paper_id) LEFT JOIN theirs USING (paper_id)
            WHERE here <> there OR own.reading IS DISTINCT FROM theirs.reading ORDER BY file_name, paper_id"""  # noqa: S608
    )
    return [
        f"{paper} ({name}): "
        + ("other figures or panels there" if here == there else f"method {here} here, {there} there")
        for paper, name, here, there in rows
    ]


def merge_rows(catalogue: Catalogue, there: str) -> tuple[dict[str, int], dict[str, list[str]]]:
    """Bring in every row that is not here but annotations. Call it in a transaction, within ``coming_papers``.

    Args:
        there: what the other workspace is called.

    Returns:
        Numbers of rows that came, by table; and keys of the rows that both have with other content, of which this
        catalogue's stay, by table.
    """
    came, kept = {}, {}
    for table, condition in OF_PAPERS.items():
        came[table] = bring(catalogue, table, condition)
    new_records = "record_id NOT IN (SELECT record_id FROM main.records)"
    for table in OF_RECORDS:  # before the records, after which none is new
        came[table] = bring(catalogue, table, new_records)
    for table, condition in BY_KEY.items():
        kept[table] = _other_links(catalogue) if table == "manual_links" else _conflicts(catalogue, table)
        came[table] = bring(catalogue, table, condition)
    came["edits"], kept["edits"] = _bring_edits(catalogue)
    came["label_decisions"], kept["label_decisions"] = _bring_decisions(catalogue, there)
    catalogue.run("DELETE FROM failures WHERE sha256 IN (SELECT sha256 FROM coming)")
    settle_manual_links(catalogue)
    catalogue.run(
        """INSERT OR IGNORE INTO main.seen_images SELECT sha256, phash, width, height FROM other.images
           WHERE sha256 IN (SELECT image_sha256 FROM other.annotations
                            UNION SELECT image_sha256 FROM other.label_decisions
                            UNION SELECT image_sha256 FROM other.screening_corrections
                            UNION SELECT image_sha256 FROM other.distinct_images)"""
    )
    if came["papers"]:
        note_papers_changed(catalogue, ())
    return {t: n for t, n in came.items() if n}, {t: keys for t, keys in kept.items() if keys}


def _other_links(catalogue: Catalogue) -> list[str]:
    """Records that were linked by hand here and there, but not to the same: links of two people are never mixed."""
    linked = """SELECT record_id, list(target_id ORDER BY target_id) AS targets FROM {}.manual_links GROUP BY 1"""
    return catalogue.column(
        f"""SELECT record_id FROM ({linked.format("main")}) own JOIN ({linked.format("other")}) theirs USING (record_id)
            WHERE own.targets <> theirs.targets ORDER BY 1"""  # noqa: S608 - constants
    )


def _bring_edits(catalogue: Catalogue) -> tuple[int, list[str]]:
    """Corrections by hand of papers that nobody corrected here, and ids of those that did not come.

    Corrections of one paper build on each other, so those of two people are never mixed.
    """
    others = "paper_sha256 NOT IN (SELECT paper_sha256 FROM main.edits)"
    stale = f"""CASE WHEN paper_sha256 IN (SELECT sha256 FROM coming)
                      OR paper_sha256 NOT IN (SELECT sha256 FROM main.papers WHERE sha256 IS NOT NULL)
                     THEN stale ELSE '{WAITING}' END"""  # noqa: S608 - a constant
    count = bring(catalogue, "edits", others, {"stale": stale})
    return count, catalogue.column("SELECT edit_id FROM other.edits ANTI JOIN main.edits USING (edit_id) ORDER BY 1")


def _bring_decisions(catalogue: Catalogue, there: str) -> tuple[int, list[str]]:
    """Labels set by hand there of images without one here, and images where another was set here, which stays."""
    name = there.replace("'", "''")
    differing = catalogue.column(
        """SELECT own.image_sha256 FROM main.decided own JOIN other.decided theirs USING (image_sha256)
           WHERE own.choice <> theirs.choice ORDER BY 1"""
    )
    highest = catalogue.value("SELECT coalesce(max(number), 0) FROM main.label_decisions")
    count = bring(
        catalogue,
        "label_decisions",
        "image_sha256 NOT IN (SELECT image_sha256 FROM main.label_decisions)",
        {"number": f"{highest} + number", "origin": f"coalesce(origin, '{name}')"},
    )
    return count, differing


def bring(catalogue: Catalogue, table: str, condition: str, instead: Mapping[str, str] | None = None) -> int:
    """Insert the other catalogue's rows that have no row of their key here; returns how many.

    Args:
        condition: SQL over the other table.
        instead: SQL by column, for columns that do not come as they are.
    """
    replaced = ", ".join(f"{sql} AS {column}" for column, sql in (instead or {}).items())
    columns = f"* REPLACE ({replaced})" if replaced else "*"
    return int(
        catalogue.value(f"INSERT OR IGNORE INTO main.{table} SELECT {columns} FROM other.{table} WHERE {condition}")  # noqa: S608
    )


def _conflicts(catalogue: Catalogue, table: str) -> list[str]:
    """Keys of rows that differ otherwise; places on a machine have no part in it."""
    key = catalogue.value(
        """SELECT constraint_column_names FROM duckdb_constraints()
           WHERE table_name = ? AND database_name = current_database() AND constraint_type = 'PRIMARY KEY'""",
        [table],
    )
    using = ", ".join(key)
    compared = f"COLUMNS(lambda c: c NOT IN ('source', 'source_row', 'path') OR list_contains({key}, c))"
    return catalogue.column(
        f"""SELECT concat_ws(' ', {using})
            FROM (SELECT {compared} FROM main.{table} EXCEPT SELECT {compared} FROM other.{table})
            SEMI JOIN other.{table} USING ({using}) ORDER BY 1"""  # noqa: S608
    )


FROM = " of "
LOOPBACK = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 - names to compare with

SAME = """JOIN other.annotations theirs USING (server, project, annotation_id) WHERE server = ?"""
OTHER_ANSWER = """own.image_sha256 <> theirs.image_sha256 OR own.task <> theirs.task
                  OR own.annotator <> theirs.annotator
                  OR json_extract_string(own.raw, '$.created_at')
                     IS DISTINCT FROM json_extract_string(theirs.raw, '$.created_at')"""


def merge_annotations(catalogue: Catalogue, here: str, there: str) -> int:
    """Bring in annotations; of one that both have, the later state stays. Call it inside a transaction.

    Answers of a server of the other's machine stand here under its address and the other workspace's name.

    Args:
        here: what this workspace is called.
        there: what the other one is called.

    Returns:
        The number of annotations that came or changed.
    """
    count = 0
    for server in catalogue.column("SELECT DISTINCT server FROM other.annotations ORDER BY server"):
        if server.endswith(f"{FROM}{here}"):
            continue  # they once came from here
        name = server if FROM in server or _is_same_server(catalogue, server) else f"{server}{FROM}{there}"
        count += _update(catalogue, server, name)
        theirs, ours = (text.replace("'", "''") for text in (server, name))
        count += bring(catalogue, "annotations", f"server = '{theirs}'", {"server": f"'{ours}'"})
    return count


def _is_same_server(catalogue: Catalogue, server: str) -> bool:
    """Whether an address means one server to both: what both have of it agrees; for local addresses there is such."""
    both, other_answers = catalogue.tuples(
        f"SELECT count(*), count(*) FILTER ({OTHER_ANSWER}) FROM main.annotations own {SAME}",  # noqa: S608
        [server],
    )[0]
    return not other_answers and bool(both or urlsplit(server).hostname not in LOOPBACK)


def _update(catalogue: Catalogue, server: str, name: str) -> int:
    """Replace annotations whose state over there is later; one that vanished from its server stays so."""
    later = """INSERT OR REPLACE INTO main.annotations
               SELECT theirs.* REPLACE (? AS server)
               FROM main.annotations own JOIN other.annotations theirs USING (project, annotation_id)
               WHERE own.server = ? AND theirs.server = ?
                 AND (theirs.updated_at, theirs.deleted) > (own.updated_at, own.deleted)"""
    return int(catalogue.value(later, [name, name, server]))
