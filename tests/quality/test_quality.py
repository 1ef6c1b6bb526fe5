"""How good a corpus is: a sample drawn, judged in a table or a browser, and read back."""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from commands import run
from edit_scene import EditScene

from polydata.catalogue import quality as stored
from polydata.catalogue.connect import migrations
from polydata.catalogue.session import Session, open_session
from polydata.errors import RefusedError, UsageError
from polydata.labels import asking
from polydata.quality.workflow import check_table, choose, draw, measured, read_judged, write_table
from polydata.screening.workflow import screen
from polydata.workspace import Workspace

NOT_ASKED = "'-"
"""A dash as a spreadsheet shows it and takes for no formula."""
SCALE = {"version": 1, "value": 5.0, "unit": "µm", "value_um": 5.0, "length_px": 40.0, "confidence": 0.9}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> EditScene:
    made = EditScene.make(tmp_path_factory.mktemp("quality"))
    with made.session() as session:
        screen(session)
    return made


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def filled(path: Path, **counts: int | str) -> None:
    """Fill a table in: everything is right, but for what is said."""
    rows = rows_of(path)
    right = {"figures_right": "found", "panels_right": "found", "captions_right": "named"}
    for row in rows:
        for name in stored.FIELDS[row["kind"]]:  # type: ignore[index]
            if row[name] != NOT_ASKED:
                row[name] = str(counts.get(name, row[right[name]] if name in right else int(name == "is_micrograph")))
    write_rows(path, rows)


def nothing_right(unit: dict[str, Any]) -> dict[str, int]:
    """All that can be counted in a unit, as zeros."""
    return {name: 0 for what in unit["found"] for name in stored.MEASURED[what].fields}


def test_a_sample_is_judged_in_a_table_and_stands_in_the_results(scene: EditScene, tmp_path: Path) -> None:
    table = tmp_path / "quality.csv"
    words = "polydata", "quality"
    done = json.loads(run(*words, "draw", "-o", table, "--json", workspace=scene.root).stdout)
    assert (done["pages"], done["figures"], done["images"], done["problems"]) == (3, 2, 5, [])
    rows = rows_of(table)
    assert len(rows) == 10 and all(Path(row["picture"]).is_file() for row in rows)
    assert {row["found"] for row in rows if row["kind"] == "figure"} == {"1", "4"}
    unfilled = json.loads(run(*words, "import", table, "--json", workspace=scene.root).stdout)
    assert unfilled == {"judged": 0, "problems": []}
    filled(table, figures_missed=1)
    assert json.loads(run(*words, "import", table, "--json", workspace=scene.root).stdout)["judged"] == 10
    shown = json.loads(run(*words, "show", "--json", workspace=scene.root).stdout)
    found = {(row["what"], row["measure"]): (row["value"], row["low"], row["high"]) for row in shown}
    assert found["figures", "precision"] == (1, 1, 1)  # all three pages were judged
    assert found["figures", "recall"] == pytest.approx((2 / 5,) * 3)
    assert found["panels", "recall"] == (1, 1, 1) and len(found) == 14
    assert "40.0% [40.0%, 40.0%]" in run(*words, "show", workspace=scene.root).stdout
    said = run(*words, "draw", "-o", tmp_path / "other.csv", workspace=scene.root, expect=7)
    assert "--again" in said.stderr
    filled(table, figures_right=9)
    said = run(*words, "import", table, workspace=scene.root, expect=3)
    assert "figures_right is 9; it may be 0 to" in said.stderr
    strange = tmp_path / "strange.csv"
    strange.write_text("a,b\n1,2\n")
    assert "judges nothing" in run(*words, "import", strange, workspace=scene.root, expect=1).stderr


def test_a_table_that_was_filled_in_is_kept(scene: EditScene, tmp_path: Path) -> None:
    other = scene.copy(tmp_path)
    table, foreign = tmp_path / "quality.csv", tmp_path / "foreign.csv"
    draw_it = "polydata", "quality", "draw", "--seed", "3", "-o"
    with other.session() as session:
        draw(session, again=True, pictures=False)
        write_table(session, table)
    filled(table)
    counted = table.read_bytes()
    said = run(*draw_it, table, "--again", "--pages", "2", workspace=other.root, expect=7).stderr
    assert f"polydata quality import {table}" in said and table.read_bytes() == counted
    run("polydata", "quality", "import", table, workspace=other.root)
    foreign.write_text("mine,1\n")
    before = other.rows("SELECT * FROM quality_sample ORDER BY ALL")
    assert "is there already" in run(*draw_it, foreign, "--again", workspace=other.root, expect=7).stderr
    assert other.rows("SELECT * FROM quality_sample ORDER BY ALL") == before
    run(*draw_it, table, "--again", workspace=other.root)  # the catalogue has all that was counted
    first, *rows = rows_of(table)
    write_rows(table, [first | dict.fromkeys(("figures_right", "panels_right", "is_micrograph"), "many"), *rows])
    with other.session() as session, pytest.raises(RefusedError, match="row 2"):
        check_table(session, table)


