"""Records of different tables stay apart, what replaces another is named, and records can be looked at and removed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joined_scene import REFERENCE, WHOLE, add_records, blank, links, run, scene
from record_tables import filled_template
from test_record_commands import call
from typer.testing import CliRunner
from workspaces import bare_session

from polydata.catalogue.by_hand import manual_links
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.records import list_records
from polydata.cli import app
from polydata.errors import InputError
from polydata.ids import content_id
from polydata.records.columns import template
from polydata.records.importer import import_records
from polydata.records.join import link
from polydata.records.kept import plan_removal, remove, show
from polydata.records.record import FIELDS, identify


def table(path: Path, *lines: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def test_two_laboratories_number_their_samples_alike(tmp_path: Path, catalogue: Catalogue) -> None:
    one = table(tmp_path / "one.csv", "key,morphology,caption", "1,droplets,SEM of A", "2,lamellae,SEM of B")
    two = table(tmp_path / "two.csv", "key,morphology,caption", "1,one phase,SEM of C", "2,fibrils,SEM of D")
    assert import_records(bare_session(catalogue), [one]).records.imported == 2
    report = import_records(bare_session(catalogue), [two]).records
    assert (report.imported, report.replaced, report.replacements) == (2, 0, ())
    assert {row["morphology"] for row in list_records(catalogue)} == {"droplets", "lamellae", "one phase", "fibrils"}
    assert import_records(bare_session(catalogue), [one, two]).records.unchanged == 4


SAMPLES = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from(["", "10.1000/a", "10.1000/b"]), st.sampled_from("xyz")),
    min_size=1,
    max_size=4,
    unique_by=lambda sample: sample[:2],
)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a.csv", "b.csv", "c.csv"]), SAMPLES), min_size=1, max_size=5))
def test_whatever_is_imported_in_turn_no_sample_is_lost_without_a_word(
    tmp_path_factory: pytest.TempPathFactory, tables: list[tuple[str, list[tuple[int, str, str]]]]
) -> None:
    folder = tmp_path_factory.mktemp("labs")
    stands: dict[tuple[str, int, str], str] = {}
    with Catalogue.open(folder / "c.duckdb") as catalogue:
        for name, samples in tables:
            lines = [f"{key},{doi},{word}" for key, doi, word in samples]
            path = table(folder / name, "key,doi,caption", *lines)
            meant = {("" if doi else name, key, doi): word for key, doi, word in samples}
            report = import_records(bare_session(catalogue), [path]).records
            named = {(dict(one.changes)["caption"]) for one in report.replacements}
            assert named == {(stands[at], word) for at, word in meant.items() if stands.get(at, word) != word}
            assert report.imported == len(meant.keys() - stands.keys())
            stands |= meant
        rows = list_records(catalogue)
    said = sorted((row["record_key"], row["doi"] or "", row["caption"]) for row in rows)
    assert said == sorted((str(key), doi, word) for (_, key, doi), word in stands.items())


@pytest.mark.parametrize("field", ["reference", "doi", "reference_no"])
def test_a_reference_tells_records_apart_wherever_they_stand(field: str) -> None:
    values: dict[str, Any] = dict.fromkeys(FIELDS) | {field: "10.1000/a.1", "caption": "SEM"}
    for own in ({"record_key": "1"}, {"sample_id": "1"}, {}):
        assert (
            identify(values | own, ("a.csv", "")) == identify(values | own, ("b.xlsx", "s")) == identify(values | own)
        )
    assert identify(values | {"record_key": "1"}) == content_id("record", "key", "1", "101000a1")


def test_the_sheet_counts_too(tmp_path: Path) -> None:
    values: dict[str, Any] = dict.fromkeys(FIELDS) | {"record_key": "1"}
    assert len({identify(values, place) for place in (("a.xlsx", "one"), ("a.xlsx", "two"), ("b.xlsx", "one"))}) == 3


def test_a_record_from_before_places_counted_keeps_its_id_and_its_links(tmp_path: Path, catalogue: Catalogue) -> None:
    panels, _ = scene(catalogue)
    path = table(tmp_path / "mine.csv", "key,caption", "1,SEM of A", "2,SEM of B")
    import_records(bare_session(catalogue), [path])
    for row in list_records(catalogue):
        former = content_id("record", "key", row["record_key"], "")
        catalogue.run("UPDATE records SET record_id = ? WHERE record_id = ?", [former, row["record_id"]])
    link(bare_session(catalogue), "1", panels[0])
    before = links(catalogue)
    table(path, "key,caption", "1,SEM of A", "2,SEM of another B")
    report = import_records(bare_session(catalogue), [path]).records
    assert (report.imported, report.unchanged, report.replaced) == (0, 1, 1)
    assert links(catalogue) == before
    other = import_records(bare_session(catalogue), [table(tmp_path / "other.csv", "key,caption", "1,SEM")]).records
    assert (other.imported, other.replaced) == (1, 0)


def test_what_is_replaced_is_named_with_what_changed(tmp_path: Path, catalogue: Catalogue) -> None:
    path = table(tmp_path / "a.csv", "key,doi,morphology,year,extra", "s1,10.1000/a,droplets,2004,x")
    import_records(bare_session(catalogue), [path])
    table(path, "key,doi,morphology,year,extra", "s1,10.1000/a,lamellae,,x")
    (one,) = import_records(bare_session(catalogue), [path]).records.replacements
    assert dict(one.changes) == {"morphology": ("droplets", "lamellae"), "year": (2004, None)}
    assert str(one) == "s1 (a.csv): year: 2004 -> nothing; morphology: 'droplets' -> 'lamellae'"
    table(path, "key,doi,morphology,year,extra", "s1,10.1000/a,lamellae,,y")
    (one,) = import_records(bare_session(catalogue), [path]).records.replacements
    assert dict(one.changes) == {"extra": ("x", "y")}
    two = table(tmp_path / "b.csv", "key,doi,morphology", "s2,10.1000/a,droplets")
    three = table(tmp_path / "c.csv", "key,doi,morphology", "s2,10.1000/a,fibrils")
    (one,) = import_records(bare_session(catalogue), [two, three]).records.replacements
    assert (one.was, one.now, dict(one.changes)) == ("b.csv", "c.csv", {"morphology": ("droplets", "fibrils")})


def test_rows_without_a_key_that_say_the_same_are_told_apart_by_their_place(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    lines = ["caption,doi,file", "SEM of A,10.1000/a,1.png", "SEM of A,10.1000/a,2.png", "SEM of A,10.1000/a,1.png"]
    path = table(tmp_path / "a.csv", *lines)
    report = import_records(bare_session(catalogue), [path]).records
    assert (report.imported, report.bad) == (2, ())
    assert [str(row) for row in report.repeated] == ["a.csv, row 4: it says what row 2 says"]
    assert import_records(bare_session(catalogue), [path]).records.unchanged == 2
    values: dict[str, Any] = dict.fromkeys(FIELDS) | {"caption": "SEM of A", "doi": "10.1000/a"}
    assert identify(values) in {row["record_id"] for row in list_records(catalogue)}  # the first keeps its id


def test_a_removed_record_takes_what_joins_made_and_leaves_links_by_hand_waiting(catalogue: Catalogue) -> None:
    panels, _ = scene(catalogue)
    joined, by_hand = add_records(
        catalogue,
        blank(record_key="1", caption=WHOLE, panel="b", morphology="immiscible"),
        blank(record_key="2", caption="x"),
    )
    run(catalogue)
    session = bare_session(catalogue)
    link(session, "2", panels[0])
    plan = plan_removal(session, ["1", by_hand])
    assert [(one["record_id"], one["links"], one["links by hand"]) for one in plan] == [(joined, 1, 0), (by_hand, 1, 1)]
    assert set(links(catalogue)) == {joined, by_hand}  # a plan changes nothing
    remove(session, plan)
    assert (list_records(catalogue), links(catalogue)) == ([], {})
    assert not catalogue.value("SELECT count(*) FROM label_votes WHERE source IN ('record', 'rule')")
    assert [one.there for one in manual_links(catalogue)] == [False]
    add_records(catalogue, blank(record_key="2", caption="x"))
    run(catalogue)
    assert links(catalogue) == {by_hand: panels[0]}
    with pytest.raises(InputError, match="No record"):
        plan_removal(session, ["record-000000000000"])


def test_a_record_is_shown_whole(catalogue: Catalogue) -> None:
    panels, _ = scene(catalogue)
    (one,) = add_records(catalogue, blank(record_key="1", caption="x", polymers="PP; PA6", composition_ratio="70/30"))
    link(bare_session(catalogue), one, panels[0])
    found = show(bare_session(catalogue), "1")
    assert (found["record_id"], found["reference"], found["raw"]["caption"]) == (one, REFERENCE, "x")
    assert [(c["name"], c["ratio"]) for c in found["components"]] == [("PP", 70.0), ("PA6", 30.0)]
    assert [(place["panel_id"], place["method"]) for place in found["places"]] == [(panels[0], "manual")]


@pytest.fixture
def workspace(tmp_path: Path) -> str:
    folder = str(tmp_path / "w")
    assert CliRunner().invoke(app, ["init", folder]).exit_code == 0
    return folder


def test_the_commands_show_remove_and_try(workspace: str, tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "Sample,Caption,Phase", "s1,SEM of A,droplets")
    code, text = call(workspace, "records", "import", "--dry-run", str(path))
    assert (code, "--map morphology=Phase" in text or "not read" in text, "SEM of A" in text) == (0, True, True)
    assert json.loads(call(workspace, "records", "list", "--json")[1]) == []
    code, text = call(workspace, "records", "import", str(path))
    assert (code, "record_key" in text, "not read" in text) == (0, True, True)
    code, text = call(workspace, "records", "show", "s1")
    assert (code, "droplets" in text, "SEM of A" in text) == (0, True, True)
    assert call(workspace, "records", "remove", "s1")[0] == 2  # nobody can be asked
    code, text = call(workspace, "records", "remove", "--dry-run", "s1")
    assert (code, "s1 of a.csv" in text, "1 records would go" in text) == (0, True, True)
    assert call(workspace, "records", "remove", "--yes", "s1")[0] == 0
    assert json.loads(call(workspace, "records", "list", "--json")[1]) == []


def test_only_the_untouched_examples_of_the_template_are_refused(tmp_path: Path, catalogue: Catalogue) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(template())
    report = import_records(bare_session(catalogue), [path]).records
    assert ([row.row for row in report.bad], list_records(catalogue)) == ([2, 3], [])
    assert import_records(bare_session(catalogue), [filled_template(path)]).records.imported == 2
