"""The whole corpus: PDF papers, the record file that goes with them, and the answers.

    corpus.json    the mark by which the folder is known as a corpus
    papers/paper_01_grid.pdf ...
    records.csv    what a database would say of the panels, in the columns of the record template
    truth.json     figures, panels, boxes and captions as they were drawn
    panels.csv     one row a panel: label, how alike its components are, and how the picture was made

The record file has flaws, on purpose and known: the records of one paper have no DOI, those of another an
abbreviated journal and no DOI, those of a third a DOI in the form of an address; one record names a panel
that its figure does not have; one panel has no record.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from polydata.demo.figures import Shot
from polydata.demo.papers import Composed, TrueFigure, compose
from polydata.demo.study import WORDS, Study, pick, plan
from polydata.errors import UsageError
from polydata.files.atomic import mark_of, replacing, writing_to
from polydata.files.tables import write_csv
from polydata.ids import sha256_file
from polydata.resources import VERSION
from polydata.task import Task

MARK = "corpus.json"
EXPOSURE_DIGITS = {"texture": 3, "noise": 2, "blur": 2, "gain": 3, "level": 3}
"""What of an exposure stands in panels.csv, with how many digits."""
MAX_PAPERS = 2000
STATED = 0.5
"""Share of the records that state the label itself; the others only describe the morphology."""


@dataclass(frozen=True)
class Corpus:
    """What was made.

    Attributes:
        folder: where it lies, with the files that the module's text lists.
        figures: number of figures of any kind; ``pages`` of pages.
        labels: number of micrograph panels of each label.
    """

    folder: Path
    figures: int
    pages: int
    labels: Mapping[str, int]


def make_corpus(out: Path, *, papers: int = 24, seed: int = 0, task: Task, workers: int | None = None) -> Corpus:
    """Generate the corpus; the same bytes for the same number of papers, seed and task.

    Args:
        out: folder, made if need be; what is in it must be nothing or an earlier corpus.
        papers: how many, 1 to ``MAX_PAPERS``; each has about ten micrograph panels.
        seed: 0 or more.
        task: its labels name what the simulation made.
        workers: processes; the number of processors, at most 4, by default.

    Raises:
        UsageError: if ``papers`` or ``seed`` is out of range.
        InputError: if the folder cannot be written.
        RefusedError: if it holds other things.
    """
    if not 1 <= papers <= MAX_PAPERS or seed < 0:
        raise UsageError(
            f"A corpus of {papers} papers with seed {seed} cannot be made.",
            f"Ask for 1 to {MAX_PAPERS} papers and a seed of 0 or more.",
        )
    _prepare(out)
    studies = plan(papers, seed, task)
    digits = max(2, len(str(papers)))
    paths = [out / "papers" / f"paper_{s.index + 1:0{digits}d}_{s.style}.pdf" for s in studies]
    made = _compose_all(studies, seed, paths, workers)
    done = [(paper, path.name, sha256_file(path)) for paper, path in zip(made, paths, strict=True)]
    records = _records(made, task, np.random.default_rng([seed, 4]))
    keys = {row["record_key"] for row in records}
    rows = [row for one in done for row in _panels(*one)]
    for row in rows:
        row["record_key"] = row["record_key"] if row["record_key"] in keys else ""
    write_csv(out / "records.csv", list(records[0]), records)
    write_csv(out / "panels.csv", list(rows[0]), rows)
    truth = [_truth(*one) for one in done]
    (out / "truth.json").write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    counts = Counter(str(row["label"]) for row in rows)
    return Corpus(
        folder=out,
        figures=sum(len(paper.figures) for paper in made),
        pages=sum(paper.pages for paper in made),
        labels={label: counts.get(label, 0) for label in task.labels},
    )


def _prepare(out: Path) -> None:
    """An empty ``papers`` folder in ``out``; nothing is deleted but the PDFs of an earlier corpus."""
    with writing_to(out, "Name another folder."):
        mark_of(out, MARK, ("made_by", "corpus"))
        with replacing(out / MARK) as mark:
            mark.write(f"{json.dumps({'made_by': f'polydata {VERSION}', 'corpus': 'demo'})}\n".encode())
        (out / "papers").mkdir(parents=True, exist_ok=True)
        for old in (out / "papers").glob("paper_*.pdf"):
            old.unlink()


def _compose_all(studies: list[Study], seed: int, paths: list[Path], workers: int | None) -> list[Composed]:
    count = min(workers or min(os.cpu_count() or 1, 4), len(studies))
    if count <= 1:
        return list(map(compose, studies, repeat(seed), paths))
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        return list(pool.map(compose, studies, repeat(seed), paths))


def record_key(paper: Composed, figure: TrueFigure, letter: str) -> str:
    """A key like those of a database: paper, page, figure, panel."""
    tail = f"_{letter}" if letter else ""
    return f"{paper.study.index + 1:04d}_page{figure.page}_image{figure.label.split()[-1]}{tail}"


def _records(made: list[Composed], task: Task, rng: np.random.Generator) -> list[dict[str, Any]]:
    """A record for every panel, with the flaws that the module's text lists."""
    last = len(made) - 1
    rows = []
    for paper in made:
        index = paper.study.index
        for figure in paper.figures:
            for panel in figure.panels:
                row = _record(paper, figure, panel, task, rng)
                if index in (min(2, last), min(3, last)) and last >= 3:
                    row["doi"] = ""
                if index == 3 and last >= 3:
                    row["journal"] = paper.study.reference.journal_short
                    row["reference"] = _reference(paper, paper.study.reference.journal_short)
                if index == 1:
                    row["doi"] = f"https://doi.org/{row['doi']}"
                rows.append(row)
    extra = dict(rows[-1])
    extra |= {"record_key": f"{extra['record_key']}_x", "panel": "h", "caption": "(h) annealed"}
    missing = int(rng.integers(len(rows) - 1)) if len(rows) > 1 else 0
    return [*rows[:missing], *rows[missing + 1 :], extra]


