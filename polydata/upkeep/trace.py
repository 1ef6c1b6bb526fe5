"""Follows things through the workspace: the catalogue's rows and the runs that were trained on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from polydata.catalogue.session import Session, open_session
from polydata.catalogue.trace import list_runs, save_runs
from polydata.workspace import Workspace

RUN_FILE = "run.json"


def open_with_runs(workspace: Workspace | Path | None = None) -> Session:
    """The workspace for reading, as ``open_session``, after the training runs in its runs/ were noted in it."""
    session = open_session(workspace, read_only=True)
    rows = _runs(session.workspace)
    if list_runs(session.catalogue) != rows:
        session.close()
        session = open_session(session.workspace)
        save_runs(session.catalogue, rows)
    return session


def _runs(workspace: Workspace) -> list[dict[str, Any]]:
    rows = []
    for path in sorted(workspace.runs.glob(f"*/{RUN_FILE}")):
        try:
            run = json.loads(path.read_text(encoding="utf-8"))
            row = {"name": path.parent.name, "split": run["split"]["name"], "digest": run["split"]["digest"]}
        except (OSError, ValueError, KeyError, TypeError):
            continue  # polymodel runs list shows it as unreadable
        rows.append({**row, "manifest": json.dumps(run)})
    return rows


def describe_way(way: dict[str, Any]) -> str:
    """One entry of ``catalogue.trace`` in lines for a person."""
    if "panel" not in way:
        return _describe_alone(way)
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
    if image["decision"]:
        by = "by hand" if image["decision"]["by_hand"] else f"at threshold {image['decision']['threshold']:g}"
        lines.append(f"  decided {image['decision']['decision']} {by}")
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


def _describe_alone(way: dict[str, Any]) -> str:
    if "record" in way:
        record = way["record"]
        lines = [
            record["record_id"],
            f"  record  {record['record_key'] or 'without a key'}: {_short(record['morphology'])}",
        ]
        lines += [
            f"  paper   {p['file_name']} ({p['paper_id']}) by {p['method']} ({p['score']:.2f})" for p in way["papers"]
        ]
        return "\n".join([*lines, "  joined to no panel"])
    lines = [way["paper"]["paper_id"], f"  paper   {way['paper']['file_name']}, without panels"]
    return "\n".join([*lines, *(f"  left    {o['what']} on page {o['page']}" for o in way["leftovers"])])


def _short(text: str | None, length: int = 90) -> str:
    words = " ".join((text or "none").split())
    return words if len(words) <= length else words[: length - 1] + "…"
