"""Settings chosen by papers held back within each training side: what is tried, what it sees, what is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kinds_scene import make_kinds
from model_runs import FAST, TINY, call, parsed
from small_split import Small, write_split

from polydata.errors import InputError, UsageError
from polydata.splits.manifest import Item
from polymodel import predict
from polymodel.api import open_run, write_report
from polymodel.config import Hardware, TrainConfig, read_search, train_config
from polymodel.data.split import load_split
from polymodel.prediction.ensemble import open_answers
from polymodel.recipes import Finetune, Probe
from polymodel.runs.parts import PartJob, choice_file, choices, recipe_of
from polymodel.runs.run import PartKey, Run, read_json
from polymodel.training import train as training
from polymodel.training.cost import cost
from polymodel.training.search import inner_folds
from polymodel.training.train import train

STRENGTHS = 'recipe = "probe"\ninner = 3\n[values]\ninverse_regularisation = [1e-9, 0.3]\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "search.toml"
    path.write_text(text, encoding="utf-8")
    return path


def probe(folder: Path, text: str = STRENGTHS) -> TrainConfig:
    return train_config(Probe(arch=TINY, weights="none", image_size=40, search=written(folder, text)))


def searched(small: Small, config: TrainConfig, name: str, split: str = "cv", **more: Any) -> Run:
    return train(load_split(split, small.root), config, small.workspace.runs, name=name, **more).run


def spied(monkeypatch: pytest.MonkeyPatch) -> list[PartJob]:
    """All that candidates are given from now on."""
    jobs: list[PartJob] = []
    plain = training.answer_test_side

    def spy(job: PartJob, *rest: Any) -> Any:
        jobs.append(job)
        return plain(job, *rest)

    monkeypatch.setattr(training, "answer_test_side", spy)
    return jobs


def test_the_choice_sees_no_image_and_no_paper_of_the_other_sides(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_split(small.workspace.splits / "with-val", [(small.items[:24], small.items[24:32], small.items[32:])])
    for name in ("cv", "with-val"):
        jobs = spied(monkeypatch)
        run = searched(small, probe(tmp_path), f"search-seen-{name}", name)
        assert len(jobs) == 6 * len(run.planned)
        for k, fold in enumerate(load_split(name, small.root).folds):
            own = jobs[6 * k : 6 * k + 6]
            train_side = {item.image_sha256 for item in fold.train}
            seen = [{item.image_sha256 for item in job.items} for job in own]
            assert seen == [train_side] * 6, "held back in turn, all images of the side are seen, and no other"
            others = {item.group for item in (*fold.val, *fold.test)}
            assert not others & {item.group for job in own for item in job.items}
            for job in own:
                assert not {i.group for i in job.fold.train} & {i.group for i in job.fold.test}


def test_another_test_side_changes_nothing_of_the_choice(own: Small, tmp_path: Path) -> None:
    """The same training side beside other papers, with other labels."""
    wrong = [replace(item, label="coarse" if item.label == "fine" else "fine") for item in own.items[16:]]
    for name, test in (("true", own.items[16:]), ("false", wrong)):
        write_split(own.workspace.splits / name, [(own.items[:12], test)])
    text = 'recipe = "probe"\ninner = 3\n[values]\ninverse_regularisation = [1e-9, 0.03, 0.3, 30]\n'
    runs = [searched(own, probe(tmp_path, text), name, name) for name in ("true", "false")]
    first, second = ([{**one, "seconds": 0} for one in choices(run)[0].pop("fits")] for run in runs)
    assert first == second
    assert len({one["loss"] for one in first}) == 12, "each fit is another"


def test_the_lowest_loss_is_chosen_and_kept_in_every_part(small: Small, tmp_path: Path) -> None:
    run = searched(small, probe(tmp_path), "search-lowest")
    assert [choice["fold"] for choice in choices(run)] == [1, 2, 3]
    for choice in choices(run):
        weak, fitting = choice["candidates"]
        assert weak["loss"] == pytest.approx(np.log(2), abs=1e-3), "labels weigh alike"
        assert fitting["loss"] < 0.5 and fitting["accuracy"] > 0.8
        assert choice["chosen"] == {"inverse_regularisation": 0.3}
        assert choice["images"] == 4 * choice["papers"] and len(choice["fits"]) == 6
    for key in run.planned:
        assert run.part(key)["chosen"] == {"inverse_regularisation": 0.3}
        used = run.history(key)
        assert used.loc[used["used"] == 1, "inverse_regularisation"].tolist() == [0.3]


def test_it_goes_on_where_it_was_broken_off(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, count = probe(tmp_path), 0
    whole = searched(small, config, "search-whole")
    plain = training.answer_test_side

    def broken(job: PartJob, *rest: Any) -> Any:
        nonlocal count
        count += 1
        if count == 9:
            raise KeyboardInterrupt
        return plain(job, *rest)

    monkeypatch.setattr(training, "answer_test_side", broken)
    with pytest.raises(KeyboardInterrupt):
        searched(small, config, "search-broken")
    assert len(read_json(choice_file(Run(small.workspace.runs / "search-broken", {}), 2))["fits"]) == 2
    run = searched(small, config, "search-broken")
    assert count == 9 + 10, "fits that are noted are not done again"
    for one, other in zip(choices(run), choices(whole), strict=True):
        assert one["candidates"] == other["candidates"]
    for key in run.planned:
        assert run.predictions(key).equals(whole.predictions(key))
    searched(small, config, "search-broken")
    assert count == 19, "nothing is left to do"


def loop(folder: Path, values: str, **more: Any) -> TrainConfig:
    text = f'recipe = "finetune"\ninner = 2\n[values]\n{values}\n'
    own = {"arch": TINY, "weights": "none", "image_size": 32, "epochs": 1, "patience": 0, **more}
    return train_config(Finetune("finetune", search=written(folder, text), **own))


AWAY = 'optimiser = ["sgd"]\n'
"""With large steps it has no loss any more."""


def test_a_loop_is_searched_and_a_candidate_that_runs_away_is_not_taken(small: Small, tmp_path: Path) -> None:
    config = loop(tmp_path, f"{AWAY}learning_rate = [100, 1e-3]", frozen_norm=True, epochs=3)
    run = searched(small, config, "search-loop", "one")
    [choice] = choices(run)
    assert choice["chosen"] == {"optimiser": "sgd", "learning_rate": 1e-3}
    assert "ran away" in choice["candidates"][0]["failed"] and choice["candidates"][0]["loss"] is None
    assert recipe_of(run, PartKey(1, 0)).learning_rate == 1e-3
    assert [path.name for path in (run.folder / "search").iterdir()] == ["fold-1.json"]


def test_where_no_candidate_can_be_trained_the_first_says_why(small: Small, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No candidate can be trained: Training ran away"):
        searched(small, loop(tmp_path, f"{AWAY}learning_rate = [99, 100]", frozen_norm=True, epochs=3), "none", "one")


@pytest.mark.slow
def test_two_processes_choose_what_one_does(small: Small, tmp_path: Path) -> None:
    config = loop(tmp_path, "learning_rate = [1e-9, 1e-3]", epochs=2, frozen_norm=True, batch_size=9)
    one = searched(small, config, "search-one-process", "one")
    two = searched(small, config, "search-two-processes", "one", hardware=Hardware(devices=2))
    losses = [[row["loss"] for row in choices(run)[0]["candidates"]] for run in (one, two)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    assert choices(one)[0]["chosen"] == choices(two)[0]["chosen"]


def test_parts_that_see_pictures_in_different_ways_predict_together(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was chosen is set by hand, since one fold's choice follows the others' on pictures that are alike."""
    text = 'recipe = "probe"\ninner = 2\n[values]\nimage_size = [32, 40]\n'
    plain, turn = training.choose, iter([{"image_size": 32}, {"image_size": 40}, {"image_size": 40}])
    monkeypatch.setattr(training, "choose", lambda *given, **more: (plain(*given, **more), next(turn))[1])
    run = open_run(searched(small, probe(tmp_path, text), "search-mixed").folder)
    assert [recipe_of(run, key).image_size for key in run.planned] == [32, 40, 40]
    assert recipe_of(run, run.planned[0]).views == ((40, 0), (40, 1), (64, 0)), "views go along"
    answers = open_answers(run, "cpu")
    assert [one.size for one in answers.preparations] == [32, 40] and list(answers.keys) == list(run.planned)
    items = {item.image_sha256: item for item in small.items}
    for key in run.planned:
        frame = run.predictions(key).set_index("image_sha256")
        item = items[frame.index[frame["side"] == "test"][0]]
        [found] = predict(run, small.root / item.path, device="cpu", members="unseen").done
        assert found.members == 1
        assert found.logits["fine"] == pytest.approx(frame.loc[item.image_sha256, "logit_fine"], abs=1e-4)
    with pytest.raises(InputError, match="in different ways"):
        run.explain(small.root / small.items[0].path, device="cpu")


