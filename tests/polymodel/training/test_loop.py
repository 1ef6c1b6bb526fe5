"""Training by gradient descent: breaking off and going on, schedules, transforms, trackers."""

from __future__ import annotations

import dataclasses
import gc
import sys
import weakref
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from loop_runs import CPU, KEY, TINY, config, job_of, of_words, trained
from PIL import Image
from safetensors.torch import load_file
from small_split import Small

from polydata.errors import InputError, UsageError
from polydata.splits import offline_copies
from polymodel.config import TrackerName, adjusted, train_config
from polymodel.data.split import load_split
from polymodel.data.views import Transform, standard_transform
from polymodel.networks.devices import threads
from polymodel.networks.network import architecture, build
from polymodel.recipes import RECIPES, Balance, Finetune, Probe, RecipeName, Schedule
from polymodel.runs.run import CHECKPOINT, Run, open_run
from polymodel.training import batches as loaders
from polymodel.training import checkpoints
from polymodel.training import loop as finetune
from polymodel.training.batches import Pixels
from polymodel.training.loop import batches, rate_at
from polymodel.training.train import train


def same_but_seconds(one: Run, other: Run) -> None:
    """Both runs learned the same, to the bit."""
    pd.testing.assert_frame_equal(one.predictions(KEY), other.predictions(KEY), check_exact=True)
    histories = [run.history(KEY).drop(columns="seconds") for run in (one, other)]
    pd.testing.assert_frame_equal(*histories, check_exact=True)
    states = [load_file(run.part_folder(KEY) / "model.safetensors") for run in (one, other)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0].keys() | states[1].keys())


class Killed(BaseException):
    """As if the process ended here."""


@pytest.mark.parametrize("recipe", [RecipeName.FINETUNE, RecipeName.LP_FT, RecipeName.PAPER])
@pytest.mark.parametrize("epochs_before", [1, 3])
def test_a_part_broken_off_goes_on_to_the_same_bits(
    small: Small, monkeypatch: pytest.MonkeyPatch, recipe: RecipeName, epochs_before: int
) -> None:
    settings = config(recipe, epochs=4)
    name = f"broken-{recipe}-{epochs_before}"
    check = finetune._check_finite

    def break_off(loop: checkpoints.Loop) -> None:
        check(loop)
        if loop.epoch == epochs_before + 1:
            raise Killed

    monkeypatch.setattr(finetune, "_check_finite", break_off)
    with pytest.raises(Killed):
        trained(small, settings, name, checkpoint_seconds=0)
    run = open_run(small.workspace.runs / name)
    assert run.finished == ()
    assert (run.hidden_folder(KEY) / CHECKPOINT).is_file()
    monkeypatch.undo()
    begun: list[int] = []
    epoch = finetune._epoch
    monkeypatch.setattr(
        finetune, "_epoch", lambda job, loop, *rest: (begun.append(loop.epoch), epoch(job, loop, *rest))
    )
    broken = trained(small, settings, name)
    assert begun[0] >= 1, "began anew"
    assert not list(broken.folder.rglob(CHECKPOINT))
    same_but_seconds(broken, trained(small, settings, f"{name}-whole"))


def test_a_checkpoint_that_is_damaged_is_passed_over(small: Small) -> None:
    settings = config(RecipeName.FINETUNE, epochs=1)
    whole = trained(small, settings, "damaged-whole")
    folder = small.workspace.runs / "damaged" / "parts" / f".{KEY.folder}"
    folder.mkdir(parents=True)
    (folder / CHECKPOINT).write_bytes(b"\x08\0\0\0\0\0\0\0{}garbage")
    same_but_seconds(trained(small, settings, "damaged"), whole)


def test_the_last_block_begins_where_the_network_says() -> None:
    """What the frozen front makes of an image decides the logits, for every architecture of the registry."""
    from polymodel.networks.network import REGISTRY, architecture, build

    for name in (*REGISTRY, "timm:vit_tiny_patch16_224"):
        network = build(architecture(name), 2)
        network.module.eval()
        side = 224 if "vit" in name else 96
        images = network.normalise(torch.randint(0, 256, (2, side, side), dtype=torch.uint8))
        network.check_middle(images)
        assert network.middle_map(images).shape[0] == 2


