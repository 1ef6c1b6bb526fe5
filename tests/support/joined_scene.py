"""A catalogue with papers, figures and panels that need no PDF, and records to be joined to them."""

from __future__ import annotations

from typing import Any

from workspaces import bare_session

from polydata.catalogue.connect import Catalogue
from polydata.ids import content_id
from polydata.records.importer import save
from polydata.records.join import Joined, join
from polydata.records.record import make_record
from polydata.task import Task

WHOLE = "SEM of PP/PA blends after annealing: (a) 70/30; (b) 50/50"
REFERENCE = "Kim, Hyun; Lee, Soo , Journal of Applied Polymer Science , 45 , 3 , 1234-1240 (2004)"
FIRST_PAGE = "Morphology of blends\nHyun Kim and Soo Lee\nJ. Appl. Polym. Sci. 45 (2004) 1234–1240\nAbstract 70 30 5"


def add_paper(catalogue: Catalogue, name: str, first_page: str, **known: Any) -> str:
    row = dict.fromkeys(("path", "title", "doi", "journal", "year", "citation"))
    row |= {"paper_id": f"paper-{name}", "sha256": name, "source": "pdf", "file_name": f"{name}.pdf", "pages": 9}
    row |= {"status": "done", "extractor": "1", "first_page_text": first_page} | known
    catalogue.upsert("papers", [row])
    return str(row["paper_id"])


def add_figure(
    catalogue: Catalogue,
    paper: str,
    number: int,
    caption: str,
    panels: list[tuple[str | None, str | None]],
    **known: Any,
) -> list[str]:
    """A figure with panels of (letter, own words); ids of the panels."""
    figure = content_id("figure", paper, number)
    row = {"figure_id": figure, "paper_id": paper, "page": number + 1, "label": f"Figure {number}", "caption": caption}
    row |= {"kind": "micrograph", "method": "m", "confidence": 1.0} | known
    catalogue.upsert("figures", [row])
    ids = [content_id("panel", figure, i) for i in range(len(panels))]
    catalogue.upsert(
        "panels",
        [
            {"panel_id": i, "figure_id": figure, "position": n, "label": letter, "caption": words, "image_sha256": i}
            for n, (i, (letter, words)) in enumerate(zip(ids, panels, strict=True))
        ],
    )
    return ids


def figure_of(paper: str, number: int) -> str:
    """The id of a figure that ``add_figure`` made."""
    return content_id("figure", paper, number)


def add_records(catalogue: Catalogue, *records: dict[str, str]) -> list[str]:
    made = [make_record(r, source="t", raw=r) for r in records]
    save(catalogue, made)
    return [r.record_id for r in made]


def links(catalogue: Catalogue) -> dict[str, str]:
    return dict(catalogue.tuples("SELECT record_id, panel_id FROM links"))


def figure_links(catalogue: Catalogue) -> dict[str, str]:
    return dict(catalogue.tuples("SELECT record_id, figure_id FROM figure_links"))


def run(catalogue: Catalogue) -> Joined:
    return join(bare_session(catalogue, Task.load()))


def blank(**values: str) -> dict[str, str]:
    return {"reference": REFERENCE, **values}


def scene(catalogue: Catalogue) -> tuple[list[str], list[str]]:
    """Two figures whose captions differ by one word, and a plot."""
    paper = add_paper(catalogue, "one", FIRST_PAGE)
    parts: list[tuple[str | None, str | None]] = [("a", "70/30"), ("b", "50/50")]
    add_figure(catalogue, paper, 1, "Figure 1. Modulus of the PP/PA blends.", [(None, None)], kind="plot")
    before = add_figure(
        catalogue, paper, 2, "Figure 2. SEM of PP/PA blends before annealing: (a) 70/30; (b) 50/50.", parts
    )
    after = add_figure(
        catalogue, paper, 3, "Figure 3. SEM of PP/PA blends after annealing: (a) 70/30; (b) 50/50.", parts
    )
    return before, after
