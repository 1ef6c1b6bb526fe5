"""Small trainings, and the commands of polymodel as a user types them, on a small workspace."""

from __future__ import annotations

import json
from typing import Any

from small_split import Small
from typer.testing import CliRunner

from polymodel.cli import app
from polymodel.config import TrainConfig, adjusted
from polymodel.data.split import load_split
from polymodel.recipes import RecipeName
from polymodel.runs.run import Run

TINY = "timm:test_resnet"
FAST = ("--arch", TINY, "--weights", "none", "--image-size", "40")


def call(small: Small, *words: object, expect: int = 0) -> str:
    """What a command prints on standard output, or where it fails on both."""
    environment = {"POLYDATA_WORKSPACE": str(small.root), "COLUMNS": "200"}
    result = CliRunner().invoke(app, [str(w) for w in words], env=environment)
    assert result.exit_code == expect, result.output
    return result.stdout if expect == 0 else result.output


def parsed(small: Small, *words: object) -> Any:
    """The same with ``--json``, read."""
    return json.loads(call(small, *words, "--json"))


def config(recipe: RecipeName, seeds: tuple[int, ...] = (0,), arch: str = TINY, **overrides: float) -> TrainConfig:
    """A training of a tiny network from random weights."""
    return TrainConfig(arch, "none", None, adjusted(recipe, **overrides), seeds)


def trained(small: Small, settings: TrainConfig, name: str, split: str = "one") -> Run:
    """The run of a training."""
    from polymodel.training.train import train

    return train(load_split(split, small.root), settings, small.workspace.runs, name=name).run
