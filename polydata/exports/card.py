"""The data card of a split, in Markdown: what is in it, where it comes from, what is wrong with it, what it is for."""

from __future__ import annotations

import io
import platform
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from polydata.auditing.run import audit, finding_rows
from polydata.catalogue.described import described_panels
from polydata.catalogue.metadata import paper_licences
from polydata.catalogue.session import Session
from polydata.catalogue.trace import funnel
from polydata.errors import UsageError
from polydata.exports.content import UNKNOWN
from polydata.files.atomic import refuse_other_file, replacing, write_text, writing_to
from polydata.files.tables import plain
from polydata.images.html import template
from polydata.images.picture import open_picture
from polydata.quality.workflow import CHANGED, measured, shown
from polydata.resources import VERSION
from polydata.splits.evidence import thin_sides, thin_words
from polydata.splits.manifest import Split
from polydata.splits.overview import show_split
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
EACH, SIDE, GUTTER = 6, 160, 8
"""Pictures of each label on the card, and pixels of each and between them."""
SAMPLE = "polydata card"
"""The comment within the file of pictures, by which it is known as ours."""
Row = Mapping[str, Any]


def card_text(
    session: Session, split: Split, *, picture: str = "", quick: bool = False, progress: Progress = quiet
) -> str:
    """The card of a split.

    Args:
        split: read and checked.
        picture: name of the file with ``sample`` beside the card; empty for none.
        quick: leave out the parts of the audit that read the images.
        progress: told of long work.

    Raises:
        InputError: if an image cannot be read.
    """
    report = audit(session, split=split.name, crops=not quick, pixels=not quick, progress=progress)
    panels = described_panels(session.catalogue, list(split.items))
    quality = [row for row in measured(session) if row["value"] is not None]
    recipe, counts, notes = (split.manifest[key] for key in ("recipe", "counts", "notes"))
    sources = Counter(item.extra.get("label_source") or "unknown" for item in split.items.values())
    findings = [{**row, "finding": row["what"]} for row in finding_rows(report)]
    packages = [platform.python_version(), *(f"{name} {package_version(name)}" for name in PACKAGES)]
    return template("card.md.j2").render(
        split=split,
        spoken=[split.spoken(label) for label in split.classes],
        picture=picture,
        each=EACH,
        thin=[thin_words(one, split.spoken) for one in thin_sides(split.folds, split.classes)],
        papers=_papers(panels),
        task=session.task,
        recipe=recipe,
        counts=counts,
        report=report,
        version=VERSION,
        sides=[_side(side, split) for side in counts["sides"]],
        sources=_sources(panels),
        licences=_licences(session, panels),
        funnel=funnel(session),
        quality=[shown(row) for row in quality],
        quality_note=CHANGED if any(row["changed"] for row in quality) else "",
        label_sources=[{"label source": name, "images": n} for name, n in sorted(sources.items())],
        left_out=[{"left out": reason, "images": n} for reason, n in counts["excluded"].items()],
        contradictory=len(notes.get("contradictory", ())),
        findings=[{key: row[key] for key in ("severity", "detector", "count", "finding")} for row in findings],
        settings=[{"setting": key, "value": value} for key, value in recipe.items() if value is not None],
        packages=", ".join(packages),
        citations=[CITATIONS[source] for source in sorted({row["source"] for row in panels} & set(CITATIONS))],
    )


def write_card(
    session: Session, name: str, path: Path | None = None, *, quick: bool = False, progress: Progress = quiet
) -> Path:
    """Write the card of a split to a file, ``exports/NAME-card.md`` by default; for the rest see ``card_text``.

    Raises:
        UsageError: if there is no such split, or the file's name is that of a picture.
        InputError: if an image cannot be read, or the file not be written.
        RefusedError: if the split was changed, or another file is there.
    """
    split = show_split(session.workspace, name)
    target = path or session.workspace.exports / f"{name}-card.md"
    refuse_other_file(target, r"\A# Data card: ")
    picture = target.with_suffix(".jpg")
    if picture == target:
        raise UsageError(f"A card is a text, and {target} names a picture.", "Name a file that ends in .md.")
    refuse_other_file(picture, SAMPLE)
    shown = sample(session, split)
    text = card_text(session, split, picture=quote(picture.name), quick=quick, progress=progress)
    with writing_to(target):
        write_text(target, text)
        with replacing(picture) as out:
            out.write(shown)
    return target


def sample(session: Session, split: Split) -> bytes:
    """A JPEG of the first ``EACH`` images of every label by their hashes: a row a label, in the order of the labels.

    Raises:
        InputError: if an image cannot be read.
    """
    from PIL import Image

    formats = {row["image_sha256"]: row["format"] for row in described_panels(session.catalogue, list(split.items))}
    sheet = Image.new("L", (EACH * SIDE, len(split.classes) * SIDE), 255)
    for row, label in enumerate(split.classes):
        chosen = sorted(sha256 for sha256, item in split.items.items() if item.label == label)[:EACH]
        for column, sha256 in enumerate(chosen):
            picture = open_picture(session.images.path(sha256, formats[sha256])).convert("L")
            picture.thumbnail((SIDE - GUTTER, SIDE - GUTTER))
            sheet.paste(picture, (column * SIDE, row * SIDE))
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=80, comment=SAMPLE)
    return out.getvalue()


def _papers(panels: Sequence[Row]) -> list[str]:
    """A line a paper in Markdown: how it is cited, its DOI as a link, and how many images are from it."""
    lines = []
    for counts, rows in _counted(panels, "paper", lambda row: str(row["paper_id"])):
        known = rows[0]
        named = known["reference"] or (known["record"] or {}).get("reference") or known["title"] or known["paper"]
        link = f" <https://doi.org/{quote(known['doi'], safe='/:().;')}>" if known["doi"] else ""
        lines.append(f"{plain(str(named or counts['paper']))}{link} ({counts['images']} images)")
    return lines


def _side(side: Row, split: Split) -> Row:
    counts = {key: side[key] for key in ("side", "images", "groups")}
    labels = {split.spoken(label): side["by_class"][label]["images"] for label in split.classes}
    return {"partition": side["fold"]} | counts | labels


def _counted(panels: Sequence[Row], name: str, of: Callable[[Row], str]) -> Iterator[tuple[dict[str, Any], list[Row]]]:
    """The panels by what ``of`` says of each, with the beginning of a table's row: papers and images."""
    groups = defaultdict(list)
    for row in panels:
        groups[of(row)].append(row)
    for key, rows in sorted(groups.items()):
        papers, images = ({row[column] for row in rows} for column in ("paper_id", "image_sha256"))
        yield {name: key, "papers": len(papers), "images": len(images)}, rows


def _sources(panels: Sequence[Row]) -> list[Row]:
    table: list[Row] = []
    for counts, rows in _counted(panels, "source", lambda row: str(row["source"])):
        years = {row["year"] for row in rows} - {None}
        source = "PDF files" if counts["source"] == "pdf" else counts["source"]
        table.append(counts | {"source": source, "years": f"{min(years)}–{max(years)}" if years else None})
    return table


def _licences(session: Session, panels: Sequence[Row]) -> list[Row]:
    licences = {paper: licence for paper, (licence, _) in paper_licences(session.catalogue).items()}
    return [
        counts | {"may be passed on": "yes" if may_be_passed_on(counts["licence"]) else "no"}
        for counts, _ in _counted(panels, "licence", lambda row: licences.get(row["paper_id"], UNKNOWN))
    ]
