"""Recipes on a few textures: what they learn, that they repeat and stop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from model_runs import config, trained
from safetensors.torch import load_file
from small_split import CLASSES, Small, write_split

from polydata.errors import InputError, RefusedError, UsageError
from polydata.splits.manifest import Fold
from polydata.types import quiet
from polymodel.config import TrainConfig, adjusted
from polymodel.data.split import load_split
from polymodel.recipes import RECIPES, RecipeName
from polymodel.runs.parts import PartJob
from polymodel.runs.run import PartKey, open_run
from polymodel.training.loop import _parts


@pytest.mark.parametrize(
    ("recipe", "overrides"),
    [
        (RecipeName.PROBE, {"image_size": 48}),
        (RecipeName.FINETUNE, {"image_size": 32, "epochs": 2}),
        (RecipeName.LP_FT, {"image_size": 32, "epochs": 2}),
        (RecipeName.PAPER, {"image_size": 32, "epochs": 1}),
    ],
)
def test_every_recipe_writes_a_whole_run_and_repeats_exactly(
    small: Small, recipe: RecipeName, overrides: dict[str, float]
) -> None:
    settings = config(recipe, **overrides)
    first, second = (trained(small, settings, f"{recipe}-{k}") for k in (1, 2))
    key = PartKey(1, 0)
    frame = first.predictions(key)
    assert list(frame.columns) == [
        *("image_sha256", "side", "label", "group", "path", "p_fine"),
        *(f"logit_{c}" for c in CLASSES),
    ]
    assert frame["side"].value_counts().to_dict() == {"train": 28, "test": 12}
    logits = frame[[f"logit_{c}" for c in CLASSES]].to_numpy()
    assert frame["p_fine"].to_numpy() == pytest.approx(1 / (1 + np.exp(logits[:, 1] - logits[:, 0])))
    pd.testing.assert_frame_equal(frame, second.predictions(key))
    for run in (first, second):
        assert load_file(run.part_folder(key) / "model.safetensors")
        assert (run.folder / "README.md").read_text().startswith("# ")
        history = run.history(key)
        assert {"train_loss", "train_accuracy", "val_loss", "val_accuracy"} <= set(history.columns)
        assert np.isfinite(history[["train_loss", "train_accuracy"]].to_numpy()).all()
        if recipe in (RecipeName.LP_FT, RecipeName.PAPER):  # all epochs, and the curve that the seed shows
            assert np.isfinite(history[["test_loss", "test_accuracy"]].to_numpy()).all()
    assert first.record["split"]["digest"] == load_split("one", small.root).digest
    assert first.record["environment"]["packages"]["torch"]
    assert first.record["finished"] is not None


@pytest.mark.parametrize("recipe", [RecipeName.PROBE, RecipeName.FINETUNE, RecipeName.LP_FT])
def test_the_validation_side_of_a_split_is_watched_and_nothing_learns_from_it(own: Small, recipe: RecipeName) -> None:
    items = own.items
    turned = [replace(i, label=next(c for c in CLASSES if c != i.label)) for i in items[8:12]]
    more = {} if recipe is RecipeName.PROBE else {"epochs": 2, "patience": 0}
    runs = []
    for name, val in (("held", items[8:12]), ("turned", turned)):
        write_split(own.workspace.splits / name, [(items[:8], val, items[12:])])
        runs.append(trained(own, config(recipe, image_size=32, **more), name, split=name))
    key = PartKey(1, 0)
    first, second = (run.predictions(key) for run in runs)
    assert first["side"].value_counts().to_dict() == {"train": 8, "val": 4, "test": 8}
    assert first["p_fine"].tolist() == second["p_fine"].tolist()
    curve, other = (run.history(key)["val_loss"] for run in runs)
    assert np.isfinite(curve).all()
    assert curve.tolist() != other.tolist()


def test_features_that_a_power_cut_spoiled_are_made_anew(own: Small) -> None:
    settings = config(RecipeName.PROBE, image_size=40)
    first = trained(own, settings, "before")
    kept = sorted(own.workspace.runs.glob(".cache/features/*/*/*.npz"))
    kept[0].write_bytes(b"")
    kept[1].write_bytes(kept[1].read_bytes()[:100])
    second = trained(own, settings, "after")
    key = PartKey(1, 0)
    pd.testing.assert_frame_equal(first.predictions(key), second.predictions(key))


def test_a_size_that_a_network_cannot_take_is_said_before_training(own: Small) -> None:
    with pytest.raises(UsageError, match="cannot take images of 16 px"):
        trained(own, config(RecipeName.PAPER, arch="vgg16", image_size=16, epochs=1), "small")


def test_the_settings_in_words_are_those_that_held() -> None:
    assert RECIPES[RecipeName.PAPER].words.endswith("256 px, 100 epochs, batch 128, learning rate 0.0001")
    words = adjusted(RecipeName.PAPER, epochs=3, image_size=64).words
    assert "64 px, 3 epochs" in words and words.endswith("(changed from the recipe: image size, epochs)")


def test_early_stopping_looks_at_the_validation_side_of_a_split(own: Small) -> None:
    items = own.items
    write_split(own.workspace.splits / "held", [(items[:8], items[8:12], items[12:])])
    run = trained(own, config(RecipeName.FINETUNE, image_size=32, epochs=2), "stops", split="held")
    facts = run.part(PartKey(1, 0))
    assert facts["validation_groups"] == sorted({i.group for i in items[8:12]})
    assert facts["validation_images"] == 4


def test_the_probe_tells_the_textures_apart_with_imagenet_weights(small: Small) -> None:
    settings = TrainConfig("efficientnet_lite0", "imagenet", None, adjusted(RecipeName.PROBE, image_size=96), (0,))
    run = trained(small, settings, "probe-imagenet")
    test = run.predictions(PartKey(1, 0)).query("side == 'test'")
    assert ((test["p_fine"] > 0.5) == (test["label"] == CLASSES[0])).all()
    assert run.history(PartKey(1, 0))["used"].sum() == 1


def test_features_are_kept_by_image_and_network(small: Small) -> None:
    cache = small.workspace.runs / ".cache" / "features"
    trained(small, config(RecipeName.PROBE, image_size=40), "cache-1")
    before = set(cache.rglob("*.npz"))
    trained(small, config(RecipeName.PROBE, image_size=40), "cache-2", split="cv")
    assert set(cache.rglob("*.npz")) == before
    trained(small, config(RecipeName.PROBE, image_size=40, seeds=(11,)), "cache-3")
    assert len(set(cache.rglob("*.npz"))) == len(before) + 40


def test_the_validation_part_is_made_of_training_papers(small: Small) -> None:
    run = trained(small, config(RecipeName.FINETUNE, image_size=32, epochs=1), "validation")
    part, frame = run.part(PartKey(1, 0)), run.predictions(PartKey(1, 0))
    assert part["validation_groups"]
    assert set(part["validation_groups"]) < set(frame.loc[frame["side"] == "train", "group"])
    assert not set(part["validation_groups"]) & set(frame.loc[frame["side"] == "test", "group"])


def test_training_stops_when_validation_does_and_keeps_the_best_epoch(small: Small) -> None:
    settings = config(RecipeName.FINETUNE, image_size=32, epochs=60, learning_rate=0.01)
    run = trained(small, settings, "stops")
    part, history = run.part(PartKey(1, 0)), run.history(PartKey(1, 0))
    assert part["kept_epoch"] == history["epoch"][history["val_loss"].idxmin()]
    assert len(history) == part["epochs"] == min(60, part["kept_epoch"] + settings.recipe.patience)  # type: ignore[operator]
    assert history["test_loss"].isna().all()


def test_lp_ft_leaves_the_early_stages_alone(small: Small) -> None:
    from polymodel.networks.devices import seeded
    from polymodel.networks.network import architecture
    from polymodel.networks.weights import load_network

    run = trained(small, config(RecipeName.LP_FT, arch="resnet18", image_size=32, epochs=1), "tail")
    state = load_file(run.part_folder(PartKey(1, 0)) / "model.safetensors")
    with seeded(0):
        fresh = load_network(architecture("resnet18"), "none", 2).module.state_dict()
    changed = {name for name, value in state.items() if not torch.equal(value, fresh[name])}
    assert changed
    assert all(name.startswith(("layer4.", "fc.")) for name in changed)
    assert not any("running" in name for name in changed)


def test_a_training_side_of_one_label_is_an_error_and_leaves_no_part(own: Small) -> None:
    fine = [i for i in own.items if i.label == CLASSES[0]]
    write_split(own.workspace.splits / "single", [(fine, own.items[1::2])])
    with pytest.raises(InputError, match="same label"):
        trained(own, config(RecipeName.PROBE, image_size=40), "single", split="single")
    run = open_run(own.workspace.runs / "single")
    assert run.finished == ()
    assert list((run.folder / "parts").iterdir()) == []
    with pytest.raises(RefusedError, match="not finished"):
        run.require_finished()


@pytest.mark.parametrize("recipe", [RecipeName.LP_FT, RecipeName.FINETUNE, RecipeName.PAPER])
def test_a_training_that_runs_away_is_an_error_and_leaves_no_part(own: Small, recipe: RecipeName) -> None:
    with pytest.raises(InputError, match="not finite after epoch 1") as caught:
        trained(own, config(recipe, image_size=32, epochs=1, learning_rate=1e30), "away")
    assert "lower --learning-rate" in caught.value.hint
    assert list((own.workspace.runs / "away" / "parts").iterdir()) == []


def test_the_probe_measures_no_validation_where_nothing_can_be_held_back(own: Small) -> None:
    fine, coarse = own.items[0], own.items[5]
    write_split(own.workspace.splits / "pair", [((fine, coarse), own.items[8:])])
    history = trained(own, config(RecipeName.PROBE, image_size=40), "pair", split="pair").history(PartKey(1, 0))
    assert history["train_loss"].notna().all()
    assert history[["val_loss", "val_accuracy"]].isna().all(axis=None)


@pytest.mark.filterwarnings("ignore:The least populated class")
def test_the_probe_trains_on_three_papers_with_an_image_each(own: Small) -> None:
    items = (own.items[0], own.items[4], own.items[9])
    write_split(own.workspace.splits / "three-papers", [(items, own.items[12:])])
    run = trained(own, config(RecipeName.PROBE, image_size=40), "three-papers", split="three-papers")
    assert run.history(PartKey(1, 0))["train_loss"].notna().all()


@pytest.mark.filterwarnings("ignore:The least populated class")
@pytest.mark.parametrize("seed", range(8))
def test_early_stopping_watches_every_label_and_leaves_every_label_to_learn(small: Small, seed: int) -> None:
    """With one label alone on the side that is watched, the epoch is kept that most often names it."""
    papers = [small.items[k : k + 4] for k in range(0, 40, 4)]
    fine = [i for paper in papers[:2] for i in paper]  # two papers of ten have fine ones
    items = (*fine, *(i for paper in papers[2:] for i in paper if i.label == CLASSES[1]))
    fold = Fold(number=1, repeat=1, train=items, test=small.items[:1])
    split = replace(load_split("one", small.root), folds=(fold,))
    job = PartJob(split, fold, RECIPES[RecipeName.FINETUNE], seed, "cpu", quiet)
    labels = job.targets()
    for places in _parts(job, labels):
        assert set(labels[places].tolist()) == {0, 1}


def test_early_stopping_needs_every_label_on_both_sides_or_says_so(own: Small) -> None:
    coarse = [i for i in own.items if i.label == CLASSES[1]]
    items = (own.items[0], own.items[2], *coarse[2:8])  # all fine ones are of one paper
    write_split(own.workspace.splits / "rare", [(items, own.items[16:])])
    stopping = config(RecipeName.FINETUNE, image_size=32, epochs=1)
    with pytest.raises(InputError, match="both it and the rest have every label"):
        trained(own, stopping, "rare", split="rare")
    write_split(own.workspace.splits / "side", [(own.items[:8], coarse[4:6], own.items[12:])])
    with pytest.raises(InputError, match="validation side lacks a label"):
        trained(own, stopping, "side", split="side")
    every = config(RecipeName.FINETUNE, image_size=32, epochs=1, patience=0)
    assert trained(own, every, "every", split="side").is_finished


def test_three_classes(own: Small) -> None:
    classes = ("fine", "coarse", "between")
    items = [i if k % 5 else type(i)(i.image_sha256, "between", i.group, i.path, {}) for k, i in enumerate(own.items)]
    write_split(own.workspace.splits / "three", [(items[:12], items[12:])], classes=classes)
    run = trained(own, config(RecipeName.PROBE, image_size=40), "three", split="three")
    frame = run.predictions(PartKey(1, 0))
    assert {f"logit_{c}" for c in classes} < set(frame.columns)


def test_a_tiny_training_side_gives_as_many_partitions_as_it_can() -> None:
    from polymodel.data.split import group_folds

    assert len(group_folds(np.array([0, 0, 1]), ["a", "b", "c"], 3, 0)) == 2
