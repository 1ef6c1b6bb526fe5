"""What the lists of a split tell of each image beside its label."""

from __future__ import annotations

import pytest
from split_corpus import NO, YES, Corpus

from polydata.catalogue.screenings import save_readings
from polydata.catalogue.splits import images_where
from polydata.splits.build import build_split
from polydata.splits.manifest import load_split
from polydata.splits.options import SplitOptions
from polydata.splits.where import read_where
from polydata.types import ScaleBar

Told = dict[str, dict[str, str]]


def read(micrometres: float) -> ScaleBar:
    return ScaleBar(micrometres, "µm", micrometres, 80, "image", 1.0)


def told(corpus: Corpus) -> Told:
    """Columns of each image's line, read back from the files."""
    build_split(corpus.session, "v1", SplitOptions(crops=False))
    split = load_split(corpus.workspace.splits / "v1")
    return {item.image_sha256: dict(item.extra) for item in split.folds[0].everything}


def link(corpus: Corpus, panel: int, record: str, score: float = 1.0, **fields: object) -> None:
    """A record joined to the panel of that number."""
    corpus.catalogue.upsert("records", [{"record_id": record, "source": "test", "raw": "{}", **fields}])
    corpus.catalogue.upsert(
        "links", [{"panel_id": f"panel-{panel:06d}", "record_id": record, "method": "test", "score": score}]
    )


def paper_with(corpus: Corpus, name: str, **known: object) -> tuple[str, int]:
    """A paper of one image: the image, and the number of its panel."""
    corpus.paper(name, **known)
    return corpus.image(name, 5000 + corpus.panels, file=NO), corpus.panels


def test_what_the_paper_tells(corpus: Corpus) -> None:
    corpus.standard()
    image, _ = paper_with(corpus, "a", journal="J. Blends\n and Alloys", year=1998, doi="10.5555/a", source="pdf")
    corpus.record("a", "record-a", journal="Another", year=2001, doi="10.5555/b")
    row = told(corpus)[image]
    assert (row["journal"], row["year"], row["doi"]) == ("J. Blends and Alloys", "1998", "10.5555/a")
    assert row["scale_um"] == ""


def test_a_record_tells_what_the_paper_does_not(corpus: Corpus) -> None:
    corpus.standard()
    images = {name: paper_with(corpus, name, source="pdf") for name in ("of paper", "of panel", "of nobody")}
    corpus.paper("half", year=1990)
    half = corpus.image("half", 7000, file=YES)
    corpus.record("half", "record-h", journal="Macromolecules", year=2020)
    corpus.record("of paper", "record-p", journal="Polymer", year=2003)
    link(corpus, images["of panel"][1], "record-1", 0.9, journal="Sure", year=None)
    link(corpus, images["of panel"][1], "record-2", 0.5, journal="Less sure", year=1977)
    rows = told(corpus)
    found = {name: (rows[image]["journal"], rows[image]["year"]) for name, (image, _) in images.items()}
    assert found == {"of paper": ("Polymer", "2003"), "of panel": ("Sure", "1977"), "of nobody": ("", "")}
    assert (rows[half]["journal"], rows[half]["year"]) == ("Macromolecules", "1990")


def test_the_bar_in_the_image_goes_before_the_caption_and_the_record(corpus: Corpus) -> None:
    corpus.standard()
    images = {name: paper_with(corpus, name) for name in ("all", "said", "recorded", "none")}
    in_caption = {"method": "caption", "value": 5, "unit": "µm", "value_um": 5, "confidence": 1.0}
    for name in ("all", "said"):
        corpus.catalogue.upsert("scale_bars", [{"panel_id": f"panel-{images[name][1]:06d}", **in_caption}])
    for name in ("all", "said", "recorded"):
        link(corpus, images[name][1], f"record-{name}", scale_um=20)
    link(corpus, images["recorded"][1], "record-unsure", 0.3, scale_um=0.1 + 0.2)
    save_readings(corpus.catalogue, 1, [(images["all"][0], read(0.7)), (images["none"][0], None)])
    rows = told(corpus)
    assert {name: rows[image]["scale_um"] for name, (image, _) in images.items()} == {
        "all": "0.7", "said": "5", "recorded": "20", "none": ""
    }  # fmt: skip
    for name, words in (("all", "scale_um < 1"), ("said", "scale_um = 5"), ("recorded", "scale_um > 10")):
        assert images_where(corpus.catalogue, read_where(words)) == {images[name][0]}  # a filter sees the same


@pytest.mark.parametrize(
    ("micrometres", "written"), [(0.1 + 0.2, "0.3"), (50.0, "50"), (100 / 3, "33.3333"), (1e-3, "0.001")]
)
def test_numbers_are_written_in_one_way(corpus: Corpus, micrometres: float, written: str) -> None:
    corpus.standard(range(6))
    image, panel = paper_with(corpus, "a")
    link(corpus, panel, "record-a", scale_um=micrometres)
    assert told(corpus)[image]["scale_um"] == written
