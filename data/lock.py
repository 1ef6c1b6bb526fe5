"""Writes constraints.txt: the version of everything that the project's dependencies brought into this environment.

What was installed beside them by hand is left out, and so is the local part of a version (``+cpu``): pip then takes
whichever build of that version its indexes have.
"""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
HEADER = "# What make test, make demo and make docs were run with. Written by: make lock, make upgrade\n"


def closure(wanted: list[Requirement]) -> dict[str, str]:
    """The version of each distribution that these need here, directly or through others."""
    versions: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            raise SystemExit(f"{name} is not installed here: run make lock.") from None
        versions[name] = Version(found.version).public
        for extra in {"", *requirement.extras} - {e for n, e in seen if n == name}:
            seen.add((name, extra))
            needed = map(Requirement, found.requires or ())
            wanted += [one for one in needed if one.marker is None or one.marker.evaluate({"extra": extra})]
    return versions


def main() -> None:
    """Read pyproject.toml, write constraints.txt."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    versions = closure([Requirement(line) for group in groups for line in group])
    lines = [f"{name}=={version}\n" for name, version in sorted(versions.items())]
    (ROOT / "constraints.txt").write_text(HEADER + "".join(lines), "utf-8")


if __name__ == "__main__":
    main()
