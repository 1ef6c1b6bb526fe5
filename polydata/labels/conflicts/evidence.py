"""Everything that is said about the labels of all images, read once, and what a disagreement is."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from polydata.catalogue import annotations as rows_of
from polydata.catalogue.resolution import distinct_images, named_answers
from polydata.catalogue.session import Session
from polydata.records.rules import TEXTS
from polydata.task import Task

SEVERITY: Mapping[str, float] = {
    "contradiction": 1.0,
    "key": 0.95,
    "table": 0.9,
    "duplicate": 0.9,
    "tie": 0.85,
    "records": 0.8,
    "review": 0.8,
    "people": 0.7,
    "model": 0.7,
    "disputed": 0.6,
    "partial": 0.5,
    "text": 0.4,
}
"""How much each kind weighs where nothing softens it, 0 to 1, the weightiest first; the reasons stand in the manual."""

SOFTER = 0.6
"""What a severity is multiplied with where one side is the label between the two others, or no label at all."""


@dataclass(frozen=True)
class Statement:
    """What one source says of an image.

    Attributes:
        source: ``file``, ``record``, ``rule``, ``review``, ``manual``, ``model``, ``table`` or ``people``.
        label: its word.
        evidence: the words that it follows from.
        who: the annotator, record or file, where there is one.
        stands: of a record the name of its table, and its row where that is known.
        texts: the texts that the words stand in: field, text, and the ``spans`` (start, end) of the words.
    """

    source: str
    label: str
    evidence: str = ""
    who: str = ""
    stands: str = ""
    texts: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Conflict:
    """A disagreement.

    Attributes:
        kind: a key of ``SEVERITY``.
        severity: 0 to 1.
        images: hashes of the images that it is about.
        says: who says what, in one line.
        statements: of those who disagree.
        settled: a label was set by hand for the image; of a pair, both were looked at and are two pictures.
    """

    kind: str
    severity: float
    images: tuple[str, ...]
    says: str
    statements: tuple[Statement, ...]
    settled: bool = False


@dataclass(frozen=True)
class LabelEvidence:
    """What is known of all images that a panel shows.

    Attributes:
        pictures: by hash, in page order: the first of an image's rows of ``catalogue.annotations.pictures``, with the
            ``names`` by which a table may call it: hash, panel id, file name with and without ending and label, record
            keys.
        statements: of file names, records, texts and people in the catalogue, by hash.
        reviewed: rows of ``catalogue.annotations.reviewed`` by hash.
        decided: images whose label was set by hand.
        distinct: pairs of images, in both directions, that somebody looked at and calls two pictures.
    """

    task: Task
    pictures: Mapping[str, Mapping[str, Any]]
    statements: Mapping[str, tuple[Statement, ...]]
    reviewed: Mapping[str, Mapping[str, Any]]
    decided: frozenset[str]
    distinct: frozenset[tuple[str, str]]

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The label of every image that has one."""
        return {image: picture["label"] for image, picture in self.pictures.items() if picture["label"] is not None}

    def of(self, image: str, source: str) -> tuple[Statement, ...]:
        """The statements of one source."""
        return tuple(s for s in self.statements.get(image, ()) if s.source == source)

    def own_statements(self, image: str) -> tuple[Statement, ...]:
        """Where the label that an image bears comes from: its file name, else what was resolved."""
        source, label, panel = (self.pictures[image][name] for name in ("source", "label", "panel_id"))
        return self.of(image, "file") or (Statement(source or "", label or "", "", panel),)

    def words(self, *labels: str) -> str:
        """Labels as people write them; an answer that is no label stands in quotes."""
        return " and ".join(x.replace("_", " ") if x in self.task.labels else repr(x) for x in labels)

    def own_label(self, image: str, vocabulary: Iterable[str] | None = None) -> str | None:
        """The label that an image bears: of its file name where it has one, else the resolved one.

        Args:
            vocabulary: the words that another source can say; None is returned for a label that is none of them.
        """
        said = {s.label for s in self.of(image, "file")}
        label = said.pop() if len(said) == 1 else self.pictures[image]["label"]
        return label if vocabulary is None or label in set(vocabulary) else None

    def coarse_words(self, source: str) -> frozenset[str]:
        """The words that a source is able to say."""
        found = next((s.vocabulary for s in self.task.sources if s.name == source), None)
        return frozenset(found or self.task.labels)

    def weight(self, kind: str, *labels: str) -> float:
        """Severity of a kind, softer where the labels do not exclude each other."""
        excluding = {self.task.positive, self.task.negative} <= set(labels)
        return SEVERITY[kind] if excluding else round(SEVERITY[kind] * SOFTER, 4)


def read_evidence(session: Session) -> LabelEvidence:
    """Read the catalogue."""
    catalogue = session.catalogue
    keys: dict[str, set[str]] = defaultdict(set)
    for image, key in rows_of.record_keys(catalogue):
        keys[image].add(key)
    first: dict[str, dict[str, Any]] = {}
    names: dict[str, set[str]] = defaultdict(set)
    for row in rows_of.pictures(catalogue):
        image = row["image_sha256"]
        names[image] |= {image, row["panel_id"], *_file_names(row["file_name"], session.task), *keys[image]}
        first.setdefault(image, row)
    statements: dict[str, list[Statement]] = defaultdict(list)
    votes = rows_of.votes(catalogue)
    speaking = {(row["image_sha256"], row["record_id"]) for row in votes if row["source"] == "rule"}
    for row in votes:  # a record's texts stand beside the words that speak in them, else beside its label
        silent = (row["image_sha256"], row["record_id"]) not in speaking
        statements[row["image_sha256"]].append(_vote(row, with_texts=silent or row["source"] == "rule"))
    for row in named_answers(catalogue):
        said = Statement("review", row["choice"], row["comment"] or "", row["annotator"])
        statements[row["image_sha256"]].append(said)
    decided = rows_of.decisions(catalogue)
    for row in decided:
        said = Statement("manual", row["choice"], row["reason"], row["decided_by"])
        statements[row["image_sha256"]].append(said)
    return LabelEvidence(
        task=session.task,
        pictures={image: row | {"names": names[image]} for image, row in first.items()},
        statements={image: tuple(said) for image, said in statements.items() if image in first},
        reviewed={row["image_sha256"]: row for row in rows_of.reviewed(catalogue) if row["image_sha256"] in first},
        decided=frozenset(row["image_sha256"] for row in decided),
        distinct=distinct_images(catalogue),
    )


def _file_names(name: str | None, task: Task) -> Iterator[str]:
    """A file's name; without its ending; and without the label that the ending of the stem means."""
    if not name:
        return
    stem = name.rsplit(".", 1)[0]
    key, _, suffix = stem.rpartition("_")
    yield from (name, stem)
    if key and suffix in task.file_suffixes:
        yield key


def _vote(row: Mapping[str, Any], *, with_texts: bool) -> Statement:
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for span in json.loads(row["spans"] or "[]"):
        spans[span["field"]].append((span["start"], span["end"]))
    texts = [
        {"field": name, "text": row[name], "spans": sorted(spans[name])}
        for name in TEXTS
        if with_texts and (row[name] or "").strip()
    ]
    who = row["record_key"] or row["record_id"] or ""
    return Statement(row["source"], row["label"], row["evidence"], who, row["stands"], tuple(texts))
