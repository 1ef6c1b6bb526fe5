"""``polydata merge``: what comes, what stays, and that neither papers nor answers of people are lost or mixed."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from commands import run, run_json
from workspaces import every_file, extracted, stored

from polydata import ids, merging
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.session import open_catalogue
from polydata.errors import PolydataError
from polydata.merging import merge
from polydata.workspace import Workspace

SERVER = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
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


def fingerprint(workspace: Path) -> str:
    return str(run_json("polydata", "status", workspace=workspace)["fingerprint"])


def catalogue(workspace: Path) -> Catalogue:
    return open_catalogue(Workspace.open(workspace))


def write(workspace: Path, **tables: Any) -> None:
    with catalogue(workspace) as opened:
        for table, rows in tables.items():
            opened.upsert(table, rows)


def read(workspace: Path, sql: str) -> list[tuple[Any, ...]]:
    with catalogue(workspace) as opened:
        return opened.tuples(sql)


def api(here: Path, there: Path) -> merging.Merge:
    place = Workspace.open(here)
    with open_catalogue(place) as opened:
        return merge(place, opened, Workspace.open(there))


def panel_of(workspace: Path, layout: str) -> tuple[str, str]:
    """A panel of a paper, and its image."""
    row: tuple[str, str] = read(
        workspace,
        f"""SELECT panel_id, image_sha256 FROM panels JOIN figures USING (figure_id) JOIN papers USING (paper_id)
            WHERE papers.file_name = '{layout}.pdf' ORDER BY 1""",
    )[0]
    return row


def record(name: str, **values: Any) -> dict[str, Any]:
    return {"record_id": f"record-{name}", "source": "/a.csv", "raw": "{}", "compatibility": None, **values}


def test_papers_come_with_their_images_as_if_they_had_been_read_here(pair: tuple[Path, Path], made: Path) -> None:
    here, there = pair
    before = every_file(there)
    done = run_json("polydata", "merge", there, workspace=here)
    assert done["came"]["papers"] == 1 and done["came"]["panels"] == 4
    assert (done["images"], done["kept"], done["papers"], done["behind"]) == (4, {}, [], [])
    assert fingerprint(here) == fingerprint(made / "both")
    assert stored(here) == stored(made / "both")
    assert all(name.startswith(sha256) for name, sha256 in stored(here).items())
    assert every_file(there) == before


def test_merging_again_changes_nothing(pair: tuple[Path, Path]) -> None:
    here, there = pair
    write(there, annotations=[annotation(1, panel_of(there, "objects")[1])])
    run("polydata", "merge", there, workspace=here)
    before = fingerprint(here)
    done = run_json("polydata", "merge", there, workspace=here)
    assert (done["images"], done["came"], done["kept"]) == (0, {}, {})
    assert fingerprint(here) == before


def test_what_hangs_on_papers_comes_too(pair: tuple[Path, Path]) -> None:
    here, there = pair
    panel, image = panel_of(there, "objects")
    common, _ = panel_of(there, "above")
    write(
        there,
        records=[record("1"), record("2")],
        record_components=[{"record_id": "record-1", "position": 0, "name": "PP"}],
        links=[{"panel_id": p, "record_id": "record-1", "method": "caption", "score": 0.9} for p in (panel, common)]
        + [{"panel_id": "panel-gone", "record_id": "record-1", "method": "caption", "score": 0.9}],
        label_votes=[{"panel_id": panel, "source": "record", "record_id": "record-1", "label": "0", "evidence": "-"}],
        screening_corrections=[{"image_sha256": image, "decision": "rejected"}],
    )
    run("polydata", "screen", workspace=there)
    done = run_json("polydata", "merge", there, workspace=here)
    wanted = {"records": 2, "record_components": 1, "links": 2, "label_votes": 1, "screening_corrections": 1}
    assert {table: done["came"].get(table) for table in wanted} == wanted
    assert done["came"]["screenings"] == len(stored(there))
    assert read(here, f"SELECT decision FROM screened WHERE image_sha256 = '{image}'") == [("rejected",)]


def test_conflicts_are_listed_and_this_workspace_keeps_its_own(pair: tuple[Path, Path]) -> None:
    here, there = pair
    panel, image = panel_of(here, "above")
    vote = {"panel_id": panel, "source": "record", "record_id": "record-1", "evidence": "-"}
    for place, word, decision in ((here, "compatible", "accepted"), (there, "incompatible", "rejected")):
        parts = [{"record_id": "record-1", "position": n, "name": word} for n in range(1 if place is here else 3)]
        write(
            place,
            records=[record("1", compatibility=word, source=f"/{word}.csv"), record("2", source=f"/{word}.csv")],
            record_components=parts,
            label_votes=[{**vote, "label": word}],
            screening_corrections=[{"image_sha256": image, "decision": decision}],
        )
    result = run("polydata", "merge", there, "--json", workspace=here)
    kept = json.loads(result.stdout)["kept"]
    assert kept == {
        "label_votes": [f"{panel} record record-1"],
        "records": ["record-1"],
        "screening_corrections": [image],
    }
    assert f"Kept as it is here, in screening_corrections: {image}" in result.stderr
    assert read(here, "SELECT compatibility FROM records ORDER BY record_id") == [("compatible",), (None,)]
    assert read(here, "SELECT name FROM record_components") == [("compatible",)]  # none of theirs beside it


def test_many_conflicts_are_cut_short_on_the_terminal_only(pair: tuple[Path, Path]) -> None:
    here, there = pair
    for place, word in ((here, "compatible"), (there, "incompatible")):
        write(place, records=[record(f"{n:02}", compatibility=word) for n in range(30)])
    result = run("polydata", "merge", there, "--json", workspace=here)
    assert len(json.loads(result.stdout)["kept"]["records"]) == 30
    lines = [line for line in result.stderr.splitlines() if "in records" in line]
    assert len(lines) == 21 and lines[-1].endswith("and 10 more: --json lists all")


def test_a_paper_read_in_another_way_stays_as_it_is_here(pair: tuple[Path, Path]) -> None:
    here, there = pair
    with catalogue(there) as opened:
        opened.run("UPDATE papers SET extractor = '999' WHERE file_name = 'above.pdf'")
    result = run("polydata", "merge", there, workspace=here)
    assert "above.pdf" in result.stderr and "999 there" in result.stderr
    assert ("999",) not in read(here, "SELECT extractor FROM papers")
    with catalogue(there) as opened:
        opened.run("UPDATE papers SET extractor = (SELECT min(extractor) FROM papers)")
        opened.run("UPDATE panels SET caption = 'corrected'")
    assert "other figures or panels there" in run("polydata", "merge", there, workspace=here).stderr


def test_a_failure_ends_when_the_paper_comes_and_others_stay(pair: tuple[Path, Path]) -> None:
    here, there = pair
    sha256 = dict(read(there, "SELECT file_name, sha256 FROM papers"))
    broken = {"reason": "broken", "detail": "-"}
    write(
        here,
        failures=[
            {"path": "/a.pdf", "sha256": sha256["objects.pdf"], **broken},
            {"path": "/b.pdf", "sha256": sha256["above.pdf"], **broken},  # it was read once and failed since
            {"path": "/c.pdf", "sha256": None, **broken},
        ],
    )
    write(there, failures=[{"path": "/d.pdf", "sha256": None, **broken}])
    run("polydata", "merge", there, workspace=here)
    assert read(here, "SELECT path FROM failures ORDER BY path") == [("/b.pdf",), ("/c.pdf",)]


def test_a_paper_whose_image_cannot_be_had_is_left_behind_alone(pair: tuple[Path, Path], made: Path) -> None:
    here, there = pair
    run("polydata", "extract", made / "pdfs/below.pdf", workspace=there)
    run("polydata", "remove", "paper", "--yes", ids.paper_id(ids.sha256_file(made / "pdfs/below.pdf")), workspace=here)
    for damage in (lambda path: path.write_bytes(b"\x89PNG"), Path.unlink):
        image = next((there / "store").rglob(f"{panel_of(there, 'objects')[1]}.*"))
        whole = image.read_bytes()
        damage(image)
        result = run("polydata", "merge", there, "--json", workspace=here, expect=3)
        done = json.loads(result.stdout)
        assert [("objects.pdf" in line, "image" in line) for line in done["behind"]] == [(True, True)]
        assert "Left behind: paper-" in result.stderr and "--again" in result.stderr
        assert read(here, "SELECT file_name FROM papers ORDER BY 1") == [("above.pdf",), ("below.pdf",)]
        assert read(here, "SELECT count(*) FROM images WHERE sha256 NOT IN (SELECT image_sha256 FROM panels)") == [(0,)]
        image.write_bytes(whole)
    run("polydata", "merge", there, workspace=here)
    assert fingerprint(here) == fingerprint(made / "both")


def test_what_cannot_be_merged_is_refused_with_the_next_step(pair: tuple[Path, Path], tmp_path: Path) -> None:
    here, _ = pair
    before = fingerprint(here)
    link = tmp_path / "link"
    link.symlink_to(here)
    for same in (here, link):
        assert "itself" in run("polydata", "merge", same, workspace=here, expect=2).stderr
    assert "polydata init" in run("polydata", "merge", tmp_path / "none", workspace=here, expect=4).stderr
    run("polydata", "init", tmp_path / "bare")
    (tmp_path / "bare/catalog.duckdb").unlink()
    assert "no catalogue" in run("polydata", "merge", tmp_path / "bare", workspace=here, expect=5).stderr
    (tmp_path / "bare/catalog.duckdb").write_bytes(b"no catalogue at all" * 1000)
    assert "not a valid" in run("polydata", "merge", tmp_path / "bare", workspace=here, expect=5).stderr
    assert fingerprint(here) == before


def test_catalogues_of_other_schemas_are_refused_unchanged(pair: tuple[Path, Path]) -> None:
    here, there = pair
    with catalogue(there) as opened:
        newest = opened.value("SELECT max(number) FROM applied_migrations")
        opened.run("INSERT INTO applied_migrations VALUES (?, 'later.sql', '-')", [newest + 1])
    before = every_file(there)
    assert "Update polydata" in run("polydata", "merge", there, workspace=here, expect=5).stderr
    assert every_file(there) == before
    with Catalogue.open(here / "catalog.duckdb") as opened:  # the other one cannot be opened any more
        opened.run("INSERT INTO applied_migrations VALUES (?, 'later.sql', '-')", [newest + 1])


def test_a_catalogue_of_an_older_schema_is_named_with_the_way_out(pair: tuple[Path, Path]) -> None:
    here, there = pair
    with catalogue(there) as opened:
        opened.run("DELETE FROM applied_migrations WHERE number = (SELECT max(number) FROM applied_migrations)")
    said = run("polydata", "merge", there, workspace=here, expect=5).stderr
    assert "older schema" in said and f"polydata status --workspace {there}" in said


def test_a_catalogue_that_is_being_written_is_waited_for(pair: tuple[Path, Path]) -> None:
    here, there = pair
    holder = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('-', flush=True); time.sleep(99)"
    command = [sys.executable, "-c", holder, there / "catalog.duckdb"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline()
        said = run("polydata", "merge", there, workspace=here, expect=5).stderr
        process.kill()
    assert "in use by process" in said


KILLED = """
import os, signal, sys
from pathlib import Path
from polydata import merging
from polydata.catalogue.session import open_catalogue
from polydata.workspace import Workspace

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