def _record(paper: Composed, figure: TrueFigure, panel: Shot, task: Task, rng: np.random.Generator) -> dict[str, Any]:
    study, ref, sample = paper.study, paper.study.reference, panel.sample
    names = {"a": study.pair.first, "b": study.pair.second}
    kind = {task.positive: "positive", task.negative: "negative", task.partial: "between"}[sample.label]
    stem = figure.caption.partition(": (")[0]
    spellings = sorted(s for s, label in task.spellings.items() if label == sample.label) or [sample.label]
    return {
        "record_key": record_key(paper, figure, panel.letter),
        "doi": ref.doi,
        "reference": _reference(paper, ref.journal),
        "authors": "; ".join(ref.authors),
        "journal": ref.journal,
        "volume": ref.volume,
        "issue": ref.issue,
        "pages": ref.pages(paper.pages),
        "year": ref.year,
        "page": figure.page,
        "figure": figure.label,
        "panel": panel.letter,
        "caption": f"{stem}: ({panel.letter}) {panel.caption}" if panel.letter else figure.caption,
        "polymers": f"{names['a']}; {names['b']}",
        "composition_ratio": "/".join(str(part) for part in sample.ratio),
        "blending_method": study.blending,
        "morphology": "" if rng.random() < 0.25 else pick(WORDS[kind], rng).format(**names),
        "literature_description": pick(WORDS[f"{kind}_text"], rng).format(**names),
        "scale_um": f"{panel.bar.value_um:g}" if panel.bar.box else "",
        "compatibility": pick(spellings, rng) if rng.random() < STATED else "",
        "domain_spacing_um": f"{panel.spacing_um:.3g}",
    }


def _reference(paper: Composed, journal: str) -> str:
    ref = paper.study.reference
    authors = "; ".join(ref.authors)
    return f"{authors} , {journal} , {ref.volume} , {ref.issue} , {ref.pages(paper.pages)} ({ref.year})"


def _panels(paper: Composed, name: str, digest: str) -> list[dict[str, Any]]:
    rows = []
    for figure in paper.figures:
        for shot in figure.panels:
            rows.append({
                "pdf": name,
                "pdf_sha256": digest,
                "figure": figure.label,
                "panel": shot.letter,
                "page": figure.page,
                **dict(zip(("x0", "y0", "x1", "y1"), shot.box.as_list(2), strict=True)),
                "record_key": record_key(paper, figure, shot.letter),
                "label": shot.sample.label,
                "unlike": round(shot.sample.unlike, 4),
                "depth": round(shot.sample.quench.depth, 4),
                "fraction": round(shot.sample.quench.fraction, 4),
                "time": round(shot.sample.quench.time, 1),
                "agent_wt": shot.sample.agent,
                "style": paper.study.style,
                "width_px": shot.image.width,
                "height_px": shot.image.height,
                "um_per_px": round(shot.bar.value_um / shot.bar.length_px, 8),
                "bar_um": shot.bar.value_um if shot.bar.box else "",
                "bar_px": shot.bar.length_px if shot.bar.box else "",
                "bar_style": shot.style.bar,
                "letter_style": shot.style.letter if shot.letter else "none",
                **{name: round(getattr(shot.exposure, name), digits) for name, digits in EXPOSURE_DIGITS.items()},
            })  # fmt: skip
    return rows


def _truth(paper: Composed, name: str, digest: str) -> dict[str, Any]:
    figures = []
    for figure in paper.figures:
        boxes = [{"label": p.letter, "bbox": p.box.as_list(), "caption": p.caption} for p in figure.panels]
        figures.append({
            "label": figure.label,
            "page": figure.page,
            "bbox": figure.box.as_list(),
            "caption_start": figure.caption[:60],
            "caption": figure.caption,
            "kind": str(figure.kind),
            "panels": max(1, len(boxes)),
            **({"panel_boxes": boxes} if boxes else {}),
        })  # fmt: skip
    return {"pdf": name, "sha256": digest, "figures": figures, "ignore": []}
