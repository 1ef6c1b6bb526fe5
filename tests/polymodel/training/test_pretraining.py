"""Pretraining without labels: it learns, goes on where it was broken off, and sees nothing of a test side."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from model_runs import TINY, call, parsed
from safetensors.torch import load_file
from small_split import Small, make_small, texture

from polydata.errors import InputError, RefusedError, UsageError
from polydata.simulation.workflow import simulate
from polydata.task import Task
from polymodel.config import train_config
from polymodel.data.split import load_split
from polymodel.networks.network import architecture
from polymodel.networks.pretrained import FILE, pretrained
from polymodel.networks.vicreg import terms
from polymodel.networks.weights import load_network
from polymodel.prediction.predict import predict
from polymodel.recipes import Probe
from polymodel.runs.run import open_run
from polymodel.training import pretraining
from polymodel.training.pretraining import Pretraining, pretrain
from polymodel.training.train import train

SMALL = Pretraining(TINY, "none", image_size=32, epochs=6, batch_size=8, learning_rate=3e-3, whole=True)


@pytest.fixture(scope="module")
def micrographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen simulated micrographs."""
    folder = tmp_path_factory.mktemp("simulated") / "micrographs"
    simulate(folder, count=16, seed=5, size=96, task=Task.load("compatibility"), workers=1)
    return folder


def panels_folder(folder: Path, rows: Sequence[tuple[bytes, str, str]]) -> Path:
    """A folder as ``polydata export panels`` writes it, of (picture, paper, decision of the screening)."""
    (folder / "images").mkdir(parents=True)
    with (folder / "panels.csv").open("w", newline="", encoding="utf-8") as handle:
        lines = csv.writer(handle)
        lines.writerow(["image", "paper_id", "screening"])
        for number, (data, paper, decision) in enumerate(rows):
            (folder / f"images/{number}.png").write_bytes(data)
            lines.writerow([f"images/{number}.png", paper, decision])
    return folder


def test_the_loss_falls_and_tells_collapse_from_spread(micrographs: Path, tmp_path: Path) -> None:
    made = pretrain([micrographs], tmp_path / "w.safetensors", SMALL, device="cpu")
    losses = [row["loss"] for row in made.record.history]
    assert len(losses) == 6 and min(losses[-2:]) < losses[0] - 0.5
    assert len(made.record.images) == 16 and made.record.papers == () and not made.left_out
    same, different = torch.zeros(8, 4), torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    assert terms(same, same).loss > 20 and float(terms(same, same).spread) < 0.02
    assert float(terms(different, different).distance) == 0 and terms(different, different).loss < 15


class Killed(BaseException):
    """As if the process ended here."""


