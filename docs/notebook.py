"""Writes docs/notebook.ipynb: the cells of docs/how-to/python.md with what comes out on the corpus of the tutorial.

    notebook.py [FOLDER]

FOLDER has a workspace ``blends`` as at the end of the tutorial; without it one is made, which takes minutes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

DOCS, BIN = Path(__file__).parent, Path(sys.executable).parent
PAGE, NOTEBOOK = DOCS / "how-to/python.md", DOCS / "notebook.ipynb"
CODE = re.compile(r"^```python\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
STEPS = (
    "polydata demo-corpus demo --papers 10",
    "polydata init blends",
    "polydata -w blends extract demo/papers",
    "polydata -w blends screen",
    "polydata -w blends records import demo/records.csv",
    "polydata -w blends join",
    "polydata -w blends build-split v1 --folds 5",
    "polymodel -w blends train v1 --name first",
)


def cells(page: str) -> list[tuple[str, str]]:
    """The parts of a page in order, ``markdown`` or ``code``, links as they are from the folder of the notebook."""
    parts = CODE.split(page)
    kinds = ("markdown" if place % 2 == 0 else "code" for place in range(len(parts)))
    text = [part.strip().replace("](../", "](") for part in parts]
    return [(kind, part) for kind, part in zip(kinds, text, strict=True) if part]


def notebook(page: str) -> NotebookNode:
    """The page as a notebook that was not run; ids of cells are their places, so that a second writing is the same."""
    import nbformat

    make = {"markdown": nbformat.v4.new_markdown_cell, "code": nbformat.v4.new_code_cell}
    made = [make[kind](text, id=f"cell-{place}") for place, (kind, text) in enumerate(cells(page))]
    return nbformat.v4.new_notebook(cells=made)


@contextmanager
def made_workspace(given: Sequence[str]) -> Iterator[Path]:
    """The folder that is named, or a temporary one in which the tutorial's workspace was made."""
    with tempfile.TemporaryDirectory() as made:
        for step in () if given else STEPS:
            program, *words = step.split()
            subprocess.run([BIN / program, *words], cwd=made, check=True)
        yield Path(given[0] if given else made)


def main() -> None:
    """Run the cells, write the notebook."""
    import nbformat
    from nbclient import NotebookClient

    os.environ["OMP_NUM_THREADS"] = "1"  # small networks gain nothing from threads
    book = notebook(PAGE.read_text("utf-8"))
    with made_workspace(sys.argv[1:]) as folder:
        NotebookClient(
            book, timeout=None, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
        ).execute()
    for cell in book.cells:
        cell.metadata.pop("execution", None)  # when it was run
        if "outputs" in cell:  # warnings name places of this machine
            cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
    nbformat.write(book, NOTEBOOK)


if __name__ == "__main__":
    main()
