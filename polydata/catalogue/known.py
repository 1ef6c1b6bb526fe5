"""The best that several sources tell of papers and panels, as parts of other queries."""

from __future__ import annotations

PAPERS = """
    SELECT known.* REPLACE (coalesce(known.journal, said.journal) AS journal, coalesce(known.year, said.year) AS year)
    FROM known_papers known LEFT JOIN (
        SELECT paper_id, first(journal ORDER BY score DESC, record_id) FILTER (journal IS NOT NULL) AS journal,
               first(year ORDER BY score DESC, record_id) FILTER (year IS NOT NULL) AS year
        FROM record_places JOIN records USING (record_id) GROUP BY paper_id
    ) said USING (paper_id)
"""
"""``known_papers``, with journal and year of the surest joined record where the paper itself tells none."""

SCALES = """
    SELECT panel_id, coalesce(value_um, recorded_um) AS scale_um, coalesce(method, 'record') AS scale_source
    FROM (
        SELECT panel_id, arg_max(value_um, method) AS value_um, max(method) AS method
        FROM panel_scales GROUP BY panel_id
    ) seen FULL JOIN (
        SELECT panel_id, first(scale_um ORDER BY score DESC, record_id) AS recorded_um
        FROM links JOIN records USING (record_id) WHERE scale_um IS NOT NULL GROUP BY panel_id
    ) recorded USING (panel_id)
"""
"""The length of each panel's scale bar in micrometres, where one is known: as read from the image, else as its caption
says (``image`` sorts behind ``caption``), else as the surest linked record says."""
