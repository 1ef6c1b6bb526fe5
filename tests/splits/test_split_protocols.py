"""Protocols, validation sides, filters and strata; comparing splits and following them."""

from __future__ import annotations

import json

import pytest
from split_corpus import NO, YES, Corpus

from polydata.choices import Protocol
from polydata.errors import InputError, RefusedError
from polydata.images import copies
from polydata.splits.build import build_split
from polydata.splits.manifest import Split, load_split
from polydata.splits.options import SplitOptions
from polydata.splits.overview import compare_splits, describe_split, lineage, verify_split
from polydata.splits.partition import partition


def build(corpus: Corpus, name: str = "v1", reason: str | None = None, **options: object) -> Split:
    return build_split(corpus.session, name, SplitOptions(**options), reason).split  # type: ignore[arg-type]


def test_a_validation_side_keeps_papers_whole(corpus: Corpus) -> None:
    images = corpus.standard(range(20))
    for folds in (0, 3):
        split = build(corpus, f"v{folds}", val_fraction=0.2, folds=folds)
        for fold in split.folds:
            sides = [fold.train, fold.val, fold.test]
            assert all(sides)
            papers = [{i.extra["paper_id"] for i in side} for side in sides]
            assert not (papers[0] & papers[1] or papers[1] & papers[2] or papers[0] & papers[2])
            assert {i.image_sha256 for i in fold.everything} == set(images)
            assert abs(len(fold.val) / len(images) - 0.2) < 0.06
        assert load_split(split.folder) == split
        assert verify_split(corpus.session, split.name) == []
    shown = [s["side"] for s in load_split(corpus.workspace.splits / "v0").manifest["counts"]["sides"]]
    assert shown == ["train", "val", "test"]
    path = corpus.workspace.splits / "v0" / "val.csv"
    path.write_text(path.read_text() + " ")
    assert verify_split(corpus.session, "v0") == ["val.csv was changed"]


def test_leaving_each_paper_out(corpus: Corpus) -> None:
    corpus.standard()
    split = build(corpus, protocol=Protocol.LEAVE_ONE_PAPER_OUT)
    assert len(split.folds) == 12 == split.manifest["recipe"]["folds"]
    assert all(len({i.group for i in fold.test}) == 1 for fold in split.folds)
    assert split.leakage is None


def test_random_rows_leak_and_need_a_reason(corpus: Corpus) -> None:
    corpus.standard()
    with pytest.raises(RefusedError, match="shared-paper"):
        build(corpus, protocol=Protocol.RANDOM)
    split = build(corpus, "r", "to compare with other work", protocol=Protocol.RANDOM)
    assert split.leakage is not None and split.leakage["reason"] == "to compare with other work"
    assert {f["detector"] for f in split.leakage["findings"]} >= {"shared-group", "shared-paper", "shared-figure"}
    with pytest.raises(InputError, match="No published split"):
        build(corpus, "p", "as published", protocol=Protocol.PUBLISHED)


def test_a_published_split_under_another_name_leaks_by_a_reason_of_its_own(corpus: Corpus) -> None:
    corpus.standard()
    source = build(corpus, "published", "as the authors did", protocol=Protocol.RANDOM)
    with pytest.raises(RefusedError, match="shared-paper"):
        build(corpus, "copy", protocol=Protocol.PUBLISHED)
    split = build(corpus, "copy", "to compare", protocol=Protocol.PUBLISHED)
    assert split.folds == source.folds
    assert split.leakage is not None and split.leakage["reason"] == "to compare"
    assert describe_split(split)["leaks, allowed because"] == "to compare"


def test_a_filter_leaves_images_out_and_stands_in_the_recipe(corpus: Corpus) -> None:
    corpus.standard()
    corpus.catalogue.run("UPDATE papers SET year = 1990 WHERE paper_id < 'p04'")
    corpus.catalogue.run("UPDATE papers SET year = 2010 WHERE paper_id >= 'p04'")
    split = build(corpus, where="( year>2000 )")
    assert split.manifest["recipe"]["where"] == "year > 2000"
    assert split.manifest["counts"]["excluded"]["outside the filter"] > 0
    assert {i.extra["paper_id"] for i in split.folds[0].everything} == {f"p{n:02d}" for n in range(4, 12)}
    assert build(corpus, "same", where="year > 2000").digest == split.digest


