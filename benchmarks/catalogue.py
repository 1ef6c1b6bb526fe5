"""What many papers cost in the catalogue: papers written a second and bytes a paper, as it grows.

    python benchmarks/catalogue.py [PAPERS]

Papers are generated with the counts that extraction found in real ones (7 figures, 9 panels, texts of their lengths).
Some hundred are written as ``polydata extract`` writes them, one transaction each: into an empty catalogue, then into
one of a tenth of the size asked for and of all of it, filled by copying rows.
"""

from __future__ import annotations

import hashlib
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.papers import extraction_counts, move_papers, older_versions, read_by, save_paper
from polydata.choices import Kind
from polydata.types import Box, Figure, ImageInfo, Leftover, Panel, Paper, PaperMeta

FIGURES, PANELS = 7, 9
SAMPLE = 300
"""Papers written one by one at each size."""


def text(chance: random.Random, length: int) -> str:
    """Words of an open vocabulary: what compresses as prose does."""
    words = []
    while length > 0:
        word = f"{chance.choice(('poly', 'co', 'inter', 'blend', 'phase', 'the', 'of', 'and'))}{chance.randrange(3000)}"
        words.append(word)
        length -= len(word) + 1
    return " ".join(words)


def image(chance: random.Random) -> ImageInfo:
    digest = hashlib.sha256(chance.randbytes(16)).hexdigest()
    return ImageInfo(
        digest, chance.randbytes(8).hex(), 640, 480, "PNG", "RGB", False, chance.randrange(20_000, 200_000)
    )


def box(chance: random.Random) -> Box:
    left, top = chance.uniform(0, 300), chance.uniform(0, 500)
    return Box(left, top, left + chance.uniform(50, 250), top + chance.uniform(50, 250))


def paper(number: int) -> Paper:
    chance = random.Random(number)
    shares = [1 + (index < PANELS - FIGURES) for index in range(FIGURES)]
    figures = []
    for index, panels in enumerate(shares):
        caption = text(chance, 240)
        kind = chance.choice([Kind.MICROGRAPH, Kind.PLOT])
        parts = tuple(Panel(box(chance), "a", caption[:90], caption[:110], image(chance), kind) for _ in range(panels))
        figures.append(
            Figure(index + 1, box(chance), f"Figure {index + 1}", caption, kind, "caption-anchored", 0.9, 300, parts)
        )
    return Paper(
        sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        file_name=f"{number}.pdf",
        pages=10,
        meta=PaperMeta(text(chance, 90), f"10.1000/{number}", "J. Blends", 2020, text(chance, 3900)),
        figures=tuple(figures),
        leftovers=(Leftover("caption-without-figure", 1, "Figure 9", text(chance, 200), box(chance)),),
    )


def multiply(catalogue: Catalogue, times: int, salt: int) -> None:
    """Copy all that is there under other ids, so that a large catalogue is made in a minute."""
    keys = {
        "papers": ("paper_id", "sha256", "path"),
        "figures": ("figure_id", "paper_id"),
        "panels": ("panel_id", "figure_id", "image_sha256"),
        "images": ("sha256",),
        "leftovers": ("leftover_id", "paper_id"),
    }
    for table, columns in keys.items():
        new = ", ".join(f'sha256("{c}" || i || \'-{salt}\') AS "{c}"' for c in columns)
        catalogue.run(f'INSERT INTO "{table}" SELECT t.* REPLACE ({new}) FROM "{table}" t, range({times}) r(i)')


def write(path: Path, first: int, count: int) -> tuple[float, float]:
    """Write papers one by one; wall and processor seconds of the writing alone."""
    wall = cpu = 0.0
    with Catalogue.open(path) as catalogue:
        for number in range(first, first + count):
            one = paper(number)
            wall, cpu = wall - time.perf_counter(), cpu - time.process_time()
            save_paper(catalogue, one, Path(f"/papers/{one.file_name}"), "1")
            wall, cpu = wall + time.perf_counter(), cpu + time.process_time()
    return wall, cpu


def main(total: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalog.duckdb"
        print(f"{'papers':>9} {'papers/s':>9} {'ms CPU a paper':>15} {'bytes a paper':>14}")
        held = 0
        for wanted in (0, total // 10, total):
            if wanted:
                with Catalogue.open(path) as catalogue:
                    multiply(catalogue, max(1, wanted // held), held)
                    held = int(catalogue.value("SELECT count(*) FROM papers"))
            wall, cpu = write(path, held + 1, SAMPLE)
            held += SAMPLE
            size = path.stat().st_size / held
            print(f"{held:9,} {SAMPLE / wall:9.0f} {1000 * cpu / SAMPLE:15.1f} {size:14,.0f}", flush=True)
        with Catalogue.open(path) as catalogue:
            questions: dict[str, Callable[[], object]] = {
                "which files were read before": lambda: read_by(catalogue, "1"),
                "counts of all papers": lambda: extraction_counts(catalogue, sorted(read_by(catalogue, "1"))),
                "fingerprint": catalogue.fingerprint,
            }
            for name, ask in questions.items():
                start = time.process_time()
                ask()
                print(f"{name}: {time.process_time() - start:.2f} s CPU")
            some = sorted(read_by(catalogue, "1"))[:SAMPLE]
            start = time.process_time()
            move_papers(catalogue, {sha256: Path("/elsewhere") / sha256 for sha256 in some})
            print(f"a file that was read before: {1000 * (time.process_time() - start) / len(some):.1f} ms CPU")
            start = time.process_time()
            for sha256 in some:
                older_versions(catalogue, {Path("/elsewhere") / sha256: sha256})
            print(f"older versions of a file: {1000 * (time.process_time() - start) / len(some):.1f} ms CPU")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
