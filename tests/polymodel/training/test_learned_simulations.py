"""Simulated pictures in the training of a probe: learned, never tested, and refused where they have no label."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kinds_scene import make_kinds
from model_runs import FAST, call, parsed
from small_split import Small

from polydata.errors import InputError
from polymodel.config import train_config
from polymodel.recipes import Probe, read_recipe
from polymodel.runs.parts import PartJob
from polymodel.training import probe
from polymodel.training.simulated import Simulated

OWN = 'extends = "{base}"\nname = "taught"\nsummary = "learns simulated pictures too"\n'


def recipe_file(folder: Path, more: str, base: str = "probe") -> Path:
    path = folder / "taught.toml"
    path.write_text(OWN.format(base=base) + more, encoding="utf-8")
    return path


def predictions(small: Small, run: str) -> pd.DataFrame:
    return pd.read_parquet(small.workspace.runs / run / "parts/fold-1-seed-0/predictions.parquet")


def test_a_probe_learns_them_and_answers_for_real_images_alone(small: Small, tmp_path: Path) -> None:
    call(small, "train", "one", *FAST, "--name", "untaught")
    for name, weight in (("taught", 3.0), ("hardly", 1e-9)):
        recipe = recipe_file(tmp_path, f"simulated = 8\nsimulated_weight = {weight}\n")
        call(small, "train", "one", *FAST, "--recipe", recipe, "--name", name)
    alone, with_them, hardly = (predictions(small, name) for name in ("untaught", "taught", "hardly"))
    assert alone["image_sha256"].tolist() == with_them["image_sha256"].tolist()
    away = [np.abs(alone["p_fine"] - one["p_fine"]).mean() for one in (with_them, hardly)]
    assert away[0] > 1e-3 and away[1] < away[0]
    part = small.workspace.runs / "taught/parts/fold-1-seed-0"
    facts = json.loads((part / "part.json").read_text())
    assert len(facts["simulated_digest"]) == 64
    assert "simulated_digest" not in json.loads(
        (part.parents[2] / "untaught/parts/fold-1-seed-0/part.json").read_text()
    )
    assert "8 simulated pictures learned too" in call(small, "runs", "show", "taught")
    held = small.workspace.runs / "taught/parts/fold-1-seed-0/held_out.parquet"
    assert not held.exists() or len(pd.read_parquet(held)) <= len(alone)
    assert parsed(small, "evaluate", "taught", "--no-controls")["accuracy"]["value"] is not None


def test_recipes_say_how_many_and_how_much_they_weigh(tmp_path: Path) -> None:
    digests = {
        train_config(Probe(recipe_file(tmp_path, more))).digest("0" * 64)
        for more in ("", "simulated = 8", "simulated = 9", "simulated = 8\nsimulated_weight = 1.0")
    }
    assert len(digests) == 4
    for more, base, part in (
        ("simulated = -1", "probe", "simulated: -1"),
        ("simulated_weight = 1.0", "probe", "simulated_weight, which means nothing"),
        ("simulated = 8\nsimulated_weight = 0.0", "probe", "simulated_weight: 0.0"),
        ("simulated = 8", "finetune", "simulated, which means nothing"),
    ):
        with pytest.raises(InputError, match=part):
            read_recipe(recipe_file(tmp_path, more, base))


def test_what_has_no_two_labels_is_refused(tmp_path: Path) -> None:
    scene = make_kinds(tmp_path / "kinds")
    recipe = recipe_file(tmp_path, "simulated = 8\n")
    for split in ("regression", "ordinal"):
        refused = call(scene, "train", split, *FAST, "--recipe", recipe, expect=2)
        assert "no two labels, which simulated pictures can have" in refused


def test_a_search_among_strengths_learns_them_too(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A candidate is fitted as the recipe is that it varies, simulated pictures included."""
    recipe_file(tmp_path, "simulated = 8\nsimulated_weight = 3.0\n")
    rows: list[int] = []
    plain = probe.simulated_pictures

    def counted(job: PartJob, *rest: Any) -> Simulated | None:
        more = plain(job, *rest)
        rows.append(0 if more is None else len(more.truth))
        return more

    monkeypatch.setattr(probe, "simulated_pictures", counted)
    search = tmp_path / "search.toml"
    search.write_text('recipe = "taught.toml"\ninner = 2\n[values]\ninverse_regularisation = [0.03, 0.3]\n')
    call(small, "train", "one", *FAST, "--search", str(search), "--name", "sought")
    assert len(rows) >= 5 and set(rows) == {8}
