"""Micrographs cut out of figures by several ways, side by side, inside true figure boxes.

    panels.py TRUTH PDF_FOLDER [--papers WORD ...]

TRUTH: a list of {"pdf", "figures": [{"page", "bbox", "micrographs": [{"bbox"}]}]}, boxes in points of the page as
shown. A micrograph is one's own where a part covers it with an intersection over union of one half, one to one; a
part that is taken for a micrograph is false where less than 30 % of it is one. ``gutters`` are what stands between
white gutters, ``images`` what the page places: neither can tell a micrograph from a plot, so every part counts.
``--papers``: only those whose file name begins with one of these words.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pymupdf

from polydata.extraction.panels.cutting import take_apart
from polydata.types import Box
from polydata.vision.micrograph import panel_odds

Rgb = npt.NDArray[np.uint8]
SCALE = 150 / 72
"""Pixels a point."""


def by_network(rgb: Rgb, _page: pymupdf.Page, _figure: Box) -> list[Box]:
    """This project, without the caption's help."""
    parts = [(part.window, part.micrograph) for part in take_apart(rgb, None)]
    return [
        Box(left, top, right, bottom)
        for (top, left, bottom, right), share in parts
        if panel_odds(rgb[top:bottom, left:right], share) > 0
    ]


def by_gutters(rgb: Rgb, _page: pymupdf.Page, _figure: Box) -> list[Box]:
    """Connected parts of what is not white."""
    ink = (cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) < 240).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    large = [row for row in stats[1:].tolist() if row[2] * row[3] > 0.01 * ink.size]
    return [Box(x, y, x + w, y + h) for x, y, w, h, _ in large]


def by_images(_rgb: Rgb, page: pymupdf.Page, figure: Box) -> list[Box]:
    """Images that the page places."""
    boxes = [Box(*info["bbox"]) for info in page.get_image_info()]
    moved = [[(edge - start) * SCALE for edge, start in zip(
        (box.x0, box.y0, box.x1, box.y1), (figure.x0, figure.y0) * 2, strict=True)] for box in boxes
        if box.area and box.overlap(figure) > 0.5 * box.area]  # fmt: skip
    return [Box(*corners) for corners in moved]


WAYS: dict[str, Callable[[Rgb, pymupdf.Page, Box], list[Box]]] = {
    "network": by_network, "gutters": by_gutters, "images": by_images,
}  # fmt: skip


def score(true: Sequence[Box], found: Sequence[Box]) -> Counter[str]:
    """Micrographs that came out alone, and parts that are none."""
    pairs = sorted(
        ((one.iou(other), t, f) for t, one in enumerate(true) for f, other in enumerate(found)), reverse=True
    )
    own: dict[int, int] = {}
    for overlap, t, f in pairs:
        if overlap >= 0.5 and t not in own and f not in own.values():
            own[t] = f
    false = sum(sum(one.overlap(other) for one in true) < 0.3 * other.area for other in found)
    return Counter(micrographs=len(true), own=len(own), found=len(found), false=false)


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--papers", nargs="*", default=[""])
    options = parser.parse_args()
    totals = {way: Counter[str]() for way in WAYS}
    spent = dict.fromkeys(WAYS, 0.0)
    for paper in json.loads(options.truth.read_text(encoding="utf-8")):
        if not paper["pdf"].startswith(tuple(options.papers)):
            continue
        with pymupdf.open(options.folder / paper["pdf"]) as document:
            for figure in paper["figures"]:
                page, box = document[figure["page"] - 1], Box(*figure["bbox"])
                clip = pymupdf.Rect(box.x0, box.y0, box.x1, box.y1)
                pixmap = page.get_pixmap(matrix=pymupdf.Matrix(SCALE, SCALE), clip=clip, alpha=False)
                rgb = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)
                inside = [
                    one["bbox"] for one in figure["micrographs"] if one.get("page", figure["page"]) == figure["page"]
                ]
                true = [
                    Box(*((edge - start) * SCALE for edge, start in zip(one, (box.x0, box.y0) * 2, strict=True)))
                    for one in inside
                ]
                for way, cut in WAYS.items():
                    start = time.process_time()
                    totals[way] += score(true, cut(rgb, page, box))
                    spent[way] += time.process_time() - start
                totals["network"]["figures"] += 1
    figures = totals["network"]["figures"]
    sys.stdout.write(f"{figures} figures\n{'':10}{'micrographs':>12}{'own':>7}{'false':>7}{'CPU ms a figure':>17}\n")
    for way, seen in totals.items():
        own, false = seen["own"] / max(1, seen["micrographs"]), seen["false"] / max(1, seen["found"])
        sys.stdout.write(f"{way:10}{seen['micrographs']:12}{own:7.2f}{false:7.2f}{1000 * spent[way] / figures:17.0f}\n")


if __name__ == "__main__":
    main()
