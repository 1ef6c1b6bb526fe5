"""Intervals of what a sample tells of its corpus: they hold over a hundred reviews of one whose truth is known."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polydata.catalogue import quality as stored
from polydata.catalogue.session import Session, open_session
from polydata.quality.estimate import Stratum, estimate
from polydata.quality.workflow import draw, measured
from polydata.workspace import Workspace

IMAGE = {"phash": "0" * 16, "width": 1, "height": 1, "format": "PNG", "mode": "L", "alpha_only": False, "size_bytes": 1}
PAPERS, PAGES = 50, 8
CORNERS = {"x0": 0.0, "y0": 0.0, "x1": 90.0, "y1": 90.0}
CAPTION = "Figure 1. Micrographs of (a) PLA, (b) PBAT, (c) PS and (d) PMMA."
SCALE = {"version": 1, "value": 5.0, "unit": "µm", "value_um": 5.0, "length_px": 40.0, "confidence": 0.9}


@dataclass(frozen=True)
class Known:
    """A corpus whose truth is known.

    Attributes:
        counts: what a person would count of each unit.
        shares: precision and recall of the whole.
    """

    counts: dict[str, dict[str, int]]
    shares: dict[tuple[str, str], float]


def corpus(session: Session, seed: int) -> Known:
    """Papers with pages, figures, panels and screened images, read badly in some papers; nothing is drawn."""
    rng, claims = random.Random(seed), random.Random(f"claims {seed}")
    tables: dict[str, list[dict[str, Any]]] = {}
    counts: dict[str, dict[str, int]] = {}
    totals: Counter[tuple[str, str]] = Counter()

    def add(table: str, **row: Any) -> None:
        tables.setdefault(table, []).append(row)

    def note(what: str, found: int, right: int, missed: int) -> None:
        totals[what, "found"] += found
        totals[what, "right"] += right
        totals[what, "missed"] += missed

    for paper in range(PAPERS):
        sha256, bad = f"{paper:064x}", rng.random() < 0.2
        wrong, overlooked = (0.25, 0.2) if bad else (0.03, 0.02)
        own = {"paper_id": f"paper-{paper}", "sha256": sha256, "source": "pdf", "status": "done", "extractor": "t"}
        add("papers", **own, file_name=f"{paper}.pdf", pages=PAGES)
        for page in range(1, PAGES + 1):
            figures = rng.choice((0, 0, 1, 1, 2))
            right = sum(rng.random() > wrong for _ in range(figures))
            missed = sum(rng.random() < overlooked for _ in range(2 if figures else 1))
            captions = sum(rng.random() > wrong for _ in range(figures))
            lost = int(rng.random() < overlooked)
            counts[f"{sha256}-{page}"] = dict(zip(stored.FIELDS["page"], (right, missed, captions, lost), strict=True))
            note("figures", figures, right, missed)
            note("captions", figures, captions, lost)
            for number in range(figures):
                figure, panels = f"figure-{paper}-{page}-{number}", rng.choice((1, 2, 4, 6))
                at = {"figure_id": figure, "paper_id": own["paper_id"], "page": page, "label": f"Figure {number}"}
                lettered = panels > 1 and claims.random() < 0.8
                add("figures", **at, **CORNERS, caption=CAPTION if lettered else "c", method="t", confidence=1.0)
                good = 0 if panels > 1 and rng.random() < wrong else panels - sum(
                    rng.random() < wrong / 2 for _ in range(panels)
                )  # fmt: skip
                gone = sum(rng.random() < overlooked for _ in range(panels))
                counts[figure] = {"panels_right": good, "panels_missed": gone}
                note("panels", panels, good, gone)
                read = [claims.random() > wrong for _ in range(panels)]
                if lettered:  # one in ten boxes is no panel and rightly has none
                    is_panel = [letter or claims.random() < 0.9 for letter in read]
                    true = sum(letter and claims.random() > wrong / 2 for letter in read)
                    counts[figure] |= {"letters_right": true, "letters_missed": sum(is_panel) - true}
                    note("letters", sum(read), true, sum(is_panel) - true)
                for position in range(panels):
                    image = f"{len(tables.get('images', ())):064x}"
                    score = rng.choice((0.02, 0.1, 0.4, 0.6, 0.9, 0.98))
                    is_one = rng.random() < score
                    accepted = score >= 0.5
                    add("images", sha256=image, **IMAGE)
                    add("panels", panel_id=f"{figure}-{position}", figure_id=figure, position=position,
                        image_sha256=image, label="abcdef"[position] if read[position] else None,
                        **CORNERS)  # fmt: skip
                    add("screenings", image_sha256=image, rule="micrograph", version=1, score=score, reason="",
                        decision="accepted" if accepted else "rejected")  # fmt: skip
                    counts[image] = {"is_micrograph": int(is_one)}
                    note("micrographs", accepted, accepted and is_one, not accepted and is_one)
                    for what, share in (("scales", 0.7), ("labels", 0.4)) if accepted else ():
                        there = is_one and claims.random() < share
                        told = claims.random() > 3 * wrong if there else claims.random() < wrong
                        true = there and told and claims.random() > wrong
                        said = dict(
                            zip(stored.MEASURED[what].fields, map(int, (true, there and not true)), strict=True)
                        )
                        counts[image] |= said
                        note(what, told, true, there and not true)
                        if told and what == "scales":
                            add("scale_readings", image_sha256=image, **SCALE)
                        elif told:
                            add("label_votes", panel_id=f"{figure}-{position}", source="rule",
                                label="compatible", evidence="")  # fmt: skip
    with session.catalogue.transaction():
        for table, rows in tables.items():
            session.catalogue.upsert(table, rows)
    shares = {}
    for what in stored.MEASURED:
        right = totals[what, "right"]
        shares[what, "precision"] = right / totals[what, "found"]
        shares[what, "recall"] = right / (right + totals[what, "missed"])
    return Known(counts, shares)


@pytest.mark.slow
def test_intervals_cover_the_truth_in_ninety_of_a_hundred_reviews(tmp_path: Path) -> None:
    covered: Counter[tuple[str, str]] = Counter()
    unsaid: Counter[tuple[str, str]] = Counter()
    widths: dict[tuple[str, str], list[float]] = {}
    with open_session(Workspace.init(tmp_path / "w")) as session:
        known = corpus(session, 1)
        for review in range(100):
            draw(session, seed=review, pages=30, figures=30, images=40, again=True, pictures=False)
            chosen = [row["unit"] for row in stored.sampled(session.catalogue)]
            stored.save_judged(session.catalogue, {unit: known.counts[unit] for unit in chosen})
            for row in measured(session):
                key = row["what"], row["measure"]
                said = row["value"] is not None  # of few images none may have a label
                low, high = (row["low"], row["high"]) if said else (0.0, 1.0)
                unsaid[key] += not said
                covered[key] += said and low <= known.shares[key] <= high
                widths.setdefault(key, []).append(high - low)
    assert len(covered) == 14
    assert all(count >= 0.9 * (100 - unsaid[key]) for key, count in covered.items()), (covered, unsaid)
    widest = {key: round(float(np.mean(some)), 3) for key, some in widths.items()}
    print({key: (covered[key], widest[key], unsaid[key]) for key in covered})
    assert max(unsaid.values()) <= 5
    for (what, _), width in widest.items():  # a part of the images has a scale or a label
        assert width < (0.6 if what in ("scales", "labels") else 0.45)


def test_what_was_judged_whole_is_known() -> None:
    judged = np.asarray([[2, 1, 1], [1, 1, 0]], np.float64)
    precision, recall = estimate([Stratum(2, 3, judged)])
    assert (precision.value, precision.low, precision.high) == pytest.approx((2 / 3,) * 3)
    assert (recall.value, recall.low, recall.high) == pytest.approx((2 / 3,) * 3)


def test_nothing_missed_on_few_pages_is_not_nothing_missed() -> None:
    pages = np.tile([1.0, 1.0, 0.0], (10, 1))
    precision, recall = estimate([Stratum(1000, 1000, pages)])
    assert precision.value == recall.value == 1 == precision.high == recall.high
    assert precision.low is not None and 0.6 < precision.low < 0.85
    assert recall.low is not None and recall.low < precision.low


def test_where_a_stratum_was_not_looked_at_nothing_is_said() -> None:
    some = Stratum(10, 10, np.ones((3, 3)))
    assert estimate([some, Stratum(5, 0, np.empty((0, 3)))])[0].value is None
    unseen = Stratum(50, 5, np.zeros((3, 3)))  # five things were found, none of them on what was judged
    assert estimate([unseen]) == estimate([Stratum(20, 20, np.tile([1.0, 1, 0], (20, 1))), unseen]) == estimate([])
    assert estimate([])[1].value is None
    assert estimate([Stratum(5, 0, np.zeros((5, 3)))]) == (estimate([])[0],) * 2
