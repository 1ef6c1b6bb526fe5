"""Random views repeat, and the copies made on a device are those of ``views.fixed_copy``."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from polymodel.augment import fixed_copies, random_view, standard_transform
from polymodel.views import COPIES, fixed_copy, mirrored


def test_copies_in_a_batch_are_the_copies_one_by_one() -> None:
    images = np.random.default_rng(0).integers(0, 256, (COPIES, 16, 16), dtype=np.uint8)
    order = np.random.default_rng(1).permutation(COPIES).tolist()
    batch = fixed_copies(torch.from_numpy(images), order)
    for image, copy, made in zip(images, order, batch, strict=True):
        assert np.array_equal(fixed_copy(image, copy), made.numpy())
    with pytest.raises(ValueError, match="12"):
        fixed_copies(torch.from_numpy(images[:1]), [COPIES])


def test_a_random_view_follows_from_its_state_and_leaves_the_generator_alone() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8)
    transform = standard_transform(24)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, same, other = (random_view(image, 24, transform, state) for state in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert one.shape == (24, 24)


def test_four_mirror_images() -> None:
    image = np.arange(9, dtype=np.uint8).reshape(3, 3)
    views = mirrored(image)
    assert np.array_equal(views[3], np.rot90(image, 2))
    assert len({v.tobytes() for v in views}) == 4
