"""What the tests share."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from label_studio_server import label_studio  # noqa: F401 - a fixture: the server that the tests share
from once import made_once
from warm_readers import warm_readers

from polydata.extraction.paper import extract_paper
from polydata.images.picture import ImageStore
from polydata.types import Paper
from polydata.workspace import ExtractSettings

# Two workers share the processors: threads of their own that wait for each other spin, and took three times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # how long an example takes says how busy the machine is

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that no process is left with one when the others have nothing to do."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path not in slow, 0 if item.path in slow else -tests[item.path]))


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


@pytest.fixture(scope="session", autouse=True)
def _warm_readers() -> Iterator[None]:
    """Papers that a test reads in its own process are read by workers that earlier tests started."""
    with warm_readers():
        yield


@pytest.fixture(scope="session")
def literature(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ImageStore, Mapping[str, Paper]]:
    """What extraction finds in the published papers, by the names of their files, and where its pictures lie."""

    def make(folder: Path) -> tuple[ImageStore, Mapping[str, Paper]]:
        store = ImageStore(folder / "store")
        paths = sorted((shared_data / "papers").glob("*.pdf"))
        return store, {path.name: extract_paper(path, store, ExtractSettings()) for path in paths}

    return made_once(tmp_path_factory, "literature", make)
