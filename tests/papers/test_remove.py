"""``polydata remove``: it says what hangs on a paper, asks, and takes out that paper and no more."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from commands import BIN, run, run_json
from make_pdf import LAYOUTS
from workspaces import every_file, extracted, stored

from polydata import ids
from polydata.catalogue.session import open_session
from polydata.errors import InputError
from polydata.papers.remove import plan_removal, remove
from polydata.workspace import Workspace


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("removal")
    extracted(place / "w", ["below", "objects"], place / "pdfs")
    extracted(place / "without", ["objects"], place / "pdfs")
    return place


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made / "w", tmp_path / "w")


def write(workspace: Path, **tables: Any) -> None:
    with open_session(Workspace.open(workspace)) as opened:
        for table, rows in tables.items():
            opened.catalogue.upsert(table, rows)


def read(workspace: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_session(Workspace.open(workspace)) as opened:
        return opened.catalogue.tuples(sql)


def fingerprint(workspace: Path) -> str:
    return str(run_json("polydata", "status", workspace=workspace)["fingerprint"])


def paper(workspace: Path, layout: str) -> str:
    return str(read(workspace, f"SELECT paper_id FROM papers WHERE file_name = '{layout}.pdf'")[0][0])


def images_of(workspace: Path, paper_id: str) -> list[str]:
    rows = read(
        workspace,
        f"""SELECT DISTINCT image_sha256 FROM panels JOIN figures USING (figure_id)
            WHERE paper_id = '{paper_id}' ORDER BY 1""",
    )
    return [image for (image,) in rows]


def hang(workspace: Path, paper_id: str) -> None:
    """A link, a paper link, a vote, an annotation, a correction of either kind and a split on the first image."""
    image = images_of(workspace, paper_id)[0]
    panel = read(workspace, f"SELECT panel_id FROM panels WHERE image_sha256 = '{image}'")[0][0]
    sha256 = read(workspace, f"SELECT sha256 FROM papers WHERE paper_id = '{paper_id}'")[0][0]
    link = {"record_id": "record-1", "method": "caption", "score": 0.9}
    write(
        workspace,
        records=[{"record_id": "record-1", "source": "/a.csv", "raw": "{}"}],
        links=[{"panel_id": panel, **link}],
        paper_links=[{"paper_id": paper_id, **link, "record_id": "record-2"}],
        label_votes=[{"panel_id": panel, "source": "record", "record_id": "record-1", "label": "0", "evidence": "-"}],
        annotations=[
            {
                "server": "s", "project": 1, "annotation_id": 1, "task": 1, "image_sha256": image, "annotator": "a",
                "cancelled": False, "deleted": False, "updated_at": datetime(2024, 1, 1), "raw": "{}",
            }
        ],
        screening_corrections=[{"image_sha256": image, "decision": "accepted"}],
        splits=[{"name": "s1", "digest": "-", "manifest": "{}", "created_at": datetime(2024, 1, 1)}],
        split_images=[
            {"split": "s1", "fold": 1, "side": "test", "image_sha256": image, "label": "0", "group_id": paper_id}
        ],
        edits=[
            {
                "edit_id": "edit-1", "paper_sha256": sha256, "number": 1, "target": "figure", "place": "{}",
                "changes": "{}",
            }
        ],
    )  # fmt: skip


def test_a_removed_paper_leaves_what_was_there_without_it(workspace: Path, made: Path) -> None:
    run("polydata", "screen", workspace=workspace)
    run("polydata", "screen", workspace=made / "without")
    done = run_json("polydata", "remove", "paper", paper(workspace, "below"), "--yes", workspace=workspace)
    assert done["removed"] is True and done["images"] == 2 and done["failures"] == []
    assert fingerprint(workspace) == fingerprint(made / "without")
    assert stored(workspace) == stored(made / "without")


def test_images_behind_an_address_that_another_workspace_shares_stay_there(workspace: Path, tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    shutil.copytree(workspace / "store", bucket)
    (workspace / "polydata.toml").write_text(f'[store]\nurl = "file://{bucket}"\n', encoding="utf-8")
    before, here = every_file(bucket), stored(workspace)
    other = shutil.copytree(workspace, tmp_path / "other")
    identifier = paper(workspace, "below")
    gone = {name for name in here if name.split(".")[0] in images_of(workspace, identifier)}
    said = run("polydata", "remove", "paper", identifier, "--yes", workspace=workspace).stdout
    assert f"The images stay in file://{bucket}" in said
    assert every_file(bucket) == before
    assert stored(workspace).keys() == here.keys() - gone
    shutil.rmtree(other / "store")
    assert run("polydata", "screen", workspace=other).returncode == 0  # it still has all of its images
    done = run_json("polydata", "remove", "paper", paper(workspace, "objects"), "--yes", workspace=workspace)
    assert done["left_behind"] == f"file://{bucket}"


def test_what_hangs_on_it_is_named_and_what_people_said_is_kept(workspace: Path) -> None:
    identifier = paper(workspace, "below")
    hang(workspace, identifier)
    before = every_file(workspace)
    plan = run_json("polydata", "remove", "paper", identifier, "--dry-run", workspace=workspace)
    assert plan["removed"] is False
    assert plan["papers"] == [
        {
            "paper_id": identifier, "file_name": "below.pdf", "figures": 2, "panels": 2, "links": 2, "labels": 1,
            "edits": 1, "images": 2, "annotations": 1, "splits": ["s1"],
        }
    ]  # fmt: skip
    table = run("polydata", "remove", "paper", identifier, "--dry-run", workspace=workspace)
    assert f"below.pdf ({identifier}): 2 figures, 2 panels, 2 links, 1 labels, 1 edits, 2 images" in table.stdout
    assert "s1" in table.stdout and "Removed" not in table.stdout
    assert every_file(workspace) == before
    result = run("polydata", "remove", "paper", identifier, "--yes", workspace=workspace)
    assert "below.pdf" in result.stdout and "Removed 1 papers and 2 images." in result.stdout
    assert "Split: s1 holds images" in result.stderr
    for table_name in ("links", "paper_links", "label_votes"):
        assert read(workspace, f"SELECT * FROM {table_name}") == []
    for table_name in ("records", "annotations", "screening_corrections", "splits", "split_images", "edits"):
        assert len(read(workspace, f"SELECT * FROM {table_name}")) == 1


def test_ids_may_be_cut_short_or_be_the_sha256_of_the_file(workspace: Path, made: Path) -> None:
    identifier, sha256 = paper(workspace, "below"), ids.sha256_file(made / "pdfs/below.pdf")
    for name in (identifier, identifier[:13], sha256, sha256[:8]):
        plan = run_json("polydata", "remove", "paper", name, name, "--dry-run", workspace=workspace)
        assert [one["paper_id"] for one in plan["papers"]] == [identifier]


def test_wrong_ids_remove_nothing(workspace: Path) -> None:
    identifier = paper(workspace, "below")
    twin = {"source": "pdf", "file_name": "twin.pdf", "status": "done", "extractor": "1"}
    write(workspace, papers=[{"paper_id": f"{identifier[:14]}0000000", **twin}])
    before = every_file(workspace)
    for wrong, words in (
        ("paper-ffffff", "polydata list papers"),
        ("paper-12", "too short"),
        (identifier[:14], "Give more digits"),
    ):
        said = run("polydata", "remove", "paper", identifier, wrong, "--yes", workspace=workspace, expect=1).stderr
        assert words in said
    assert "--older" in run("polydata", "remove", "paper", "--yes", workspace=workspace, expect=2).stderr
    assert {name: one[0] for name, one in every_file(workspace).items()} == {n: one[0] for n, one in before.items()}


def test_without_a_terminal_it_neither_waits_nor_removes(workspace: Path) -> None:
    """Standard input is a pipe that nobody writes to: a question would wait for ever."""
    identifier, before = paper(workspace, "below"), fingerprint(workspace)
    for more in ((), ("--json",)):
        command = [BIN / "polydata", "remove", "paper", identifier, *more, "--workspace", workspace]
        waiting, writer = os.pipe()
        with subprocess.Popen(command, stdin=waiting, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            stdout, stderr = process.communicate(timeout=60)
        os.close(waiting)
        os.close(writer)
        assert process.returncode == 2 and b"--yes" in stderr
        assert (b"below.pdf" in stdout) is (more == ()) and b"Remove these" not in stdout
    assert fingerprint(workspace) == before


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 1)])
def test_at_a_terminal_it_asks(workspace: Path, answer: str, status: int) -> None:
    identifier, before = paper(workspace, "below"), fingerprint(workspace)
    master, terminal = pty.openpty()
    command = [BIN / "polydata", "remove", "paper", identifier, "--workspace", workspace]
    with subprocess.Popen(command, stdin=terminal, stdout=subprocess.PIPE, stderr=terminal) as process:
        said = b""
        while b"Remove these papers?" not in said and select.select([master], [], [], 60)[0]:
            said += os.read(master, 1000)
        os.write(master, f"{answer}\n".encode())
        stdout, _ = process.communicate(timeout=60)
    assert process.returncode == status
    assert b"below.pdf" in stdout and b"Remove these" not in stdout
    assert (fingerprint(workspace) == before) is (answer == "n")


def test_images_that_other_papers_show_stay(workspace: Path) -> None:
    below, objects = paper(workspace, "below"), paper(workspace, "objects")
    shared, own = images_of(workspace, below)
    with open_session(Workspace.open(workspace)) as opened:
        opened.catalogue.run(
            """UPDATE panels SET image_sha256 = ? WHERE panel_id = (
                   SELECT min(panel_id) FROM panels JOIN figures USING (figure_id) WHERE paper_id = ?)""",
            [shared, objects],
        )
    alone = run_json("polydata", "remove", "paper", below, "--dry-run", workspace=workspace)["papers"]
    assert [one["images"] for one in alone] == [1]
    both = run_json("polydata", "remove", "paper", objects, below, "--dry-run", workspace=workspace)["papers"]
    assert [(one["paper_id"], one["images"]) for one in both] == [(objects, 4), (below, 2)]  # none stays for the other
    run("polydata", "remove", "paper", below, "--yes", workspace=workspace)
    names = {name.partition(".")[0] for name in stored(workspace)}
    assert shared in names and own not in names
    assert read(workspace, f"SELECT count(*) FROM images WHERE sha256 IN ('{shared}', '{own}')") == [(1,)]


def test_nothing_of_a_paper_stays_in_the_sample(workspace: Path) -> None:
    """Its pages, captions and name; pictures of it; not the judgement of an image that another paper shows."""
    below, objects = paper(workspace, "below"), paper(workspace, "objects")
    run("polydata", "screen", workspace=workspace)
    run("polydata", "quality", "draw", workspace=workspace)
    pictures = workspace / "store" / "shown-figures"
    shared, _ = images_of(workspace, below)
    figure = read(workspace, f"SELECT figure_id FROM figures WHERE paper_id = '{below}'")[0][0]
    name = ids.figure_picture(figure)
    asked = pictures / name[:2] / f"{name}.png"
    asked.parent.mkdir(exist_ok=True)
    asked.write_bytes(b"a figure whose boxes were asked about")
    with open_session(Workspace.open(workspace)) as opened:
        opened.catalogue.run(
            """UPDATE panels SET image_sha256 = ? WHERE panel_id = (
                   SELECT min(panel_id) FROM panels JOIN figures USING (figure_id) WHERE paper_id = ?)""",
            [shared, objects],
        )
    of_below = "SELECT count(*) FROM quality_sample WHERE starts_with(place, 'below')"
    before = read(workspace, "SELECT count(*) FROM quality_sample")[0][0]
    there = read(workspace, of_below)[0][0]
    assert there > 3 and len(list(pictures.rglob("*.png"))) > 3
    run("polydata", "remove", "paper", below, "--yes", workspace=workspace)
    assert read(workspace, of_below) == [(0,)]
    assert read(workspace, "SELECT unit FROM quality_sample WHERE place = ''") == [(shared,)]
    assert read(workspace, "SELECT count(*) FROM quality_sample") == [(before - there + 1,)]
    drawn = read(workspace, "SELECT picture FROM quality_sample WHERE kind <> 'image'")
    assert drawn and {path.stem for path in pictures.rglob("*.png")} == {name for (name,) in drawn}
    run("polydata", "quality", "draw", "--figures", "0", "--images", "0", workspace=workspace)
    with open_session(Workspace.open(workspace)) as opened:
        opened.catalogue.run("UPDATE figures SET caption = 'another'")
    run("polydata", "quality", "draw", workspace=workspace)  # pages have other captions, so other pictures
    drawn = read(workspace, "SELECT picture FROM quality_sample WHERE kind <> 'image'")
    assert {path.stem for path in pictures.rglob("*.png")} == {name for (name,) in drawn}


def test_older_versions_of_a_file(workspace: Path, tmp_path: Path) -> None:
    path = tmp_path / "changing.pdf"
    LAYOUTS["above"](path)
    run("polydata", "extract", path, workspace=workspace)
    older = paper(workspace, "changing")
    empty = run("polydata", "remove", "paper", "--older", workspace=workspace)
    assert "No paper is older" in empty.stdout
    assert run_json("polydata", "remove", "paper", "--older", workspace=workspace)["removed"] is False
    LAYOUTS["strips"](path)
    run("polydata", "extract", path, workspace=workspace)
    done = run_json("polydata", "remove", "paper", "--older", older, "--yes", workspace=workspace)
    assert [one["paper_id"] for one in done["papers"]] == [older]
    assert len(read(workspace, "SELECT * FROM papers")) == 3


def test_older_says_nothing_of_files_that_are_gone(workspace: Path, tmp_path: Path) -> None:
    path = tmp_path / "changing.pdf"
    for layout in ("above", "strips"):
        LAYOUTS[layout](path)
        run("polydata", "extract", path, workspace=workspace)
    path.unlink()
    assert run_json("polydata", "remove", "paper", "--older", "--dry-run", workspace=workspace)["papers"] == []


def test_files_that_cannot_be_deleted_are_listed(workspace: Path) -> None:
    identifier = paper(workspace, "below")
    image = images_of(workspace, identifier)[0]
    path = next((workspace / "store").rglob(f"{image}.*"))
    path.unlink()
    path.mkdir()  # a folder is no file to delete, for root either
    result = run("polydata", "remove", "paper", identifier, "--yes", "--json", workspace=workspace, expect=3)
    done = json.loads(result.stdout)
    assert (done["removed"], done["images"], len(done["failures"])) == (True, 1, 1)
    assert f"Not deleted: {path}" in result.stderr and "by hand" in result.stderr
    assert paper(workspace, "objects") and read(workspace, "SELECT * FROM papers WHERE file_name = 'below.pdf'") == []


def test_a_failure_in_the_catalogue_removes_nothing(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identifier, before, files = paper(workspace, "below"), fingerprint(workspace), stored(workspace)

    def fail(*_: object) -> None:
        raise InputError("stopped")

    monkeypatch.setattr("polydata.catalogue.remove.delete_papers", fail)
    place = Workspace.open(workspace)
    with open_session(place) as opened, pytest.raises(InputError):
        remove(opened, plan_removal(opened, [identifier]))
    assert fingerprint(workspace) == before and stored(workspace) == files


def test_a_removed_paper_can_be_read_again(workspace: Path, made: Path) -> None:
    before = fingerprint(workspace)
    run("polydata", "remove", "paper", paper(workspace, "below"), "--yes", workspace=workspace)
    assert run_json("polydata", "extract", made / "pdfs", workspace=workspace)["read now"] == 1
    assert fingerprint(workspace) == before and stored(workspace) == stored(made / "w")
