"""Fixtures of the polymodel tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_split import Small, make_small


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Small networks gain nothing from threads, and lose much where other programs compete for the processors."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """A workspace shared by the session; tests add runs under names of their own and change nothing else."""
    return make_small(tmp_path_factory.mktemp("small"))


@pytest.fixture
def own(tmp_path: Path) -> Small:
    """A workspace that a test may spoil."""
    return make_small(tmp_path / "own", groups=5)
