"""How steps over a whole catalogue grow: processor seconds, peak memory, and the power of the size that both follow.

    python benchmarks/growth.py [PAPERS ...] [--step NAME ...]

For each size a catalogue is filled with made-up papers by SQL: seven figures with nine panels, a first page of some
hundred words, a record linked by hand and a reviewed image each; ten papers a volume, one in ten a supplement, and as
many pictures are gone that something was decided of. Each step runs on a copy of it in a process of its own. The memory
is what the process took at its most beyond what it had before the step.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shown import conditions, show

from polydata.catalogue import annotations as said
from polydata.catalogue import metadata, papers
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.session import Session, open_session
from polydata.catalogue.successors import adopt
from polydata.extraction.workflow import TOGETHER
from polydata.labels.push import select_images
from polydata.records import join
from polydata.types import Box, Figure, Panel, Paper
from polydata.workspace import Workspace

SIZES = (1_000, 10_000)
SOME = 64
"""New versions of papers, and links, whose mean is told."""
PANELS = 9
WORDS = "array_to_string(list_transform(range({count}), lambda x: 'w' || hash(({n}) * 1009 + x) % 5000), ' ')"


def words(n: str, count: int) -> str:
    return WORDS.format(n=n, count=count)


def fill(catalogue: Catalogue, count: int) -> None:
    """``count`` papers; every tenth is the supplement of the one before it, by its name or by that one's title."""
    title = words("i", 8)
    name = "translate(i::TEXT, '0123456789', 'abdeghkmno')"
    names = [f"'{first}' || {name}" for first in ("Author", "Other")]
    place = "i // 10 || ', ' || i || ' (' || 1990 + i % 30 || ')'"
    known = f"{names[0]} || ' and ' || {names[1]} || ', J. Blends, ' || {place}"
    statements = (
        f"""INSERT INTO papers (paper_id, sha256, source, path, file_name, title, doi, journal, year, pages, status,
                                extractor, first_page_text)
            SELECT 'paper-' || sha256('pdf' || i)[:16], sha256('pdf' || i), 'pdf', '/papers/' || i || '.pdf',
                   CASE WHEN i % 20 = 9 THEN (i - 1) || '_SI.pdf' ELSE i || '.pdf' END,
                   CASE WHEN i % 10 = 9 THEN 'Supporting information' ELSE {title} END,
                   CASE WHEN i % 10 < 9 THEN '10.5555/' || i END, 'J. Blends', 1990 + i % 30, 9, 'done', '1',
                   CASE WHEN i % 10 = 9 THEN 'Supporting information for ' || {words("i - 1", 8)} ELSE {title} END
                   || ' ' || {known} || ' ' || {words("i + 10000000", 400)}
            FROM range({count}) r(i)""",
        f"""INSERT INTO figures (figure_id, paper_id, page, x0, y0, x1, y1, label, caption, kind, method, confidence)
            SELECT 'figure-' || sha256('f' || i)[:12], 'paper-' || sha256('pdf' || i // 7)[:16], 1 + i % 7, 50, 50, 500,
                   700, 'Figure ' || 1 + i % 7, 'Figure ' || 1 + i % 7 || '. SEM of ' || {words("i", 35)},
                   'micrograph', 'x', 1
            FROM range({7 * count}) r(i)""",
        f"""INSERT INTO images
            SELECT sha256('i' || i), sha256('h' || i)[:16], 300, 300, 'PNG', 'L', false, 90000
            FROM range({PANELS * count}) r(i)""",
        f"""INSERT INTO panels (panel_id, figure_id, position, x0, y0, x1, y1, label, caption, caption_stem, kind,
                                image_sha256)
            SELECT 'panel-' || sha256('n' || i)[:12], 'figure-' || sha256('f' || (i // 9 * 7 + i % 9 % 7))[:12],
                   i % 9 // 7, 60 + i % 9 // 7 * 200, 60, 250 + i % 9 // 7 * 200, 300, chr((97 + i % 9 // 7)::INTEGER),
                   {words("i", 6)}, {words("i // 9", 12)}, 'micrograph', sha256('i' || i)
            FROM range({PANELS * count}) r(i)""",
        f"""INSERT INTO records (record_id, source, record_key, authors, journal, volume, pages, year, caption,
                                 compatibility, morphology, raw)
            SELECT 'record-' || sha256('r' || i)[:12], 'made up', i::TEXT,
                   {names[0]} || ', A.; ' || {names[1]} || ', B.', 'J. Blends',
                   (i // 10)::TEXT, i::TEXT, 1990 + i % 30, 'SEM of ' || {words("7 * i", 35)}, 'compatible',
                   'The blend shows a homogeneous single phase.', '{{}}'
            FROM range({count}) r(i)""",
        f"""INSERT INTO screenings (image_sha256, rule, version, score, decision, reason)
            SELECT sha256('i' || i), 'x', 1, 1, 'accepted', '' FROM range({PANELS * count}) r(i)""",
        f"""INSERT INTO annotations (server, project, annotation_id, task, image_sha256, annotator, choice, cancelled,
                                     updated_at, raw)
            SELECT 'http://here', 1, i, i, sha256('i' || i * 9), 'one', 'compatible', false, '2026-01-01', '{{}}'
            FROM range({count}) r(i)""",
        f"""INSERT INTO seen_images SELECT sha256('gone' || i), sha256('g' || i)[:16], 300, 300
            FROM range({count} // 10) r(i)""",
        f"""INSERT INTO label_decisions (number, image_sha256, choice, reason, decided_by)
            SELECT i, sha256('gone' || i), 'compatible', 'seen', 'one' FROM range({count} // 10) r(i)""",
    )
    with catalogue.transaction():
        for statement in statements:
            catalogue.run(statement)
        metadata.note_papers_changed(catalogue, ())


