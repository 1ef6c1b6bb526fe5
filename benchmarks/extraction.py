"""Pictures out of PDFs by several tools, side by side: speed, memory and, with a truth file, the boxes' F1.

    extraction.py [PATH ...] [--truth FILE] [--methods NAME ...]

PATH: PDF files or folders; without any, a small generated corpus with its truth. Each method reads the same PDFs in
a process of its own and writes its pictures to disk. CPU time is that of the process and its children; what a run
on one empty page takes, mostly the loading of libraries (`start s`), is taken off before dividing by the pages.
Peak memory is that of the largest process. FILE: a list of {"sha256", "figures": [{"page", "bbox"}],
"ignore": [{"page", "bbox"}]}, boxes in points of the page as shown; a box is right where it covers a true one with an
intersection over union of 0.5, one to one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shown import conditions, show

Corners = tuple[float, float, float, float]
Spot = tuple[int, Corners]
"""A page, from 1, and a box on it."""

OVERLAP, DEMO_PAPERS = 0.5, 6


def by_polydata(paths: Sequence[Path], out: Path) -> Iterator[tuple[Path, list[Spot]]]:
    """This project, one worker."""
    from polydata.extraction.paper import extract_paper
    from polydata.extraction.pool import Readers
    from polydata.images.picture import ImageStore
    from polydata.types import Failure
    from polydata.workspace import ExtractSettings

    settings = ExtractSettings(seconds_per_file=600, memory_mb=1000)
    results = Readers(ImageStore(out), settings, workers=1).each((path, extract_paper, ()) for path in paths)
    for path, paper in results:
        if isinstance(paper, Failure):
            sys.stderr.write(f"{path}: {paper.reason}: {paper.detail}\n")
            continue
        yield path, [(one.page, (one.box.x0, one.box.y0, one.box.x1, one.box.y1)) for one in paper.figures]


def by_pymupdf4llm(paths: Sequence[Path], out: Path) -> Iterator[tuple[Path, list[Spot]]]:
    """Its layout model's pictures, without OCR."""
    import pymupdf.layout  # noqa: F401 - must be loaded first
    import pymupdf4llm  # type: ignore[import-untyped]

    for path in paths:
        text = pymupdf4llm.to_json(
            str(path), use_ocr=False, show_progress=False, write_images=True, image_path=str(out)
        )
        yield (
            path,
            [
                (page["page_number"], (one["x0"], one["y0"], one["x1"], one["y1"]))
                for page in json.loads(text)["pages"]
                for one in page["boxes"]
                if one["boxclass"] == "picture"
            ],
        )


def by_get_images(paths: Sequence[Path], out: Path) -> Iterator[tuple[Path, list[Spot]]]:
    """Every image object where it is placed."""
    import pymupdf

    for path in paths:
        found: list[Spot] = []
        with pymupdf.open(path) as document:
            for page in document:
                for xref, *_ in page.get_images(full=True):
                    raw = document.extract_image(xref)
                    if raw:
                        (out / f"{path.stem}-{xref}.{raw['ext']}").write_bytes(raw["image"])
                    found += [(page.number + 1, (r.x0, r.y0, r.x1, r.y1)) for r in page.get_image_rects(xref)]
        yield path, found


def by_pdfimages(paths: Sequence[Path], out: Path) -> Iterator[tuple[Path, list[Spot]]]:
    """Poppler's image objects; it says nothing of where they stand."""
    for path in paths:
        subprocess.run(["pdfimages", "-all", str(path), str(out / path.stem)], check=True)
        yield path, []


METHODS: dict[str, Callable[[Sequence[Path], Path], Iterator[tuple[Path, list[Spot]]]]] = {
    "polydata": by_polydata,
    "pymupdf4llm": by_pymupdf4llm,
    "get_images": by_get_images,
    "pdfimages": by_pdfimages,
}
PLACELESS = ("pdfimages",)


@dataclass(frozen=True)
class Cost:
    """What a process and its children took: CPU seconds, wall seconds, megabytes of the largest."""

    cpu: float
    wall: float
    peak_mb: float


def run_method(name: str, paths: Sequence[Path], place: Path) -> tuple[Cost, dict[str, list[Spot]]]:
    """Run a method in a fresh process; returns its cost and the boxes by the file's path."""
    out, listing = place / name, place / f"{name}.json"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    command = [sys.executable, __file__, "--run", name, "--out", str(listing), *map(str, paths)]
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{name} failed with exit status {process.returncode}")
    per_mb = 1024**2 if sys.platform == "darwin" else 1024
    cost = Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss / per_mb)
    boxes = {
        path: [(page, tuple(box)) for page, box in found] for path, found in json.loads(listing.read_text()).items()
    }
    return cost, boxes


def iou(one: Corners, other: Corners) -> float:
    """Intersection over union."""
    shared = area((max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])))
    return shared / (area(one) + area(other) - shared) if shared else 0.0