def test_the_rate_rises_and_falls() -> None:
    recipe = adjusted(RecipeName.FINETUNE, epochs=10, warm_up=2, schedule=Schedule.COSINE, learning_rate=1.0)
    rates = [rate_at(recipe, step, 5) for step in range(50)]
    assert rates[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert max(rates) == pytest.approx(1.0, abs=0.01)
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert 0 < rates[-1] < 0.01
    assert {rate_at(RECIPES[RecipeName.PAPER], step, 5) for step in range(500)} == {1e-4}


def test_an_epoch_shows_every_image_once_and_sampling_shows_classes_alike(small: Small) -> None:
    job = job_of(small, RecipeName.FINETUNE, batch_size=5)
    labels = torch.tensor([0] * 24 + [1] * 4)
    shown = [place for chunk in batches(job, 0, np.arange(28), labels) for place, _ in chunk]
    assert sorted(shown) == list(range(28))
    assert shown != [place for chunk in batches(job, 1, np.arange(28), labels) for place, _ in chunk]
    sampled = dataclasses.replace(job, recipe=dataclasses.replace(job.recipe, balance=Balance.SAMPLING.value))
    places = [p for epoch in range(40) for chunk in batches(sampled, epoch, np.arange(28), labels) for p, _ in chunk]
    assert np.mean(labels[places].numpy()) == pytest.approx(0.5, abs=0.05)


def test_the_papers_copies_are_twelve_and_three(small: Small) -> None:
    job = job_of(small, RecipeName.PAPER)
    labels = torch.from_numpy(job.targets())
    shown = [choice for chunk in batches(job, 0, np.arange(28), labels) for choice in chunk]
    fine = job.classes.index(job.split.positive)
    assert len(shown) == 14 * 12 + 14 * 3
    assert {copy for place, copy in shown if labels[place] == fine} == set(range(12))
    assert {copy for place, copy in shown if labels[place] != fine} == {0, 1, 2}


@pytest.mark.parametrize("seed", [0, 3])
def test_the_paper_recipe_shows_the_copies_that_the_augment_command_writes(
    small: Small, tmp_path: Path, seed: int
) -> None:
    job = dataclasses.replace(job_of(small, RecipeName.PAPER), seed=seed)
    recipe = offline_copies.RECIPES["paper"]
    assert (job.recipe.copies, job.recipe.image_size) == ((recipe["positive"], recipe["other"]), recipe["size"])
    folder = offline_copies.augment(job.split, "paper", seed=seed, folder=tmp_path / "copies").folder
    network = build(architecture(TINY), 2)
    source = Pixels(job, network, lambda image: image)
    for row in pd.read_csv(folder / "copies.csv").sample(12, random_state=0).itertuples():
        place = [item.image_sha256 for item in job.items].index(row.parent_sha256)
        [shown] = source.training(5, [[(place, row.number)]])
        written = network.normalise(torch.from_numpy(np.array(Image.open(folder / row.file)))[None])
        assert torch.equal(shown, written)


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked")
def test_views_that_workers_make_are_those_of_one_process(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_of(small, RecipeName.FINETUNE, image_size=32)
    shown, random = [[(0, 0), (5, 0)], [(3, 0)]], standard_transform(32)

    monkeypatch.setattr(loaders, "FEW_IMAGES", 0)

    def failing(image: torch.Tensor) -> torch.Tensor:
        raise InputError("cannot be", "Take another.")

    def views(workers: int, transform: Transform) -> list[torch.Tensor]:
        source = Pixels(job, build(architecture(TINY), 2), transform)
        source.loader = loaders._loader(source.view, source.shown, workers)
        return [batch for epoch in range(2) for batch in source.training(epoch, shown)]

    gc.disable()  # networks, images and workers of a part end with it, not when the collector comes by
    try:
        source = weakref.ref(Pixels(job, build(architecture(TINY), 2), random))
    finally:
        gc.enable()
    assert source() is None
    assert all(torch.equal(one, two) for one, two in zip(views(0, random), views(2, random), strict=True))
    with pytest.raises(InputError, match="cannot be") as caught:
        views(2, failing)
    assert caught.value.hint == "Take another."


def test_a_view_is_made_on_one_thread_and_the_network_has_its_own_number(small: Small) -> None:
    seen: list[int] = []

    def counting(image: torch.Tensor) -> torch.Tensor:
        seen.append(torch.get_num_threads())
        return standard_transform(32)(image)

    with threads(3):
        source = Pixels(job_of(small, RecipeName.FINETUNE, image_size=32), build(architecture(TINY), 2), counting)
        list(source.training(0, [[(0, 0), (1, 0)]]))
        assert torch.get_num_threads() == 3
    assert seen == [1, 1]


def test_workers_fit_processors_and_shared_memory(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = dataclasses.replace(job_of(small, RecipeName.PAPER), device="cuda")  # batches of 128 x 256 x 256 bytes
    monkeypatch.setattr(loaders, "SHARED_MEMORY", tmp_path)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    found = []
    for free in (2**36, 2**26, 2**20):
        monkeypatch.setattr("shutil.disk_usage", lambda _path, free=free: SimpleNamespace(free=free))
        found.append([loaders._workers(job, processes) for processes in (1, 4)])
    assert found == [[8, 2], [2, 2], [0, 0]]
    assert loaders._workers(dataclasses.replace(job, device="cpu"), 1) == 0
    monkeypatch.setattr("os.sched_getaffinity", lambda _process: {5}, raising=False)
    assert loaders._loader(int, [[0]], 8).num_workers == (1 if sys.platform == "linux" else 0)


OWN = """
import torch
from torchvision.transforms import v2

def middle(size):
    return v2.CenterCrop(size)

def wrong(size):
    return v2.CenterCrop(size + 1)

def nothing(size):
    return None
"""


TWO = """
from torchvision.transforms import v2

def middle(size):
    return v2.CenterCrop(size)

def mirrored(size):
    return v2.Compose([v2.CenterCrop(size), v2.RandomInvert(1.0)])
"""


def test_two_transforms_of_one_file_share_no_maps(own: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_two_transforms.py").write_text(TWO)
    monkeypatch.chdir(tmp_path)
    losses = []
    for name in ("middle", "mirrored"):
        settings = of_words("lp-ft", transforms=f"my_two_transforms:{name}")
        run = trained(own, settings, name)
        losses.append(run.history(run.planned[0])["train_loss"].tolist())
    assert losses[0] != losses[1]


def test_transforms_of_ones_own(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_own_transforms.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    for name, kind, said in (
        ("my_own_transforms:wrong", InputError, r"\(1, 32, 32\)"),
        ("my_own_transforms:nothing", UsageError, "gives no transform"),
        ("my_own_transforms:absent", UsageError, "cannot be imported"),
        ("no_such_module:x", UsageError, "cannot be imported"),
        ("my_own_transforms", UsageError, "names no transform"),
    ):
        with pytest.raises(kind, match=said):
            trained(small, of_words("finetune", transforms=name), f"own-{len(said)}")
    settings = of_words("finetune", transforms="my_own_transforms:middle")
    assert settings.transforms_sha256
    assert trained(small, settings, "own").config == settings
    with pytest.raises(UsageError, match="no random views"):
        of_words("paper", transforms="my_own_transforms:middle")


def test_tensorboard_is_told_of_every_epoch(small: Small) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = trained(small, config(RecipeName.FINETUNE, epochs=2), "board")
    events = EventAccumulator(str(run.folder / "tensorboard" / KEY.folder))
    events.Reload()
    told = [(event.step, event.value) for event in events.Scalars("train_loss")]
    assert told == [(k, pytest.approx(loss)) for k, loss in enumerate(run.history(KEY)["train_loss"], start=1)]
    quiet = trained(small, config(RecipeName.FINETUNE, epochs=1), "quiet", tracker=TrackerName.NONE)
    assert not (quiet.folder / "tensorboard").exists()


def test_mlflow_is_told_of_every_epoch_and_a_broken_part_goes_on_there(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    settings, check = config(RecipeName.FINETUNE, epochs=3), finetune._check_finite

    def break_off(loop: checkpoints.Loop) -> None:
        check(loop)
        if loop.epoch == 3:
            raise Killed

    monkeypatch.setattr(finetune, "_check_finite", break_off)
    with pytest.raises(Killed):
        trained(small, settings, "flow", tracker=TrackerName.MLFLOW, checkpoint_seconds=0)
    monkeypatch.undo()
    run = trained(small, settings, "flow", tracker=TrackerName.MLFLOW)
    [found] = mlflow.search_runs(experiment_names=["flow"], output_format="list")
    told = mlflow.MlflowClient().get_metric_history(found.info.run_id, "train_loss")
    losses = run.history(KEY)["train_loss"]
    assert {m.step: m.value for m in told} == {k: pytest.approx(loss) for k, loss in enumerate(losses, start=1)}
    assert found.data.params["arch"] == TINY
    assert found.info.status == "FINISHED"


def test_mlflow_has_to_be_installed(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(UsageError, match="not installed"):
        trained(small, config(RecipeName.FINETUNE, epochs=1), "no-flow", tracker=TrackerName.MLFLOW)


def test_what_a_network_begins_with_is_named_by_its_checksum(small: Small, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    from polymodel.networks.network import architecture, build

    network = build(architecture(TINY), 2)
    save_file(network.module.state_dict(), tmp_path / "own.safetensors")
    settings = of_words("finetune", weights=tmp_path / "own.safetensors")
    done = train(load_split("one", small.root), settings, small.workspace.runs, name="checksum", hardware=CPU)
    assert any(network.backbone_digest() in note for note in done.notes)


def test_the_input_can_be_scaled_for_other_weights(small: Small) -> None:
    own = Probe(arch=TINY, weights="none", image_size=40)
    plain, scaled = (
        trained(small, train_config(dataclasses.replace(own, mean=mean, std=std)), name)
        for name, mean, std in (("scale-own", None, None), ("scale-other", 0.1, "0.2,0.3,0.4"))
    )
    assert (scaled.config.mean, scaled.config.std) == ((0.1, 0.1, 0.1), (0.2, 0.3, 0.4))
    assert not plain.predictions(KEY)["p_fine"].equals(scaled.predictions(KEY)["p_fine"])
    for mean in ("a", "1,2", "0.5,0.5,0.5,0.5", (0.5, 0.5)):
        with pytest.raises(UsageError, match="--mean"):
            train_config(Probe(mean=mean))
    with pytest.raises(UsageError, match="--std"):
        train_config(Probe(std=0))
    assert train_config(Finetune("paper-code")).input_scale == ((0.0,) * 3, (1.0,) * 3)
