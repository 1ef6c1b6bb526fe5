"""docs/architecture.md is true to the tree, and the tree keeps to it: rooms, floors, circles, small modules, names."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from configparser import ConfigParser
from functools import cache

import pytest
from import_graph import (
    PACKAGES,
    ROOT,
    circle,
    floors,
    folder,
    imports,
    inner_modules,
    joined,
    length,
    modules,
    parameters,
    room,
    tree,
)

TEXT = (ROOT / "docs/architecture.md").read_text("utf-8")
SMALL, LARGE = 60, 400
ROOT_FILES = {"polydata": 9, "polymodel": 4}
FLOORS = 10
OUTSIDE = ("cli", "catalogue")
"""Rooms whose modules are called after what they are about, wherever that is."""


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of the table under a heading."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert section, heading
    lines = [line for line in section[1].splitlines() if line.startswith("|")]
    return ([cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:])


def named(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def differences(tree_has: set[str], page_has: set[str]) -> str:
    """What to change in docs/architecture.md."""
    return f"docs/architecture.md lacks {sorted(tree_has - page_has)}; gone: {sorted(page_has - tree_has)}"


@cache
def contracts() -> ConfigParser:
    """import-linter's contracts."""
    parser = ConfigParser()
    parser.read(ROOT / ".importlinter", "utf-8")
    return parser


def of(package: str) -> list[str]:
    """The modules of a package, without its face."""
    return [m for m in inner_modules() if m.startswith(f"{package}.")]


def rooms(package: str) -> set[str]:
    return {room(m).partition(".")[2] for m in of(package)}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_is_described_and_no_other(package: str) -> None:
    inner = {folder(m).partition(".")[2].replace(".", "/") for m in of(package) if folder(m) != package}
    described = [name for cells in rows(f"The rooms of {package}") for name in named(cells[0])]
    assert sorted(described) == sorted(rooms(package) | inner), differences(rooms(package) | inner, set(described))
    assert all(cells[1] for cells in rows(f"The rooms of {package}"))


@pytest.mark.parametrize("package", PACKAGES)
def test_the_floors_are_those_that_the_linter_checks(package: str) -> None:
    column = 1 + PACKAGES.index(package)
    told = [sorted(named(cells[column])) for cells in rows("Who may import whom") if cells[column]]
    layers = contracts()[f"importlinter:contract:{package}"]["layers"].split("\n")
    assert told == [sorted(name.strip() for name in layer.split("|")) for layer in layers if layer.strip()]
    assert sorted(name for floor in told for name in floor) == sorted(rooms(package))
    assert len(told) <= FLOORS


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_have_few_floors_and_no_circle(package: str) -> None:
    graph = joined({m: room(m) for m in of(package)})
    assert circle(graph) == []
    assert floors(graph) <= FLOORS
    assert circle(joined({m: m for m in of(package)})) == []
    folders = joined({m: folder(m) for m in of(package) if folder(m) != package})
    apart = {
        one: {other for other in others if not f"{one}.".startswith(f"{other}.") and not other.startswith(f"{one}.")}
        for one, others in folders.items()
    }
    assert circle(apart) == []


def test_nothing_inside_imports_a_face() -> None:
    assert [m for m in inner_modules() if imports(m) & set(PACKAGES)] == []
    assert [m for m in of("polydata") if any(room(n).startswith("polymodel") for n in imports(m))] == []


def test_the_contract_on_the_database_leaves_no_room_out() -> None:
    told = contracts()["importlinter:contract:catalogue"]["source_modules"].split()
    assert sorted(told) == sorted({room(m) for m in of("polydata")} - {"polydata.catalogue"} | {"polymodel"})


@pytest.mark.parametrize("package", PACKAGES)
def test_few_files_lie_at_the_root(package: str) -> None:
    assert len(list((ROOT / package).glob("*.py"))) <= ROOT_FILES[package]


def test_every_small_module_has_a_reason() -> None:
    told = {name: cells[1] for cells in rows("Modules under 60 lines") for name in named(cells[0])}
    small = {m for m in modules() if modules()[m].name != "__init__.py" and length(m) < SMALL}
    assert small == told.keys(), differences(small, set(told))
    assert all(told.values())


def test_no_module_is_large() -> None:
    assert {m: length(m) for m in modules() if length(m) > LARGE} == {}


def test_one_name_is_one_thing() -> None:
    places = defaultdict(set)
    for module in inner_modules():
        if room(module).rpartition(".")[2] not in OUTSIDE:
            places[module.rpartition(".")[2]].add(room(module))
    told = {name: cells[1] for cells in rows("Names that occur twice") for name in named(cells[0])}
    twice = {name for name, found in places.items() if len(found) > 1}
    assert twice == told.keys(), differences(twice, set(told))
    assert all(told.values())


def test_a_stage_takes_a_session() -> None:
    """Only the session itself is made of a workspace and a catalogue."""
    both = {m for m in modules() for _, given in parameters(m) if {"workspace", "catalogue"} <= set(given)}
    assert both == {"polydata.catalogue.session"}


TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"), *modules().values()]
PROSE = re.compile(rf"`((?:polydata|polymodel|{'|'.join(sorted(rooms('polydata')))})(?:\.[A-Za-z_]\w*)+)`")
NO_MODULES = re.compile(r"\.(toml|csv|jsonl?|parquet|xml|html)$|^papers\.source$")
"""Files and a column that look like a module's name."""


def defined(module: str) -> set[str]:
    """What may be named after a module: all that it binds, its classes' members, and what a face's stub lists."""
    found: set[str] = set()
    stub = modules()[module].with_suffix(".pyi")
    for node in ast.walk(ast.parse(stub.read_text("utf-8")) if stub.is_file() else tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name)
    return found


def resolves(name: str) -> bool:
    """Whether a dotted name, with or without the package, is a module or something in one."""
    parts = name.split(".")
    parts = parts if parts[0] in PACKAGES else ["polydata", *parts]
    known = max(k for k in range(1, len(parts) + 1) if ".".join(parts[:k]) in modules())
    return set(parts[known:]) <= defined(".".join(parts[:known]))


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("polydata.splits.manifest.Split.digest", True),
        ("catalogue.session", True),
        ("splits.nowhere.make", False),
        ("polydata.pipeline", False),
    ],
)
def test_a_name_is_looked_up(name: str, right: bool) -> None:
    assert resolves(name) is right


def test_names_of_modules_in_texts_are_right() -> None:
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in TEXTS
        for name in PROSE.findall(path.read_text("utf-8"))
        if not NO_MODULES.search(name) and not resolves(name)
    }
    assert not wrong, "\n".join(sorted(wrong))


def test_paths_in_texts_exist() -> None:
    pattern = re.compile(r"(?<![\w./-])((?:polydata|polymodel|tests|schemas|benchmarks|docs)/[\w./*-]*\w)")
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in [*TEXTS, ROOT / "Makefile", ROOT / "data/README.md"]
        for name in pattern.findall(path.read_text("utf-8"))
        if not list(ROOT.glob(name))
    }
    assert not wrong, "\n".join(sorted(wrong))
