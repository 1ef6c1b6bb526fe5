"""Frames of a session: stable columns, pictures that show, and nothing in them that a notebook would run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from split_scene import make_scene

from polydata.catalogue.metadata import list_papers
from polydata.catalogue.session import Session
from polydata.errors import InputError

NAMES = ("papers", "figures", "panels", "labels", "records", "splits")
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with make_scene(tmp_path / "w").session() as opened:
        yield opened


def test_columns_and_types_are_the_same_with_and_without_rows(session: Session, tmp_path: Path) -> None:
    from polydata.catalogue.session import open_session
    from polydata.workspace import Workspace

    with open_session(Workspace.init(tmp_path / "empty")) as empty:
        for name in NAMES:
            full, none = (getattr(one, name)(arrow=True) for one in (session, empty))
            assert isinstance(full, pa.Table) and full.schema == none.schema and none.num_rows == 0
            frame = getattr(session, name)()
            pictures = ["image"] if name in ("figures", "panels") else []
            assert list(frame.columns) == [*full.column_names, *pictures]
            assert len(frame) == full.num_rows
            assert all(column in (getattr(Session, name).__doc__ or "") for column in frame) or name == "records"
    assert session.papers().iloc[0].to_dict().keys() == list_papers(session.catalogue)[0].keys()


def test_a_hostile_caption_is_shown_and_never_run(session: Session) -> None:
    session.catalogue.run("UPDATE panels SET caption = ?", [HOSTILE])
    session.catalogue.run("UPDATE figures SET caption = ?", [HOSTILE])
    frames = [session.panels(), session.figures(), session.panels().rename(columns={"caption": HOSTILE})]
    for frame in [*frames, frames[0].set_index("caption")]:
        page = frame._repr_html_()
        assert "<script" not in page and "onerror=&quot;" in page and page.count("data:image/jpeg") >= 1


def test_pictures_show_open_and_lie_somewhere(session: Session) -> None:
    frame = session.panels()
    picture = frame["image"].iloc[0]
    assert picture.path.is_file() and picture.open().mode == "RGB"
    assert frame.head(2)._repr_html_().count("<img src=") == 2
    with pd.option_context("display.max_rows", 3):
        assert frame._repr_html_().count("<img src=") == 3
    assert len(session.figures()["image"].iloc[0]) >= 1


def test_a_missing_picture_is_a_word(session: Session) -> None:
    picture = session.panels()["image"].iloc[0]
    picture.path.unlink()
    assert ">missing</span>" in session.panels()._repr_html_()
    with pytest.raises(InputError):
        picture.open()


def test_pandas_comes_when_a_frame_is_asked_for() -> None:
    code = "import sys, polydata.catalogue.session; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
