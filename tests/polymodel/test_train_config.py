from __future__ import annotations

import json

import pytest

from polydata.errors import UsageError
from polymodel.config import RECIPES, RecipeName, TrainConfig, adjusted, config_from_dict, seeds_from


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
        adjusted(RecipeName.PROBE, epochs=3)


@pytest.mark.parametrize("value", [0, -1])
def test_numbers_must_be_positive(value: int) -> None:
    with pytest.raises(UsageError, match="--batch-size"):
        adjusted(RecipeName.FINETUNE, batch_size=value)


def test_the_short_side_follows_the_image_size() -> None:
    assert adjusted(RecipeName.PROBE, image_size=112).short_side == 140


def test_seeds() -> None:
    assert seeds_from(None, None) == (0,)
    assert seeds_from(3, None) == (0, 1, 2)
    assert seeds_from(None, 7) == (7,)
    for count, seed in ((1, 1), (0, None), (1001, None), (None, -1)):
        with pytest.raises(UsageError):
            seeds_from(count, seed)


def test_the_digest_follows_settings_and_split_but_not_where_a_weights_file_lies() -> None:
    recipe = RECIPES[RecipeName.PROBE]
    one = TrainConfig("resnet18", "/a/w.safetensors", "ab", recipe, (0,))
    moved = TrainConfig("resnet18", "/b/w.safetensors", "ab", recipe, (0,))
    other = TrainConfig("resnet18", "/a/w.safetensors", "cd", recipe, (0,))
    assert one.digest("x") == moved.digest("x")
    assert len({one.digest("x"), one.digest("y"), other.digest("x")}) == 3
