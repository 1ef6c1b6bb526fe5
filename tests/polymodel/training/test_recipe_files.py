"""Recipes as files: what they may say, that each setting acts, and that those of the program are what they were."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from loop_runs import KEY, TINY, config, trained
from model_runs import FAST, call, parsed
from small_split import Small
from torch import nn

from polydata.errors import InputError, UsageError
from polydata.resources import schemas
from polymodel.config import config_from_dict, train_config
from polymodel.data.views import random_view, standard_key, standard_transform
from polymodel.networks.network import architecture, build
from polymodel.recipes import (
    LATER,
    RECIPES,
    Finetune,
    Probe,
    Recipe,
    RecipeName,
    method_named,
    read_recipe,
    recipe_named,
)
from polymodel.runs.run import Run
from polymodel.training import loop
from polymodel.training.optimisation import average, averaged, make_optimiser, mixing, set_rate

SCHEMA = json.loads((schemas() / "recipe.schema.json").read_text(encoding="utf-8"))
IDENTITIES = {
    "probe": "61000bb0",
    "probe-simulated": "42fb0e83",
    "lp-ft": "229c19d6",
    "finetune": "2d199a5b",
    "paper": "dbf2c9d4",
    "paper-code": "018dc5f0",
}
"""Digests of the recipes: of the five that stood in the program before they were files, and of one that came later."""
OWN = 'extends = "finetune"\nname = "own"\nsummary = "mine"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", list(RecipeName))
def test_the_recipes_of_the_program_are_what_they_were(name: RecipeName) -> None:
    method = Probe(name) if name.startswith("probe") else Finetune(name)
    assert train_config(method).digest("0" * 64) == IDENTITIES[name]
    later = {"simulated"} if name is RecipeName.PROBE_SIMULATED else set()
    assert set(LATER) & set(train_config(method).as_dict()["recipe"]) == later
    data = tomllib.loads((schemas() / "recipes" / f"{name}.toml").read_text(encoding="utf-8"))
    jsonschema.validate(data, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert data["name"] == name


def test_so_are_recipes_that_are_changed() -> None:
    changed = Finetune("finetune", image_size=112, epochs=3, balance="sampling")
    assert train_config(changed).digest("0" * 64) == "0cfa8d96"
    assert train_config(Probe(image_size=112)).digest("0" * 64) == "6af99342"


def test_the_schema_names_every_setting_and_no_other() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["properties"]) - {"extends"} == set(Recipe.__dataclass_fields__)
    assert SCHEMA["properties"]["extends"]["enum"] == list(RecipeName)


def test_a_file_changes_what_it_says_and_keeps_the_rest(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, OWN + "mixup = 0.4\npatience = 0\nshort_side = 0\n"))
    assert (recipe.mixup, recipe.patience, recipe.short_side, recipe.name) == (0.4, None, None, "own")
    assert (recipe.epochs, recipe.schedule) == (30, "cosine")
    whole = 'name = "w"\nsummary = "s"\nkind = "loop"\nimage_size = 64\nepochs = 2\nbatch_size = 4\nlearning_rate = 0.1'
    assert read_recipe(written(tmp_path, whole)).batch_size == 4
    settings = train_config(Finetune(tmp_path / "own.toml"))
    assert config_from_dict(json.loads(json.dumps(settings.as_dict()))) == settings


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("learnin_rate = 0.1", "no setting learnin_rate, but learning_rate"),
        ("nonsense = 1", "no setting nonsense"),
        ("epochs = 0", "epochs: 0 is less than"),
        ('schedule = "linear"', "schedule: 'linear'"),
        ("ema = 1.0", "ema: 1.0"),
        ("likeness = 0.5", "likeness, which means nothing"),
        ("frozen_norm = false\ntail_only = true", "frozen_norm is true"),
        ("linear_start = true", "linear_start, which means nothing"),
        ("copies = [2, 1]\njitter = 0.1", "jitter, which means nothing"),
        ("[", "is no recipe"),
        ("learning_rate = nan", "learning_rate: it is no number"),
        ("epochs = 2.0", "epochs: a whole number has no point"),
        ("copies = [2.0, 1]", "copies: a whole number has no point"),
        ("crop_area = " + 50_000 * "[", "is no recipe"),
    ],
)
def test_what_no_recipe_can_say_is_refused(text: str, part: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=part):
        read_recipe(written(tmp_path, OWN + text))


def test_a_file_without_what_is_needed_is_refused(tmp_path: Path) -> None:
    for text, part in (
        ('name = "x"\nsummary = "s"', "kind"),
        ('name = "x"\nsummary = "s"\nkind = "loop"\nimage_size = 64', "without epochs"),
        ('name = "x"\nsummary = "s"\nkind = "probe"\nimage_size = 64', "without views"),
        ('extends = "probe"\nname = "x"\nsummary = "s"\nmixup = 0.2', "mixup, which means nothing to a probe"),
    ):
        with pytest.raises(InputError, match=part):
            read_recipe(written(tmp_path, text))
    with pytest.raises(InputError, match="There is no recipe"):
        read_recipe(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="no recipe 'finetun'") as error:
        recipe_named("finetun")
    assert error.value.hint is not None and "Did you mean finetune?" in error.value.hint


def test_a_file_of_a_probe_is_one(tmp_path: Path) -> None:
    path = written(tmp_path, 'extends = "probe"\nname = "x"\nsummary = "s"\ninverse_regularisation = 0.1\n')
    assert isinstance(method_named(path), Probe)
    assert train_config(Probe(path)).recipe.inverse_regularisation == 0.1
    with pytest.raises(UsageError, match="Finetune takes no recipe"):
        train_config(Finetune(path))


def test_train_takes_a_file(small: Small, tmp_path: Path) -> None:
    path = written(tmp_path, OWN + "epochs = 1\npatience = 0\nmixup = 0.3\nbatch_size = 8\n")
    call(small, "train", "one", *FAST, "--recipe", path, "--name", "by-file")
    run = parsed(small, "runs", "show", "by-file")
    assert run["config"]["recipe"]["name"] == "own" and run["config"]["recipe"]["mixup"] == 0.3
    assert "mine" in call(small, "runs", "show", "by-file")
    assert "nothing was trained" in call(small, "train", "one", *FAST, "--recipe", path, "--name", "by-file")
    path.write_text(path.read_text(encoding="utf-8").replace("0.3", "0.2"), encoding="utf-8")
    assert "another config" in call(small, "train", "one", *FAST, "--recipe", path, "--name", "by-file", expect=7)
    assert "no setting" in call(small, "train", "one", "--recipe", written(tmp_path, OWN + "x = 1"), expect=1)


def weights_of(run: Run) -> dict[str, torch.Tensor]:
    from polymodel.networks.weights import read_state

    return read_state(run.part_folder(KEY) / "model.safetensors")


def moved(small: Small, name: str, **settings: float | str) -> tuple[Run, float]:
    """A run of two epochs, and the size of its convolutions."""
    told = {"epochs": 2, "patience": 0, "warm_up": 0, "batch_size": 8, **settings}
    run = trained(small, config(RecipeName.FINETUNE, **told), name)
    return run, float(np.sqrt(sum(float((v.float() ** 2).sum()) for k, v in weights_of(run).items() if "conv" in k)))


@pytest.mark.parametrize(
    "settings",
    [{"optimiser": "sgd"}, {"layer_decay": 0.5}, {"weight_decay": 0.5}, {"clip_norm": 0.01}, {"ema": 0.9},
     {"mixup": 0.4}, {"crop_area": 1.0}, {"jitter": 0.6}],
    ids=lambda s: next(iter(s)),
)  # fmt: skip
def test_every_setting_changes_what_is_learned(settings: dict[str, float | str], small: Small) -> None:
    usual, _ = moved(small, "usual")
    other, _ = moved(small, f"with-{next(iter(settings))}", **settings)
    said = [run.predictions(KEY)[["logit_fine", "logit_coarse"]].to_numpy() for run in (usual, other)]
    assert not np.allclose(said[0], said[1])
    assert np.isfinite(said[1]).all()


def test_weight_decay_makes_weights_smaller(small: Small) -> None:
    assert moved(small, "with-weight_decay", weight_decay=0.5)[1] < moved(small, "usual")[1]


def test_clipped_gradients_are_no_longer_than_they_may_be(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    norms = []
    step = torch.optim.SGD.step

    def watched(self: torch.optim.SGD, *args: object) -> object:
        every = [p.grad.norm() for group in self.param_groups for p in group["params"] if p.grad is not None]
        norms.append(float(torch.stack(every).norm()))
        return step(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(torch.optim.SGD, "step", watched)
    moved(small, "clipped", optimiser="sgd", clip_norm=0.05)
    assert norms and max(norms) <= 0.05 * 1.001


def test_earlier_blocks_learn_more_slowly() -> None:
    network = build(architecture(TINY), 2)
    recipe = Recipe("x", "x", "loop", 32, 32, layer_decay=0.5, learning_rate=0.1, optimiser="sgd")
    optimiser = make_optimiser(network, recipe)
    set_rate(optimiser, 0.1)
    rate = {id(p): group["lr"] for group in optimiser.param_groups for p in group["params"]}
    every = list(network.module.parameters())
    assert len(rate) == len(every)
    assert rate[id(every[0])] < rate[id(every[len(every) // 2])] < rate[id(network.head_layer().weight)] == 0.1
    assert isinstance(optimiser, torch.optim.SGD) and optimiser.param_groups[0]["momentum"] == 0.9


def test_a_moving_average_follows_and_is_put_in_for_a_while() -> None:
    module, into = nn.Linear(1, 1, bias=False), {}
    for step, value in enumerate((0.0, 10.0, 10.0)):
        module.weight.data.fill_(value)
        average(into, module, 0.5, step)
    kept = [min(0.5, (1 + step) / (10 + step)) for step in (1, 2)]
    assert float(into["weight"]) == pytest.approx(10 * (1 - kept[0] * kept[1]))
    with averaged(module, into):
        assert module.weight.item() == into["weight"].item()
    assert module.weight.item() == 10.0


def test_the_average_is_what_is_kept_and_goes_on_after_a_break(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config(RecipeName.FINETUNE, epochs=3, patience=0, ema=0.8)
    look, looks = loop._look, []

    def broken(*args: object) -> None:
        looks.append(1)
        if len(looks) == 3:
            raise KeyboardInterrupt
        look(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(loop, "_look", broken)
        with pytest.raises(KeyboardInterrupt):
            trained(small, settings, "ema-broken", checkpoint_seconds=0.0)
    one, two = trained(small, settings, "ema-broken"), trained(small, settings, "ema-whole")
    first, second = weights_of(one), weights_of(two)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_images_are_mixed_by_halves_at_most() -> None:
    torch.manual_seed(1)
    shares = [mixing(0.4, 8)[0] for _ in range(50)]
    assert 0.5 <= min(shares) < max(shares) <= 1 and sorted(mixing(0.4, 8)[1].tolist()) == list(range(8))
    assert mixing(0.0, 3)[0] == 1.0


def test_views_follow_the_recipe() -> None:
    image = np.random.default_rng(0).integers(60, 190, (64, 64), dtype=np.uint8)
    still = standard_transform(64, crop_area=1.0, jitter=0.0)
    counts = [np.bincount(random_view(image, 64, still, k).numpy().ravel(), minlength=256) for k in range(8)]
    square = [c for c in counts if np.array_equal(c, np.bincount(image.ravel(), minlength=256))]
    assert square  # where the drawn shape is the picture's own, nothing but turns and mirrors is left
    means = [float(random_view(image, 64, standard_transform(64, 1.0, 0.9), k).float().mean()) for k in range(8)]
    assert np.std(means) > 10
    assert standard_key(RECIPES[RecipeName.LP_FT]) == "standard"
