"""``polydata merge``: what comes, what stays, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

from commands import run, run_json
from merging_scene import annotation, catalogue, fingerprint, panel_of, read, record, write
from workspaces import every_file, stored

from polydata import ids


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
            records=[
                record("1", compatibility=word, source=f"/{word}.csv", source_row=1),
                record("2", source=f"/{word}.csv", source_row=len(word)),
            ],
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
