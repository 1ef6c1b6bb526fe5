"""A run on the test images of another split, beside people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from small_split import CLASSES, Small, write_split

from polydata.errors import InputError, RefusedError, UsageError
from polydata.splits.manifest import Item
from polydata.task import Task
from polymodel.config import TrainConfig, adjusted
from polymodel.data.split import load_split
from polymodel.evaluation.aggregate import together
from polymodel.evaluation.people import HumanTable, Votes
from polymodel.evaluation.slices import across, known_across
from polymodel.recipes import RecipeName
from polymodel.runs.run import Run, write_json
from polymodel.training.train import train

PROBE = TrainConfig("timm:test_resnet", "none", None, adjusted(RecipeName.PROBE, image_size=40), (0,))


@pytest.fixture(scope="module")
def run(small: Small) -> Run:
    trained = train(load_split("cv", small.root), PROBE, small.workspace.runs, name="across-cv")
    assert trained is not None
    return trained.run


def test_images_of_several_folds_are_scored_together(small: Small, run: Run) -> None:
    split = load_split("one", small.root)
    found = across(run, split)
    wanted = {item.image_sha256 for item in split.folds[0].test}
    facts, outcome = together(run)
    own = np.isin(facts.index.to_numpy(dtype=str), sorted(wanted))
    area = roc_auc_score(outcome.truth[own] == outcome.positive, outcome.probabilities[own, outcome.positive])
    assert found["metrics"]["auroc"]["value"] == pytest.approx(area)
    assert (found["images"], found["missing"], found["relabelled"], found["groups"]) == (12, 0, 0, 3)
    assert found["positive"] == sum(item.label == split.positive for item in split.folds[0].test)
    assert facts["parts"].eq(1).all()
    assert facts["wrong"].tolist() == (outcome.truth != outcome.probabilities.argmax(1)).astype(int).tolist()
    assert found["judged"] is None
    assert known_across(run) == [found]


def test_images_that_the_run_did_not_test_or_labels_otherwise_are_counted(own: Small) -> None:
    items = own.items
    write_split(own.workspace.splits / "first", [(items[8:], items[:8])])
    turned = [Item(i.image_sha256, {"fine": "coarse", "coarse": "fine"}[i.label], i.group, i.path, {}) for i in items]
    write_split(own.workspace.splits / "turned", [(items[12:], turned[4:12])])
    trained = train(load_split("first", own.root), PROBE, own.workspace.runs, name="first")
    assert trained is not None
    found = across(trained.run, load_split("turned", own.root))
    assert (found["images"], found["missing"], found["relabelled"]) == (4, 4, 4)
    write_split(own.workspace.splits / "others", [(items[:12], items[12:])])
    with pytest.raises(UsageError, match="tested no image"):
        across(trained.run, load_split("others", own.root))
    (trained.run.part_folder(trained.run.planned[0]) / "part.json").unlink()
    with pytest.raises(RefusedError, match="not finished"):
        across(trained.run, load_split("turned", own.root))


def test_people_are_scored_on_the_very_images_that_they_judged(small: Small, run: Run, tmp_path: Path) -> None:
    split = load_split("one", small.root)
    shown = split.folds[0].test
    rows = ["image,R1,R2,R3"]
    for k, item in enumerate(shown[:-1]):
        right = item.label
        rows.append(f"{item.image_sha256},{right},{right},{right if k else 'coarse'}")
    rows.append(f"{shown[-1].image_sha256},fine,,fine")  # left out: an answer is missing
    (tmp_path / "people.csv").write_text("\n".join(rows))
    table = HumanTable(tmp_path / "people.csv", ["R*"], CLASSES, "fine", Task.load())
    found = across(run, split, table.votes("image"))
    judged = found["judged"]
    assert (judged["images"], judged["raters"]) == (11, 3)
    assert judged["vote"]["accuracy"]["value"] == 1.0
    assert judged["model"]["accuracy"]["value"] is not None
    with pytest.raises(UsageError, match="judged no image"):
        across(run, split, Votes(("R1",), {"elsewhere": 1.0}))
    with pytest.raises(InputError, match="no column 'name'"):
        table.votes("name")
    # Without people again, what they said is kept as long as it is about the same images and answers.
    assert across(run, split) == found == known_across(run)[0]
    write_json(run.folder / "across-one.json", found | {"predictions_digest": "of a model trained before"})
    assert across(run, split)["judged"] is None


@pytest.mark.parametrize(
    "name", ["7_page4_image1_a_1.png", "7_page4_image1_a_1", "7_page4_image1_a", "panel-1", "0" * 64]
)
def test_a_table_may_name_an_image_in_several_ways(name: str) -> None:
    item = Item("0" * 64, "fine", "paper", "a.png", {"panel_id": "panel-1", "file_name": "7_page4_image1_a_1.png"})
    assert Votes(("R1",), {name: 0.25}).of_items([item]).tolist() == [0.25]
    assert np.isnan(Votes(("R1",), {"": 1.0, "7": 1.0}).of_items([Item("1" * 64, "fine", "p", "b.png", {})])).all()
