"""The import budget: asking for help must not load a PDF library, a database or torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "torchvision", "timm", "pymupdf", "duckdb", "pandas", "numpy", "PIL", "sklearn", "label_studio_sdk")


@pytest.mark.parametrize("program", ["polydata", "polymodel"])
def test_help_loads_nothing_heavy_and_no_command(program: str) -> None:
    code = (
        f"import sys; sys.argv = [{program!r}, '--help']\n"
        f"from {program}.cli import app\n"
        "try: app()\n"
        "except SystemExit as done: assert not done.code, done.code\n"
        f"print('LOADED', *(m for m in {HEAVY!r} if m in sys.modules),"
        f" *(m for m in sys.modules if m.startswith('{program}.cli.')))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1].split() == ["LOADED"]


def test_the_pdf_library_is_loaded_without_its_add_ons() -> None:
    code = (
        "import sys\n"
        "from polydata.extraction import workflow\n"
        "print(*(m for m in sys.modules if m.startswith(('pymupdf.layout', 'pymupdf4llm'))))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not result.stdout.split()


def test_a_session_opens_without_what_reads_pictures() -> None:
    code = "import sys; from polydata.catalogue import session; print(*({'PIL', 'numpy', 'pandas'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not result.stdout.split()


@pytest.mark.parametrize(
    ("module", "package"), [("splits.overview", "scipy.cluster"), ("extraction.workflow", "scipy.optimize")]
)
def test_what_few_commands_compute_with_is_loaded_by_these_alone(module: str, package: str) -> None:
    code = f"import sys, polydata.{module}; print({package!r} in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False"]
