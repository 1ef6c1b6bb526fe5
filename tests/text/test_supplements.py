"""Supplementary files and the papers they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from screen_scene import make_scene

from polydata.catalogue.metadata import note_papers_changed, supplements, tie_supplements
from polydata.splits.evidence import group_images, read_evidence
from polydata.text.supplements import tie

TITLE = "Morphology of blends of two polymers"


def paper(name: str, **known: Any) -> dict[str, Any]:
    return {"paper_id": name, "file_name": name, "doi": None, "title": None, "first_page_text": None, **known}


@pytest.mark.parametrize(
    "name",
    [
        "a paper_SI.pdf", "a paper-supp.PDF", "a paper supplementary information.pdf", "a paper_si_001.pdf",
        "a paper.supporting_info.pdf", "A Paper_ESI.pdf", "a paper-suppl1.pdf", "a paper_supplement.pdf",
    ],
)  # fmt: skip
def test_by_file_name(name: str) -> None:
    assert tie([paper("a paper.pdf"), paper(name)]) == {name: ("a paper.pdf", "file name")}


@pytest.mark.parametrize("name", ["a paper2.pdf", "a papersi.pdf", "si.pdf", "other_SI.pdf", "a paper_b.pdf"])
def test_other_names(name: str) -> None:
    assert tie([paper("a paper.pdf"), paper(name)]) == {}


def test_by_doi_and_title() -> None:
    main = paper("m", doi="10.1016/a", title=TITLE)
    by_doi = paper("s", doi="10.1016/A", first_page_text="Electronic Supplementary Information for ...")
    by_title = paper("t", title="Supporting Information for", first_page_text=f"Supporting\nInformation for\n{TITLE}")
    assert tie([main, by_doi, by_title]) == {"s": ("m", "doi"), "t": ("m", "title")}
    assert tie([main, paper("other", doi="10.1016/a")]) == {}  # the same paper twice is no supplement
    assert tie([main, paper("n", doi="10.1016/a"), by_doi]) == {}  # undecided


PAPERS = st.builds(
    paper,
    st.text(max_size=20),
    doi=st.sampled_from([None, "10.1/a", "10.1016/a"]),
    title=st.none() | st.text(max_size=60),
)


@given(st.lists(PAPERS, max_size=6, unique_by=lambda one: one["paper_id"]))
def test_no_names_break_it(papers: list[dict[str, Any]]) -> None:
    for own, (main, _) in tie(papers).items():
        assert own != main


def test_a_supplement_is_not_parted_from_its_paper(tmp_path: Path) -> None:
    scene = make_scene(tmp_path / "w")
    with scene.session() as session:
        session.catalogue.run("UPDATE papers SET file_name = 'a.pdf'")
        row = {"source": "pdf", "status": "done", "extractor": "1"}
        session.catalogue.upsert("papers", [{"paper_id": "paper-2", "file_name": "a_SI.pdf", **row}])
        session.catalogue.run("UPDATE figures SET paper_id = 'paper-2' WHERE figure_id = ?", [f"figure-{1:012d}"])
        assert supplements(session.catalogue) == {}  # as it was noted before these papers came
        note_papers_changed(session.catalogue)
        assert supplements(session.catalogue) == {"paper-2": "paper-1"}
        groups = group_images(read_evidence(session.catalogue, scene.images[:2]))
        assert set(groups.of_image.values()) == {"paper-1"}
        assert groups.merged == ({"papers": ["paper-1", "paper-2"], "by": ["supplement of:paper-1"]},)
        assert tie_supplements(session.catalogue) == 1
        assert session.catalogue.value("SELECT supplement_of FROM papers WHERE paper_id = 'paper-2'") == "paper-1"
        session.catalogue.run("UPDATE papers SET file_name = 'b.pdf' WHERE paper_id = 'paper-2'")
        assert supplements(session.catalogue) == {"paper-2": "paper-1"}
        note_papers_changed(session.catalogue)
        assert tie_supplements(session.catalogue) == 0
        assert session.catalogue.value("SELECT supplement_of FROM papers WHERE paper_id = 'paper-2'") is None
