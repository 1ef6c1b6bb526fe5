from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_split import Small

import polymodel
from polydata.errors import InputError, RefusedError, UsageError
from polymodel.data.split import SplitDataset, check_images, group_folds, targets


def test_a_split_is_found_by_name_and_by_folder(small: Small) -> None:
    by_name = polymodel.load_split("one", small.root)
    assert by_name == polymodel.load_split(small.workspace.splits / "one")
    assert by_name.classes == ("fine", "coarse")
    with pytest.raises(InputError, match="no split"):
        polymodel.load_split("nothing", small.root)
    with pytest.raises(InputError, match="no split"):
        polymodel.load_split(Path("../nothing/here"), small.root)


def test_a_data_set_hands_out_pictures_and_targets(small: Small) -> None:
    import torch

    split = polymodel.load_split("one", small.root)
    plain = SplitDataset(split, split.folds[0].train)
    picture, target = plain[1]
    assert (picture.mode, picture.size, target) == ("RGB", (64, 64), 1 if plain.items[1].label == "coarse" else 0)
    as_tensor = SplitDataset(split, split.folds[0].test, lambda p: torch.from_numpy(np.asarray(p).copy()))
    batch, labels = next(iter(torch.utils.data.DataLoader(as_tensor, batch_size=5)))  # type: ignore[arg-type]
    assert batch.shape == (5, 64, 64, 3)
    assert labels.tolist() == as_tensor.targets[:5].tolist()
    with pytest.raises(UsageError, match="no batch") as caught:
        SplitDataset(split, split.folds[0].test, lambda p: p.resize((8, 8)))[0]
    assert "ToImage()" in caught.value.hint


def test_a_changed_image_is_refused(own: Small) -> None:
    split = polymodel.load_split("one", own.root)
    check_images(split)
    path = split.image_path(split.folds[0].test[0])
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(RefusedError, match=path.name):
        check_images(split)


def test_group_folds_part_no_group_and_cover_all() -> None:
    labels = np.array([0, 1] * 20)
    groups = [f"g{k // 4}" for k in range(40)]
    parts = group_folds(labels, groups, 5, seed=1)
    assert len(parts) == 5
    assert sorted(k for _, out in parts for k in out) == list(range(40))
    for kept, out in parts:
        assert not {groups[k] for k in kept} & {groups[k] for k in out}
    with pytest.raises(InputError, match="too small"):
        group_folds(labels, ["g"] * 40, 5, seed=1)
    with pytest.raises(InputError, match="too small"):
        group_folds(np.array([0, 1]), ["a", "b"], 5, seed=1)


@pytest.mark.filterwarnings("ignore:The least populated class")
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abcdef")), min_size=1, max_size=30), st.integers(0, 9))
def test_group_folds_are_as_many_as_they_can_be(items: list[tuple[int, str]], seed: int) -> None:
    labels, groups = np.array([label for label, _ in items]), [group for _, group in items]
    count = min(5, len(set(groups)), max(np.bincount(labels)))
    if count < 2:
        with pytest.raises(InputError, match="too small"):
            group_folds(labels, groups, 5, seed)
        return
    parts = group_folds(labels, groups, 5, seed)
    assert len(parts) == count
    assert sorted(k for _, out in parts for k in out) == list(range(len(items)))
    for kept, out in parts:
        assert len(kept)
        assert len(out)
        assert not {groups[k] for k in kept} & {groups[k] for k in out}


def test_labels_outside_the_manifest_are_an_error(small: Small) -> None:
    with pytest.raises(InputError, match="coarse"):
        targets(small.items, ["fine"])