def test_rows_about_other_boxes_and_rows_that_differ_are_named(scene: EditScene, tmp_path: Path) -> None:
    other, table = scene.copy(tmp_path), tmp_path / "quality.csv"
    with other.session() as session:
        draw(session, again=True, pictures=False)
        session.catalogue.run("UPDATE quality_sample SET judged = NULL")
        write_table(session, table)
        filled(table)
        old, twice, *rows = rows_of(table)
        old["picture"] = old["picture"].replace(Path(old["picture"]).stem, "0" * 64)
        name = next(name for name in stored.FIELDS[twice["kind"]] if twice[name] != "0")  # type: ignore[index]
        write_rows(table, [old, twice, *rows, twice | {name: "0"}, rows[-1]])
    said = run("polydata", "quality", "import", table, "--json", workspace=other.root, expect=3)
    done = json.loads(said.stdout)
    assert done["judged"] == len(rows) == 8
    assert ["picture" in one for one in done["problems"]] == [True, False] and "row 2: " in done["problems"][0]
    assert twice["unit"] in done["problems"][1] and "differently" in done["problems"][1]
    unjudged = other.rows("SELECT unit FROM quality_sample WHERE judged IS NULL")
    assert {row["unit"] for row in unjudged} == {old["unit"], twice["unit"]}


def test_it_is_said_when_the_corpus_has_changed(scene: EditScene, tmp_path: Path) -> None:
    other = scene.copy(tmp_path)
    show = "polydata", "quality", "show"

    def changed() -> set[str]:
        said = run(*show, workspace=other.root).stdout
        rows = json.loads(run(*show, "--json", workspace=other.root).stdout)
        assert ("The corpus has changed" in said) is any(row["changed"] for row in rows)
        return {row["what"] for row in rows if row["changed"]}

    with other.session() as session:
        draw(session, again=True, pictures=False)
    assert changed() == set()
    with other.session() as session:
        session.catalogue.run("UPDATE screenings SET decision = 'rejected'")
    assert changed() == {"micrographs", "scales", "labels"}
    with other.session() as session:
        session.catalogue.run("UPDATE figures SET x0 = x0 + 9 WHERE page = 2")  # as many, and elsewhere
    assert changed() == {"micrographs", "scales", "labels", "figures", "captions"}


def test_another_draw_keeps_what_was_counted_of_what_is_the_same(scene: EditScene, tmp_path: Path) -> None:
    with scene.copy(tmp_path).session() as session:
        draw(session, again=True, pictures=False)
        first = {row["unit"]: row for row in stored.sampled(session.catalogue)}
        counts = {unit: nothing_right(row) for unit, row in first.items()}
        stored.save_judged(session.catalogue, counts)
        changed = next(unit for unit, row in first.items() if row["found"].get("captions"))
        session.catalogue.run(
            "UPDATE figures SET caption = 'another' WHERE page = ?", [int(changed.rpartition("-")[2])]
        )
        session.catalogue.run("UPDATE screenings SET decision = 'rejected'")
        with pytest.raises(RefusedError, match="3 units"):
            draw(session, figures=0, images=0)
        done = draw(session, seed=8, figures=0, images=0, again=True, pictures=False)
        assert (done.units, done.judged) == ({"page": 3, "figure": 0, "image": 0}, 2)
        draw(session, images=0, again=True, pictures=False)
        draw(session, pages=0, figures=0, again=True, pictures=False)
        now = {row["unit"]: row for row in stored.sampled(session.catalogue)}
    kept = {unit: nothing_right(row) for unit, row in now.items()}  # of what is rejected no scale is asked any more
    assert {unit: row["judged"] for unit, row in now.items()} == kept | {changed: None}
    assert now.keys() == counts.keys()


