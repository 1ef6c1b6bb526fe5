"""One split that the tests of all formats export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from split_scene import SplitScene, make_scene

from polydata.exports.workflow import Exported, export_split

Export = Callable[..., Exported]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> SplitScene:
    return make_scene(tmp_path_factory.mktemp("w") / "workspace")


@pytest.fixture
def export(scene: SplitScene, tmp_path: Path) -> Export:
    """Exports ``v1`` in a format."""

    def write(format_: str, folder: Path | None = None, **options: Any) -> Exported:
        with scene.session() as session:
            return export_split(session, "v1", format_, folder or tmp_path / format_, **{"quick": True} | options)

    return write
