"""The public faces: what they name is there, typed and explained, and importing them costs next to nothing."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from mypy import api as mypy

import polydata
import polymodel

ROOT = Path(__file__).resolve().parents[1]
FACES = (polydata, polymodel)
NAMES = [(face, name) for face in FACES for name in face.__all__]
SNIPPET = """
from pathlib import Path
import polydata
import polymodel
with polydata.open(Path("w"), read_only=True) as session:
    reveal_type(session)
    exported = polydata.export_split(session, "v1", "coco")
    reveal_type(exported.counts)
    polydata.export_split(session, "v1", "xml")
reveal_type(polydata.__version__)
reveal_type(polymodel.open_run("r"))
"""


@pytest.mark.parametrize("face", FACES)
def test_importing_it_imports_nothing_else(face: Any) -> None:
    name = face.__name__
    code = f"import sys; before = set(sys.modules); import {name}; print(*(set(sys.modules) - before))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert {one.partition(".")[0] for one in loaded} - sys.stdlib_module_names <= {name, "lazy_loader"}
    assert not {one for one in loaded if one.startswith(f"{name}.")}


@pytest.mark.parametrize(("face", "name"), NAMES, ids=[f"{face.__name__}.{name}" for face, name in NAMES])
def test_what_it_names_is_there_typed_and_explained(face: Any, name: str) -> None:
    thing = getattr(face, name)
    if name == "__version__":
        assert isinstance(thing, str)
        return
    assert len(inspect.getdoc(thing) or "") > 20
    methods = [method for key, method in inspect.getmembers(thing, inspect.isfunction) if key[0] != "_"]
    for function in [thing] if inspect.isfunction(thing) else methods:
        signature = inspect.signature(function)
        assert signature.return_annotation is not inspect.Signature.empty
        assert all(p.annotation is not p.empty for n, p in signature.parameters.items() if n != "self")
        arguments = (inspect.getdoc(function) or "").partition("Args:\n")[2].partition("\n\n")[0]
        explained = set(re.findall(r"^    (\S[^:]*):", arguments, re.MULTILINE))
        assert explained <= signature.parameters.keys(), "the reference is written from it: one parameter a line"


@pytest.mark.parametrize("face", FACES)
def test_the_stub_says_what_is_there(face: Any) -> None:
    folder = ROOT / face.__name__
    tree = ast.parse((folder / "__init__.pyi").read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    (said,) = [ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)]
    names = {alias.name: node.module for node in imports for alias in node.names}
    assert sorted(names) == said == sorted(face.__all__)
    for name, module in names.items():
        assert getattr(face, name) is getattr(import_module(f"{face.__name__}.{module}"), name)
    rooms = {path.stem for path in folder.iterdir()}
    assert not rooms & set(names), "once imported, a room takes the place of a name that it bears"


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        polydata.nothing_of_the_kind  # type: ignore[attr-defined]  # noqa: B018


def test_a_workspace_is_made_and_opened(tmp_path: Path) -> None:
    workspace = polydata.init(tmp_path / "w")
    with polydata.open(str(workspace.root), read_only=True) as session:
        assert session.workspace.root == workspace.root
        assert session.catalogue.value("SELECT count(*) FROM papers") == 0


@pytest.mark.slow
def test_a_type_checker_sees_the_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(re.sub(r"^files = .*\n", "", settings, flags=re.MULTILINE))
    config = ["--config-file", str(tmp_path / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
    said, _, _ = mypy.run([*config, "--no-error-summary", "-c", SNIPPET])
    shown = [line.partition('type is "')[2].rstrip('"') for line in said.splitlines() if "Revealed" in line]
    assert [one.rpartition(".")[2] for one in shown] == ["Session", "dict[str, int]", "str", "Run"]
    (error,) = [line for line in said.splitlines() if ": error: " in line]
    assert 'Argument 3 to "export_split" has incompatible type' in error
