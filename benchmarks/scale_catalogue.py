"""Catalogue, join, audit and split as they grow: seconds and memory at 10,000 to 1,000,000 panels.

    python benchmarks/scale_catalogue.py [PANELS ...] [--json FILE] [--plot FILE.svg]
    python benchmarks/scale_catalogue.py --redraw FILE --plot FILE.svg

For each size a catalogue is filled with made-up papers of ten panels each: captions, a record a paper, a label an
image, a year, one image in a thousand a near copy of another, one paper in a thousand known twice. Each size runs
in a process of its own; its peak memory includes the filling, its time does not. Images are not drawn: audit and
split go by hashes, as they do by themselves beyond 20,000 images. ``--json`` keeps the figures, ``--plot`` draws them,
``--redraw`` draws figures that were kept.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from polydata import __version__
from polydata.auditing.run import audit
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.session import Session, open_session
from polydata.catalogue.splits import images_where
from polydata.catalogue.trace import funnel
from polydata.images.hashes import near_hashes
from polydata.records.join import join
from polydata.splits.build import build_split
from polydata.splits.options import SplitOptions
from polydata.splits.overview import verify_split
from polydata.splits.where import read_where
from polydata.workspace import Workspace

Figures = dict[str, Any]
"""What a run gave, as it stands in the JSON file."""

SIZES = (10_000, 100_000, 1_000_000)
PANELS = 10
WORDS = (
    "'SEM micrographs of blend ' || ({n} % 977) || ' of polymer ' || ({n} % 89) || ' with ' || ({n} % 7 * 10)"
    " || ' wt% of '"
    " || 'component ' || ({n} % 53) || ': (a) as cast, (b) annealed, (c) etched'"
)


def fill(catalogue: Catalogue, panels: int) -> None:
    papers = panels // PANELS
    with catalogue.transaction():
        catalogue.run(
            f"""INSERT INTO papers (paper_id, sha256, source, file_name, title, doi, journal, year, pages, status,
                                    extractor, first_page_text)
                SELECT 'paper-' || sha256('p' || i)[:16], sha256('pdf' || i), 'pdf', i || '.pdf', 'Title ' || i,
                       '10.5555/' || CASE WHEN i % 1000 = 1 THEN i - 1 ELSE i END, 'J. Blends', 1990 + i % 30, 9,
                       'done', '1', {WORDS.format(n="i")}
                FROM range({papers}) r(i)"""
        )
        catalogue.run(
            f"""INSERT INTO figures (figure_id, paper_id, page, label, caption, kind, method, confidence)
                SELECT 'figure-' || sha256('f' || i)[:16], 'paper-' || sha256('p' || i)[:16], 3, 'Figure 1',
                       {WORDS.format(n="i")}, 'micrograph', 'x', 1 FROM range({papers}) r(i)"""
        )
        # One image in a thousand differs in a single bit from the one before it, which stands in another paper.
        catalogue.run(
            f"""INSERT INTO images
                SELECT sha256('i' || i), CASE WHEN i % 1000 = 10 THEN sha256('h' || i - 1)[:15] || '7'
                                              ELSE sha256('h' || i)[:15] || '6' END,
                       300 + i % 500, 300 + i % 300, 'PNG', 'L', false, 90000 FROM range({panels}) r(i)"""
        )
        catalogue.run(
            f"""INSERT INTO panels (panel_id, figure_id, position, label, caption, kind, image_sha256, mentions)
                SELECT 'panel-' || sha256('n' || i)[:16], 'figure-' || sha256('f' || i // {PANELS})[:16],
                       i % {PANELS}, chr((97 + i % {PANELS})::INTEGER), 'panel ' || i % 977 || ' as cast', 'micrograph',
                       sha256('i' || i),
                       CASE WHEN i % 9 = 0 THEN '[{{"field": "technique", "value": "TEM"}}]'
                            ELSE '[{{"field": "technique", "value": "SEM"}}]' END
                FROM range({panels}) r(i)"""
        )
        catalogue.run(
            f"""INSERT INTO label_votes (panel_id, source, record_id, label, evidence)
                SELECT 'panel-' || sha256('n' || i)[:16], 'file', '',
                       CASE WHEN hash(i // 3) % 5 = 0 THEN 'compatible' ELSE 'incompatible' END, ''
                FROM range({panels}) r(i)"""
        )
        catalogue.run(
            f"""INSERT INTO records (record_id, source, record_key, doi, figure, panel, caption, year, raw)
                SELECT 'record-' || sha256('r' || i)[:16], 'made up', i::TEXT, '10.5555/' || i, '1', 'b',
                       {WORDS.format(n="i")}, 1990 + i % 30, '{{}}' FROM range({papers}) r(i)"""
        )


def measure(panels: int) -> Figures:
    """Seconds a step and gigabytes at one size, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        place = Workspace.init(Path(folder))
        with open_session(place) as session:
            fill(session.catalogue, panels)
        with open_session(place) as session:
            steps: dict[str, Callable[[], object]] = {
                "funnel": lambda: funnel(session),
                "filter": lambda: images_where(session.catalogue, read_where("technique = 'SEM' and year > 2000")),
                "fingerprint": session.catalogue.fingerprint,
                "join": lambda: join(session),
                "split": lambda: build_split(session, "v1", SplitOptions(label_source="file", crops=False)),
                "audit": lambda: audit(session, split="v1", crops=False, pixels=False),
            }
            seconds, memory, used = {}, {}, time.process_time()
            for name, step in steps.items():
                start = time.perf_counter()
                step()
                seconds[name], memory[name] = round(time.perf_counter() - start, 3), peak()
                print(f"  {panels:,} {name}: {seconds[name]:.1f} s, {memory[name]:.2f} GB", file=sys.stderr, flush=True)
            used = time.process_time() - used
            assert verify_lists(session)
    return {
        "panels": panels,
        "papers": panels // PANELS,
        "seconds": seconds,
        "peak_gb_so_far": memory,
        "all_seconds": round(sum(seconds.values()), 3),
        "processor_seconds": round(used, 3),
        "peak_gb": peak(),
    }


def verify_lists(session: Session) -> bool:
    """Lists and manifest are whole; the images were never drawn."""
    return all("is missing" in fault for fault in verify_split(session, "v1")[:10])


def peak() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 3)


def hashes(count: int) -> Figures:
    """Seconds to find near-duplicates among random hashes."""
    numbers = np.random.default_rng(0).integers(0, 2**64, count, dtype=np.uint64)
    start = time.perf_counter()
    near_hashes(f"{n:016x}" for n in numbers.tolist())
    seconds = round(time.perf_counter() - start, 3)
    print(f"near-duplicates among {count:,} hashes: {seconds:.1f} s", flush=True)
    return {"hashes": count, "seconds": seconds}


def draw(figures: Figures, path: Path) -> None:
    """Growth as an SVG: seconds a step and peak memory over the number of panels, both axes logarithmic.

    The same figures give the same bytes. Grey lines grow in proportion to the panels.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    sizes = sorted(figures["sizes"], key=lambda one: one["panels"])
    panels = [one["panels"] for one in sizes]
    with mpl.rc_context({"svg.hashsalt": "scale", "svg.fonttype": "none", "font.size": 10}):
        figure = Figure(figsize=(9, 4.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        whole = {"color": "black", "marker": "o"}
        for name in sizes[0]["seconds"]:
            left.plot(panels, [max(one["seconds"][name], 1e-3) for one in sizes], marker="o", label=name)
        left.plot(panels, [one["all_seconds"] for one in sizes], label="all steps", **whole)
        right.plot(panels, [one["peak_gb"] for one in sizes], **whole)
        for axes, what, first in (
            (left, "seconds", sizes[0]["all_seconds"]),
            (right, "peak memory, GB", sizes[0]["peak_gb"]),
        ):
            straight = [first * count / panels[0] for count in panels]
            axes.plot(panels, straight, color="0.7", linestyle="--", zorder=0, label="in proportion")
            axes.set(xscale="log", yscale="log", xlabel="panels", ylabel=what)
            axes.xaxis.set_major_formatter("{x:,.0f}")
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter("")
            axes.grid(which="major", color="0.9")
        handles, names = left.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside right upper", frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def run(sizes: list[int], kept: Path | None) -> Figures:
    """Measure sizes, each in a process of its own; what is done is kept after each."""
    figures: Figures = {
        "machine": {"processors": os.cpu_count(), "python": platform.python_version(), "polydata": __version__},
        "near_duplicates": [hashes(count) for count in SIZES if count <= max(sizes)],
        "sizes": [],
    }
    steps = ("funnel", "filter", "fingerprint", "join", "split", "audit")
    print(f"| panels | papers | {' | '.join(f'{s}, s' for s in (*steps, 'all'))} | processor s | peak GB |")
    print(f"|{'---|' * (len(steps) + 5)}", flush=True)
    for size in sizes:
        one = json.loads(
            subprocess.run([sys.executable, __file__, "--one", str(size)], check=True, stdout=subprocess.PIPE).stdout
        )
        cells = " | ".join(f"{one['seconds'][name]:.1f}" for name in steps)
        end = f"{one['all_seconds']:.0f} | {one['processor_seconds']:.0f} | {one['peak_gb']:.1f}"
        print(f"| {one['panels']:,} | {one['papers']:,} | {cells} | {end} |", flush=True)
        figures["sizes"].append(one)
        if kept:
            kept.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sizes", nargs="*", type=int, metavar="PANELS", help=f"otherwise {SIZES}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the growth")
    parser.add_argument("--redraw", type=Path, metavar="FILE", help="measure nothing: draw figures that --json kept")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(asked.one)))
        return
    if asked.redraw:
        figures = json.loads(asked.redraw.read_text(encoding="utf-8"))
    else:
        figures = run(asked.sizes or list(SIZES), asked.json)
    if asked.plot:
        draw(figures, asked.plot)


if __name__ == "__main__":
    main()
