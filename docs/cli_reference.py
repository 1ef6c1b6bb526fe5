"""Writes docs/reference/polydata.md and polymodel.md from the live command line; --check only compares."""

from __future__ import annotations

import sys
from pathlib import Path

import typer
from typer.cli import get_docs_for_click

from polydata.cli import app as polydata
from polymodel.cli import app as polymodel

FOLDER = Path(__file__).resolve().parent / "reference"


def page(app: typer.Typer, name: str) -> str:
    """The reference page of a program as Markdown."""
    command = typer.main.get_command(app)
    return get_docs_for_click(obj=command, ctx=typer.Context(command), name=name).strip() + "\n"


def main() -> int:
    """Write the pages, or say which are out of date."""
    stale = []
    for app, name in ((polydata, "polydata"), (polymodel, "polymodel")):
        path, text = FOLDER / f"{name}.md", page(app, name)
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(str(path))
    if stale:
        print(f"Out of date: {', '.join(stale)}. Write them with: python docs/cli_reference.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
