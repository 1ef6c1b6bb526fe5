from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from record_tables import filled_template
from typer.testing import CliRunner

from polydata.cli import app
from polydata.records.reading import ReadRecords, read_records
from polydata.task import Task


@pytest.fixture
def workspace(tmp_path: Path) -> str:
    folder = str(tmp_path / "w")
    assert CliRunner().invoke(app, ["init", folder]).exit_code == 0
    return folder


def call(workspace: str, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["--workspace", workspace, *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_template_import_list_and_join(workspace: str, tmp_path: Path) -> None:
    table = str(tmp_path / "t.xlsx")
    assert call(workspace, "records", "template", "--output", table, "--format", "xlsx")[0] == 0
    assert call(workspace, "records", "import", table)[0] == 1  # its examples are nobody's samples
    filled_template(Path(table))
    code, text = call(workspace, "records", "import", table)
    assert (code, "Next: polydata join" in text) == (0, True)
    code, text = call(workspace, "records", "list", "--json")
    assert [row["record_key"] for row in json.loads(text)] == ["mine-1", "mine-2"]
    code, text = call(workspace, "join", "--json")
    assert (code, json.loads(text)["links"]["no_paper"]) == (0, 2)
    assert "nothing changed" in call(workspace, "join")[1]


def test_bad_rows_are_listed(workspace: str, tmp_path: Path) -> None:
    table = tmp_path / "b.csv"
    table.write_text("record_key,year\na,2001\nb,20x9\n")
    code, text = call(workspace, "records", "import", str(table))
    assert (code, "b.csv, row 3: year" in text) == (1, True)
    assert json.loads(call(workspace, "records", "list", "--json")[1]) == []
    assert call(workspace, "records", "import", "--skip-bad", str(table))[0] == 3
    assert len(json.loads(call(workspace, "records", "list", "--json")[1])) == 1


def test_a_wrong_folder_is_refused(workspace: str, tmp_path: Path) -> None:
    code, text = call(workspace, "import-published", str(tmp_path))
    assert (code, "Traceback" in text) == (1, False)


def test_a_trial_that_leaves_rows_out_is_no_import(workspace: str, tmp_path: Path) -> None:
    table = tmp_path / "b.csv"
    table.write_text(
        "record_key,year,polymers,morphology\na,2001,poly(methyl methacrylate); polystyrene,x\nb,20x9,c,d\n"
    )
    code, text = call(workspace, "records", "import", "--skip-bad", "--dry-run", str(table))
    assert (code, f"--skip-bad --workspace {workspace}\n" in text, "polydata join" in text) == (3, True, False)


def test_a_trial_fits_a_terminal(workspace: str, tmp_path: Path) -> None:
    table = tmp_path / "b.csv"
    table.write_text(
        "record_key,polymers,composition_ratio,figure,panel,compatibility,caption\n"
        "63_page3_image1_a_and_more,poly(methyl methacrylate); polystyrene,70/30 wt%,Figure 12,a,partially compatible,"
        "SEM micrographs of blends before and after annealing\n"
    )
    lines = call(workspace, "records", "import", "--dry-run", str(table))[1].splitlines()
    shown = lines[lines.index("1 of 1 records that would come in") + 1 :][:3]
    assert max(map(len, shown)) <= 80
    assert [word in shown[2] for word in ("63_page3", "poly(m", "Figure 12 a")] == [True] * 3


def test_a_trial_ends_with_the_command_that_does_it(workspace: str, tmp_path: Path) -> None:
    table = tmp_path / "my table.csv"
    table.write_text("Which,Mixes?,Where\na,no,x.pdf\nb,yes,y.pdf\n")
    code, text = call(workspace, "records", "import", str(table), "--dry-run", "--map", "caption=Which")
    assert code == 0 and "none of 2 records says a label" in text and "none of 2 records names its paper" in text
    maps = ["--map", "caption=Which", "--map", "compatibility=Mixes?", "--map", "paper=Where"]
    maps += ["--meaning", "Mixes?: no=incompatible", "--meaning", "Mixes?: yes=compatible"]
    code, text = call(workspace, "records", "import", str(table), "--dry-run", *maps)
    words = shlex.split(text.split("Next: ")[1])
    assert code == 0 and words[1:] == ["records", "import", str(table), *maps, "--workspace", workspace]
    assert "Warning" not in text


def read(tmp_path: Path, text: str) -> ReadRecords:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    return read_records(tmp_path / "t.csv", spells=Task.load().label_of)


@pytest.mark.parametrize("part", ["Part", "Panel no.", "Sub-figure", "Letter"])
@pytest.mark.parametrize("bar", ["Bar / µm", "Scale bar (µm)", "bar µm"])
@pytest.mark.parametrize("mix", ["Do they mix?", "Miscible?", "Compatible?", "Mixing"])
def test_people_s_own_words_for_panel_scale_and_label(tmp_path: Path, part: str, bar: str, mix: str) -> None:
    found = read(tmp_path, f"DOI,Figure,{part},{bar},{mix}\n10.1000/x,Figure 2,b,5,immiscible\n")
    said = found.records[0].values
    assert [said[name] for name in ("panel", "scale_um", "compatibility")] == ["b", 5.0, "immiscible"]


def test_a_column_on_mixing_is_the_label_only_in_the_task_s_words(tmp_path: Path) -> None:
    found = read(tmp_path, "DOI,Figure,Mixing\n10.1000/x,Figure 2,miscible\n10.1000/y,Figure 3,in the melt\n")
    assert found.columns.left == {"Mixing": ("compatibility",)} and "compatibility" not in found.columns.fields


def test_a_row_that_repeats_one_of_the_same_figure_may_be_another_picture(tmp_path: Path) -> None:
    row = "k 1,10.1000/x,Figure 2,b\n"
    (said,) = read(tmp_path, f"key,DOI,Figure,Panel\n{row}{row}").repeated
    end = "if each is a picture of its own: polydata link 'k 1' PANEL, once for each panel"
    assert str(said) == f"t.csv, row 3: it says what row 2 says; {end}"


def test_figures_without_any_panel_are_warned_of(workspace: str, tmp_path: Path) -> None:
    table, words = tmp_path / "t.csv", "none of 1 records names a panel, only its figure"
    for figure, warned in (("Figure 2", True), ("Figure 2b", False), ("", False)):
        table.write_text(f"DOI,Figure,Which,Compatible?\n10.1000/x,{figure},b,miscible\n")
        assert (words in call(workspace, "records", "import", str(table), "--dry-run")[1]) == warned


def test_rows_read_under_other_columns_take_the_place_of_their_earlier_reading(workspace: str, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("Which,Mixes?\na,compatible\nb,incompatible\nb,incompatible\n")
    assert "imported       2" in call(workspace, "records", "import", str(table), "--map", "caption=Which")[1]
    first = json.loads(call(workspace, "records", "list", "--json")[1])[0]
    assert call(workspace, "link", first["record_id"], "--nothing")[0] == 0
    maps = ("--map", "caption=Which", "--map", "compatibility=Mixes?")
    assert (
        "imported       0\nunchanged      0\nreplaced       2"
        in call(workspace, "records", "import", str(table), *maps)[1]
    )
    records = json.loads(call(workspace, "records", "list", "--json")[1])
    assert sorted(row["compatibility"] for row in records) == ["compatible", "incompatible"]
    (link,) = json.loads(call(workspace, "list", "manual-links", "--json")[1])
    assert link["record_id"] in {row["record_id"] for row in records} and link["record_id"] != first["record_id"]
    assert "unchanged      2" in call(workspace, "records", "import", str(table), *maps)[1]


def test_links_follow_their_rows_where_keys_move_on(workspace: str, tmp_path: Path) -> None:
    """Under another column a row has the key that another row had before."""
    table = tmp_path / "moved.csv"
    table.write_text("sample,no,caption\nS1,S2,PP/PA6\nS2,S3,PS/PMMA\nS5,S6,PLA\n")
    call(workspace, "records", "import", str(table), "--map", "record_key=sample")
    assert call(workspace, "link", "S2", "--nothing")[0] == 0
    said = call(workspace, "records", "import", str(table), "--map", "record_key=no")[1]
    assert "imported       0\nunchanged      0\nreplaced       3" in said
    records = json.loads(call(workspace, "records", "list", "--json")[1])
    keys = {row["record_id"]: (row["record_key"], row["caption"]) for row in records}
    assert {*keys.values()} >= {("S2", "PP/PA6"), ("S3", "PS/PMMA"), ("S6", "PLA")} and (
        "S1",
        "PP/PA6",
    ) not in keys.values()
    (link,) = json.loads(call(workspace, "list", "manual-links", "--json")[1])
    assert keys[link["record_id"]] == ("S3", "PS/PMMA")
