"""Where a split comes from and where it went: papers, methods, labels, the split itself, runs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.lineage import papers_of, runs_on
from polydata.splits.overview import show_split
from polydata.workspace import Workspace


def lineage(workspace: Workspace, catalogue: Catalogue, name: str) -> dict[str, Any]:
    """The way of a split's images from their papers to the runs that were trained on it.

    Returns:
        ``papers`` (rows ``source``, ``extractor``, ``papers``, ``images``), ``labels`` (images by label source),
        ``split`` (``name``, ``digest``, ``recipe``, ``code_version``, ``catalogue_fingerprint``, ``excluded``,
        ``leakage``),
        ``catalogue_unchanged`` (whether the catalogue's content is still what the split was built from) and ``runs``
        (rows ``name``, ``digest``, ``same``: whether the run was trained on this very split).

    Raises:
        UsageError, InputError: if there is none of this name.
        RefusedError: if a file of it was changed.
    """
    split = show_split(workspace, name)
    items = {item.image_sha256: item for fold in split.folds for item in fold.everything}
    manifest = split.manifest
    return {
        "papers": papers_of(catalogue, sorted(items)),
        "labels": dict(sorted(Counter(item.extra.get("label_source", "") for item in items.values()).items())),
        "split": {
            "name": split.name,
            "digest": split.digest,
            **{key: manifest[key] for key in ("recipe", "code_version", "catalogue_fingerprint")},
            "excluded": manifest["counts"]["excluded"],
            "leakage": split.leakage and split.leakage["reason"],
        },
        "catalogue_unchanged": catalogue.fingerprint() == manifest["catalogue_fingerprint"],
        "runs": [{**run, "same": run["digest"] == split.digest} for run in runs_on(catalogue, name)],
    }


def lineage_facts(found: dict[str, Any]) -> dict[str, Any]:
    """A lineage as names and values for a person."""
    split = found["split"]
    return {
        **{
            f"papers of {row['source']}, read by {row['extractor']}": f"{row['papers']} with {row['images']} images"
            for row in found["papers"]
        },
        **{f"labels by {source or 'nobody known'}": count for source, count in found["labels"].items()},
        **{f"recipe: {key}": value for key, value in split["recipe"].items() if value is not None},
        **{f"left out: {reason}": count for reason, count in split["excluded"].items()},
        **({"leaks, allowed because": split["leakage"]} if split["leakage"] else {}),
        "digest": split["digest"],
        "code version": split["code_version"],
        "catalogue since then": "unchanged" if found["catalogue_unchanged"] else "changed",
        **{
            f"run {run['name']}": "on this split" if run["same"] else "on another of this name" for run in found["runs"]
        },
    }
