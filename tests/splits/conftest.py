"""A workspace whose catalogue the tests fill themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from split_corpus import Corpus

from polydata.catalogue.session import open_session
from polydata.workspace import Workspace


@pytest.fixture
def corpus(tmp_path: Path) -> Iterator[Corpus]:
    workspace = Workspace.init(tmp_path / "workspace")
    with open_session(workspace) as session:
        yield Corpus(session)
