"""What people said as a table: written, and read back into another workspace, an emptied one, and the same."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest
from commands import run
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from workspaces import extracted

from polydata.catalogue.remove import remove_papers
from polydata.catalogue.said import SAID
from polydata.catalogue.session import open_session
from polydata.errors import InputError
from polydata.labels.table import export_answers, import_answers


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("table")
    extracted(place / "w", ["below", "above"], place / "pdfs")
    with open_session(place / "w") as session:
        images = session.catalogue.column("SELECT DISTINCT image_sha256 FROM panels ORDER BY 1")
        session.catalogue.upsert("annotations", [answer(n, image) for n, image in enumerate(images, start=1)])
        session.catalogue.upsert("screening_corrections", [{"image_sha256": images[0], "decision": "rejected"}])
    run("polydata", "label", "set", images[1], "incompatible", "--reason", "=1+1, seen", workspace=place / "w")
    run("polydata", "label", "distinct", images[0], images[2], "--reason", "later", workspace=place / "w")
    assert "later" in run("polydata", "trace", images[2], workspace=place / "w").stdout
    shutil.copytree(place / "w", place / "bare")
    with open_session(place / "bare") as session:
        for table in ("annotations", "label_decisions", "screening_corrections", "distinct_images"):
            session.catalogue.run(f"DELETE FROM {table}")
    return place


@pytest.fixture
def workspaces(made: Path, tmp_path: Path) -> tuple[Path, Path]:
    """One with what people said, and the same without."""
    return shutil.copytree(made / "w", tmp_path / "w"), shutil.copytree(made / "bare", tmp_path / "bare")


def answer(number: int, image: str) -> dict[str, Any]:
    said = {"annotator": "a@b.c", "choice": "compatible", "cancelled": False, "deleted": number == 3, "raw": "{}"}
    place = {"server": "http://s", "project": 1, "annotation_id": number, "task": number, "role": "label"}
    return {**place, **said, "comment": '\tyes; "so"', "image_sha256": image, "updated_at": "2026-01-01 00:00:00.25"}


def said(workspace: Path) -> dict[str, list[dict[str, Any]]]:
    with open_session(workspace, read_only=True) as session:
        tables = ("annotations", "label_decisions", "screening_corrections", "distinct_images", "labels")
        found = {table: session.catalogue.rows(f"SELECT * FROM {table} ORDER BY image_sha256") for table in tables}
    for row in found["label_decisions"]:
        del row["origin"]
    return found


def test_a_workspace_that_lost_it_all_has_it_again(workspaces: tuple[Path, Path], tmp_path: Path) -> None:
    full, bare = workspaces
    table = tmp_path / "said.csv"
    run("polydata", "label", "export", table, workspace=full)
    run("polydata", "label", "import", table, workspace=bare)
    assert said(bare) == said(full)
    run("polydata", "label", "export", tmp_path / "again.csv", workspace=bare)
    assert (tmp_path / "again.csv").read_bytes() == table.read_bytes()
    before = said(full)
    with open_session(full) as session:
        done = import_answers(session, table)
    assert (done.came, done.there, done.kept, done.waiting) == ({}, 8, (), 0)
    assert said(full) == before


def test_it_waits_for_papers_that_are_not_there(workspaces: tuple[Path, Path], tmp_path: Path, made: Path) -> None:
    full, bare = workspaces
    with open_session(full, read_only=True) as session:
        export_answers(session, tmp_path / "said.csv")
    with open_session(bare) as session:
        remove_papers(session.catalogue, session.catalogue.column("SELECT paper_id FROM papers"))
        assert import_answers(session, tmp_path / "said.csv").waiting == 4
    run("polydata", "extract", made / "pdfs", workspace=bare)
    assert said(bare) == said(full)


def test_what_was_decided_here_stays(workspaces: tuple[Path, Path], tmp_path: Path) -> None:
    full, bare = workspaces
    with open_session(full, read_only=True) as session:
        export_answers(session, tmp_path / "said.csv")
        image = session.catalogue.value("SELECT image_sha256 FROM label_decisions")
    run("polydata", "label", "set", image, "compatible", "--reason", "mine", workspace=bare)
    shown = run("polydata", "label", "import", tmp_path / "said.csv", workspace=bare).stderr
    assert image in shown
    assert [row["choice"] for row in said(bare)["label_decisions"]] == ["compatible"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(name="project", value=str(2**63))
@example(name="width", value=str(2**31))
@given(name=st.sampled_from(SAID), value=st.one_of(st.just(""), st.text(max_size=20), st.integers().map(str)))
def test_a_table_that_was_changed_is_refused_whole_or_comes_in(
    workspaces: tuple[Path, Path], tmp_path: Path, name: str, value: str
) -> None:
    full, bare = workspaces
    path = tmp_path / "said.csv"
    with open_session(full, read_only=True) as session:
        export_answers(session, path)
    with path.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    rows[0][name] = value
    with path.open("w", newline="", encoding="utf-8", errors="replace") as handle:
        writer = csv.DictWriter(handle, SAID)
        writer.writeheader()
        writer.writerows(rows)
    with open_session(bare) as session:
        for table in ("annotations", "label_decisions", "screening_corrections", "distinct_images"):
            session.catalogue.run(f"DELETE FROM {table}")
    try:
        with open_session(bare) as session:
            done = import_answers(session, path)
    except InputError:
        assert not said(bare)["annotations"]
    else:
        assert sum(done.came.values()) == 8
