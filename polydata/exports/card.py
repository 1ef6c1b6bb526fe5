"""The data card of a split, in Markdown: what is in it, where it comes from, what is wrong with it, what it is for."""

from __future__ import annotations

import platform
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from polydata.auditing.run import Report, audit, finding_rows
from polydata.catalogue.described import described_panels
from polydata.catalogue.metadata import paper_licences
from polydata.catalogue.session import Session
from polydata.catalogue.trace import funnel
from polydata.exports.content import UNKNOWN
from polydata.files.atomic import replacing, writing_to
from polydata.files.tables import plain, table
from polydata.resources import VERSION
from polydata.splits.manifest import Item, Split
from polydata.splits.overview import show_split
from polydata.task import Task
from polydata.text.licences import may_be_passed_on
from polydata.types import Progress, quiet

PACKAGES = ("duckdb", "numpy", "pillow", "pymupdf", "imagehash")
"""Packages whose version has a part in what images and hashes come out as."""
CITATIONS = {
    "published": "Z. Liang, Z. Tan, R. Hong, W. Ouyang, J. Yuan, C. Zhang: Automatically Predicting Material "
    "Properties with Microscopic Images: Polymer Miscibility as an Example. J. Chem. Inf. Model. 63 (19), 5971–5980 "
    "(2023), doi:10.1021/acs.jcim.3c00489"
}
"""What users of an imported data set cite, by its source."""
Lines = list[str]
Row = Mapping[str, Any]


def card_text(session: Session, split: Split, *, quick: bool = False, progress: Progress = quiet) -> str:
    """The card of a split.

    Args:
        split: read and checked.
        quick: leave out the parts of the audit that read the images.
        progress: told of long work.

    Raises:
        InputError: if an image cannot be read.
    """
    report = audit(session, split=split.name, crops=not quick, pixels=not quick, progress=progress)
    task = session.task
    items = {i.image_sha256: i for fold in split.folds for i in fold.everything}
    panels = described_panels(session.catalogue, list(items))
    licences = {paper: licence for paper, (licence, _) in paper_licences(session.catalogue).items()}
    sections = (
        _head(split, task),
        _sources(panels),
        _licences(panels, licences),
        _funnel(session),
        _labels(split, task, items.values()),
        _problems(report),
        _use(split, task),
        _making(split),
        _citing(split, panels),
    )
    return "\n".join(line for section in sections for line in [*section, ""])


def write_card(
    session: Session, name: str, path: Path | None = None, *, quick: bool = False, progress: Progress = quiet
) -> Path:
    """Write the card of a split to a file, ``exports/NAME-card.md`` by default; for the rest see ``card_text``.

    Raises:
        UsageError: if there is no such split.
        InputError: if an image cannot be read, or the file not be written.
        RefusedError: if the split was changed.
    """
    split = show_split(session.workspace, name)
    target = path or session.workspace.exports / f"{name}-card.md"
    text = card_text(session, split, quick=quick, progress=progress)
    with writing_to(target), replacing(target) as out:
        out.write(text.encode())
    return target


def _head(split: Split, task: Task) -> Lines:
    lines = [f"# Data card: {plain(split.name)}", ""]
    if split.leakage:
        lines += [
            f"> **Leaky split**, allowed because: {plain(split.leakage['reason'])}. The same papers, figures or "
            "pictures stand on both sides, so a score on its test side says little about papers that were never seen.",
            "",
        ]
    counts = split.manifest["counts"]
    about = (
        f"{plain(task.title)}: {plain(task.question)} {counts['images']} images of {counts['groups']} groups of "
        f"papers, labelled {', '.join(map(plain, split.classes))}; {plain(split.positive)} is the positive class."
    )
    rows = [
        {"partition": side["fold"], **{key: side[key] for key in ("side", "images", "groups")}}
        | {label: side["by_class"][label]["images"] for label in split.classes}
        for side in counts["sides"]
    ]
    return [*lines, about, "", *table(rows)]


def _counted(panels: Sequence[Row], name: str, of: Callable[[Row], str]) -> Iterator[tuple[dict[str, Any], list[Row]]]:
    """The panels by what ``of`` says of each, with the beginning of a table's row: papers and images."""
    groups = defaultdict(list)
    for row in panels:
        groups[of(row)].append(row)
    for key, rows in sorted(groups.items()):
        papers, images = ({row[column] for row in rows} for column in ("paper_id", "image_sha256"))
        yield {name: key, "papers": len(papers), "images": len(images)}, rows


