"""Run folders: what makes two trainings one run, what is refused, and going on after a break."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from model_runs import TINY, config, trained
from small_split import Small, write_split

import polymodel
from polydata.errors import RefusedError, UsageError
from polymodel.config import Hardware, Precision, train_config
from polymodel.data.split import load_split
from polymodel.networks.devices import seeded
from polymodel.recipes import Probe, RecipeName
from polymodel.runs import card
from polymodel.runs.run import PartKey, check_name, held, open_run, write_json
from polymodel.training.train import default_name, train


def test_another_precision_is_another_run(own: Small) -> None:
    split, settings = load_split("one", own.root), config(RecipeName.FINETUNE, image_size=32, epochs=1)
    bf16 = Hardware(precision=Precision.BF16)
    done = [train(split, settings, own.workspace.runs, hardware=hardware) for hardware in (Hardware(), bf16)]
    names = [one.run.name for one in done]
    assert names[1] == f"{names[0]}-bf16"
    assert [one.run.part(PartKey(1, 0))["precision"] for one in done] == ["fp32", "bf16"]
    with pytest.raises(RefusedError, match="another precision"):
        train(split, settings, own.workspace.runs, name=names[0], hardware=bf16)


def test_another_number_of_processes_is_another_run(own: Small) -> None:
    split, settings = load_split("one", own.root), config(RecipeName.FINETUNE, image_size=32, epochs=1)
    run = train(split, settings, own.workspace.runs).run
    assert default_name(split, settings, Precision.FP32, 2) == f"{run.name}-2processes"
    with pytest.raises(RefusedError, match="another processes"):
        train(split, settings, own.workspace.runs, name=run.name, hardware=Hardware(devices=2))
    older = {key: value for key, value in run.record.items() if key != "processes"}
    write_json(run.folder / "run.json", older)  # as it was before they were noted
    assert train(split, settings, own.workspace.runs).done_now == 0


def test_what_is_held_in_32_bits_is_multiplied_in_32_bits() -> None:
    torch.backends.cudnn.allow_tf32 = True
    with seeded(0):
        assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cudnn.allow_tf32


def test_weights_are_known_by_their_bytes_wherever_they_lie(own: Small, tmp_path: Path) -> None:
    first = trained(own, config(RecipeName.FINETUNE, image_size=32, epochs=1), "first")
    done = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes((first.part_folder(PartKey(1, 0)) / "model.safetensors").read_bytes())
        settings = train_config(Probe(arch=TINY, weights=path, image_size=40))
        done.append(train(load_split("one", own.root), settings, own.workspace.runs))
        if name == "a":  # the part has still to be made when the file lies elsewhere
            shutil.rmtree(done[0].run.part_folder(PartKey(1, 0)))
        path.unlink()
    assert done[0].run.folder == done[1].run.folder
    assert (done[0].done_now, done[1].done_now) == (1, 1)
    assert done[1].run.config.weights == str(path)


@pytest.mark.parametrize(("name", "begin"), [("_v1", "v1-"), ("x" * 100, "x" * 40), ("___", "split-")])
def test_a_default_name_is_legal_and_keeps_its_digest_whole(small: Small, name: str, begin: str) -> None:
    plain = load_split("one", small.root)
    split = replace(plain, name=name)
    settings = [config(RecipeName.PROBE, arch=arch) for arch in (TINY, f"timm:{'y' * 120}")]
    for one in settings:
        found = check_name(default_name(split, one, Precision.BF16))
        assert found.endswith(f"-{one.digest(split.digest)}-bf16")
    assert default_name(split, settings[0], Precision.FP32).startswith(begin)
    assert default_name(plain, settings[0], Precision.FP32).startswith("one-test_resnet-probe-")


@pytest.mark.parametrize("recipe", [RecipeName.PROBE, RecipeName.FINETUNE])
def test_generators_and_deterministic_mode_are_afterwards_as_before(small: Small, recipe: RecipeName) -> None:
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    before = dict(os.environ)
    wanted = [random.random(), np.random.random(), float(torch.rand(()))]
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    trained(small, config(recipe, image_size=40, **({"epochs": 1} if recipe != "probe" else {})), f"state-{recipe}")
    assert [random.random(), np.random.random(), float(torch.rand(()))] == wanted
    assert not torch.are_deterministic_algorithms_enabled()
    assert {k: v for k, v in os.environ.items() if k in before or "CUBLAS" in k} == before


def test_a_commit_is_marked_where_any_source_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "polymodel" / "runs").mkdir(parents=True)
    for folder in ("polydata", "schemas", "docs"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_text("one")
    here = tmp_path / "polymodel" / "runs" / "card.py"
    here.write_text("")
    monkeypatch.setattr(card, "__file__", str(here))
    assert card.git_commit() is None

    def git(*words: str) -> None:
        own = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", "-C", str(tmp_path), *own, *words], check=True, capture_output=True)

    git("init")
    assert card.git_commit() is None, "installed inside someone's repository"
    git("add", ".")
    git("commit", "-m", "one")
    clean = card.git_commit() or "+"
    (tmp_path / "docs" / "file").write_text("two")
    assert card.git_commit() == clean and "+" not in clean
    for folder in ("polydata", "schemas"):
        (tmp_path / folder / "file").write_text("two")
        assert card.git_commit() == f"{clean}+"
        (tmp_path / folder / "file").write_text("one")
    assert card.git_commit() == clean


def test_large_seeds_and_equal_files(own: Small) -> None:
    settings = config(RecipeName.FINETUNE, seeds=(2**31 - 1,), image_size=32, epochs=1)
    runs = [trained(own, settings, name) for name in ("one-time", "again")]
    first, second = ((r.part_folder(r.planned[0]) / "model.safetensors").read_bytes() for r in runs)
    assert first == second


def test_folds_and_seeds_each_get_a_part(small: Small) -> None:
    run = trained(small, config(RecipeName.PROBE, seeds=(0, 1), image_size=40), "parts", split="cv")
    assert [(k.fold, k.seed) for k in run.finished] == [(1, 0), (2, 0), (3, 0), (1, 1), (2, 1), (3, 1)]
    one, other = run.predictions(PartKey(1, 0)), run.predictions(PartKey(1, 1))
    assert not np.allclose(one["p_fine"], other["p_fine"])


def test_the_same_call_twice_trains_nothing_and_another_needs_another_name(small: Small) -> None:
    split, runs = load_split("one", small.root), small.workspace.runs
    settings = config(RecipeName.PROBE, image_size=40)
    first = train(split, settings, runs)
    again = train(split, settings, runs)
    assert (first.done_now, again.done_now, again.done_before) == (1, 0, 1)
    assert first.run.name == again.run.name
    with pytest.raises(RefusedError, match="another config"):
        train(split, config(RecipeName.PROBE, image_size=44), runs, name=first.run.name)
    with pytest.raises(RefusedError, match="another split"):
        train(load_split("leaky", small.root), settings, runs, name=first.run.name)


def test_two_processes_cannot_train_one_run(small: Small) -> None:
    settings = config(RecipeName.PROBE, image_size=40)
    run = trained(small, settings, "held")
    with held(run), pytest.raises(RefusedError, match="Another process"):
        trained(small, settings, "held")


@pytest.mark.parametrize("name", ["../out", ".hidden", "a/b", "", "x" * 101])
def test_names_that_leave_the_folder_are_refused(small: Small, name: str) -> None:
    if name:
        with pytest.raises(UsageError, match="name of a run"):
            trained(small, config(RecipeName.PROBE, image_size=40), name)


def test_a_changed_image_stops_training_before_it_begins(own: Small) -> None:
    path = own.root / own.items[0].path
    path.write_bytes(b"")
    with pytest.raises(RefusedError, match="not what they were"):
        trained(own, config(RecipeName.PROBE, image_size=40), "changed")
    assert not (own.workspace.runs / "changed").exists()


def test_papers_on_both_sides_are_a_leak_even_where_the_split_is_silent(own: Small) -> None:
    write_split(own.workspace.splits / "silent", [(own.items[:10], own.items[10:])])
    run = trained(own, config(RecipeName.PROBE, image_size=40), "silent", split="silent")
    assert run.leakage == "1 papers stand on both sides, which the split does not say"


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been(own: Small) -> None:
    settings = ["--split", "cv", "--arch", TINY, "--weights", "none", "--recipe", "finetune"]
    settings += ["--image-size", "32", "--epochs", "2", "--seeds", "2", "--device", "cpu"]
    command = [sys.executable, "-c", "from polymodel.cli import app; app()", "train", *settings]
    environment = {**os.environ, "POLYDATA_WORKSPACE": str(own.root), "OMP_NUM_THREADS": "1"}
    folder = own.workspace.runs / "killed"
    process = subprocess.Popen([*command, "--name", "killed"], env=environment)
    while not list(folder.glob("parts/fold-*")):
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = {p: (p / "part.json").read_text() for p in folder.glob("parts/fold-*")}
    assert len(before) < 6
    for name in ("killed", "whole"):
        done = subprocess.run([*command, "--name", name, "--json"], env=environment, capture_output=True, check=True)
        assert json.loads(done.stdout)["finished"] is True
    assert all((p / "part.json").read_text() == text for p, text in before.items())
    killed, whole = (open_run(own.workspace.runs / name) for name in ("killed", "whole"))
    assert killed.finished == killed.planned
    for key in whole.planned:
        pd.testing.assert_frame_equal(killed.predictions(key), whole.predictions(key))
    assert sorted(p.name for p in (folder / "parts").iterdir()) == sorted(k.folder for k in killed.planned)


def test_the_public_call_trains_what_the_words_say(small: Small) -> None:
    probe = polymodel.Probe(arch=TINY, weights="none", image_size=40)
    run = polymodel.fit("one", probe, seeds=2, device="cpu", workspace=small.root)
    assert run.trained and (run.trained.done_now, run.trained.done_before) == (2, 0)
    again = polymodel.fit(polymodel.load_split("one", small.root), probe, seeds=(0, 1), workspace=small.root)
    assert again.folder == run.folder and again.trained and again.trained.done_now == 0
    opened = polymodel.open_run(run.name, small.root)
    assert opened.trained is None and opened.record == run.record and opened.finished == opened.planned


def test_the_face_imports_nothing_heavy_before_it_is_asked() -> None:
    code = "import sys, polymodel; polymodel.Probe, polymodel.load_split; print({'torch', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_run_of_before_columns_bore_the_label_is_read_as_one_of_now(own: Small) -> None:
    run = trained(own, config(RecipeName.PROBE, image_size=40), "older")
    now = run.predictions(PartKey(1, 0))
    path = run.part_folder(PartKey(1, 0)) / "predictions.parquet"
    now.rename(columns={"p_fine": "p_positive"}).to_parquet(path, index=False)
    assert "p_positive" in pd.read_parquet(path)
    pd.testing.assert_frame_equal(run.predictions(PartKey(1, 0)), now)
