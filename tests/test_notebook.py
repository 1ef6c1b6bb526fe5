"""The page on notebooks runs cell by cell, what its cells show fits a cell, and the notebook has the page's cells."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from docs_script import DOCS, docs_script
from split_scene import make_scene

import polymodel

CELLS = docs_script("notebook").cells((DOCS / "how-to/python.md").read_text("utf-8"))


def shown(code: str, names: dict[str, Any]) -> Any:
    """Run a cell; what its last line gives."""
    *before, last = ast.parse(code).body
    exec(compile(ast.Module(before, []), "cell", "exec"), names)
    if isinstance(last, ast.Expr):
        return eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    exec(compile(ast.Module([last], []), "cell", "exec"), names)
    return None


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_cell_runs_and_shows_what_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = make_scene(tmp_path / "blends", folds=2)
    probe = polymodel.Probe(arch="timm:test_resnet", weights="none", image_size=40)
    polymodel.fit("v1", probe, name="first", workspace=scene.workspace.root)
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # small networks lose by more where other programs compete
    names: dict[str, Any] = {}
    try:
        values = [shown(text, names) for kind, text in CELLS if kind == "code"]
    finally:
        torch.set_num_threads(threads)
    assert len(values) == 6
    for value in values:
        assert len(repr(value)) < 3000
    assert values[0]._repr_html_().count("<img") == 4
    assert values[1]["images"].sum() == len(scene.kinds)
    assert values[2][0].name == "v1"
    assert {"accuracy", "auroc"} <= set(values[3].index) & set(values[4].index)
    assert len(values[5]) == 4


def test_the_notebook_has_the_cells_of_the_page_and_what_came_out() -> None:
    book = json.loads((DOCS / "notebook.ipynb").read_text("utf-8"))
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in book["cells"]]
    assert cells == CELLS, "write it with: python docs/notebook.py"
    outputs = [cell["outputs"] for cell in book["cells"] if cell["cell_type"] == "code"]
    assert all(outputs) and not [o for some in outputs for o in some if o["output_type"] == "error"]
    assert (DOCS / "notebook.ipynb").stat().st_size < 200_000
