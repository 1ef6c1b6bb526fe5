from __future__ import annotations

import csv
from pathlib import Path

import pytest
from damaged import damage, load_make_papers
from joined_scene import (
    FIRST_PAGE,
    REFERENCE,
    WHOLE,
    add_figure,
    add_paper,
    add_records,
    blank,
    figure_links,
    figure_of,
    links,
    run,
    scene,
)
from workspaces import bare_session

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.records import unlinked_panels, unlinked_records
from polydata.records.importer import import_records
from polydata.records.match_figures import Captions
from polydata.records.match_papers import PaperMatcher, cited
from polydata.records.record import make_record
from polydata.task import Task

OTHER_PAGE = "On other blends\nHyun Kim and Wei Chen\nJ. Appl. Polym. Sci. 45 (2004) 2100–2110\nAbstract 80 20"


def paper_of(reference: str, **fields: str) -> str | None:
    nothing = dict.fromkeys(("doi", "citation", "title", "journal", "year"))
    right = {"paper_id": "right", "file_name": "x.pdf", "first_page_text": FIRST_PAGE}
    other = {"paper_id": "other", "file_name": "reference_no_0101911.pdf", "first_page_text": OTHER_PAGE}
    papers = [nothing | right, nothing | other | {"doi": "10.1000/OTHER"}]
    row = make_record({"record_key": "k", "reference": reference, **fields}, source="t", raw={}).as_row()
    match = PaperMatcher(lambda _: papers, Captions(()), [cited(row)]).find(row)
    return match.paper_id if match else None


@pytest.mark.parametrize(
    "reference",
    [
        REFERENCE,
        "Kim, H.; Lee, S. , J. Appl. Polym. Sci. , 45 , 1234-1240 (2004)",
        REFERENCE.replace("1234", "1254"),
        REFERENCE.replace(" 45 ", " 48 "),
        REFERENCE.replace("2004", "2005"),
        REFERENCE.replace("Kim, Hyun", "Kirn, Hyun"),
        REFERENCE.replace("Journal of Applied Polymer Science", "Polymer"),
        "H. Kim, S. Lee, J. Appl. Polym. Sci. 2004, 45, 1234",
    ],
)
def test_a_paper_is_found_with_one_wrong_field(reference: str) -> None:
    assert paper_of(reference) == "right"


def test_a_paper_is_not_guessed() -> None:
    assert paper_of("Miller, A. , Polymer , 45 , 3 , 1 (2004)") is None
    assert paper_of("") is None
    assert paper_of("Kim, Hyun , Journal of Applied Polymer Science , 45 , 3 , 777-790 (2004)") is None


def test_doi_and_reference_number_go_first() -> None:
    assert paper_of(REFERENCE, doi="10.1000/other") == "other"
    assert paper_of(REFERENCE, reference_no="101911") == "other"


def test_two_copies_of_a_paper_are_ambiguous(catalogue: Catalogue) -> None:
    for name in ("one", "two"):
        add_figure(catalogue, add_paper(catalogue, name, FIRST_PAGE), 1, "SEM of PP/PA", [(None, None)])
    [record] = add_records(catalogue, blank(record_key="k", caption="SEM of PP/PA"))
    report = run(catalogue)
    assert [(a.record_id, a.candidates) for a in report.links.ambiguous] == [(record, ("paper-one", "paper-two"))]
    assert links(catalogue) == {}
    assert [r["record_id"] for r in unlinked_records(catalogue)] == [record]
    left = unlinked_panels(catalogue)
    assert len(left) == 2
    images = dict(catalogue.tuples("SELECT panel_id, image_sha256 FROM panels"))
    linked = catalogue.column("SELECT panel_id FROM links")
    for panel, image in images.items():  # the screening has the last word, by hand above all
        decision = "rejected" if panel == left[0]["panel_id"] else "accepted"
        catalogue.upsert("screening_corrections", [{"image_sha256": image, "decision": decision}])
    assert {row["panel_id"] for row in unlinked_panels(catalogue)} == images.keys() - {left[0]["panel_id"], *linked}


