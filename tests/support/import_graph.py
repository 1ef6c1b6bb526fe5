"""The graph of imports of both packages, worked out from the source: what import-linter does not look at included."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("polydata", "polymodel")

Graph = dict[str, set[str]]
"""What each node imports."""


@cache
def modules() -> dict[str, Path]:
    """Every module by its dotted name; a package stands for its ``__init__``."""
    found = {}
    for path in sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    """The module's source, parsed."""
    return ast.parse(modules()[module].read_text("utf-8"))


@cache
def imports(module: str) -> frozenset[str]:
    """Modules of both packages that a module names in an import: at its top, in a function, or for types alone."""
    named = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: imports name the whole path"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                named.add(inner if inner in modules() else str(node.module))
    return frozenset(named & modules().keys() - {module})


def room(module: str) -> str:
    """The folder at the first level that a module lies in; a module at the root is a room of its own."""
    return ".".join(module.split(".")[:2])


def folder(module: str) -> str:
    """The folder that a module lies in, whatever its level."""
    return module if modules()[module].name == "__init__.py" else module.rpartition(".")[0]


def joined(group: Mapping[str, str]) -> Graph:
    """The graph between groups of modules: each module's group is given, the packages' faces have none."""
    graph: Graph = {name: set() for name in group.values()}
    for module, name in group.items():
        graph[name] |= {group[other] for other in imports(module) if other in group} - {name}
    return graph


def inner_modules() -> Iterator[str]:
    """All modules but the packages' faces, which import what a user asks for."""
    return (m for m in modules() if m not in PACKAGES)


def circle(graph: Graph) -> list[str]:
    """Some circle, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def floors(graph: Graph) -> int:
    """Nodes of the longest chain of imports.

    Raises:
        CycleError: if there is a circle.
    """
    height: dict[str, int] = {}
    for node in TopologicalSorter(graph).static_order():
        height[node] = 1 + max((height[other] for other in graph[node]), default=0)
    return max(height.values())


def length(module: str) -> int:
    """Lines of a module."""
    return len(modules()[module].read_text("utf-8").splitlines())


def parameters(module: str) -> Iterator[tuple[str, Collection[str]]]:
    """Each function of a module with the names of its parameters."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = node.args
            yield node.name, {a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
