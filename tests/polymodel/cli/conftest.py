"""The runs that the commands are tried on."""

from __future__ import annotations

import pytest
from model_runs import FAST, call
from small_split import Small


@pytest.fixture(scope="session", autouse=True)
def runs(small: Small) -> None:
    """A run on one partition, on a leaky one, and on folds."""
    for split in ("one", "leaky", "cv"):
        call(small, "train", "--split", split, "--name", f"run-{split}", *FAST)
