"""A sample of the corpus that people judge: what there is to draw from, what was drawn, what they counted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.screenings import shown_screenings
from polydata.choices import QualityKind
from polydata.ids import figure_picture, sha256_bytes
from polydata.text.captions import split_caption

Row = dict[str, Any]


@dataclass(frozen=True)
class Measure:
    """What is measured in units of a kind.

    Attributes:
        kind: of the units.
        right: name of what people count of what was found.
        missed: of what was not found; the same name where a unit is either found or missed.
        optional: may be left open; it is claimed in words, which people see, and looked for in some units alone.
    """

    kind: QualityKind
    right: str
    missed: str
    optional: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of what is counted."""
        return tuple(dict.fromkeys((self.right, self.missed)))


MEASURED: Mapping[str, Measure] = {
    "figures": Measure("page", "figures_right", "figures_missed"),
    "captions": Measure("page", "captions_right", "captions_missed"),
    "panels": Measure("figure", "panels_right", "panels_missed"),
    "letters": Measure("figure", "letters_right", "letters_missed", optional=True),
    "micrographs": Measure("image", "is_micrograph", "is_micrograph"),
    "scales": Measure("image", "scale_right", "scale_missed", optional=True),
    "labels": Measure("image", "label_right", "label_missed", optional=True),
}
"""What is measured, in the order in which it is shown."""
CLAIMED = tuple(what for what, one in MEASURED.items() if one.optional)
"""What no box shows, so that it is said in words."""
FIELDS: Mapping[QualityKind, tuple[str, ...]] = {
    kind: tuple(name for one in MEASURED.values() if one.kind == kind for name in one.fields)
    for kind in ("page", "figure", "image")
}
"""What a person counts of each kind of unit."""
MOST = 1000
"""Figures or panels on a page."""
NO_CLAIM = "none"
"""Said where something was looked for and not found."""


def is_filled(value: object) -> bool:
    """Whether somebody gave a number, or at least something."""
    return value not in (None, "", "-")


def checked(kind: QualityKind, unit: Mapping[str, Any], counts: Mapping[str, Any]) -> dict[str, int]:
    """What a person counted, as whole numbers; without what may be left open and was.

    Args:
        kind: of the unit.
        unit: with what was ``found`` in it.
        counts: by the names of ``FIELDS``; of an image 0 or 1.

    Raises:
        ValueError: if a number is missing, is none, or says that more is right than was found.
    """
    read: dict[str, int] = {}
    for what, one in MEASURED.items():
        if one.kind != kind:
            continue
        if one.optional and (what not in unit["found"] or not any(is_filled(counts.get(name)) for name in one.fields)):
            continue
        for name in one.fields:
            most = unit["found"][what] if name == one.right != one.missed else MOST
            if kind == "image":  # it has one scale and one label: what is right is not missed
                most = 1 - read.get(one.right, 0) if most == MOST else most
            read[name] = _whole(name, counts.get(name), most)
    return read


