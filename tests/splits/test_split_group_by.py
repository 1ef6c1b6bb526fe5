"""Papers that are kept together by their blend, journal or year."""

from __future__ import annotations

import json
from collections import defaultdict

import jsonschema
import pytest
from split_corpus import NO, YES, Corpus

from polydata.choices import Protocol
from polydata.errors import InputError, RefusedError, UsageError
from polydata.resources import schemas
from polydata.splits.build import build_split
from polydata.splits.manifest import MANIFEST, Split
from polydata.splits.options import SplitOptions
from polydata.splits.overview import describe_split

PAIRS = ("PP; PA6", "PA6; polypropylene; PP-g-MA", "PS; PMMA", "PLA; PBAT", "PLA; PCL", "PET; PP", "PC; ABS", "PP")
"""Of eight kinds of paper; the first two are one blend, the last is none."""


def fill(corpus: Corpus) -> None:
    """Sixteen papers, two of each kind, with three images each."""
    with corpus.catalogue.transaction():
        for n in range(16):
            paper = f"p{n:02d}"
            corpus.paper(paper, journal=f"Journal {n % 4}", year=2000 + n // 2)
            for k in range(3):
                corpus.image(paper, 100 * n + k, file=YES if (n + k) % 3 == 0 else NO)
                corpus.record(paper, f"r{n}-{k}", polymers=PAIRS[n % 8])
                link = {"panel_id": f"panel-{corpus.panels:06d}", "record_id": f"r{n}-{k}"}
                corpus.catalogue.upsert("links", [{**link, "method": "test", "score": 1.0}])


def build(corpus: Corpus, name: str, **options: object) -> Split:
    return build_split(corpus.session, name, SplitOptions(folds=3, **options)).split  # type: ignore[arg-type]


def sides_of(split: Split, key: dict[str, str]) -> dict[str, set[int]]:
    """In which folds' test sides each key stands."""
    found: dict[str, set[int]] = defaultdict(set)
    for fold in split.folds:
        for item in fold.test:
            found[key[item.extra["paper_id"]]].add(fold.number)
    return found


def test_a_blend_stands_on_one_side(corpus: Corpus) -> None:
    fill(corpus)
    split = build(corpus, "blends", group_by="blend")
    blend = {f"p{n:02d}": PAIRS[1] if n % 8 < 2 else PAIRS[n % 8] for n in range(16)}
    tested = sides_of(split, blend)
    assert all(len(folds) == 1 for pair, folds in tested.items() if pair != "PP")
    groups = {item.extra["paper_id"]: item.group for item in split.items.values()}
    assert len({groups[f"p{n:02d}"] for n in (0, 1, 8, 9)}) == 1, "abbreviations and names are one blend"
    assert groups["p07"] != groups["p15"], "one polymer is no blend"
    assert split.manifest["notes"]["untied"] == 6 and split.manifest["recipe"]["group_by"][-1] == "blend"
    merged = [one for one in split.manifest["notes"]["merged_papers"] if "p00" in one["papers"]]
    assert merged == [{"papers": ["p00", "p01", "p08", "p09"], "by": ["blend:PA6/PP"]}]
    assert describe_split(split)["images without a blend"] == 6
    schema = json.loads((schemas() / "split.schema.json").read_text())
    jsonschema.validate(json.loads((split.folder / MANIFEST).read_text()), schema)


def test_captions_that_nobody_read_tell_the_blend_too(corpus: Corpus) -> None:
    with corpus.catalogue.transaction():
        for n in range(6):
            corpus.paper(f"p{n}")
            words = ("SEM micrographs of PP/PA6 70/30 blends", "PS/PMMA 50/50 blend", "A fracture surface")[n % 3]
            corpus.image(f"p{n}", 100 * n, caption=words, file=(YES, NO)[n % 2])
    split = build_split(corpus.session, "x", SplitOptions(group_by="blend", test_fraction=0.4)).split
    merged = [one["by"] for one in split.manifest["notes"]["merged_papers"]]
    assert merged == [["blend:PA6/PP"], ["blend:PMMA/PS"]] and split.manifest["notes"]["untied"] == 2


@pytest.mark.parametrize("fact", ["journal", "year"])
def test_a_journal_or_year_stands_on_one_side(fact: str, corpus: Corpus) -> None:
    fill(corpus)
    split = build(corpus, fact, group_by=fact)
    told = {item.extra["paper_id"]: item.extra[fact] for item in split.items.values()}
    assert len(set(told.values())) == {"journal": 4, "year": 8}[fact]
    assert all(len(folds) == 1 for folds in sides_of(split, told).values())


def test_papers_alone_are_what_they_were(corpus: Corpus) -> None:
    fill(corpus)
    split = build(corpus, "papers")
    assert split.manifest["recipe"]["group_by"] == ["paper", "doi", "citation", "supplement", "picture"]
    assert "untied" not in split.manifest["notes"]
    assert split.digest == build(corpus, "again", group_by="paper").digest
    assert split.digest != build(corpus, "blends", group_by="blend").digest


def test_what_cannot_be_kept_together_is_refused(corpus: Corpus) -> None:
    fill(corpus)
    with pytest.raises(UsageError, match="kept together by 'author'"):
        build(corpus, "x", group_by="author")
    corpus.catalogue.run("UPDATE records SET polymers = NULL")
    with pytest.raises(InputError, match="Of no image a blend is told"):
        build(corpus, "x", group_by="blend")
    with pytest.raises(UsageError, match="keeps nothing together"):
        build(corpus, "x", group_by="blend", protocol=Protocol.RANDOM)


def test_the_newest_papers_are_tested_and_all_others_are_older(corpus: Corpus) -> None:
    fill(corpus)
    corpus.paper("undated")
    corpus.image("undated", 9000, file=YES)
    built = build_split(corpus.session, "time", SplitOptions(protocol=Protocol.TEMPORAL, test_fraction=0.3))
    (fold,) = built.split.folds
    trained, tested = ({int(item.extra["year"]) for item in side} for side in (fold.train, fold.test))
    assert trained == {2000, 2001, 2002, 2003, 2004} and tested == {2005, 2006, 2007}
    assert built.excluded == {"no year": 1}
    assert describe_split(built.split)["tested from the year"] == 2005
    schema = json.loads((schemas() / "split.schema.json").read_text())
    jsonschema.validate(json.loads((built.split.folder / MANIFEST).read_text()), schema)


def test_a_group_over_several_years_is_as_new_as_its_newest_paper(corpus: Corpus) -> None:
    fill(corpus)
    corpus.image("p00", 1500, file=YES)  # the picture of a paper of 2007, shown in one of 2000
    (fold,) = build_split(
        corpus.session, "time", SplitOptions(protocol=Protocol.TEMPORAL, test_fraction=0.1)
    ).split.folds
    assert {"p00", "p15"} <= {item.extra["paper_id"] for item in fold.test}
    assert max(int(item.extra["year"]) for item in fold.train) < 2007


def test_a_split_by_time_needs_years(corpus: Corpus) -> None:
    fill(corpus)
    with pytest.raises(UsageError, match="one test side"):
        build_split(corpus.session, "x", SplitOptions(protocol=Protocol.TEMPORAL, folds=3))
    with pytest.raises(RefusedError, match="No year parts"):
        build_split(corpus.session, "x", SplitOptions(protocol=Protocol.TEMPORAL, where="year = 2003"))
