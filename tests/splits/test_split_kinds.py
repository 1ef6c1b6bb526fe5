"""Splits of labels in an order, and of numbers that records have."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from split_corpus import BETWEEN, NO, YES, Corpus

from polydata.errors import InputError, UsageError, WorkspaceError
from polydata.resources import schemas
from polydata.splits.build import Built, build_split
from polydata.splits.manifest import MANIFEST, TARGET
from polydata.splits.measured import bin_edges, bin_names, read_value
from polydata.splits.options import SplitOptions
from polydata.task import Task, TaskKind
from polydata.workspace import SETTINGS, Workspace

ORDERED, SPACING = Task.load("compatibility_ordered"), Task.load("domain_spacing")


def measured(corpus: Corpus, paper: str, number: int, *cells: str) -> str:
    """An image with a record for each cell."""
    image = corpus.image(paper, number)
    for n, cell in enumerate(cells):
        record = f"r{number}-{n}"
        row = {"record_id": record, "source": "t", "raw": json.dumps({"Domain_Spacing_um": cell})}
        corpus.catalogue.upsert("records", [row])
        link = {"panel_id": f"panel-{corpus.panels:06d}", "record_id": record, "method": "test", "score": 1.0}
        corpus.catalogue.upsert("links", [link])
    return image


def numbers(corpus: Corpus, papers: int = 12) -> None:
    with corpus.catalogue.transaction():
        for n in range(papers):
            corpus.paper(f"p{n:02d}")
            for k in range(4):
                measured(corpus, f"p{n:02d}", 100 * n + k, f"{0.5 + 0.37 * ((7 * n + 5 * k) % 23)}")


def build(corpus: Corpus, task: Task | None, name: str = "v1", **options: object) -> Built:
    return build_split(corpus.session, name, SplitOptions(**options), task=task)  # type: ignore[arg-type]


def follows_the_schema(built: Built) -> None:
    schema = json.loads((schemas() / "split.schema.json").read_text())
    jsonschema.validate(json.loads((built.split.folder / MANIFEST).read_text()), schema)


def test_a_split_of_an_order_keeps_the_middle_and_its_place(corpus: Corpus) -> None:
    corpus.standard()
    for n in range(4):
        corpus.image(f"p{n:02d}", 5000 + n, file=BETWEEN)
    built = build(corpus, ORDERED)
    assert built.split.classes == (YES, BETWEEN, NO) and built.split.asked == {"kind": "ordinal"}
    assert built.split.manifest["recipe"]["partial"] == "own-class"
    follows_the_schema(built)
    plain = build(corpus, None, "plain").split
    assert plain.asked == {} and "kind" not in plain.manifest["recipe"] and BETWEEN not in plain.classes


def test_a_split_of_numbers_holds_values_and_like_sides(corpus: Corpus) -> None:
    numbers(corpus)
    built = build(corpus, SPACING, folds=3)
    split = built.split
    assert split.asked == {"kind": "regression", "column": "domain_spacing_um", "unit": "um"}
    assert len(split.classes) == 4 and split.classes[0].startswith("up to") and split.classes[-1].startswith("over")
    for fold in split.folds:
        assert {i.group for i in fold.train}.isdisjoint(i.group for i in fold.test)
        shares = [sum(i.label == c for i in fold.test) / len(fold.test) for c in split.classes]
        assert max(shares) - min(shares) < 0.25
    values = [float(item.extra[TARGET]) for item in split.items.values()]
    assert len(values) == 48 and min(values) == 0.5
    ends = {
        label: [float(i.extra[TARGET]) for i in split.items.values() if i.label == label] for label in split.classes
    }
    assert all(max(ends[low]) < min(ends[high]) for low, high in zip(split.classes, split.classes[1:], strict=False))
    follows_the_schema(built)
    again = build(corpus, SPACING, folds=3)
    assert not again.new and again.split.digest == split.digest


def test_who_is_left_out_of_a_split_of_numbers(corpus: Corpus) -> None:
    numbers(corpus)
    measured(corpus, "p00", 9000)
    measured(corpus, "p00", 9001, "about three")
    two = measured(corpus, "p00", 9002, "3", "4 um")
    same = measured(corpus, "p00", 9003, "3", "3000 nm")
    corpus.answer(measured(corpus, "p00", 9004, "3"), corpus.session.task.not_a_micrograph)
    built = build(corpus, SPACING)
    assert built.excluded == {
        "contradictory values": 1, "no number in um": 1, "no value": 1, "reviewers: no micrograph": 1,
    }  # fmt: skip
    assert [one["image_sha256"] for one in built.contradictory] == [two]
    assert built.split.items[same].extra[TARGET] == "3"


@pytest.mark.parametrize(
    ("cell", "value"),
    [("2.5", 2.5), ("2.5 um", 2.5), ("2.5 µm", 2.5), ("2500 nm", 2.5), ("1e-3 mm", 1.0), (" .5 ", 0.5), ("-2", -2.0),
     ("3 to 4", None), ("3 %", None), ("", None), ("nan", None), ("1e999", None), ("≈ 3", None)],
)  # fmt: skip
def test_a_cell_is_a_number_in_the_unit_or_none(cell: str, value: float | None) -> None:
    assert read_value(cell, "um") == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize("number", range(1, 100))
def test_a_length_is_the_same_in_every_unit(number: int) -> None:
    assert read_value(f"{number} nm", "um") == read_value(f"{number / 1000:.3f}", "um")


def test_another_unit_is_taken_as_it_stands() -> None:
    assert read_value("31.5 MPa", "MPa") == 31.5 and read_value("31.5 GPa", "MPa") is None


def test_bins_hold_equally_many_and_fewer_where_values_repeat() -> None:
    assert bin_edges([float(n) for n in range(8)]) == [1.0, 3.0, 5.0]
    assert bin_edges([1.0] * 9 + [2.0]) == [1.0]
    assert bin_names([1.0], "um") == ["up to 1 um", "over 1 um"]
    assert len(set(bin_names([1.0, 1.00001, 1.00002], "um"))) == 4
    with pytest.raises(InputError, match="1 values"):
        bin_edges([2.0, 2.0])


def test_what_cannot_be_asked_says_so(corpus: Corpus, tmp_path: Path) -> None:
    corpus.standard()
    with pytest.raises(InputError, match="has a column domain_spacing_um"):
        build(corpus, SPACING)
    with pytest.raises(UsageError, match="asks for a number"):
        build(corpus, SPACING, label_source="file")
    other = tmp_path / "t.toml"
    text = (schemas() / "tasks/compatibility.toml").read_text(encoding="utf-8")
    other.write_text(text.replace('"partially_compatible"', '"so_so"'), encoding="utf-8")
    with pytest.raises(UsageError, match="so_so"):
        build(corpus, Task.load(str(other)))


def test_a_number_is_no_task_of_a_workspace(tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path / "w")
    (workspace.root / SETTINGS).write_text('task = "domain_spacing"\n', encoding="utf-8")
    with pytest.raises(WorkspaceError, match="asks for a number"):
        Workspace.open(workspace.root).task()
    assert workspace.named_task("domain_spacing").kind is TaskKind.REGRESSION


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('extends = "compatibility"\nname = "x"\nkind = "cardinal"', "nominal, ordinal, regression"),
        ('extends = "nothing"', "extends"),
        ('name = "x"\ntitle = "x"\nquestion = "x"\nkind = "regression"\nunit = "um"', "lacks the key 'column'"),
        ('name = "x"\ntitle = "x"\nquestion = "x"\nkind = "regression"\nunit = " "\ncolumn = "c"', "must be words"),
    ],
)
def test_a_broken_task_of_another_kind_names_its_fault(text: str, part: str, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=part):
        Task.load(str(tmp_path / "t.toml"))


@pytest.mark.parametrize("form", ["parquet", "hf"])
def test_an_export_holds_the_values(form: str, corpus: Corpus, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    from polydata.exports.workflow import export_split

    numbers(corpus, papers=4)
    split = build(corpus, SPACING, "spacing").split
    export_split(corpus.session, "spacing", form, tmp_path / "x")
    rows = [row for path in (tmp_path / "x").rglob("*.parquet") for row in pq.read_table(path).to_pylist()]
    told = {row["image_sha256"]: row["target"] for row in rows}
    assert told == {image: float(item.extra[TARGET]) for image, item in split.items.items()}