def area(box: Corners) -> float:
    """Zero for a box that is turned inside out."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def inside(box: Corners, other: Corners) -> bool:
    """More than half of the box lies in the other."""
    shared = area((max(box[0], other[0]), max(box[1], other[1]), min(box[2], other[2]), min(box[3], other[3])))
    return shared > area(box) / 2


def hits(true: Sequence[Spot], found: Sequence[Spot]) -> set[int]:
    """Numbers of the found boxes that match a true one, the best pairs first."""
    pairs = sorted(
        ((iou(t, f), i, j) for i, (page, t) in enumerate(true) for j, (other, f) in enumerate(found) if page == other),
        reverse=True,
    )
    taken: set[int] = set()
    matched: set[int] = set()
    for overlap, i, j in pairs:
        if overlap >= OVERLAP and i not in taken and j not in matched:
            taken.add(i)
            matched.add(j)
    return matched


def score(truth: Sequence[dict[str, Any]], boxes: dict[str, list[Spot]]) -> tuple[float, float, float]:
    """Precision, recall and F1 over all papers that were read."""
    by_digest: dict[str, list[Spot]] = defaultdict(list)
    read = set()
    for path, found in boxes.items():
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        read.add(digest)
        by_digest[digest] = found
    right = wanted = claimed = 0
    for paper in truth:
        if paper["sha256"] not in read:
            continue
        true: list[Spot] = [(one["page"], tuple(one["bbox"])) for one in paper["figures"]]
        ignored: list[Spot] = [(one["page"], tuple(one["bbox"])) for one in paper.get("ignore", ())]
        found = by_digest[paper["sha256"]]
        matched = hits(true, found)
        spare = [
            box
            for j, (page, box) in enumerate(found)
            if j not in matched and not any(page == other and inside(box, where) for other, where in ignored)
        ]
        right, wanted, claimed = right + len(matched), wanted + len(true), claimed + len(matched) + len(spare)
    precision, recall = right / max(1, claimed), right / max(1, wanted)
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def demo_corpus(place: Path) -> tuple[list[Path], Path]:
    """A generated corpus: its PDFs and its truth."""
    from polydata.demo.corpus import make_corpus
    from polydata.task import Task

    made = make_corpus(place / "corpus", papers=DEMO_PAPERS, task=Task.load())
    return sorted((made.folder / "papers").iterdir()), made.folder / "truth.json"


def count_pages(paths: Sequence[Path]) -> int:
    """Pages of all the PDFs."""
    import pymupdf

    total = 0
    for path in paths:
        with pymupdf.open(path) as document:
            total += document.page_count
    return total


def write_blank(path: Path) -> None:
    """A PDF of one empty page."""
    import pymupdf

    with pymupdf.open() as document:
        document.new_page()
        document.save(path)


def compare(
    paths: Sequence[Path], truth: Path | None, names: Sequence[str], place: Path, *, is_generated: bool
) -> None:
    """Run each method and show the table; what others have on their disks does not belong into the manual."""
    pages = count_pages(paths)
    known = json.loads(truth.read_text("utf-8")) if truth else None
    blank = place / "blank.pdf"
    write_blank(blank)
    rows = []
    for name in names:
        if name == "pdfimages" and not shutil.which(name):
            sys.stdout.write(f"{name} is not installed\n")
            continue
        start, _ = run_method(name, [blank], place)
        cost, boxes = run_method(name, paths, place)
        each = max(1e-9, cost.cpu - start.cpu) / pages
        quality = ["", "", ""]
        if known is not None and name not in PLACELESS:
            quality = [f"{value:.3f}" for value in score(known, boxes)]
        told = {"pages/s": f"{1 / each:.1f}", "CPU s a page": f"{each:.3f}", "start, s": f"{start.cpu:.2f}"}
        judged = dict(zip(("precision", "recall", "F1"), quality, strict=True))
        rows.append({"method": f"`{name}`", **told, "peak MB": f"{cost.peak_mb:.0f}", **judged})
    show(
        "extraction" if is_generated else "",
        rows,
        f"{len(paths)} PDFs, {pages} pages, one process at a time; {conditions()}.",
    )


def main() -> None:
    """Parse and compare; with --run, be one of the methods."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--run", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.run:
        found = METHODS[wanted.run](wanted.paths, wanted.out.with_suffix(""))
        wanted.out.write_text(json.dumps({str(path): boxes for path, boxes in found}), "utf-8")
        return
    with tempfile.TemporaryDirectory() as folder:
        place, truth = Path(folder), wanted.truth
        paths = [pdf for path in wanted.paths for pdf in (sorted(path.glob("*.pdf")) if path.is_dir() else [path])]
        if is_generated := not paths:
            paths, truth = demo_corpus(place)
        compare([path.resolve() for path in paths], truth, wanted.methods, place, is_generated=is_generated)


if __name__ == "__main__":
    main()
