"""Disagreements within the catalogue: one function a kind, each looks at all images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from polydata.images.hashes import near_hashes
from polydata.labels.conflicts.evidence import SEVERITY, Conflict, Scene, Voice
from polydata.text.reference import reference_keys

Detector = Callable[[Scene], Iterator[Conflict]]


def _labels(voices: Sequence[Voice]) -> list[str]:
    return sorted({v.label for v in voices})


def _told(scene: Scene, label: str) -> str:
    return label.replace("_", " ") if label in scene.task.labels else repr(label)


def file_against_record(scene: Scene) -> Iterator[Conflict]:
    """Kinds ``contradiction`` and ``partial``: the file name says another label than the record.

    A label that file names are unable to say is no contradiction: the file name then shows what became of it.
    """
    able = scene.coarse_words("file")
    for image in scene.pictures:
        file, record = scene.of(image, "file"), scene.of(image, "record")
        differing = [word for word in _labels(record) if word not in _labels(file)]
        if not file or not differing:
            continue
        kind = "contradiction" if any(word in able for word in differing) else "partial"
        says = f"the record says {_join(scene, differing)}, the file name {_join(scene, _labels(file))}"
        yield Conflict(kind, SEVERITY[kind], (image,), says, (*record, *file))


def records_among_themselves(scene: Scene) -> Iterator[Conflict]:
    """Kind ``records``: several records of one image say different labels."""
    for image in scene.pictures:
        record = scene.of(image, "record")
        if len(said := _labels(record)) > 1:
            weight = scene.weight("records", *said)
            yield Conflict("records", weight, (image,), f"its records say {_join(scene, said)}", record)


def text_against_label(scene: Scene) -> Iterator[Conflict]:
    """Kind ``text``: the literature's words suggest another label than the record, or without one the file name."""
    for image in scene.pictures:
        text = scene.of(image, "rule")
        other = scene.of(image, "record") or scene.of(image, "file")
        differing = [word for word in _labels(text) if word not in _labels(other)]
        if not other or not differing:
            continue
        named = "record" if other[0].source == "record" else "file name"
        says = f"the words suggest {_join(scene, differing)}, the {named} says {_join(scene, _labels(other))}"
        weight = scene.weight("text", *differing, *_labels(other))
        yield Conflict("text", weight, (image,), says, (*text, *other))


def reviewers_among_themselves(scene: Scene) -> Iterator[Conflict]:
    """Kinds ``tie`` and ``disputed``: reviewers differ, with nothing decided or with a decision by the method."""
    for image, row in scene.reviewed.items():
        if not row["disputed"]:
            continue
        given = scene.of(image, "review")
        kind = "tie" if row["choice"] is None else "disputed"
        end = "; nobody has the last word" if kind == "tie" else f"; {_told(scene, row['choice'])} counts"
        yield Conflict(kind, SEVERITY[kind], (image,), f"reviewers say {_join(scene, _labels(given))}{end}", given)


def reviewers_against_sources(scene: Scene) -> Iterator[Conflict]:
    """Kind ``review``: what the reviewers come to is not what record and file name say."""
    able = scene.coarse_words("file")
    for image, row in scene.reviewed.items():
        others = (*scene.of(image, "record"), *scene.of(image, "file"))
        choice = row["choice"]
        differing = [v for v in others if v.label != choice]
        # A file name that cannot say the reviewers' word does not contradict it where the record agrees.
        if choice not in able and choice in scene.task.labels and any(v.label == choice for v in others):
            differing = [v for v in differing if v.source != "file"]
        if choice is None or not differing:
            continue
        said = _labels(differing)
        where = " and ".join(sorted({"file name" if v.source == "file" else v.source for v in differing}))
        says = f"reviewers say {_told(scene, choice)}, {where} {_join(scene, said)}"
        given = scene.of(image, "review")
        yield Conflict("review", scene.weight("review", choice, *said), (image,), says, (*given, *differing))


def same_picture(scene: Scene) -> Iterator[Conflict]:
    """Kind ``duplicate``: two images that show the same picture, by their perceptual hash, have different labels."""
    by_hash: dict[str, list[str]] = {}
    for image, picture in scene.pictures.items():
        if picture.label is not None:
            by_hash.setdefault(picture.phash, []).append(image)
    pairs = [pair for images in by_hash.values() for pair in combinations(images, 2)]
    pairs += [(a, b) for one, other in near_hashes(by_hash) for a in by_hash[one] for b in by_hash[other]]
    order = {image: number for number, image in enumerate(scene.pictures)}
    for a, b in pairs:
        first, second = sorted((a, b), key=order.__getitem__)
        one, two = scene.pictures[first], scene.pictures[second]
        if one.label is None or two.label is None or one.label == two.label:
            continue
        bits = (int(one.phash, 16) ^ int(two.phash, 16)).bit_count()
        says = f"the same picture ({bits} of 64 bits differ) is {_told(scene, one.label)} and {_told(scene, two.label)}"
        voices = tuple(Voice(p.source or "", p.label or "", "", p.file_name or p.panel_id) for p in (one, two))
        yield Conflict("duplicate", scene.weight("duplicate", one.label, two.label), (first, second), says, voices)


DETECTORS: tuple[Detector, ...] = (
    file_against_record,
    records_among_themselves,
    text_against_label,
    reviewers_among_themselves,
    reviewers_against_sources,
    same_picture,
)


def several_papers(scene: Scene, records: Sequence[Mapping[str, Any]]) -> Iterator[Conflict]:
    """Kind ``key``: records of several papers are linked to one image, as where one key names two papers.

    Args:
        records: rows of ``catalogue.conflicts.linked_records``.
    """
    by_image: dict[str, list[Mapping[str, Any]]] = {}
    for row in records:
        if row["image_sha256"] in scene.pictures:
            by_image.setdefault(row["image_sha256"], []).append(row)
    for image, linked in by_image.items():
        papers = _papers(linked)
        if len(papers) < 2:
            continue
        keys = sorted({row["record_key"] for row in linked if row["record_key"]})
        named = f"the key {keys[0]} names" if len(keys) == 1 else "its records name"
        voices = tuple(
            Voice(
                "record",
                scene.task.label_of(row["compatibility"] or "") or "",
                f"{row['reference'] or row['doi']}: {row['caption'] or ''}",
                row["record_key"] or row["record_id"],
            )
            for row in linked
        )
        yield Conflict("key", SEVERITY["key"], (image,), f"{named} {len(papers)} papers", voices)


def _papers(linked: Sequence[Mapping[str, Any]]) -> list[frozenset[str]]:
    """What names each of the papers that records come from; records that name none have no part in it."""
    papers: list[frozenset[str]] = []
    for row in linked:
        keys = reference_keys({**row, "citation": row["reference"]})
        if not keys:
            continue
        same = [known for known in papers if known & keys]
        papers = [known for known in papers if known not in same] + [keys.union(*same)]
    return papers


def _join(scene: Scene, labels: Sequence[str]) -> str:
    return " and ".join(_told(scene, label) for label in labels)