def test_a_report_and_the_lists_say_what_was_chosen(small: Small, tmp_path: Path) -> None:
    path = written(tmp_path, STRENGTHS)
    run = parsed(small, "train", "cv", *FAST, "--search", path, "--name", "search-told")["run"]
    shown = parsed(small, "runs", "show", run)
    assert [choice["chosen"] for choice in shown["search"]] == [{"inverse_regularisation": 0.3}] * 3
    assert "chosen for fold 3" in call(small, "runs", "show", run)
    card = (small.workspace.runs / run / "README.md").read_text(encoding="utf-8")
    assert "held back within it: fold 1 inverse regularisation 0.3; fold 2" in card
    page = write_report([open_run(run, small.root)], tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<td>inverse regularisation 1e-09</td>" in page and "3 of 3: 1, 2, 3" in page


def test_the_number_of_trainings_is_said_before_they_begin(small: Small, tmp_path: Path) -> None:
    path = written(tmp_path, STRENGTHS)
    told = parsed(small, "train", "cv", *FAST, "--search", path, "--dry-run", "--name", "search-dry")
    assert (told["fits"], told["choosing"], told["candidates"], told["inner"]) == (3 * (2 * 3 + 1), 18, 2, 3)
    assert told["seconds"] > 0 and not (small.workspace.runs / "search-dry").exists()
    words = call(small, "train", "cv", *FAST, "--search", path, "--dry-run")
    assert words.startswith("21 trainings, 18 to choose among 2 candidates by 3 parts of a training side, 3 to keep; ")
    plain = call(small, "train", "cv", *FAST, "--dry-run")
    assert plain.startswith("3 trainings; about ")


def test_more_epochs_cost_more(small: Small, tmp_path: Path) -> None:
    split = load_split("one", small.root)
    few, many = (cost(split, loop(tmp_path, f"epochs = [1, {epochs}]")) for epochs in (2, 200))
    assert few.fits == many.fits == 5
    assert many.seconds > 10 * few.seconds


def test_papers_of_which_none_can_be_spared_are_refused(small: Small) -> None:
    items = [replace(small.items[k], label=label) for k, label in ((0, "fine"), (4, "coarse"), (8, "coarse"))]
    fold = replace(load_split("one", small.root).folds[0], train=tuple(items))
    assert [len(inner.train) for inner in inner_folds(fold, ("fine", "coarse"), 3, 0)] == [2]
    alone: list[Item] = items[:2]
    with pytest.raises(InputError):
        inner_folds(replace(fold, train=tuple(alone)), ("fine", "coarse"), 3, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('recipe = "probe"', "'values' is a required property"),
        ('recipe = "probe"\n[values]\nimage_size = []', "values.image_size"),
        ('recipe = "probe"\n[values]\nimage_size = [40]', "1 candidates"),
        ('recipe = "probe"\n[values]\nkind = ["probe", "loop"]', "values"),
        ('recipe = "probe"\ninner = 1\n[values]\nlikeness = [0, 1]', "inner: 1"),
        ('recipe = "probe"\n[values]\nlikenes = [0, 1]', "no setting likenes, but likeness"),
        ('recipe = "probe"\n[values]\nlikeness = [0, 2]', "likeness = 2: likeness: 2 is greater"),
        ('recipe = "probe"\n[values]\nepochs = [1, 2]', "means nothing to a probe"),
        ('recipe = "nothing"\n[values]\nlikeness = [0, 1]', "There is no recipe"),
        ("recipe = ", "is no search"),
        (None, "There is no search"),
    ],
)
def test_what_is_wrong_with_a_search_is_said(tmp_path: Path, text: str | None, said: str) -> None:
    path = written(tmp_path, text) if text is not None else tmp_path / "none.toml"
    with pytest.raises((InputError, UsageError), match=said):
        train_config(Probe(arch=TINY, weights="none", search=path))


