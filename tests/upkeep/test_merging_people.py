"""Merging what people did: neither answers nor corrections are lost or mixed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from commands import run
from merging_scene import SERVER, annotation, api, panel_of, read, record, write

# Annotations: numbered by their server, known by its address.


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


def test_images_that_differ_come_along(pair: tuple[Path, Path], image: str) -> None:
    here, there = pair
    other = panel_of(there, "objects")[1]
    words = ("polydata", "label", "distinct", image[:12], other)
    run(*words, workspace=there)
    assert api(here, there).came["distinct_images"] == 2
    assert json.loads(run("polydata", "label", "distinct", "--json", workspace=here).stdout)[0]["reason"] == ""
    run(*words, "--undo", workspace=here)
    assert "Of no images" in run("polydata", "label", "distinct", workspace=here).stdout


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


def test_links_by_hand_of_two_people_are_not_mixed(pair: tuple[Path, Path]) -> None:
    """Here the record belongs to a panel, there to none: what is linked here stays, and the record is named."""
    here, there = pair
    (panel, _), linked = panel_of(here, "above"), record("0123456789")
    for workspace in pair:
        write(workspace, records=[linked, record("9876543210")])
    run("polydata", "link", linked["record_id"], panel, workspace=here)
    run("polydata", "link", linked["record_id"], "--nothing", workspace=there)
    run("polydata", "link", "record-9876543210", panel, workspace=there)
    done = api(here, there)
    assert done.kept["manual_links"] == [linked["record_id"]]
    both = {(linked["record_id"], panel), ("record-9876543210", panel)}
    assert set(read(here, "SELECT record_id, target_id FROM manual_links")) == both
    assert set(read(here, "SELECT record_id, panel_id FROM links WHERE method = 'manual'")) == both


def test_undo_after_a_merge_takes_back_what_was_decided_here(pair: tuple[Path, Path]) -> None:
    here, there = pair
    mine = str(read(here, "SELECT min(sha256) FROM images")[0][0])
    run("polydata", "label", "set", mine, "compatible", "--reason", "seen", workspace=here)
    shared = [image for (image,) in read(there, "SELECT sha256 FROM images ORDER BY 1") if image != mine]
    run("polydata", "label", "set", shared[0], "incompatible", "--reason", "seen", workspace=there)
    assert api(here, there).came["label_decisions"] == 1
    gone = json.loads(run("polydata", "label", "undo", "--json", workspace=here).stdout)
    assert gone["image_sha256"] == mine
    said = run("polydata", "label", "undo", workspace=here, expect=2).stderr
    assert "No label was set by hand" in said
    run("polydata", "label", "undo", shared[0], workspace=here)  # named, it can be taken back
    assert read(here, "SELECT count(*) FROM label_decisions") == [(0,)]