def test_records_go_to_their_panels(catalogue: Catalogue) -> None:
    before, after = scene(catalogue)
    ids = add_records(
        catalogue,
        blank(record_key="1", caption="SEM of PP/PA blends after annealing: (b) 50/50"),
        blank(record_key="2", caption="SEM of PP/PA blends before annealing (a) 70/30", compatibility="immiscible"),
        blank(record_key="3", caption=WHOLE, panel="a", compatibility="so so"),
        blank(record_key="4", caption="SEM of PP/PA blends before annealing: (a) 70/30; (b) 50/50"),
        blank(record_key="5", caption="SEM of PP/PA blends before annealing (c) 30/70"),
    )  # fmt: skip
    report = run(catalogue)
    assert links(catalogue) == {ids[0]: after[1], ids[1]: before[0], ids[2]: after[0]}
    assert (report.links.linked, report.links.in_figure, report.links.in_paper, report.links.no_paper) == (3, 2, 0, 0)
    assert {r["record_id"] for r in unlinked_records(catalogue)} == {ids[3], ids[4]}
    assert {r["paper"] for r in unlinked_records(catalogue)} == {"one.pdf"}
    votes = catalogue.tuples("SELECT panel_id, source, label, evidence FROM label_votes WHERE source = 'record'")
    assert votes == [(before[0], "record", Task.load().label_of("immiscible"), "immiscible")]
    assert report.votes.unknown_spellings == {"so so": 1}


def test_records_that_contradict_are_counted(catalogue: Catalogue) -> None:
    scene(catalogue)
    words = {"caption": "SEM of PP/PA blends before annealing (a) 70/30", "panel": "a"}
    add_records(catalogue, *(blank(record_key=n, compatibility=n, **words) for n in ("miscible", "immiscible")))
    report = run(catalogue)
    assert report.links.linked == 2 and report.facts()["images whose records disagree"] == 1
    (image,) = set(catalogue.column("SELECT image_sha256 FROM links JOIN panels USING (panel_id)"))
    said = {"number": 1, "choice": "compatible", "reason": "seen", "decided_by": "me"}
    catalogue.upsert("label_decisions", [{"image_sha256": image, **said}])
    assert run(catalogue).links.disagreeing == 0


def test_labels_follow_a_record_that_is_imported_again(catalogue: Catalogue, tmp_path: Path) -> None:
    scene(catalogue)
    task = Task.load()
    table = tmp_path / "t.csv"

    def bring(word: str, more: str = "") -> dict[str, int]:
        with open(table, "w", newline="") as handle:
            rows = [
                ["1", "SEM of PP/PA blends after annealing: (b) 50/50", word, REFERENCE, ""],
                *([["2", "", "", "", more]] if more else []),
            ]
            csv.writer(handle).writerows([["key", "caption", "label", "reference", "year"], *rows])
        return dict(import_records(bare_session(catalogue, task), [table]).votes.unknown_spellings)

    def labels() -> list[tuple[str]]:
        return catalogue.tuples("SELECT label FROM label_votes WHERE source = 'record'")

    bring("miscible")
    run(catalogue)
    assert labels() == [(task.label_of("miscible"),)]
    bring("immiscible")
    assert labels() == [(task.label_of("immiscible"),)]
    bring("miscible", more="no year")
    assert labels() == [(task.label_of("immiscible"),)]
    assert bring("so so") == {"so so": 1}
    assert labels() == []


def test_the_same_inputs_change_nothing(catalogue: Catalogue) -> None:
    scene(catalogue)
    add_records(
        catalogue,
        blank(record_key="1", caption="SEM of PP/PA blends after annealing: (b) 50/50", morphology="immiscible"),
    )
    assert run(catalogue).changed
    before = catalogue.fingerprint()
    report = run(catalogue)
    assert not report.changed
    assert report.votes.votes == {"rule": 1}
    assert catalogue.fingerprint() == before


def test_scale_and_ratio_decide(catalogue: Catalogue) -> None:
    paper = add_paper(catalogue, "one", FIRST_PAGE)
    panels = add_figure(catalogue, paper, 1, "Figure 1. SEM of PP/PA 70/30 blends.", [("a", None), ("b", None)])
    for panel, value in zip(panels, (10.0, 2.0), strict=True):
        bar = {"panel_id": panel, "method": "ocr", "value": value, "unit": "µm", "value_um": value, "confidence": 0.9}
        catalogue.upsert("scale_bars", [bar])
    [sharp, vague] = add_records(
        catalogue,
        blank(record_key="1", caption="SEM of PP/PA 70/30 blends", scale_um="2"),
        blank(record_key="2", caption="SEM of PP/PA 70/30 blends", scale_um="7"),
    )
    run(catalogue)
    assert links(catalogue)[sharp] == panels[1]
    assert links(catalogue).get(vague) in (None, panels[0])


