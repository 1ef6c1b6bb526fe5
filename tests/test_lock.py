"""What is installed: no word of ours installs a stranger's package, and the lock says what the suite ran with."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from polydata import resources

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
FOLDERS = ("polydata", "polymodel", "schemas", "docs", "tests", "benchmarks", "data", ".ci")
KINDS = {".py", ".md", ".toml", ".j2", ".js", ".sh", ".cff", ".yml", ".json", ".sql", ""}
STRANGER = re.compile(
    r"pip3? install(?: +[^\s`]+)*? +['\"]?(polydata|polymodel)(?![\w-])|\b(polydata|polymodel)\[[a-z]"
    r"|\b(version|metadata|distribution)\(['\"](polydata|polymodel)['\"]"
)


def test_the_name_and_the_version_are_those_of_the_project() -> None:
    assert (PROJECT["name"], PROJECT["version"]) == (resources.DISTRIBUTION, resources.VERSION)
    assert PROJECT["name"] not in PROJECT["scripts"]


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("pip install polydata", True),
        ("pip install --upgrade 'polymodel>=2'", True),
        ("Install polydata[onnx]", True),
        ('importlib.metadata.version("polydata")', True),
        ("pip install 'polydata-micrographs[onnx]'", False),
        ("pip install --editable '.[dev]'", False),
        ("polydata.types", False),
    ],
)
def test_a_strangers_package_is_recognised(words: str, wrong: bool) -> None:
    assert bool(STRANGER.search(words)) is wrong


def test_no_file_tells_to_install_a_strangers_package() -> None:
    files = [p for p in ROOT.iterdir() if p.is_file()] + [p for f in FOLDERS for p in (ROOT / f).rglob("*")]
    said = {
        str(path.relative_to(ROOT)): found[0]
        for path in files
        if path.is_file() and path.suffix in KINDS and path != Path(__file__) and "__pycache__" not in path.parts
        for found in [STRANGER.search(path.read_text("utf-8"))]
        if found
    }
    assert said == {}


def test_the_hint_names_what_is_installed_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert resources.install_hint("onnx") == f"pip install --editable '{ROOT}[onnx]'"
    (tmp_path / "schemas").mkdir()
    monkeypatch.setattr(resources, "PACKAGE", tmp_path)
    noted = {"url": ROOT.as_uri()}  # as pip notes where it installed from
    monkeypatch.setattr(resources, "distribution", lambda _: SimpleNamespace(read_text=lambda _: json.dumps(noted)))
    assert resources.install_hint("onnx") == f"pip install '{ROOT}[onnx]'"
    noted["url"] = "https://example.org/a.whl"
    assert resources.install_hint("onnx") == "pip install '.[onnx]', in the folder of the checkout"
    assert "onnx" in PROJECT["optional-dependencies"]


def test_every_extra_that_a_hint_names_exists() -> None:
    named = {
        extra
        for package in ("polydata", "polymodel")
        for path in (ROOT / package).rglob("*.py")
        for extra in re.findall(r"install_hint\(['\"](\w+)['\"]\)", path.read_text("utf-8"))
    }
    named |= {
        extra
        for path in [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
        for extra in re.findall(r"pip install '(?:\.|polydata-micrographs)\[(\w+)\]", path.read_text("utf-8"))
    }
    assert {"lite", "mlflow", "onnx", "dask", "s3", "keyring"} <= named <= set(PROJECT["optional-dependencies"])


LOCK = ROOT / "constraints.txt"
LINES = [line for line in LOCK.read_text("utf-8").splitlines() if not line.startswith("#")]
LOCKED = dict(line.split("==") for line in LINES)
GROUPS = {"dependencies": PROJECT["dependencies"]} | PROJECT["optional-dependencies"]


def test_the_lock_holds_names_and_versions_alone() -> None:
    assert [line for line in LINES if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*==[0-9][0-9a-z.]*", line)] == []
    assert sorted(set(LINES), key=lambda line: line.split("==")[0]) == LINES
    assert not re.search(r"[@/+]|https?:|file:", LOCK.read_text("utf-8"))


@pytest.mark.parametrize("group", GROUPS)
def test_every_dependency_is_locked_within_its_bounds(group: str) -> None:
    wrong = [
        line
        for line in GROUPS[group]
        for one in [Requirement(line)]
        if not one.specifier.contains(LOCKED.get(canonicalize_name(one.name), ""), prereleases=True)
    ]
    assert wrong == [], "make lock"


def test_the_suite_runs_with_what_is_locked() -> None:
    """What of the lock is installed here has its version; all but the manual's tools is installed."""
    here = {canonicalize_name(d.name): Version(d.version).public for d in distributions()}
    assert {name: here[name] for name in LOCKED if name in here} == {n: v for n, v in LOCKED.items() if n in here}
    needed = [line for group, lines in GROUPS.items() if group != "docs" for line in lines]
    assert [line for line in needed if canonicalize_name(Requirement(line).name) not in here] == []
