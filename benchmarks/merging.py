"""What it costs to merge a workspace into another: rows of generated papers, with small images of their own.

    python benchmarks/merging.py [PAPERS] [IMAGE_BYTES]

Both workspaces get that many papers as ``benchmarks/catalogue.py`` makes them. The one that comes has an image file for
each panel, so that copying reads, checks and writes what it would of real ones: of random bytes in the first thousand
papers, tiny in the others, which are copies of their rows under other ids. The one that it comes to has rows alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from catalogue import multiply, paper

from polydata.catalogue.papers import save_paper
from polydata.catalogue.session import open_session
from polydata.images.picture import image_store
from polydata.types import Figure, Panel, Paper
from polydata.upkeep.merge import merge
from polydata.workspace import Workspace

SINGLE = 1000
"""Papers written one by one."""


def fill(workspace: Workspace, first: int, count: int, size: int) -> None:
    """Write papers with their images into a workspace."""
    store, chance = image_store(workspace), random.Random(first)

    def stored(panel: Panel) -> Panel:
        data = chance.randbytes(size)
        sha256 = hashlib.sha256(data).hexdigest()
        store.keep(data, sha256, panel.image.format)
        return dataclasses.replace(panel, image=dataclasses.replace(panel.image, sha256=sha256, size_bytes=size))

    def with_images(figure: Figure) -> Figure:
        return dataclasses.replace(figure, panels=tuple(map(stored, figure.panels)))

    with open_session(workspace) as session:
        for number in range(first, first + count):
            made: Paper = paper(number)
            made = dataclasses.replace(made, figures=tuple(map(with_images, made.figures)))
            save_paper(session.catalogue, made, Path(f"/papers/{made.file_name}"), "1")


def copy(workspace: Workspace, times: int) -> None:
    """Copy all rows under other ids; the texts whose SHA-256 ``multiply`` takes for images become their files."""
    store, salt = image_store(workspace), 2
    with open_session(workspace) as session:
        images = session.catalogue.tuples("SELECT sha256, format FROM images")
        multiply(session.catalogue, times, salt)
    for sha256, true_format in images:
        for number in range(times):
            data = f"{sha256}{number}-{salt}".encode()
            store.keep(data, hashlib.sha256(data).hexdigest(), true_format)


def main(papers: int, size: int) -> None:
    single = min(papers, SINGLE)
    with tempfile.TemporaryDirectory() as folder:
        here, there = (Workspace.init(Path(folder) / name) for name in ("here", "there"))
        with open_session(here) as session:
            for number in range(single // 10):
                save_paper(session.catalogue, paper(number), Path(f"/papers/{number}.pdf"), "1")
            multiply(session.catalogue, 10 * papers // single - 1, 1)
        fill(there, papers, single, size)
        copy(there, papers // single - 1)
        for what in ("merging", "merging again"):
            wall, cpu = time.perf_counter(), time.process_time()
            with open_session(here) as session:
                done = merge(session, there)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{what} {papers:,} papers into {papers:,}: {done.images:,} images, "
                f"{wall:.1f} s, {cpu:.1f} s CPU, {1000 * cpu / papers:.2f} ms CPU a paper, peak {peak:.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
