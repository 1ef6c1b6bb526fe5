"""Commands are a thin skin: each parses, makes one call and prints; what is longer belongs into the rooms."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(path for name in ("polydata", "polymodel") for path in (ROOT / name / "cli").glob("*.py"))
MOST = 25
"""Lines of a body, without signature and docstring."""


def body_lines(function: ast.FunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return 1 + (body[-1].end_lineno or 0) - body[0].lineno if body else 0


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(ROOT)) for path in MODULES])
def test_no_function_of_the_command_line_is_long(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert {one.name: body_lines(one) for one in functions if body_lines(one) > MOST} == {}