here, there, moment = sys.argv[1:]
copied = []
def advance(_):
    copied.append(1)
    if moment == "copying" and len(copied) == 2:
        die()
if moment == "writing":
    merging.merge_annotations = die
if moment == "after writing":
    merging.tie_supplements = die
place = Workspace.open(Path(here))
with open_catalogue(place) as catalogue:
    merging.merge(place, catalogue, Workspace.open(Path(there)), advance)
"""


@pytest.mark.parametrize("moment", ["copying", "writing", "after writing"])
def test_killed_and_run_again_it_ends_the_same(pair: tuple[Path, Path], made: Path, moment: str) -> None:
    here, there = pair
    before, other = fingerprint(here), every_file(there)
    ended = subprocess.run([sys.executable, "-c", KILLED, here, there, moment], check=False)
    assert ended.returncode == -signal.SIGKILL
    if moment != "after writing":
        assert fingerprint(here) == before
    run("polydata", "merge", there, workspace=here)
    assert fingerprint(here) == fingerprint(made / "both")
    assert stored(here) == stored(made / "both")
    assert every_file(there) == other


def test_a_store_that_cannot_be_written_ends_the_merge_before_the_catalogue(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = pair
    before = fingerprint(here)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("polydata.images.ImageStore.keep", full)
    with pytest.raises(PolydataError, match="No space left") as caught:
        api(here, there)
    assert "again" in caught.value.hint
    assert fingerprint(here) == before


def test_images_behind_an_address_are_read_without_being_fetched(pair: tuple[Path, Path], tmp_path: Path) -> None:
    here, there = pair
    bucket = tmp_path / "bucket"
    shutil.copytree(there / "store", tmp_path / "spare")
    (there / "store").rename(bucket)
    (there / "store").mkdir()
    (there / "polydata.toml").write_text(f'[store]\nurl = "file://{bucket}"\n', encoding="utf-8")
    assert api(here, there).images == 4
    assert not stored(there)

    (here / "polydata.toml").write_text(f'[store]\nurl = "file://{bucket}"\n', encoding="utf-8")
    run("polydata", "remove", "paper", *papers_named(here, "objects"), "--yes", workspace=here)
    shutil.copytree(tmp_path / "spare", bucket, dirs_exist_ok=True)
    assert (api(here, there).images, len(papers_named(here, "objects"))) == (0, 1)  # they share one store


def papers_named(workspace: Path, layout: str) -> list[str]:
    return [str(paper) for (paper,) in read(workspace, f"SELECT paper_id FROM papers WHERE file_name = '{layout}.pdf'")]


# Annotations: numbered by their server, known by its address.


def annotation(number: int, image: str, choice: str = "compatible", **values: Any) -> dict[str, Any]:
    created = values.pop("created", f"2024-01-01T00:00:{number:02}Z")
    return {
        "server": SERVER, "project": 1, "annotation_id": number, "task": number, "image_sha256": image,
        "annotator": "a@x.org", "choice": choice, "comment": None, "cancelled": False, "deleted": False,
        "updated_at": datetime(2024, 1, 1), "raw": json.dumps({"created_at": created}), **values,
    }  # fmt: skip


def answers(workspace: Path) -> set[tuple[Any, ...]]:
    return set(read(workspace, "SELECT annotator, choice FROM answers"))


@pytest.fixture
def image(pair: tuple[Path, Path]) -> Iterator[str]:
    yield panel_of(pair[0], "above")[1]


def test_two_servers_of_one_local_address_are_two(pair: tuple[Path, Path], image: str) -> None:
    """Both label the same picture first, each on a server of their own: equal in all but the person and the time."""
    here, there = pair
    write(here, annotations=[annotation(1, image)])
    write(there, annotations=[annotation(1, image, "incompatible", annotator="b@x.org", created="2024-02-02T")])
    assert api(here, there).came == {"papers": 1, **papers_of_objects(there), "annotations": 1}
    assert answers(here) == {("a@x.org", "compatible"), ("b@x.org", "incompatible")}
    assert api(here, there).came == {}
    assert api(there, here).came["annotations"] == 1  # that of here alone, not their own once more
    assert answers(there) == answers(here)


def papers_of_objects(workspace: Path) -> dict[str, int]:
    """What comes of objects.pdf beside its row."""
    return {"figures": 1, "panels": 4, "images": 4, **_scales(workspace)}


def _scales(workspace: Path) -> dict[str, int]:
    count = read(
        workspace,
        """SELECT count(*) FROM scale_bars JOIN panels USING (panel_id) JOIN figures USING (figure_id)
           JOIN papers USING (paper_id) WHERE papers.file_name = 'objects.pdf'""",
    )[0][0]
    return {"scale_bars": count} if count else {}


def test_a_local_server_that_only_the_other_knows_gets_its_name(pair: tuple[Path, Path], image: str) -> None:
    here, there = pair
    write(there, annotations=[annotation(1, image)])
    api(here, there)
    assert read(here, "SELECT server FROM annotations") == [(f"{SERVER} of {there}",)]  # else a pull would delete it
    write(there, annotations=[annotation(1, image, "incompatible", updated_at=datetime(2024, 3, 1))])
    assert api(here, there).came == {"annotations": 1}
    assert answers(here) == {("a@x.org", "incompatible")}


@pytest.mark.parametrize("server", [SERVER, "https://label.example.org"])
def test_of_one_server_the_later_state_of_an_annotation_stays(pair: tuple[Path, Path], image: str, server: str) -> None:
    here, there = pair
    later = {"updated_at": datetime(2024, 3, 1)}
    old = [annotation(number, image, annotator=f"{number}@x.org", server=server) for number in (1, 2, 3)]
    mine = [old[0], {**old[1], "choice": "partial", **later}, old[2]]
    theirs = [{**old[0], "choice": "incompatible", **later}, old[1], {**old[2], "deleted": True}]
    new = annotation(4, image, annotator="4@x.org", server=server)
    write(here, annotations=mine)
    write(there, annotations=[*theirs, new])
    assert api(here, there).came["annotations"] == 3
    assert answers(here) == {("1@x.org", "incompatible"), ("2@x.org", "partial"), ("4@x.org", "compatible")}
    assert read(here, "SELECT DISTINCT server FROM annotations") == [(server,)]


# Corrections by hand.


def edit(workspace: Path, layout: str, number: int, name: str) -> dict[str, Any]:
    sha256 = read(workspace, f"SELECT sha256 FROM papers WHERE file_name = '{layout}.pdf'")[0][0]
    place = {"page": 1, "label": "Figure 1", "box": {"x0": 0, "y0": 0, "x1": 9, "y1": 9}, "panel_label": None}
    changes = {"page": None, "box": None, "caption": name, "label": None, "kind": None, "delete": False}
    return {
        "edit_id": f"edit-{name}", "paper_sha256": sha256, "number": number, "target": "figure",
        "place": json.dumps({**place, "panel_box": None}), "changes": json.dumps(changes), "stale": None,
    }  # fmt: skip


def test_corrections_by_hand_come_with_their_paper_or_wait_for_it_to_be_read(pair: tuple[Path, Path]) -> None:
    here, there = pair
    write(there, edits=[edit(there, "objects", 1, "new"), edit(there, "above", 1, "common")])
    assert api(here, there).came["edits"] == 2
    states = dict(read(here, "SELECT edit_id, stale FROM edits"))
    assert states["edit-new"] is None and "--again" in states["edit-common"]
    assert api(here, there).kept == {}


def test_corrections_of_one_paper_by_two_are_not_mixed(pair: tuple[Path, Path]) -> None:
    here, there = pair
    write(here, edits=[edit(here, "above", 1, "mine")])
    write(there, edits=[edit(there, "above", 1, "theirs"), edit(there, "above", 2, "more")])
    assert api(here, there).kept == {"edits": ["edit-more", "edit-theirs"]}
    assert read(here, "SELECT edit_id FROM edits") == [("edit-mine",)]


def test_a_correction_that_waits_is_made_when_the_paper_is_read_again(pair: tuple[Path, Path], made: Path) -> None:
    here, there = pair
    figure, x0, y0, x1, y1 = read(
        there,
        """SELECT figure_id, figures.x0, figures.y0, figures.x1, figures.y1 FROM figures JOIN papers USING (paper_id)
           WHERE file_name = 'above.pdf' ORDER BY page""",
    )[0]
    run("polydata", "edit", "figure", figure, "--box", f"{x0},{y0},{x1},{y1 - 40}", workspace=there)
    assert "other figures or panels there" in run("polydata", "merge", there, workspace=here).stderr
    run("polydata", "extract", made / "pdfs/above.pdf", "--again", workspace=here)
    assert "above.pdf" not in run("polydata", "merge", there, workspace=here).stderr
    assert read(here, "SELECT stale FROM edits") == [(None,)]
