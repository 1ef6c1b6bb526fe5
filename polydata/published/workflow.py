"""Reads the seed authors' data set into the catalogue: images, records, labels of both sources, and its split."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from polydata.auditing.detectors.pictures import is_misnamed
from polydata.catalogue.records import records_by_id, save_data_set
from polydata.catalogue.session import Session
from polydata.errors import InputError
from polydata.images import copies
from polydata.images.hashes import NEAR
from polydata.images.picture import ImageStore
from polydata.published.layout import Published, read_layout, read_published_records
from polydata.published.rows import FILE_SOURCE, SOURCE, Stored, make_rows, panel_facts, references_of
from polydata.records.rules import write_votes
from polydata.splits.evidence import GROUP_BY, group_images, read_evidence, with_copies
from polydata.splits.manifest import Sides
from polydata.splits.write import make_items, write_split
from polydata.task import Task
from polydata.types import Progress, quiet

MAX_IMAGE_BYTES = 200_000_000
LEAKAGE_REASON = "imported as its authors published it"


@dataclass(frozen=True)
class PublishedReport:
    """What an import did.

    Attributes:
        images, papers, figures, records: numbers of rows.
        labels: number of images by the label of the file's name.
        kept: records that another file brought or corrected; they stay as they stand in the catalogue.
        records_without_image: records of which no image was published.
        contradictions: keys whose file name and record say labels that exclude each other.
        finer: keys whose record says a label that file names cannot say.
        wrong_extensions, alpha_only: names of files.
        shared_keys: keys that several records bear; their links score less than 1.
        unknown_spellings: words that records use for a label and the task file does not list -> number.
        split: number of images on each side of the split; empty where there is none.
        leakage: what stands on both sides of the split: detector -> number of test images.
        problems: what was skipped, each with its reason.
    """

    images: int
    papers: int
    figures: int
    records: int
    labels: Mapping[str, int]
    kept: int
    records_without_image: int
    contradictions: tuple[str, ...]
    finer: tuple[str, ...]
    wrong_extensions: tuple[str, ...]
    alpha_only: tuple[str, ...]
    shared_keys: tuple[str, ...]
    unknown_spellings: Mapping[str, int]
    split: Mapping[str, int]
    leakage: Mapping[str, int]
    problems: tuple[str, ...]

    def facts(self) -> dict[str, int]:
        """The numbers, named for a person."""
        return {
            "images": self.images,
            **{f"  {label} by file name": count for label, count in self.labels.items()},
            "  wrong extension": len(self.wrong_extensions),
            "  picture in the alpha channel alone": len(self.alpha_only),
            "papers": self.papers,
            "figures": self.figures,
            "records": self.records,
            "  kept as another file says": self.kept,
            "  without an image": self.records_without_image,
            "file name and record contradict": len(self.contradictions),
            "record finer than file name": len(self.finer),
            "keys of several records": len(self.shared_keys),
            **{f"split {SOURCE}, {side}": count for side, count in self.split.items()},
            **{f"  leaks by {detector}": count for detector, count in self.leakage.items()},
            "skipped": len(self.problems),
        }


def _store(found: Published, task: Task, store: ImageStore, progress: Progress) -> tuple[list[Stored], list[str]]:
    stored, problems = [], []
    for done, image in enumerate(found.images, start=1):
        try:
            if image.path.stat().st_size > MAX_IMAGE_BYTES:
                raise InputError(f"it is larger than {MAX_IMAGE_BYTES // 1_000_000} MB")
            info = store.put(image.path.read_bytes(), image.path.name)
            stored.append(Stored(image.path, image.key, info, task.file_suffixes[image.suffix]))
        except (InputError, OSError) as error:
            problems.append(f"{image.path.name}: {error}")
        progress("Importing", done, len(found.images))
    return stored, problems


def _write_split(
    session: Session,
    stored: Sequence[Stored],
    *,
    panels: Mapping[str, Mapping[str, Any]],
    references: Mapping[str, frozenset[str]],
    sides: Mapping[str, str],
    progress: Progress,
) -> tuple[dict[str, int], dict[str, int], list[str]]:
    """The authors' split as split ``published``; numbers of its sides, what leaks, and what had to stay out.

    It follows from the data set alone, whatever else the catalogue holds.
    """
    place: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for one in stored:
        if one.key.text in sides:
            place[one.info.sha256].add((sides[one.key.text], one.label))
    problems = [
        f"image {sha}: it stands on both sides of the split or under two labels"
        for sha, p in place.items()
        if len(p) > 1
    ]
    labels = {sha: (next(iter(p))[1], FILE_SOURCE) for sha, p in place.items() if len(p) == 1}
    side_of = {sha: next(iter(place[sha]))[0] for sha in labels}
    if len(set(side_of.values())) < 2:
        return {}, {}, problems
    evidence = read_evidence(session.catalogue, labels, SOURCE)
    facts = {
        image: {**row, **panels[row["panel_id"]], "technique": row["by_caption"]}
        for image, row in evidence.facts.items()
    }
    evidence = with_copies(replace(evidence, references=references, facts=facts), session.images, progress)
    items = make_items(session, evidence, group_images(evidence), labels)
    train, test = ([item for sha, item in items.items() if side_of[sha] == side] for side in ("train", "test"))
    split = write_split(
        session,
        name=SOURCE,
        recipe={
            "protocol": SOURCE,
            "folds": 0,
            "repeats": 1,
            "seed": None,
            "label_source": FILE_SOURCE,
            "partial": "as-published",
            "group_by": list(GROUP_BY),
            "picture_distance": NEAR,
            "crops": copies.VERSION,
        },
        folds=[Sides(train, test)],
        classes=[label for label in session.task.labels if label in {label for label, _ in labels.values()}],
        leakage_reason=LEAKAGE_REASON,
        evidence=evidence,
    )
    findings = split.leakage["findings"] if split.leakage else []
    return {"train": len(train), "test": len(test)}, {f["detector"]: f["count"] for f in findings}, problems


def import_published(
    session: Session,
    root: Path,
    progress: Progress = quiet,
) -> PublishedReport:
    """Import the published data set from a folder, in either of the layouts of ``published.layout``.

    Images are stored first, with their bytes unchanged; all rows follow in one transaction, then the split. The
    same folder again changes nothing; records that another file brought or corrected are kept as they are.

    Args:
        progress: told of each image that is stored, and of the search for copies among those of the split.

    Raises:
        InputError: if the folder is not the data set, or no image of it can be read.
        RefusedError: if there is another split of its name.
    """
    task = session.task
    found = read_layout(root, task.file_suffixes)
    records, bad_records = read_published_records(found.records)
    stored, bad_images = _store(found, task, session.images, progress)
    if not stored:
        raise InputError(f"No image of {root} can be read; first {bad_images[0]}.")
    rows = make_rows(stored, records)
    known = records_by_id(session.catalogue, [r.record_id for r in records])
    kept = {key for key, row in known.items() if row["source"] != found.records.name}
    rows["records"] = [r for r in rows["records"] if r["record_id"] not in kept and known.get(r["record_id"]) != r]
    with session.catalogue.transaction():
        save_data_set(session.catalogue, SOURCE, rows)
        votes = write_votes(session)
    split, leakage, bad_split = _write_split(
        session,
        stored,
        panels=panel_facts(rows, records),
        references=references_of(rows, records),
        sides=found.sides,
        progress=progress,
    )
    unplaced = [
        f"{one.path.name}: it stands on neither side of the split"
        for one in stored
        if split and one.key.text not in found.sides
    ]
    said = {
        str(r.values["record_key"]): label
        for r in records
        if r.values["compatibility"] and (label := task.label_of(r.values["compatibility"])) is not None
    }
    coarse = next((s.vocabulary for s in task.sources if s.name == FILE_SOURCE), None) or task.labels
    differ = [(o.key.text, said[o.key.text]) for o in stored if said.get(o.key.text, o.label) != o.label]
    keys = Counter(str(r.values["record_key"]) for r in records)
    with_image = {one.key.text for one in stored}
    return PublishedReport(
        images=len(stored),
        papers=len(rows["papers"]),
        figures=len(rows["figures"]),
        records=len(records),
        kept=len(kept),
        labels={label: n for label in task.labels if (n := sum(o.label == label for o in stored))},
        records_without_image=sum(str(r.values["record_key"]) not in with_image for r in records),
        contradictions=tuple(key for key, word in differ if word in coarse),
        finer=tuple(key for key, word in differ if word not in coarse),
        wrong_extensions=tuple(o.path.name for o in stored if is_misnamed(o.path.name, o.info.format)),
        alpha_only=tuple(o.path.name for o in stored if o.info.alpha_only),
        shared_keys=tuple(sorted(k for k, n in keys.items() if n > 1)),
        unknown_spellings=votes.unknown_spellings,
        split=split,
        leakage=leakage,
        problems=(*found.problems, *bad_records, *bad_images, *bad_split, *unplaced),
    )
