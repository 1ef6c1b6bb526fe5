"""Trainings by gradient descent of a tiny network on small pictures."""

from __future__ import annotations

from small_split import Small

from polymodel.config import DeviceName, Hardware, TrainConfig, adjusted, train_config
from polymodel.data.split import load_split
from polymodel.recipes import Finetune, RecipeName
from polymodel.runs.parts import PartJob
from polymodel.runs.run import PartKey, Run
from polymodel.training.train import train

TINY = "timm:test_resnet"
KEY = PartKey(1, 0)
CPU = Hardware(DeviceName.CPU)


def config(recipe: RecipeName, *, arch: str = TINY, **overrides: float | str | bool) -> TrainConfig:
    return TrainConfig(arch, "none", None, adjusted(recipe, image_size=32, **overrides), (0,))


def of_words(recipe: str, **more: object) -> TrainConfig:
    own = {"arch": TINY, "weights": "none", "image_size": 32, "epochs": 1} | more
    return train_config(Finetune(recipe, **own))  # type: ignore[arg-type]


def trained(small: Small, settings: TrainConfig, name: str, hardware: Hardware = CPU, **more: object) -> Run:
    runs = small.workspace.runs
    return train(load_split("one", small.root), settings, runs, name=name, hardware=hardware, **more).run  # type: ignore[arg-type]


def job_of(small: Small, recipe: RecipeName, **overrides: float | str) -> PartJob:
    split = load_split("one", small.root)
    return PartJob(split, split.folds[0], adjusted(recipe, **overrides), 0, "cpu", lambda *_: None)
