"""What the tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from label_studio_server import label_studio  # noqa: F401 - a fixture: the server that the tests share

# Two workers share the processors: threads of their own that wait for each other spin, and took three times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # how long an example takes says how busy the machine is

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the published data; tests that ask for it are marked ``realdata``."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the published data does not lie beside this checkout")
    return SHARED / "data"


@pytest.fixture(scope="session")
def shared_tools(shared_data: Path) -> Path:
    """The scripts that lay out papers from the published data and score what was extracted."""
    return shared_data.parent / "tools"
