"""Two workspaces to be merged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from workspaces import extracted


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Workspaces ``here`` and ``there`` with one common paper, and ``both``, which read all of them itself."""
    place = tmp_path_factory.mktemp("merging")
    extracted(place / "here", ["below", "above"], place / "pdfs")
    extracted(place / "there", ["above", "objects"], place / "pdfs")
    extracted(place / "both", ["below", "above", "objects"], place / "pdfs")
    return place


@pytest.fixture
def pair(made: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Copies of both, to be changed at will."""
    return tuple(shutil.copytree(made / name, tmp_path / name) for name in ("here", "there"))  # type: ignore[return-value]