def _whole(name: str, said: object, most: int) -> int:
    try:
        value = float(str(said).strip())
        whole = int(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{name} is no number") from None
    if whole != value or not 0 <= whole <= most:
        raise ValueError(f"{name} is {value:g}; it may be 0 to {most}")
    return whole


def _pages(catalogue: Catalogue) -> list[Row]:
    return catalogue.rows(
        """WITH pages AS (
               SELECT paper_id, sha256, path, file_name, unnest(range(1, pages + 1))::INTEGER AS page
               FROM papers WHERE sha256 IS NOT NULL AND pages IS NOT NULL
           ), figured AS (
               SELECT paper_id, page, count(*) AS found, count(caption) AS named,
                      list([x0, y0, x1, y1] ORDER BY y0, x0) AS boxes,
                      string_agg(caption, chr(10) || chr(10) ORDER BY y0, x0) AS words
               FROM figures GROUP BY paper_id, page
           )
           SELECT sha256 || '-' || page AS unit, sha256, path, page,
                  concat_ws(', ', file_name, 'page ' || page) AS place, NULL AS box,
                  {'figures': coalesce(found, 0), 'captions': coalesce(named, 0)} AS found, MAP {} AS claims,
                  coalesce(boxes, []) AS boxes, coalesce(words, '') AS words,
                  CASE WHEN found IS NULL THEN 'pages without figures' ELSE 'pages with figures' END AS stratum
           FROM pages LEFT JOIN figured USING (paper_id, page) ORDER BY unit"""
    )


def _figures(catalogue: Catalogue) -> list[Row]:
    rows = catalogue.rows(
        """SELECT figure_id AS unit, sha256, path, figures.page,
                  concat_ws(', ', papers.file_name, 'page ' || figures.page, figures.label) AS place,
                  [figures.x0, figures.y0, figures.x1, figures.y1] AS box,
                  {'panels': count(panel_id)} AS found, coalesce(figures.caption, '') AS words,
                  list([panels.x0, panels.y0, panels.x1, panels.y1] ORDER BY panels.position) AS boxes,
                  list(coalesce(panels.label, '') ORDER BY panels.position) AS letters,
                  CASE WHEN count(panel_id) > 1 THEN 'figures of several panels' ELSE 'figures of one panel' END
                      AS stratum
           FROM figures JOIN papers USING (paper_id) JOIN panels USING (figure_id)
           WHERE sha256 IS NOT NULL AND figures.x0 IS NOT NULL GROUP BY ALL ORDER BY unit"""
    )
    for row in rows:
        row["claims"] = {}
        if len(row["boxes"]) > 1 and len(split_caption(row["words"]).panels) > 1:
            row["found"]["letters"] = sum(map(bool, row["letters"]))
            row["claims"]["letters"] = ", ".join(one or "–" for one in row["letters"])
    return rows


def _images(catalogue: Catalogue) -> list[Row]:
    claimed = {
        "scales": dict(catalogue.tuples("SELECT image_sha256, printf('%g %s', value, unit) FROM image_bars")),
        "labels": dict(catalogue.tuples("SELECT image_sha256, label FROM labels WHERE label IS NOT NULL")),
    }
    rows = []
    for one in shown_screenings(catalogue):
        accepted, near = one["decision"] == "accepted", "borderline " if one["borderline"] else ""
        place = ", ".join(
            str(part) for part in (one["paper"], f"page {one['page']}", one["figure"], one["panel"]) if part
        )
        # Neither a scale nor a label is looked for in what was rejected.
        claims = {what: of.get(one["image_sha256"], "") for what, of in claimed.items()} if accepted else {}
        found = {"micrographs": int(accepted)} | {what: int(bool(said)) for what, said in claims.items()}
        rows.append(
            {"unit": one["image_sha256"], "place": place, "found": found, "claims": claims, "format": one["format"]}
            | {"stratum": f"{near}{one['decision']} images", "words": ""}
        )
    return sorted(rows, key=lambda row: str(row["unit"]))


def units(catalogue: Catalogue, kind: QualityKind) -> list[Row]:
    """Everything of a kind that a sample can be drawn from, by its id.

    Columns: unit, place, found (how many, by ``MEASURED``, of what is looked for in it), claims (what is said of them,
    by ``CLAIMED``; empty where nothing was found), words, stratum; of pages and figures sha256 and path of the PDF,
    page, box (of the picture, None for the whole page) and boxes (of what was found there, in points), of figures the
    letters of the boxes; of images their format.
    """
    return {"page": _pages, "figure": _figures, "image": _images}[kind](catalogue)


def asked_as(row: Mapping[str, Any]) -> str:
    """64 digits for a unit of the sample as it is shown to people: its picture, and what is claimed of it."""
    said = {what: one for what, one in row["claims"].items() if what in CLAIMED}
    return sha256_bytes(f"{row['picture']} {json.dumps(said)}".encode()) if said else str(row["picture"])


def save_sample(
    catalogue: Catalogue, strata: Sequence[Row], sample: Sequence[Row], kinds: Sequence[QualityKind] = tuple(FIELDS)
) -> None:
    """Write a sample in the place of another, in one transaction.

    What was counted stays with a unit that comes again with the same picture, but for what is claimed otherwise now;
    for those without counts the next pull looks for answers.

    Args:
        catalogue: open for writing.
        strata: rows of ``quality_strata``.
        sample: rows of ``quality_sample``; ``judged`` need not be there.
        kinds: which are drawn anew; what there is of the others stays.
    """
    before = {(row["unit"], row["picture"]): row for row in sampled(catalogue)}
    kept = [row | {"judged": _still_said(row, before.get((row["unit"], row["picture"])))} for row in sample]
    texts = [row | {name: json.dumps(row[name]) for name in ("found", "claims")} for row in kept]
    for row in texts:
        row["judged"] = json.dumps(row["judged"]) if row["judged"] else None
    unjudged = [asked_as(row) for row in kept if not row["judged"]]
    with catalogue.transaction():
        for table, rows in (("quality_strata", strata), ("quality_sample", texts)):
            catalogue.run(f"DELETE FROM {table} WHERE list_contains(?, kind)", [list(kinds)])  # noqa: S608 - constants
            catalogue.upsert(table, rows)
        catalogue.run(
            """UPDATE task_answers SET applied = NULL
               WHERE starts_with(role, 'quality-') AND list_contains(?, subject)""",
            [unjudged],
        )


def _still_said(row: Row, before: Row | None) -> dict[str, int]:
    """What was counted of a unit before and is about what is claimed of it now."""
    if before is None or not before["judged"]:
        return {}
    other = [one for what, one in MEASURED.items() if before["claims"].get(what) != row["claims"].get(what)]
    gone = {name for one in other for name in one.fields}
    return {name: count for name, count in before["judged"].items() if name not in gone}


def forget_papers(catalogue: Catalogue, paper_ids: Sequence[str]) -> list[str]:
    """Take out of the sample what only papers have that are to go, within the caller's transaction.

    An image that another paper shows stays, without the name of the paper that goes.

    Returns:
        Names of the pictures that were drawn of what went, and of figures of these papers.
    """
    found = catalogue.tuples(
        """WITH gone AS (SELECT paper_id, sha256, file_name FROM papers WHERE list_contains($1, paper_id)),
                own AS (SELECT figure_id FROM figures JOIN gone USING (paper_id)),
                own_units AS (FROM own UNION SELECT image_sha256 FROM panels JOIN own USING (figure_id)),
                others AS (SELECT figure_id FROM figures ANTI JOIN own USING (figure_id)
                           UNION SELECT image_sha256 FROM panels ANTI JOIN own USING (figure_id)),
                named AS (SELECT unit FROM quality_sample JOIN gone ON starts_with(place, file_name || ', page '))
           SELECT unit, picture, kind, unit IN (FROM others) FROM quality_sample
           WHERE CASE kind WHEN 'page' THEN split_part(unit, '-', 1) IN (SELECT sha256 FROM gone)
                 ELSE unit IN (FROM own_units) OR unit IN (FROM named) END""",
        [list(paper_ids)],
    )
    figures = catalogue.column("SELECT figure_id FROM figures WHERE list_contains(?, paper_id)", [list(paper_ids)])
    units = [unit for unit, _, _, stays in found if not stays]
    catalogue.run("DELETE FROM quality_sample WHERE list_contains(?, unit)", [units])
    named = [unit for unit, _, kind, stays in found if stays and kind == "image"]
    catalogue.run("UPDATE quality_sample SET place = '' WHERE list_contains(?, unit)", [named])
    drawn = [picture for _, picture, kind, stays in found if kind != "image" and not stays]
    return drawn + [figure_picture(figure) for figure in figures]


def sampled(catalogue: Catalogue, kind: QualityKind | None = None) -> list[Row]:
    """The sample in the order in which it is judged; ``found`` and ``claims`` are mappings, ``judged`` too, or None."""
    rows = catalogue.rows("SELECT * FROM quality_sample WHERE kind = coalesce(?, kind) ORDER BY kind, position", [kind])
    texts = ("found", "claims", "judged")
    return [row | {name: json.loads(row[name]) if row[name] else None for name in texts} for row in rows]


def strata(catalogue: Catalogue) -> list[Row]:
    """What the sample stands for: kind, stratum, what is measured, units (in which it is looked for), found, seed."""
    return catalogue.rows("SELECT * FROM quality_strata ORDER BY kind, stratum, what")


def save_judged(catalogue: Catalogue, judged: Mapping[str, Mapping[str, int]]) -> None:
    """Write what people counted, in one transaction.

    Args:
        catalogue: open for writing.
        judged: by unit of the sample.
    """
    texts = [json.dumps(counts) for counts in judged.values()]
    with catalogue.transaction():
        catalogue.run(
            """UPDATE quality_sample SET judged = said.counts
               FROM (SELECT unnest($1::TEXT[]) AS unit, unnest($2::TEXT[]) AS counts) said
               WHERE quality_sample.unit = said.unit""",
            [list(judged), texts],
        )