def test_a_search_belongs_to_its_recipe_and_to_the_identity_of_a_run(tmp_path: Path) -> None:
    path = written(tmp_path, STRENGTHS)
    with pytest.raises(UsageError, match="varies the recipe probe, not finetune"):
        train_config(Finetune("finetune", search=path))
    plain, one = train_config(Probe()), train_config(Probe(search=path))
    other = train_config(Probe(search=written(tmp_path, STRENGTHS.replace("0.3", "3.0"))))
    assert len({config.digest("0" * 64) for config in (plain, one, other)}) == 3
    own = tmp_path / "own.toml"
    own.write_text('extends = "probe"\nname = "own"\nsummary = "mine"\nlikeness = 1.0\n', encoding="utf-8")
    base, search = read_search(written(tmp_path, 'recipe = "own.toml"\n[values]\nlikeness = [0.0, 1.0]\n'))
    assert base == str(own)
    assert search.candidates == ({"likeness": 0.0}, {"likeness": 1.0})


def test_a_split_of_numbers_is_searched(tmp_path: Path) -> None:
    run = searched(make_kinds(tmp_path / "own"), probe(tmp_path), "search-numbers", "regression-cv")
    for choice in choices(run):
        assert choice["measure"] == "mae"
        weak, fitting = choice["candidates"]
        assert fitting["loss"] < weak["loss"] and choice["chosen"] == fitting["settings"]
    page = write_report([run], tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Settings that were chosen" in page
