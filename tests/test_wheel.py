"""What is built works where it is installed: files of schemas/ included, nothing read from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; what it depends on is read from this one's site-packages."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin/python"
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    (Path(site) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)], check=True)
    return folder


def run(environment: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("POLYDATA_", "PYTHON"))}
    return subprocess.run(
        [str(environment / "bin" / words[0]), *words[1:]],
        cwd=cwd, env=variables, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_wheel_holds_the_schemas_and_nothing_foreign(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for path in (ROOT / "schemas").rglob("*.*"):
        assert f"polydata/schemas/{path.relative_to(ROOT / 'schemas')}" in names
    for package in ("polydata", "polymodel"):  # stubs, templates and models too
        shipped = {p for p in (ROOT / package).rglob("*.*") if p.is_file() and "__pycache__" not in p.parts}
        assert {str(p.relative_to(ROOT)) for p in shipped} <= set(names)
    assert {n.split("/")[0] for n in names if ".dist-info" not in n} == {"polydata", "polymodel"}


def test_the_installed_programs_work(environment: Path, tmp_path: Path) -> None:
    where = run(environment, "python", "-c", "import polydata; print(polydata.__file__)", cwd=tmp_path)
    assert where.stdout.startswith(str(environment)), where.stderr
    for program in ("polydata", "polymodel"):
        shown = run(environment, program, "--help", cwd=tmp_path)
        assert shown.returncode == 0, shown.stderr
        assert "Usage" in shown.stdout
    made = run(environment, "polydata", "init", "w", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "w/catalog.duckdb").is_file()
    assert (tmp_path / "w/polydata.toml").is_file()
    shown = run(environment, "polydata", "status", "--json", "--workspace", "w", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
