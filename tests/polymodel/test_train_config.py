from __future__ import annotations

import json
from dataclasses import replace

import pytest

from polydata.errors import UsageError
from polymodel.config import TrainConfig, adjusted, config_from_dict, seeds_from, train_config
from polymodel.recipes import RECIPES, Finetune, Probe, RecipeName, method_named


@pytest.mark.parametrize("name", list(RecipeName))
def test_a_configuration_survives_json(name: RecipeName) -> None:
    config = TrainConfig("resnet18", "none", None, RECIPES[name], (0, 3))
    assert config_from_dict(json.loads(json.dumps(config.as_dict()))) == config


def test_the_paper_recipe_is_the_seed_articles() -> None:
    recipe = RECIPES[RecipeName.PAPER]
    assert (recipe.epochs, recipe.batch_size, recipe.learning_rate, recipe.image_size) == (100, 128, 1e-4, 256)
    assert recipe.copies == (12, 3)
    assert recipe.patience is None


def test_epochs_can_be_overridden_but_not_of_a_probe() -> None:
    assert adjusted(RecipeName.PAPER, epochs=3).epochs == 3
    with pytest.raises(UsageError, match="--epochs"):
        method_named(RecipeName.PROBE, epochs=3)
    with pytest.raises(UsageError, match="no recipe 'probe'"):
        train_config(Finetune("probe"))


def test_what_means_nothing_to_a_recipe_is_refused() -> None:
    for setting in ({"schedule": "cosine"}, {"frozen_norm": False}, {"transforms": "a:b"}):
        with pytest.raises(UsageError, match="--"):
            method_named(RecipeName.PROBE, **setting)
    for recipe, setting in (
        (RecipeName.FINETUNE, {"schedule": "cosin"}),
        (RecipeName.FINETUNE, {"balance": "weight"}),
        (RecipeName.PROBE, {"balance": "sampling"}),
        (RecipeName.LP_FT, {"frozen_norm": False}),
        (RecipeName.FINETUNE, {"warm_up": -1}),
    ):
        with pytest.raises(UsageError, match="--"):
            adjusted(recipe, **setting)


def test_patience_and_warm_up_can_be_turned_off() -> None:
    recipe = adjusted(RecipeName.FINETUNE, patience=0, warm_up=0, frozen_norm=False, balance="none")
    assert (recipe.patience, recipe.warm_up, recipe.frozen_norm, recipe.balance) == (None, 0, False, "none")


def test_the_paper_and_its_code_differ_where_the_manual_says() -> None:
    paper, code = RECIPES[RecipeName.PAPER], RECIPES[RecipeName.PAPER_CODE]
    assert (code.epochs, code.batch_size, code.learning_rate, code.image_size) == (100, 64, 5e-5, 128)
    assert (paper.normalised, code.normalised) == (True, False)
    assert not paper.tail_only and not code.tail_only


@pytest.mark.parametrize("value", [0, -1])
def test_numbers_must_be_positive(value: int) -> None:
    with pytest.raises(UsageError, match="--batch-size"):
        adjusted(RecipeName.FINETUNE, batch_size=value)


def test_the_short_side_follows_the_image_size() -> None:
    assert adjusted(RecipeName.LP_FT, image_size=112).short_side == 128
    assert adjusted(RecipeName.PROBE, image_size=112).views == ((140, 0), (140, 1), (224, 0))


def test_seeds() -> None:
    assert seeds_from(None, None) == (0,)
    assert seeds_from(3, None) == (0, 1, 2)
    assert seeds_from(None, 7) == (7,)
    for count, seed in ((1, 1), (0, None), (1001, None), (None, -1)):
        with pytest.raises(UsageError):
            seeds_from(count, seed)
    assert train_config(Finetune(), [4, 2]).seeds == (4, 2)
    wrong: tuple[int | list[int], ...] = ([], [1, 1], 0)
    for several in wrong:
        with pytest.raises(UsageError, match="eeds"):
            train_config(Probe(), several)


def test_the_digest_follows_settings_and_split_but_not_where_a_weights_file_lies() -> None:
    recipe = RECIPES[RecipeName.PROBE]
    one = TrainConfig("resnet18", "/a/w.safetensors", "ab", recipe, (0,))
    moved = TrainConfig("resnet18", "/b/w.safetensors", "ab", recipe, (0,))
    other = TrainConfig("resnet18", "/a/w.safetensors", "cd", recipe, (0,))
    assert one.digest("x") == moved.digest("x")
    assert len({one.digest("x"), one.digest("y"), other.digest("x")}) == 3


def test_prose_is_no_part_of_what_a_run_is() -> None:
    config = TrainConfig("resnet18", "none", None, RECIPES[RecipeName.PAPER], (0,))
    other = replace(config, recipe=replace(config.recipe, summary="said in other words"))
    assert config.digest("x") == other.digest("x")
    assert config.digest("x") != replace(config, recipe=replace(config.recipe, epochs=3)).digest("x")


def test_seeds_of_what_is_not_random_are_refused() -> None:
    """Three models that are the same would be shown as a mean with a spread of 0."""
    with pytest.raises(UsageError, match="nothing in it is random"):
        train_config(Probe(), 3)
    assert train_config(Probe(), [7]).seeds == (7,)
    assert train_config(Probe(weights="none"), 3).seeds == (0, 1, 2)
