"""Damaged PDFs, pictures, tables and predictions, and invented captions, for so many seconds: which made the program
fail in a way it must not.

    fuzz.py [--seconds 60] [--seed 0] [--keep FOLDER]

A fault is an exception that nothing expected, a process that died, or work without end (over 20 s a PDF, over
5 s a hundred captions or files). Whatever faults is kept in FOLDER. The exit status is 1 if there were any.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from pebble import ProcessExpired, ProcessPool

from polydata.extraction.limits import set_up
from polydata.extraction.paper import extract_paper
from polydata.extraction.pool import Readers

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

PDF_SECONDS, BATCH_SECONDS, MEMORY_MB, BATCH = 20, 5, 900, 100
SLOW = ("content_bomb", "forms_without_end", "pattern_of_tiny_steps")
"""Hostile files that are slow as they are: their damaged copies say nothing new."""

TOKEN = re.compile(
    rb"-?\d+\.?\d*|/[A-Za-z]+|<<|>>|\[|\]|\bobj\b|\bendobj\b|\bstream\b|\bR\b|\b(?:Tj|TJ|Tf|Td|cm|re|Do|q|Q)\b"
)
NUMBERS = (b"0", b"-1", b"1", b"65536", b"2147483648", b"-2147483649", b"1e38", b"99999999999999999999", b"0.0000001")

PIECES = (
    *(
        "Figure",
        "Fig.",
        "FIG",
        "図",
        "Scheme",
        "Table",
        "1",
        "2.",
        "S3",
        "IV",
        "10-2",
        ":",
        "|",
        ".",
        "—",
        "(a)",
        "(b)",
    ),
    *("(a-c)", "(a, b)", "a)", "(c) and (d)", "A,", "shows", "and", "of", "the", "SEM", "micrographs", "blends"),
    *("PP/PA6", "70/30", "(80/20 w/w)", "50 wt%", "30:70", "x = 0.3", "scale bar", "10 µm", "= 5", "nm.", "×5000"),
    *(
        "(((",
        ")))",
        "((a)",
        "\u202e",
        "\x00",
        "\ud7ff",
        "𝛼",
        "ﬁ",
        "\u200b",
        "-",
        "–",
        "%",
        "/" * 40,
        "(" * 200,
        "a" * 500,
    ),
    *(
        "1/2/3/4/5/6/7",
        "0" * 300,
        "1e999",
        "9" * 400 + "/1",
        "a, b, c, d, e, f",
        "(i)",
        "(ii)",
        "respectively",
        "and " * 60,
    ),
)


@dataclass
class Tally:
    """What came of the cases.

    Attributes:
        cases: of each sort of input.
        outcomes: how each ended.
        faults: what must not happen, with where it is kept.
        slowest: seconds.
    """

    cases: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0


def flip(data: bytearray, rng: random.Random) -> None:
    """Change single bytes."""
    for _ in range(rng.choice((1, 3, 10, 100))):
        data[rng.randrange(len(data))] = rng.randrange(256)


def cut(data: bytearray, rng: random.Random) -> None:
    """Take the end away, mostly leaving the cross-reference's place."""
    tail = bytes(data[-200:])
    del data[rng.randrange(len(data)) :]
    if rng.random() < 0.7:
        data += tail


def swap(data: bytearray, rng: random.Random) -> None:
    """Let tokens change places, or become numbers that nobody expects."""
    places = [match.span() for match in TOKEN.finditer(data)]
    for _ in range(rng.choice((1, 2, 5, 20)) if len(places) > 1 else 0):
        (start, end), (first, last) = sorted(rng.sample(places, 2))
        one, other = bytes(data[start:end]), bytes(data[first:last])
        if one[:1].isdigit() and rng.random() < 0.6:
            other = rng.choice(NUMBERS)[: end - start].rjust(end - start, b"0")
            data[start:end] = other
        elif len(one) == len(other):
            data[start:end], data[first:last] = other, one


def move(data: bytearray, rng: random.Random) -> None:
    """Delete, repeat or move a stretch."""
    start = rng.randrange(len(data))
    stretch = bytes(data[start : start + rng.choice((1, 16, 256, 4096))])
    if rng.random() < 0.5:
        del data[start : start + len(stretch)]
    if rng.random() < 0.7:
        at = rng.randrange(len(data) + 1)
        data[at:at] = stretch * rng.choice((1, 1, 2, 50))


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (flip, cut, swap, swap, swap, move)