@pytest.mark.parametrize(
    ("sizes", "count", "drawn"),
    [
        ((20, 30), 60, (20, 30)),
        ((20, 30), 50, (20, 30)),
        ((20, 30), 4, (10, 10)),
        ((12, 1000), 100, (10, 97)),
        ((40, 60, 400), 450, (40, 29, 382)),
        ((3, 1000), 60, (3, 57)),
        ((), 5, ()),
    ],
)
def test_as_many_are_drawn_as_was_said(sizes: tuple[int, ...], count: int, drawn: tuple[int, ...]) -> None:
    names = "pages with figures", "pages without figures", "another"
    whole = [{"stratum": name, "unit": n} for name, size in zip(names, sizes, strict=False) for n in range(size)]
    chosen = Counter(row["stratum"] for row in choose(whole, count, random.Random(1)))
    assert tuple(chosen[name] for name in names[: len(sizes)]) == drawn


def test_the_same_seed_draws_the_same(scene: EditScene, tmp_path: Path) -> None:
    other = scene.copy(tmp_path)
    with other.session() as session:
        session.catalogue.run("UPDATE quality_sample SET judged = NULL")
        draw(session, seed=5, images=2, pictures=False)
        first = stored.sampled(session.catalogue)
        draw(session, seed=5, images=2, pictures=False)
        assert stored.sampled(session.catalogue) == first
        with pytest.raises(UsageError, match="Nothing is to be drawn"):
            draw(session, pages=0, figures=0, images=0)
        stored.save_judged(session.catalogue, {first[0]["unit"]: {}})
        with pytest.raises(RefusedError):
            draw(session)