def test_broken_off_it_goes_on_to_the_same_bits(
    micrographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pretrain([micrographs], tmp_path / "whole.safetensors", SMALL, device="cpu")
    epoch, begun = pretraining._epoch, []

    def break_off(method: object, given: object, number: int, *rest: object) -> object:
        if number == 3:
            raise Killed
        return epoch(method, given, number, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(pretraining, "_epoch", break_off)
    with pytest.raises(Killed):
        pretrain([micrographs], tmp_path / "broken.safetensors", SMALL, device="cpu")
    assert [path.name for path in tmp_path.glob(".broken*")] == [".broken.safetensors.checkpoint.part"]
    monkeypatch.setattr(
        pretraining, "_epoch", lambda m, g, number, *rest: begun.append(number) or epoch(m, g, number, *rest)
    )
    broken = pretrain([micrographs], tmp_path / "broken.safetensors", SMALL, device="cpu")
    assert begun == [3, 4, 5] and broken.done_now == 3 and not list(tmp_path.glob(".*"))
    states = [load_file(made.path) for made in (whole, broken)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0].keys() | states[1].keys())
    again = pretrain([micrographs], tmp_path / "broken.safetensors", SMALL, device="cpu")
    assert again.done_now == 0 and again.sha256 == broken.sha256
    with pytest.raises(RefusedError, match="pretrained otherwise"):
        pretrain([micrographs], tmp_path / "broken.safetensors", Pretraining(TINY, "none", seed=1, whole=True))


def test_what_comes_before_the_last_stages_stays(micrographs: Path, tmp_path: Path) -> None:
    method = Pretraining("resnet18", "none", image_size=32, epochs=1, batch_size=8)
    made = pretrain([micrographs], tmp_path / "w.safetensors", method, device="cpu")
    torch.manual_seed(0)
    begun = load_network(architecture("resnet18"), "none", 1).module.state_dict()
    changed = {name for name, value in load_file(made.path).items() if not torch.equal(value, begun[name])}
    assert changed and all(
        name.startswith("layer4.") and ".bn" not in name and ".downsample.1" not in name for name in changed
    )


def test_a_run_begins_with_the_weights_and_remembers_them(own: Small, tmp_path: Path) -> None:
    split = load_split("one", own.root)
    made = pretrain([own.root], tmp_path / "w.safetensors", SMALL, split=split, device="cpu")
    trained, tested = ({i.image_sha256 for i in side} for side in (split.folds[0].train, split.folds[0].test))
    assert set(made.record.images) == trained and made.left_out == {"on a test side": len(tested)}
    assert made.record.excluded == "one" and set(made.record.papers) == {i.group for i in split.folds[0].train}
    config = train_config(Probe(arch=TINY, weights=made.path, image_size=40))
    run = train(split, config, own.workspace.runs, name="clean").run
    assert run.leakage is None and json.loads((run.folder / FILE).read_text())["excluded"] == "one"
    cv = train(load_split("cv", own.root), config, own.workspace.runs, name="folds").run
    assert "pretrained, without labels, on 12 of 20 test images" in str(cv.leakage)
    paths = [own.root / item.path for item in split.items.values()]
    found = predict(open_run(cv.folder), paths)
    through = {row.image_sha256: row.trained_through for row in found.done}
    assert {through[sha] for sha in trained} == {"image"}


def test_weights_that_saw_a_test_side_say_so_everywhere(own: Small, tmp_path: Path) -> None:
    split = load_split("one", own.root)
    made = pretrain([own.root], tmp_path / "w.safetensors", SMALL, device="cpu")
    run = train(split, train_config(Probe(arch=TINY, weights=made.path, image_size=40)), own.workspace.runs).run
    assert "8 of 8 test images" in str(run.leakage)
    tests = [own.root / item.path for item in split.folds[0].test]
    rows = predict(run, tests).done
    assert {(row.trained_on, row.trained_through) for row in rows} == {(True, "pretraining")}
    assert "8 of 8 test images" in (run.folder / "README.md").read_text(encoding="utf-8")


def test_nothing_of_a_tested_paper_is_shown(own: Small, tmp_path: Path) -> None:
    split = load_split("one", own.root)
    trained, tested = split.folds[0].train[0], split.folds[0].test[0]
    rows = [
        *((texture(500 + k, 2.0), "paper of nobody", "accepted") for k in range(9)),
        (texture(520, 2.0), tested.group, "accepted"),
        (texture(521, 2.0), "paper of nobody", "rejected"),
        (texture(522, 2.0), trained.group, "accepted"),
        (texture(523, 2.0), "another", "accepted"),
        (texture(523, 2.0), tested.group, "accepted"),  # the same picture in two papers, one of them tested
        (split.image_path(tested).read_bytes(), "another", "accepted"),
    ]
    folder = panels_folder(tmp_path / "panels", rows)
    loose = tmp_path / "loose.png"
    loose.write_bytes(texture(530, 2.0))
    made = pretrain([folder, loose], tmp_path / "w.safetensors", SMALL, split=split, device="cpu")
    assert set(made.record.papers) == {"paper of nobody", trained.group}
    assert len(made.record.images) == 10
    assert made.left_out == {
        "not accepted by the screening": 1,
        "of a paper on a test side": 2,
        "on a test side": 1,
        "of an unknown paper": 1,
    }


def test_what_looks_like_a_test_image_is_left_out(own: Small, tmp_path: Path) -> None:
    from io import BytesIO

    from PIL import Image

    split = load_split("one", own.root)
    copy = BytesIO()
    Image.open(split.image_path(split.folds[0].test[0])).save(copy, "JPEG", quality=95)
    rows = [*((texture(600 + k, 2.0), "p", "accepted") for k in range(8)), (copy.getvalue(), "p", "accepted")]
    folder = panels_folder(tmp_path / "panels", rows)
    made = pretrain([folder], tmp_path / "w.safetensors", SMALL, split=split, device="cpu")
    assert made.left_out == {"looking like an image of a test side": 1}
    later = pretrain([folder], tmp_path / "x.safetensors", Pretraining(**{**vars(SMALL), "weights": str(made.path)}))
    assert set(made.record.images) < set(later.record.images) and len(later.record.images) == 9


def test_what_cannot_be_pretrained_is_refused(micrographs: Path, tmp_path: Path) -> None:
    target = tmp_path / "w.safetensors"
    with pytest.raises(InputError, match="1 pictures are left"):
        pretrain([next(micrographs.glob("images/*.png"), None) or next(micrographs.rglob("*.png"))], target, SMALL)
    with pytest.raises(InputError, match="There is no"):
        pretrain([tmp_path / "nowhere"], target, SMALL)
    with pytest.raises(UsageError, match="--batch-size must lie between 8"):
        pretrain([micrographs], target, Pretraining(batch_size=4))
    with pytest.raises(UsageError, match="does not end in"):
        pretrain([micrographs], tmp_path / "w.pt", SMALL)
    assert pretrained("imagenet") is None and pretrained(str(tmp_path / "w.pt")) is None
    target.write_bytes(b"Notes of others\n")
    with pytest.raises((RefusedError, InputError)):
        pretrain([micrographs], target, SMALL)
    assert target.read_bytes() == b"Notes of others\n"


def test_the_command_says_what_was_learned_and_what_comes_next(tmp_path: Path) -> None:
    small = make_small(tmp_path / "workspace", groups=5)
    words = ("pretrain", small.root, "--arch", TINY, "--weights", "none", "--image-size", 32, "--epochs", 2)
    target = tmp_path / "w.safetensors"
    said = call(small, *words, "--whole", "--batch-size", 8, "--split", "one", "-o", target, "--device", "cpu")
    assert "left out, on a test side  8" in said and "Next: polymodel train one --weights" in said
    again = parsed(small, *words, "--whole", "--batch-size", 8, "--split", "one", "-o", target, "--device", "cpu")
    assert again["epochs_now"] == 0 and again["images"] == 12 and len(again["history"]) == 2
    assert "polydata export panels" in call(small, "pretrain", expect=1)
