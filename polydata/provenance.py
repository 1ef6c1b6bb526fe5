"""Follows things through the workspace: the catalogue's rows and the runs that were trained on them."""

from __future__ import annotations

import json
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.trace import trace
from polydata.workspace import Workspace

RUN_FILE = "run.json"


def sync_runs(workspace: Workspace, catalogue: Catalogue) -> None:
    """Write the training runs that lie in runs/ into the catalogue, and forget those that are gone."""
    rows = []
    for path in sorted(workspace.runs.glob(f"*/{RUN_FILE}")):
        try:
            run = json.loads(path.read_text(encoding="utf-8"))
            row = {"name": path.parent.name, "split": run["split"]["name"], "digest": run["split"]["digest"]}
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not a run folder of ours, or one that is being written
        rows.append({**row, "manifest": json.dumps(run)})
    with catalogue.transaction():
        catalogue.run("DELETE FROM runs")
        catalogue.upsert("runs", rows)


def ways(workspace: Workspace, catalogue: Catalogue, identifier: str) -> list[dict[str, Any]]:
    """The way of a thing from its PDF page to splits and runs, one entry a panel; see ``catalogue.trace``."""
    sync_runs(workspace, catalogue)
    return trace(catalogue, identifier)


def describe_way(way: dict[str, Any]) -> str:
    """One entry of ``ways`` in lines for a person."""
    paper, figure, panel, image = way["paper"], way["figure"], way["panel"], way["image"]
    box = "" if panel["x0"] is None else " box " + ", ".join(f"{panel[c]:.1f}" for c in ("x0", "y0", "x1", "y1"))
    lines = [
        f"{panel['panel_id']}",
        f"  paper   {paper['file_name']} ({paper['paper_id']})" + (f" doi:{paper['doi']}" if paper["doi"] else ""),
        f"  figure  {figure['label'] or 'without a label'} on page {figure['page']} ({figure['figure_id']})",
        f"  panel   {panel['label'] or 'the whole figure'}{box}",
        f"  caption {_short(panel['caption'] or panel['caption_stem'] or figure['caption'])}",
        f"  image   {image['sha256']} {image['width']} x {image['height']} {image['format']}",
    ]
    lines += [f"  scale   {s['value']:g} {s['unit']} ({s['method']})" for s in way["scale_bars"]]
    lines += [
        f"  screen  {s['decision']} {s['score']:.2f} by {s['rule']} {s['version']}: {s['reason']}"
        for s in image["screenings"]
    ]
    lines += [
        f"  record  {r['record_key'] or r['record_id']} by {r['method']} ({r['score']:.2f}): {_short(r['morphology'])}"
        for r in way["records"]
    ]
    lines += [
        f"  answer  {a['choice'] or 'skipped'} by {a['annotator']} at {a['updated_at']}" for a in way["annotations"]
    ]
    if way["label"]:
        said = ", ".join(way["label"]["sources"])
        lines.append(f"  label   {way['label']['label'] or 'undecided'} from {way['label']['source']} (said: {said})")
    lines += [f"  split   {s['split']} fold {s['fold']}: {s['side']} as {s['label']}" for s in way["splits"]]
    lines += [f"  run     {r['name']} on split {r['split']}" for r in way["runs"]]
    return "\n".join(lines)


def _short(text: str | None, length: int = 90) -> str:
    words = " ".join((text or "none").split())
    return words if len(words) <= length else words[: length - 1] + "…"
