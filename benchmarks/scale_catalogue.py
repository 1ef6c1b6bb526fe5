"""Catalogue, join, audit and split as they grow: seconds and memory at 10,000 to 1,000,000 panels.

    python benchmarks/scale_catalogue.py [PANELS ...]

For each size a catalogue is filled with made-up papers of ten panels each: captions, a record a paper, a label an
image, a year, one image in a thousand a near copy of another, one paper in a thousand known twice. Each size runs
in a process of its own; its peak memory includes the filling, its time does not. Images are not drawn: audit and
split go by hashes, as they do by themselves beyond 20,000 images.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from polydata.audit.hashes import near_hashes
from polydata.auditing import audit_workspace
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.filters import images_where
from polydata.catalogue.funnel import funnel
from polydata.catalogue.session import open_catalogue
from polydata.joining import join
from polydata.splits.build import build_split
from polydata.splits.options import Options
from polydata.splits.overview import verify_split
from polydata.splits.where import read_where
from polydata.workspace import Workspace

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


def measure(panels: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Workspace.init(Path(folder))
        with open_catalogue(place) as catalogue:
            fill(catalogue, panels)
        with open_catalogue(place) as catalogue:
            steps: dict[str, Callable[[], object]] = {
                "funnel": lambda: funnel(catalogue, place.task()),
                "filter": lambda: images_where(catalogue, read_where("technique = 'SEM' and year > 2000")),
                "fingerprint": catalogue.fingerprint,
                "join": lambda: join(catalogue, place.task()),
                "split": lambda: build_split(place, catalogue, "v1", Options(label_source="file", crops=False)),
                "audit": lambda: audit_workspace(place, catalogue, split="v1", crops=False, pixels=False),
            }
            spent, used = {}, time.process_time()
            for name, step in steps.items():
                start = time.perf_counter()
                step()
                spent[name] = time.perf_counter() - start
                print(f"  {panels:,} {name}: {spent[name]:.1f} s, {peak():.2f} GB", file=sys.stderr, flush=True)
            used = time.process_time() - used
            assert verify_lists(place, catalogue)
        cells = " | ".join(f"{spent[name]:.1f}" for name in steps)
        total = sum(spent.values())
        print(f"| {panels:,} | {panels // PANELS:,} | {cells} | {total:.0f} | {used:.0f} | {peak():.1f} |", flush=True)


def verify_lists(place: Workspace, catalogue: Catalogue) -> bool:
    """Lists and manifest are whole; the images were never drawn."""
    return all("is missing" in fault for fault in verify_split(place, catalogue, "v1")[:10])


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def hashes(count: int) -> None:
    numbers = np.random.default_rng(0).integers(0, 2**64, count, dtype=np.uint64)
    start = time.perf_counter()
    near_hashes(f"{n:016x}" for n in numbers.tolist())
    print(f"near-duplicates among {count:,} hashes: {time.perf_counter() - start:.1f} s", flush=True)


def main(sizes: list[int]) -> None:
    for count in (10_000, 100_000, 1_000_000):
        hashes(count)
    steps = ("funnel", "filter", "fingerprint", "join", "split", "audit", "all")
    print(f"| panels | papers | {' | '.join(f'{s}, s' for s in steps)} | processor s | peak GB |")
    print(f"|{'---|' * (len(steps) + 4)}", flush=True)
    for size in sizes:
        subprocess.run([sys.executable, __file__, "--one", str(size)], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measure(int(sys.argv[2]))
    else:
        main([int(a) for a in sys.argv[1:]] or [10_000, 100_000, 1_000_000])