def link_all(session: Session) -> None:
    """Every record is linked by hand to the first panel of its paper, and labels have followed."""
    session.catalogue.run(
        """INSERT INTO manual_links (record_id, target_id, target)
           SELECT record_id, 'panel-' || sha256('n' || record_key::INTEGER * 9)[:12], 'panel' FROM records"""
    )
    join.join(session)


def supplements(session: Session, count: int) -> int:
    """All papers are new."""
    assert metadata.tie_supplements(session.catalogue) == count // 10
    return 1


def one_supplement(session: Session, _: int) -> int:
    """A paper was read anew."""
    with session.catalogue.transaction():
        one = session.catalogue.value("SELECT min(paper_id) FROM papers")
        metadata.note_papers_changed(session.catalogue, [one])
    metadata.tie_supplements(session.catalogue)
    return 1


def links(session: Session, _: int) -> int:
    """Some records are linked to a panel by hand, and no more."""
    panel = session.catalogue.value("SELECT max(panel_id) FROM panels")
    records = session.catalogue.column(f"SELECT record_id FROM records ORDER BY record_id LIMIT {SOME // 16}")
    for record in records:
        join.link(session, record, panel)
        join.unlink(session, record, panel)
    return 2 * len(records)


def anew(session: Session) -> list[Paper]:
    """Some papers as another version of the method reads them."""
    ids = session.catalogue.column(f"SELECT paper_id FROM papers ORDER BY paper_id LIMIT {SOME}")
    return [moved_panels(papers.load_paper(session.catalogue, paper_id)) for paper_id in ids]


def read_anew(session: Session, read: list[Paper]) -> int:
    """They are written with other panels in the place of theirs."""
    for start in range(0, SOME, TOGETHER):
        some = [papers.Reading(paper, Path("/papers")) for paper in read[start : start + TOGETHER]]
        papers.save_papers(session.catalogue, some, "2")
    return len(read)


def moved_panels(paper: Paper) -> Paper:
    """The same with boxes a little larger and other pictures, as a new version of the method might give it."""

    def panel(one: Panel) -> Panel:
        box = Box(one.box.x0 - 2, one.box.y0, one.box.x1, one.box.y1)
        image = dataclasses.replace(one.image, sha256=one.image.sha256[::-1])
        return dataclasses.replace(one, box=box, image=image)

    def figure(one: Figure) -> Figure:
        return dataclasses.replace(one, panels=tuple(map(panel, one.panels)))

    return dataclasses.replace(paper, figures=tuple(map(figure, paper.figures)))


def joined(session: Session, _: int) -> int:
    """Every record finds its paper by its citation."""
    session.catalogue.run("DELETE FROM manual_links")
    join.join(session)
    return 1