def test_the_first_units_of_a_sample_are_pushed(
    scene: EditScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def addresses(_session: Session, _server: object, _project: object, files: dict[str, Path]) -> dict[str, str]:
        asked.update(files)
        return {}

    for name, fake in (("addresses", addresses), ("open_project", lambda *_: (None, SimpleNamespace(id=1)))):
        monkeypatch.setattr(asking, name, fake)
    monkeypatch.setattr(asking, "make_tasks", lambda *_: None)
    monkeypatch.setattr("polydata.labels.labelstudio.tasks.existing_tasks", lambda *_: {})
    with scene.copy(tmp_path).session() as session:
        draw(session, again=True)
        for kind, question in (("page", "quality-pages"), ("image", "quality-images")):
            asked.clear()
            done = asking.ask(session, question, limit=2)  # type: ignore[arg-type]
            drawn = [row["picture"] for row in stored.sampled(session.catalogue, kind)]  # type: ignore[arg-type]
            assert (list(asked), done.selected) == (drawn[:2], len(drawn))
        for only in ("all", "unlabelled"):
            with pytest.raises(UsageError, match="means nothing here"):
                asking.ask(session, "quality-pages", only)


def test_without_a_sample_nothing_is_measured(tmp_path: Path) -> None:
    with open_session(Workspace.init(tmp_path / "w")) as session:
        assert measured(session) == []
        for attempt in (lambda: write_table(session, tmp_path / "t.csv"), lambda: read_judged(session, tmp_path / "t")):
            with pytest.raises(UsageError, match="No sample was drawn"):
                attempt()
        with pytest.raises(UsageError, match="nothing to draw from"):
            draw(session)


def test_letters_scales_and_labels_are_judged_where_somebody_can_tell(scene: EditScene, tmp_path: Path) -> None:
    other, table = scene.copy(tmp_path), tmp_path / "quality.csv"
    with other.session() as session:
        session.catalogue.run("UPDATE screenings SET score = 1, decision = 'accepted'")
        read, plain, *_ = session.catalogue.column("SELECT image_sha256 FROM screenings ORDER BY 1")
        session.catalogue.upsert("scale_readings", [SCALE | {"image_sha256": read}])
        session.catalogue.run("UPDATE quality_sample SET judged = NULL")
        draw(session, again=True, pictures=False)
        write_table(session, table)
    rows = {row["unit"]: row for row in rows_of(table)}
    (figure,) = (row for row in rows.values() if row["letters"] != NOT_ASKED)
    assert (figure["letters"], rows[read]["scales"], rows[plain]["scales"]) == ("a, b, c, d", "5 µm", "none")
    assert figure["scale_right"] == figure["labels"] == rows[read]["letters_right"] == NOT_ASKED
    filled(table, letters_right=3, letters_missed=1, scale_right=0, scale_missed=1, label_right="", label_missed="")
    with other.session() as session:
        assert read_judged(session, table) == (10, [])
        shown = {(row["what"], row["measure"]): (row["value"], row["judged"], row["of"]) for row in measured(session)}
    assert shown["letters", "precision"] == (0.75, 1, 1) and shown["letters", "recall"] == (0.75, 1, 1)
    assert shown["scales", "precision"] == shown["scales", "recall"] == (0, 5, 5)
    assert shown["labels", "precision"] == (None, 0, 5)
    changed = {row["unit"]: row for row in rows_of(table)}
    changed[read] |= {"scales": "50 µm"}
    changed[plain] |= {"scale_right": "1", "scale_missed": "0"}
    figure = changed[figure["unit"]]
    figure |= {"letters_missed": ""}
    write_rows(table, list(changed.values()))
    with other.session() as session:
        judged, problems = read_judged(session, table)
    assert judged == 7 and len(problems) == 3
    for said in ("its scales are not those", "scale_right is 1; it may be 0 to 0", "letters_missed is no number"):
        assert any(said in one for one in problems)


def test_what_is_claimed_otherwise_now_is_judged_anew_and_the_rest_is_kept(scene: EditScene, tmp_path: Path) -> None:
    with scene.copy(tmp_path).session() as session:
        session.catalogue.run("UPDATE screenings SET score = 1, decision = 'accepted'")
        draw(session, again=True, pictures=False)
        first = {row["unit"]: row for row in stored.sampled(session.catalogue)}
        counts = {unit: nothing_right(row) for unit, row in first.items()}
        stored.save_judged(session.catalogue, counts)
        (image, *_) = (unit for unit, row in first.items() if row["kind"] == "image")
        (figure,) = (unit for unit, row in first.items() if "letters" in row["found"])
        session.catalogue.upsert("scale_readings", [SCALE | {"image_sha256": image}])
        session.catalogue.run("UPDATE panels SET label = 'x' WHERE label = 'a' AND figure_id = ?", [figure])
        assert {row["what"] for row in measured(session) if row["changed"]} == {"letters", "scales"}
        draw(session, again=True, pictures=False)
        now = {row["unit"]: row for row in stored.sampled(session.catalogue)}
    gone = {image: ("scale_right", "scale_missed"), figure: ("letters_right", "letters_missed")}
    for unit, row in now.items():
        kept = {name: number for name, number in counts[unit].items() if name not in gone.get(unit, ())}
        assert row["judged"] == kept and (stored.asked_as(row) == stored.asked_as(first[unit])) is (unit not in gone)


def test_a_sample_that_was_judged_before_more_was_measured_counts_as_it_did(tmp_path: Path) -> None:
    scripts = {number: text for number, _, text in migrations() if number in (15, 16)}
    former = duckdb.connect()
    former.execute(scripts[15])
    former.execute("INSERT INTO quality_strata VALUES ('page', 'pages with figures', 2, 3, 2, 7)")
    former.execute("INSERT INTO quality_strata VALUES ('image', 'accepted images', 2, 2, 0, 7)")
    page = """{"figures_right": 1, "figures_missed": 1, "captions_right": 1, "captions_missed": 0}"""
    for unit, found, named in (("p", 2, 1), ("q", 1, 1)):
        row = (unit, "page", "pages with figures", 0, "", found, named, "words", f"picture {unit}", page)
        former.execute("INSERT INTO quality_sample VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    for unit in "ab":
        row = (unit, "image", "accepted images", 0, "", 1, 0, "", unit, '{"is_micrograph": 1}')
        former.execute("INSERT INTO quality_sample VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    former.execute(scripts[16])
    with open_session(Workspace.init(tmp_path / "w")) as session:
        for table in ("quality_strata", "quality_sample"):
            names = [one[0] for one in former.execute(f"DESCRIBE {table}").fetchall()]
            rows = former.execute(f"FROM {table}").fetchall()
            session.catalogue.upsert(table, [dict(zip(names, row, strict=True)) for row in rows])
        shown = {(row["what"], row["measure"]): row["value"] for row in measured(session)}
        sample = {row["unit"]: row for row in stored.sampled(session.catalogue)}
    assert shown == {
        ("figures", "precision"): pytest.approx(2 / 3), ("figures", "recall"): 0.5,
        ("captions", "precision"): 1, ("captions", "recall"): 1,
        ("micrographs", "precision"): 1, ("micrographs", "recall"): 1,
    }  # fmt: skip
    assert stored.asked_as(sample["p"]) == "picture p" and stored.asked_as(sample["a"]) == "a"
