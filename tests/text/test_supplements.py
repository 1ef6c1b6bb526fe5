"""Supplementary files and the papers they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from screen_scene import make_scene

from polydata.catalogue import metadata
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.metadata import note_papers_changed, supplements, tie_supplements
from polydata.catalogue.papers import delete_papers
from polydata.splits.evidence import group_images, read_evidence
from polydata.text import supplements as read
from polydata.text.supplements import clues_of

TITLE = "Morphology of blends of two polymers"


def tie(papers: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    return read.tie({one["paper_id"]: clues_of(one) for one in papers})


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


LONG = st.text("abä ", min_size=25, max_size=32)
TITLES = st.shared(st.lists(LONG, min_size=1, max_size=3), key="titles").flatmap(st.sampled_from)
NAMES = st.builds(str.__add__, st.sampled_from(["a", "A", "b si", "", "a.b"]), st.sampled_from(["", "_SI", "-supp1"]))
PAPERS = st.builds(
    paper,
    st.uuids().map(str),
    file_name=NAMES.map("{}.pdf".format) | st.text(max_size=20),
    doi=st.sampled_from([None, "10.1/a", "10.1016/a", "doi:10.1016/b."]),
    title=st.none() | TITLES | st.just("Supporting Information") | st.text(max_size=60),
    first_page_text=st.none()
    | st.builds("{}{} {}".format, st.sampled_from(["", "Supplementary data of "]), TITLES, LONG),
)


def slow_tie(papers: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """Each paper held against each other one."""
    clues = {one["paper_id"]: clues_of(one) for one in papers}
    found = {}
    for own, mine in clues.items():
        mains: dict[str, list[str]] = {"file name": [], "doi": [], "title": []}
        for other, its in clues.items():
            mains["file name"] += [other] * (mine.main == its.stem)
            if mine.opens and not its.opens:
                mains["doi"] += [other] * (mine.doi is not None and mine.doi == its.doi)
                mains["title"] += [other] * (bool(its.title) and its.title in mine.text)
        for reason, others in mains.items():
            if len(set(others) - {own}) == 1:
                found[own] = ((set(others) - {own}).pop(), reason)
                break
    return {own: one for own, one in found.items() if one[0] not in found}


@given(st.lists(PAPERS, max_size=8, unique_by=lambda one: one["paper_id"]))
def test_ties_are_those_of_all_pairs(papers: list[dict[str, Any]]) -> None:
    assert tie(papers) == slow_tie(papers)


CHANGES = st.lists(st.lists(st.tuples(st.integers(0, 5), PAPERS), max_size=4), max_size=4)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES)
def test_what_is_noted_is_what_would_be_found_anew(
    tmp_path_factory: pytest.TempPathFactory, changes: list[list[tuple[int, dict[str, Any]]]]
) -> None:
    there: dict[str, dict[str, Any]] = {}
    with Catalogue.open(tmp_path_factory.mktemp("tied") / "catalog.duckdb") as catalogue:
        for step in changes:
            for place, one in step:  # a paper goes, comes or is read anew
                delete_papers(catalogue, [f"paper-{place}"])
                if not there.pop(f"paper-{place}", None) or one["doi"]:
                    there[f"paper-{place}"] = row = one | {"paper_id": f"paper-{place}"}
                    catalogue.upsert("papers", [row | {"source": "pdf", "status": "done", "extractor": "1"}])
            wanted = {own: main for own, (main, _) in slow_tie(list(there.values())).items()}
            assert supplements(catalogue) == wanted
            assert tie_supplements(catalogue) == len(wanted)
            noted = catalogue.tuples("SELECT paper_id, supplement_of FROM papers WHERE supplement_of IS NOT NULL")
            assert dict(noted) == supplements(catalogue) == wanted


def test_only_papers_that_changed_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    monkeypatch.setattr(metadata, "clues_of", lambda row: looked.append(row["paper_id"]) or clues_of(row))
    known = {"source": "pdf", "status": "done", "extractor": "1"}
    with Catalogue.open(tmp_path / "catalog.duckdb") as catalogue:
        catalogue.upsert("papers", [paper(f"{n}.pdf") | known for n in range(5)])
        note_papers_changed(catalogue, ())
        assert tie_supplements(catalogue) == 0 and len(looked) == 5
        catalogue.upsert("papers", [paper("3_SI.pdf") | known])
        note_papers_changed(catalogue, ())
        assert supplements(catalogue) == {"3_SI.pdf": "3.pdf"}
        assert tie_supplements(catalogue) == 1 and tie_supplements(catalogue) == 1
        assert looked[5:] == ["3_SI.pdf", "3_SI.pdf"]
        delete_papers(catalogue, ["3.pdf"])
        assert tie_supplements(catalogue) == 0 and len(looked) == 7


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