def adopted(session: Session, _: int) -> int:
    """Something was said elsewhere, as a merge brings it: pictures that are gone are looked for among all."""
    with session.catalogue.transaction():
        adopt(session.catalogue)
    return 1


def pushed(session: Session, _: int) -> int:
    """Fifty images without a label, with the words around them."""
    chosen = select_images(said.images_to_review(session.catalogue), "unlabelled", 50)
    images = [row["image_sha256"] for row in chosen]
    assert len(said.review_texts(session.catalogue, images)) == 50
    said.record_texts(session.catalogue, images)
    return 1


def looked_up(session: Session, _: int) -> int:
    """Every file was read before and lies elsewhere now."""
    read = papers.read_by(session.catalogue, "1")
    papers.move_papers(session.catalogue, {sha256: Path("/elsewhere") / sha256 for sha256 in read})
    return len(read)


STEPS: dict[str, tuple[str, Callable[[Session, Any], int]]] = {
    "supplements": ("supplements of all papers, s", supplements),
    "one supplement": ("the same after one paper was read anew, s", one_supplement),
    "link": ("link or unlink a record, s", links),
    "moved": ("a paper read anew whose panels moved, s", read_anew),
    "join": ("join, s", joined),
    "adopt": ("pictures that are gone, looked for among all, s", adopted),
    "push": ("images for a push of 50, s", pushed),
    "look-up": ("a file that was read before, s", looked_up),
}


def peak() -> float:
    """Megabytes that this process took at its most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(step: str, folder: Path, count: int) -> tuple[float, float]:
    """Processor seconds of a step and megabytes beyond those before, in this process."""
    with open_session(Workspace.open(folder)) as session:
        session.catalogue.value("SELECT count(*) FROM panels")
        given = anew(session) if step == "moved" else count
        before, start = peak(), time.process_time()
        times = STEPS[step][1](session, given)
        return (time.process_time() - start) / times, peak() - before


def prepare(folder: Path, count: int) -> None:
    with open_session(Workspace.init(folder)) as session:
        fill(session.catalogue, count)
        link_all(session)


def alone(*words: str) -> str:
    """What this program says in a process of its own."""
    return subprocess.run([sys.executable, __file__, *words], check=True, stdout=subprocess.PIPE, text=True).stdout


def growth(values: list[float], sizes: list[int]) -> str:
    """The power of the size between the smallest and the largest."""
    if len(sizes) < 2 or min(values[0], values[-1]) <= 0:
        return ""
    return f"{math.log(values[-1] / values[0]) / math.log(sizes[-1] / sizes[0]):.2f}"


def run(sizes: list[int], steps: list[str]) -> None:
    found: dict[str, list[tuple[float, float]]] = {step: [] for step in steps}
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            made = Path(folder) / str(size)
            alone("--fill", str(made), str(size))
            for step in steps:
                copy = Path(shutil.copytree(made, Path(folder) / "copy"))
                found[step].append(tuple(json.loads(alone("--one", step, str(copy), str(size)))))
                shutil.rmtree(copy)
                print(f"{size:,} {step}: {found[step][-1]}", file=sys.stderr, flush=True)
    rows = []
    for step, its in found.items():
        seconds, memory = ([one[place] for one in its] for place in (0, 1))
        took = {f"{size:,}": f"{s:.3g}" for size, s in zip(sizes, seconds, strict=True)}
        held = {"MB": f"{memory[-1]:.0f}", "MB grow as": growth(memory, sizes)}
        rows.append({"step": STEPS[step][0], **took, "grows as size to the": growth(seconds, sizes), **held})
    # Some of the steps are no table of the manual.
    show("growth" if steps == list(STEPS) else "", rows, f"{conditions()[0].upper()}{conditions()[1:]}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sizes", nargs="*", type=int, metavar="PAPERS", help=f"otherwise {SIZES}")
    parser.add_argument("--step", action="append", choices=list(STEPS), help="only these")
    parser.add_argument("--fill", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.fill:
        prepare(Path(asked.fill[0]), int(asked.fill[1]))
    elif asked.one:
        print(json.dumps(measure(asked.one[0], Path(asked.one[1]), int(asked.one[2]))))
    else:
        run(asked.sizes or list(SIZES), asked.step or list(STEPS))


if __name__ == "__main__":
    main()
