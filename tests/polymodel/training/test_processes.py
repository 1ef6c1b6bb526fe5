"""Training in several processes, and hardware that means something."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric.plugins.precision.amp import MixedPrecision
from loop_runs import KEY, TINY, config, job_of, of_words, trained
from small_split import CLASSES, Small

from polydata.errors import InputError, UsageError
from polymodel.config import DeviceName, Hardware, Precision
from polymodel.networks.network import architecture, build
from polymodel.recipes import RecipeName
from polymodel.runs.run import open_run
from polymodel.training import loop as finetune
from polymodel.training.processes import joined


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "overrides"),
    [
        (RecipeName.FINETUNE, {"frozen_norm": True, "epochs": 3}),
        (RecipeName.LP_FT, {"epochs": 3, "balance": "weights"}),
    ],
)
def test_two_processes_learn_what_one_does(small: Small, recipe: RecipeName, overrides: dict[str, float]) -> None:
    """Batches of 9 part unevenly."""
    settings = config(recipe, batch_size=9, learning_rate=1e-3, **overrides)
    one = trained(small, settings, f"team-1-{recipe}")
    two = trained(small, settings, f"team-2-{recipe}", Hardware(DeviceName.CPU, devices=2))
    assert two.part(KEY)["processes"] == 2
    curves = [run.history(KEY)[["train_loss", "train_accuracy"]].to_numpy() for run in (one, two)]
    assert np.ptp(curves[0][:, 0]) > 1e-3
    assert curves[0] == pytest.approx(curves[1], abs=1e-4)
    logits = [run.predictions(KEY)[[f"logit_{c}" for c in CLASSES]].to_numpy() for run in (one, two)]
    assert logits[0] == pytest.approx(logits[1], abs=1e-3)


@pytest.mark.slow
def test_torchrun_starts_the_processes(small: Small) -> None:
    words = ["train", "--split", "one", "--arch", TINY, "--weights", "none", "--recipe", "finetune", "--epochs", "1"]
    words += ["--image-size", "32", "--name", "torchrun", "--json", "--device", "cpu", "--workspace", str(small.root)]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--no-python"]
    program = str(Path(sys.executable).parent / "polymodel")
    done = subprocess.run([*launcher, program, *words], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.count('"finished": true') == 1
    assert open_run(small.workspace.runs / "torchrun").part(KEY)["processes"] == 2


@pytest.mark.slow
def test_a_process_that_fails_is_an_error(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where the second one fails, and where the first does and the second waits for it."""
    (tmp_path / "my_failing_transforms.py").write_text(FAILING)
    monkeypatch.chdir(tmp_path)
    settings = of_words("finetune", transforms="my_failing_transforms:failing")
    with pytest.raises(InputError, match="One of the processes failed"):
        trained(small, settings, "team-second", Hardware(DeviceName.CPU, devices=2))
    assert "only in the second" in capfd.readouterr().err
    away = config(RecipeName.FINETUNE, epochs=1, learning_rate=1e30)
    with pytest.raises(InputError, match="not finite"):
        trained(small, away, "team-away", Hardware(DeviceName.CPU, devices=2))


FAILING = """
import multiprocessing
from torchvision.transforms import v2

def failing(size):
    if multiprocessing.parent_process() is not None:
        raise ValueError("only in the second")
    return v2.CenterCrop(size)
"""


def test_each_part_scales_its_gradients_anew(small: Small) -> None:
    precision = MixedPrecision("16-mixed", "cpu")
    assert precision.scaler is not None
    precision.scaler.load_state_dict({**precision.scaler.state_dict(), "scale": 2.0})
    settings: Any = SimpleNamespace(fabric=SimpleNamespace(strategy=SimpleNamespace(precision=precision)))
    job = job_of(small, RecipeName.FINETUNE)
    loop = finetune._new_loop(job, build(architecture(TINY), 2), settings)
    assert loop.fabric.strategy.precision.state_dict()["scale"] == torch.amp.GradScaler("cpu").get_scale()


def test_one_process_of_a_cluster_job_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SLURM_NTASKS": "2", "SLURM_JOB_NAME": "night", "SLURM_JOB_ID": "7"}.items():
        monkeypatch.setenv(name, value)
    with joined("cpu", Precision.FP32) as fabric:
        assert (fabric.world_size, fabric.global_rank) == (1, 0)


def test_mixed_precision_on_the_processor(small: Small) -> None:
    settings = config(RecipeName.FINETUNE, epochs=2)
    exact, mixed = (
        trained(small, settings, f"amp-{p}", Hardware(DeviceName.CPU, precision=p))
        for p in (Precision.FP32, Precision.BF16)
    )
    losses = [run.history(KEY)["train_loss"].to_numpy() for run in (exact, mixed)]
    assert not np.array_equal(*losses)
    assert losses[0] == pytest.approx(losses[1], abs=0.1)


@pytest.mark.parametrize(
    ("hardware", "recipe", "said"),
    [
        (Hardware(DeviceName.CPU, precision=Precision.FP16), RecipeName.FINETUNE, "fp16 needs CUDA"),
        (Hardware(DeviceName.CPU, devices=0), RecipeName.FINETUNE, "--devices"),
        (Hardware(DeviceName.CPU, devices=2), RecipeName.PROBE, "--devices"),
        (Hardware(DeviceName.CPU, compiled=True), RecipeName.LP_FT, "--compile"),
    ],
)
def test_hardware_that_means_nothing_is_refused(
    small: Small, hardware: Hardware, recipe: RecipeName, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        trained(small, config(recipe), "refused", hardware)