def test_techniques_are_shared_out_alike(corpus: Corpus) -> None:
    corpus.standard(range(40))
    mention = '[{"field": "technique", "value": "%s", "text": "x", "start": 0, "end": 1}]'
    for value, rest in (("TEM", 0), ("SEM", 1)):
        corpus.catalogue.run(
            "UPDATE panels SET mentions = ? WHERE (substr(figure_id, 2, 2)::INTEGER % 4 = 0) = (? = 0)",
            [mention % value, rest],
        )
    split = build(corpus, stratify="technique")
    assert split.manifest["recipe"]["stratify_by"] == ["label", "technique"]
    counts = split.manifest["counts"]
    whole = counts["by_technique"]["TEM"] / counts["images"]
    for side in counts["sides"]:
        assert abs(side["by_technique"]["TEM"] / side["images"] - whole) < 0.05


def test_crops_bind_papers(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    from audit_pictures import png, texture

    corpus.standard()
    whole = texture(3)
    for name, picture in {"x": whole, "y": whole.crop((20, 30, 220, 230))}.items():
        corpus.paper(name)
        corpus.image(name, png(picture), file=NO)
    split = build(corpus)
    (merged,) = split.manifest["notes"]["merged_papers"]
    assert merged["papers"] == ["x", "y"] and split.manifest["recipe"]["crops"] == copies.VERSION
    without = build(corpus, "without", crops=False)
    assert without.manifest["notes"]["merged_papers"] == [] and without.manifest["recipe"]["crops"] is None
    assert without.digest != split.digest


def test_two_splits_are_compared(corpus: Corpus) -> None:
    images = corpus.standard()
    first, second = build(corpus), build(corpus, "v2", seed=1)
    found = compare_splits(first, second)
    assert found.recipe == {"seed": (0, 1)} and not found.same
    assert (found.only_first, found.only_second, found.relabelled, found.regrouped) == ((), (), {}, ())
    assert sum(row["train"] + row["test"] for row in found.folds) == len(images)
    corpus.catalogue.run("DELETE FROM label_votes WHERE panel_id = 'panel-000001'")
    corpus.catalogue.run("UPDATE label_votes SET label = ? WHERE panel_id = 'panel-000002'", [YES])
    third = build(corpus, "v3")
    moved = compare_splits(first, third)
    assert moved.only_first == (images[0],) and set(moved.relabelled) <= {images[1]}
    assert compare_splits(first, first).same
    assert all(row["absent"] == 0 for row in compare_splits(first, first).folds)
    held = build(corpus, "held", val_fraction=0.2)
    for row in compare_splits(held, held).folds:
        assert row[row["side"]] == len(held.folds[0].named()[row["side"]]) > 0


def test_lineage(corpus: Corpus) -> None:
    images = corpus.standard()
    split = build(corpus)
    run = {"split": {"name": "v1", "digest": "another"}}
    corpus.catalogue.upsert("runs", [{"name": "r", "split": "v1", "digest": "another", "manifest": json.dumps(run)}])
    found = lineage(corpus.session, "v1")
    assert found["papers"] == [{"source": "test", "extractor": "test", "papers": 12, "images": len(images)}]
    assert found["labels"] == {"file": len(images)} and found["split"]["digest"] == split.digest
    assert found["runs"] == [{"name": "r", "digest": "another", "same": False}]
    assert found["catalogue_unchanged"]
    corpus.paper("later")
    assert not lineage(corpus.session, "v1")["catalogue_unchanged"]


def test_too_many_papers_cannot_each_be_left_out(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus.standard()
    monkeypatch.setattr("polydata.splits.partition.MAX_PAPERS", 5)
    items = build(corpus).folds[0].everything
    with pytest.raises(RefusedError, match="12 papers"):
        partition(items, SplitOptions(protocol=Protocol.LEAVE_ONE_PAPER_OUT))