def _sources(panels: Sequence[Row]) -> Lines:
    table_rows = []
    for counts, rows in _counted(panels, "source", lambda row: str(row["source"])):
        years = {row["year"] for row in rows} - {None}
        source = "PDF files" if counts["source"] == "pdf" else counts["source"]
        table_rows.append(counts | {"source": source, "years": f"{min(years)}–{max(years)}" if years else None})
    return ["## Sources", "", *table(table_rows), "", "Each image's paper, page and figure stand beside its label."]


def _licences(panels: Sequence[Row], licences: Mapping[str, str]) -> Lines:
    rows = [
        counts | {"may be passed on": "yes" if may_be_passed_on(counts["licence"]) else "no"}
        for counts, _ in _counted(panels, "licence", lambda row: licences.get(row["paper_id"], UNKNOWN))
    ]
    text = (
        "Images are figures of published papers and keep the licence of their paper, as its first page prints it or as "
        "whoever made this set entered it. What is unknown must be taken for all rights reserved."
    )
    return ["## Licences", "", text, "", *table(rows)]


def _funnel(session: Session) -> Lines:
    note = "Counts of the whole workspace when this card was written."
    return ["## From papers to images", "", note, "", *table(funnel(session))]


def _labels(split: Split, task: Task, items: Iterable[Item]) -> Lines:
    recipe, counts, notes = split.manifest["recipe"], split.manifest["counts"], split.manifest["notes"]
    sources = Counter(item.extra.get("label_source") or "unknown" for item in items)
    ranked = ", then ".join(source.name for source in task.sources)
    contradictory = len(notes.get("contradictory", ()))
    return [
        "## Labels",
        "",
        f"Source: {plain(recipe['label_source'])} (ranked: {plain(ranked)}). "
        f"Partial labels: {plain(recipe['partial'])}.",
        "",
        *table([{"label source": name, "images": n} for name, n in sorted(sources.items())]),
        "",
        *table([{"left out": reason, "images": n} for reason, n in counts["excluded"].items()]),
        *(["", f"{contradictory} images were left out because what was said of them cannot be one label."]
          if contradictory else []),
    ]  # fmt: skip


def _problems(report: Report) -> Lines:
    rows = [
        {"severity": row["severity"], "detector": row["detector"], "count": row["count"], "finding": row["what"]}
        for row in finding_rows(report)
    ]
    lines = ["## Known problems", "", *(table(rows) or ["The audit found nothing."])]
    if report.clean:
        lines += ["", f"Nothing was found by: {', '.join(report.clean)}."]
    if report.skipped:
        lines += ["", f"Not asked: {', '.join(report.skipped)}."]
    return lines


def _use(split: Split, task: Task) -> Lines:
    return [
        "## Intended use",
        "",
        f"To train and compare classifiers of micrographs for the question: {plain(task.question)} Partition by "
        "papers, as it stands; report intervals over papers, and the controls that see no picture.",
        "",
        "## Limits",
        "",
        "Literature figures are chosen by their authors, scaled, cropped, annotated and compressed; they are no random "
        "sample of materials. Labels are answers of people or words of records and captions, not measurements, and one "
        "image shows one place of one sample. Burned-in print and image size can tell the source. Not for decisions "
        f"about a product. {plain(split.positive)} and its contrary are this task's words; other fields draw the line "
        "elsewhere.",
    ]


def _making(split: Split) -> Lines:
    manifest = split.manifest
    recipe = [{"setting": key, "value": value} for key, value in manifest["recipe"].items() if value is not None]
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return [
        "## How it was made",
        "",
        *table(recipe),
        "",
        f"- Digest of the split: {split.digest}",
        f"- Catalogue: {manifest['catalogue_fingerprint']}",
        f"- Split by polydata {plain(manifest['code_version'])}; card by polydata {VERSION}, Python "
        f"{platform.python_version()}, {packages}",
    ]


def _citing(split: Split, panels: Sequence[Row]) -> Lines:
    sources = sorted({row["source"] for row in panels} & set(CITATIONS))
    return [
        "## How to cite",
        "",
        f"Name the split and its digest ({plain(split.name)}, {split.digest[:16]}), polydata {VERSION}, and the "
        "papers whose figures you show.",
        *(f"\n- {plain(CITATIONS[source])}" for source in sources),
    ]
