"""Makes scans of drawn PDFs: pages as pictures, aslant, with noise and an edge, perhaps with words laid over them."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pymupdf
from PIL import Image

DPI = 200
MISREAD = {"l": "1", "e": "c", "a": "o", "h": "b", "i": "l", "o": "0", "g": "q", "r": "n", "u": "v", "t": "f", "s": "5"}


@dataclass(frozen=True)
class Look:
    """How a scan looks.

    Attributes:
        skew: degrees at most by which a page is turned.
        edge: a copier's black edge along the left side.
        dithered: black and white with dithered pictures, compressed as fax machines do.
        wrong: share of letters that the words laid over the page have wrong; None for no words.
        lines: each line of words is a block of its own.
        tiles: strips that make up a page.
    """

    skew: float = 1.0
    edge: bool = False
    dithered: bool = False
    wrong: float | None = None
    lines: bool = False
    tiles: int = 1


def scan(source: Path, path: Path, look: Look, seed: int = 0) -> None:
    """Write a scan of a PDF; the same seed gives the same pixels."""
    rng = random.Random(f"{seed} {look}")
    noise = np.random.default_rng(rng.randrange(2**32))
    with pymupdf.open(source) as document, pymupdf.open() as out:
        for page in document:
            angle = rng.uniform(-look.skew, look.skew)
            picture = _photographed(page, angle, look, rng, noise)
            copy = out.new_page(width=page.rect.width, height=page.rect.height)
            step = picture.height / look.tiles
            for tile in range(look.tiles):
                top, bottom = round(tile * step), round((tile + 1) * step)
                place = pymupdf.Rect(0, top, picture.width, bottom) * (72 / DPI)
                copy.insert_image(place, stream=_file(picture.crop((0, top, picture.width, bottom)), look))
            if look.wrong is not None:
                _lay_words(copy, page, angle, look, rng)
        out.save(path)


def _photographed(
    page: pymupdf.Page, angle: float, look: Look, rng: random.Random, noise: np.random.Generator
) -> Image.Image:
    """A page as a scanner sees it, turned clockwise by an angle."""
    pixmap = page.get_pixmap(dpi=DPI, colorspace=pymupdf.csGRAY)
    flat = Image.frombytes("L", (pixmap.width, pixmap.height), pixmap.samples)
    grey = np.asarray(flat.rotate(-angle, Image.Resampling.BICUBIC, fillcolor=255), np.float64)
    grey = 20 + 0.9 * grey + noise.normal(0, 4, grey.shape)
    if look.edge:
        grey[:, : round(rng.uniform(3, 12) * DPI / 72)] = 15
    return Image.fromarray(grey.clip(0, 255).astype(np.uint8))


def _file(picture: Image.Image, look: Look) -> bytes:
    out = io.BytesIO()
    if look.dithered:
        bright = np.asarray(picture, np.float64) * 1.2
        bilevel = Image.fromarray(bright.clip(0, 255).astype(np.uint8)).convert("1")
        bilevel.save(out, "TIFF", compression="group4", dpi=(DPI, DPI))
    else:
        picture.save(out, "JPEG", quality=70)
    return out.getvalue()


def _lay_words(copy: pymupdf.Page, page: pymupdf.Page, angle: float, look: Look, rng: random.Random) -> None:
    """Unseen words over a scanned page where they stand on it, a share of their letters misread."""
    assert look.wrong is not None
    matrix = pymupdf.Matrix(1, 1).prerotate(angle)
    middle = pymupdf.Point(page.rect.width / 2, page.rect.height / 2)
    texts: dict[tuple[int, int], list[tuple[pymupdf.Rect, str]]] = {}
    for x0, y0, x1, y1, word, block, line, _ in page.get_text("words"):
        wrong = "".join(MISREAD.get(sign, sign) if rng.random() < look.wrong else sign for sign in word)
        texts.setdefault((block, line), []).append((pymupdf.Rect(x0, y0, x1, y1), wrong))
    for words in texts.values():
        said = [(words[0][0], " ".join(word for _, word in words))] if look.lines else words
        for rect, text in said:
            at = (pymupdf.Point(rect.x0, rect.y1 - 0.25 * rect.height) - middle) * matrix + middle
            copy.insert_text(at, text, fontsize=0.75 * rect.height, render_mode=3)