def test_links_follow_what_was_extracted_again(catalogue: Catalogue) -> None:
    _, after = scene(catalogue)
    add_records(
        catalogue, blank(record_key="1", caption="SEM of PP/PA blends after annealing: (b) 50/50", morphology="two Tg")
    )
    run(catalogue)
    vote = {
        "panel_id": after[0],
        "source": "file",
        "record_id": "",
        "label": Task.load().positive,
        "evidence": "x_1.png",
    }
    catalogue.upsert("label_votes", [vote])
    catalogue.run("DELETE FROM panels WHERE panel_id = ?", [after[1]])
    assert run(catalogue).changed
    assert links(catalogue) == {}
    assert catalogue.tuples("SELECT source FROM label_votes") == [("file",)]


def test_a_record_without_a_reference_is_found_by_its_caption(catalogue: Catalogue) -> None:
    before, _ = scene(catalogue)
    [one, short] = add_records(
        catalogue,
        {"record_key": "1", "caption": "SEM of PP/PA blends before annealing: (a) 70/30; (b) 50/50", "panel": "b"},
        {"record_key": "2", "caption": "SEM of blends", "panel": "b"},
    )
    report = run(catalogue)
    assert links(catalogue) == {one: before[1]}
    assert report.links.no_paper == 1
    assert short in {r["record_id"] for r in unlinked_records(catalogue)}


def lay_out(catalogue: Catalogue, tools: Path, nims: Path) -> dict[str, str]:
    """All 124 papers as make_papers lays them out, without drawing them; panel id -> key of its image."""
    maker = load_make_papers(tools)
    truth = {}
    for group, figures in sorted(maker.read_figures(nims).items()):
        paper = add_paper(
            catalogue, f"g{group}", f"Morphology of polymer blends\n{figures[0][0]['reference']}\n{maker.FILLER}"
        )
        add_figure(catalogue, paper, 1, "Figure 1. Storage modulus of the blends.", [(None, None)], kind="plot")
        for number, rows in enumerate(figures, start=2):
            caption, parts = maker.figure_caption(number, rows, "Figure")
            letters = [row["panel"] or None if len(rows) > 1 else None for row in rows]
            panels = add_figure(
                catalogue, paper, number, caption, list(zip(letters, [p or None for p in parts], strict=True))
            )
            truth |= {panel: row["key"] for panel, row in zip(panels, rows, strict=True)}
    return truth


def test_a_first_page_that_does_not_say_what_it_is_leaves_it_to_the_caption(catalogue: Catalogue) -> None:
    words = "SEM of annealed PTT/PC blends with 2 phr of ionomer"
    for name, page in (("silent", "Abstract. We studied blends."), ("other", "Polymer 12 (1999) 77. A. Miller")):
        caption = f"Figure 1. {words}." if name == "silent" else "Figure 1. TEM of a copolymer."
        add_figure(catalogue, add_paper(catalogue, name, page), 1, caption, [("a", "2 h"), ("b", "4 h")])
    for number in range(30):  # other captions, so that words are rare or common
        paper = add_paper(catalogue, f"p{number}", f"J. Test {number} (2001)")
        add_figure(catalogue, paper, 1, f"Figure 1. SEM of sample{number} blends.", [(None, None)])
    [record] = add_records(catalogue, blank(record_key="1", caption=words))
    run(catalogue)
    assert figure_links(catalogue) == {record: figure_of("paper-silent", 1)}
    catalogue.run("UPDATE papers SET first_page_text = 'Polymer 12 (1999) 77' WHERE paper_id = 'paper-silent'")
    run(catalogue)
    assert figure_links(catalogue) == {}


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.parametrize("damaged", [False, True])
def test_published_records_find_their_panels(
    shared_data: Path, shared_tools: Path, catalogue: Catalogue, tmp_path: Path, damaged: bool
) -> None:
    truth = lay_out(catalogue, shared_tools, shared_data / "nims")
    table = shared_data / "nims" / "records.csv"
    if damaged:
        table = damage(table, tmp_path / "damaged.csv", more=("key", "image", "page", "panel"))
    import_records(bare_session(catalogue), [table])
    run(catalogue)
    found = catalogue.tuples("SELECT panel_id, record_key FROM links JOIN records USING (record_id)")
    right = sum(truth.get(panel) == key for panel, key in found)
    assert right / len(found) >= 0.99
    assert right / len(truth) >= 0.85