def seeds(folder: Path) -> list[bytes]:
    """Small PDFs of each layout that the tests draw, as saved and with everything unpacked."""
    import pymupdf
    from make_hostile import FILES
    from make_pdf import LAYOUTS

    found = [make() for name, (make, _) in FILES.items() if name not in SLOW]
    for name, draw in LAYOUTS.items():
        path = folder / f"seed-{name}.pdf"
        draw(path)
        found.append(path.read_bytes())
        with pymupdf.open(path) as document:
            found.append(document.tobytes(expand=2, ascii=False, garbage=1))
    return [data for data in found if 200 < len(data) < 400_000]


def mutated(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    """A damaged copy, and the damage's name."""
    out, mutation = bytearray(data), rng.choice(MUTATIONS)
    for _ in range(rng.choice((1, 1, 2, 4))):
        if len(out) > 10:
            mutation(out, rng)
    return mutation.__name__, bytes(out)


def fuzz_pdfs(seconds: float, rng: random.Random, keep: Path, tally: Tally) -> None:
    """Read damaged PDFs as ``polydata extract`` does."""
    from polydata.images.picture import ImageStore
    from polydata.types import Failure
    from polydata.workspace import ExtractSettings

    sources = seeds(keep)
    settings = ExtractSettings(seconds_per_file=PDF_SECONDS, memory_mb=MEMORY_MB)
    readers = Readers(ImageStore(keep / "store"), settings, workers=1)
    end = time.monotonic() + seconds
    path = keep / "case.pdf"
    try:
        while time.monotonic() < end:
            name, data = mutated(rng.choice(sources), rng)
            path.write_bytes(data)
            start = time.monotonic()
            outcome = readers.do(extract_paper, path)
            tally.slowest = max(tally.slowest, time.monotonic() - start)
            tally.cases[f"PDF, {name}"] += 1
            reason = outcome.reason if isinstance(outcome, Failure) else "read"
            tally.outcomes[reason] += 1
            detail = outcome.detail if isinstance(outcome, Failure) else ""
            if reason == "too-slow" or "cannot be taken apart" in detail or " died " in detail:
                kept = path.rename(keep / f"fault-{len(tally.faults)}.pdf")
                tally.faults.append(f"{kept}: {reason}: {detail}")
    finally:
        readers.stop()


def invented(rng: random.Random) -> str:
    """A line that may be a caption."""
    joint = rng.choice((" ", "", " ", "  "))
    return joint.join(rng.choice(PIECES) for _ in range(rng.choice((1, 4, 12, 40, 200))))


def read_captions(seed: int) -> int:
    """Take invented captions apart in every way that the program does; returns how many were found."""
    import numpy as np

    from polydata.extraction.document.lines import Line, clean_text
    from polydata.extraction.document.page import PageContent
    from polydata.extraction.figures.captions import find_captions
    from polydata.text.caption_scales import scale_in_caption
    from polydata.text.captions import split_caption
    from polydata.text.composition import panel_composition
    from polydata.types import Box

    rng = random.Random(seed)
    lines = []
    for number in range(BATCH):
        y, size = 10.0 + 12 * number * rng.choice((1, 1, 1, 0)), rng.choice((8.0, 9.0, 9.0, 0.1, 80.0))
        box = Box(50.0, y, 50.0 + rng.uniform(1, 500), y + size)
        text = clean_text(invented(rng)) or "x"
        lines.append(Line(box, text, size, rng.random() < 0.3, "F", "F", number // 5, True, y + size))
    whole = Box(0.0, 0.0, 600.0, 1400.0)
    page = PageContent(1, whole, tuple(lines), (), 1.0, (1400, 600), np.full((1400, 600), 255, np.uint8), scanned=False)
    captions, _ = find_captions([page], frozenset())
    for text in [caption.text for caption in captions] + [line.text for line in lines]:
        parts = split_caption(text)
        scale_in_caption(text)
        panel_composition(text, parts.stem or None, parts.panels[0][1] if parts.panels else None)
    return len(captions)


@cache
def file_seeds() -> list[tuple[str, bytes]]:
    """Small whole files with the ends of their names: pictures of every format, tables of every kind, predictions."""
    import numpy as np
    import openpyxl
    import pandas as pd
    from PIL import Image

    grey = np.random.default_rng(0).integers(0, 255, (40, 60), dtype=np.uint8)
    found = []
    for form in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"):
        out = io.BytesIO()
        Image.fromarray(grey).save(out, form)
        found.append((".png", out.getvalue()))
    frame = pd.DataFrame({"reference": ["10.1000/1", "S2"], "Composition, wt%": [50, 30.5], "said": ["a, b", 'c "d"']})
    frame["when"] = "2026-11-29"
    for suffix, text in (
        (".csv", frame.to_csv(index=False)),
        (".tsv", frame.to_csv(index=False, sep="\t")),
        (".json", frame.to_json(orient="records")),
        (".jsonl", frame.to_json(orient="records", lines=True)),
    ):
        found.append((suffix, text.encode()))
    book = openpyxl.Workbook()
    sheet = book.create_sheet("records", 0)
    for row in (list(frame), *frame.itertuples(index=False), ["=1/0", True, "", "1/2"]):
        sheet.append(list(row))
    sheet.merge_cells("A4:A6")
    book.save(out := io.BytesIO())
    found.append((".xlsx", out.getvalue()))
    said = pd.DataFrame({"image_sha256": ["a" * 64, "b" * 64], "logit_a": [0.5, 1.0], "logit_b": [0.0, -1.0]})
    found.append((".parquet", said.to_parquet()))
    return found


def damaged_file(rng: random.Random) -> tuple[str, bytes]:
    """A damaged file with the end of its name; of workbooks mostly what is packed in them is damaged."""
    suffix, data = rng.choice(file_seeds())
    if suffix != ".xlsx" or rng.random() < 0.2:
        return suffix, mutated(data, rng)[1]
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as book, zipfile.ZipFile(out, "w") as other:
        chosen = rng.choice(book.namelist())
        for name in book.namelist():
            other.writestr(name, mutated(book.read(name), rng)[1] if name == chosen else book.read(name))
    return suffix, out.getvalue()


def read_files(seed: int) -> int:
    """Read damaged files as every command does that takes them; returns how many were refused."""
    from polydata.errors import PolydataError
    from polydata.files.predictions import read_predictions
    from polydata.files.tables import read_table
    from polydata.images.picture import open_picture

    rng, refused = random.Random(seed), 0
    warnings.simplefilter("ignore")  # of what packages find odd in a file
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(BATCH):
            suffix, data = damaged_file(rng)
            path = Path(folder, f"case{suffix}")
            path.write_bytes(data)
            try:
                if suffix == ".png":
                    open_picture(path)
                elif suffix == ".parquet":
                    read_predictions(path, ["a", "b"])
                else:
                    read_table(path)
            except PolydataError:
                refused += 1
    return refused


def fuzz_batches(what: str, read: Callable[[int], int], seconds: float, rng: random.Random, tally: Tally) -> None:
    """Let a process read a hundred inputs at a time, each hundred drawn from a seed of its own.

    Args:
        what: the inputs are.
        read: takes a seed; nothing that it raises is expected.
    """
    end = time.monotonic() + seconds
    context = get_context("spawn")
    with ProcessPool(max_workers=1, initializer=set_up, initargs=(MEMORY_MB,), context=context) as pool:
        limit: int | None = None  # the libraries are loaded outside the time limit
        while time.monotonic() < end:
            seed = rng.randrange(1 << 40)
            start = time.monotonic()
            try:
                pool.schedule(read, args=(seed,), timeout=limit).result()
                tally.outcomes[f"{what}s read"] += BATCH
            except (FutureTimeout, ProcessExpired, Exception) as error:
                tally.faults.append(f"{read.__name__}({seed}): {type(error).__name__}: {str(error)[:300]}")
            tally.slowest = max(tally.slowest, time.monotonic() - start if limit else 0)
            tally.cases[what] += BATCH
            limit = BATCH_SECONDS
        pool.stop()


def main() -> int:
    """Run, print, say by the exit status whether there were faults."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for what faults; a temporary one without")
    wanted = parser.parse_args()
    keep = wanted.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    keep.mkdir(parents=True, exist_ok=True)
    rng, tally = random.Random(wanted.seed), Tally()
    fuzz_batches("caption", read_captions, wanted.seconds / 4, rng, tally)
    fuzz_batches("file", read_files, wanted.seconds / 4, rng, tally)
    fuzz_pdfs(wanted.seconds / 2, rng, keep, tally)
    for name, count in sorted(tally.cases.items()):
        sys.stdout.write(f"{name:<22} {count:>8}\n")
    for name, count in sorted(tally.outcomes.items()):
        sys.stdout.write(f"  -> {name:<17} {count:>8}\n")
    sys.stdout.write(f"{'faults':<22} {len(tally.faults):>8}\nslowest case {tally.slowest:.1f} s\n")
    sys.stdout.writelines(f"{fault}\n" for fault in tally.faults)
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
