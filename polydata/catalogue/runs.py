"""Training runs, noted from their folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from polydata.catalogue.connect import Catalogue


def list_runs(catalogue: Catalogue) -> list[dict[str, Any]]:
    """The runs that are noted, by name."""
    return catalogue.rows("SELECT name, split, digest, manifest FROM runs ORDER BY name")


def save_runs(catalogue: Catalogue, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note these runs and forget all others."""
    with catalogue.transaction():
        catalogue.run("DELETE FROM runs")
        catalogue.upsert("runs", rows)
