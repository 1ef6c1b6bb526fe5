"""Pairs of near-duplicates: each stands in the list once, the count says how many, and errors come first."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from polydata.auditing.detectors import sides
from polydata.auditing.run import NAMED, error_rows, not_named
from polydata.auditing.run import _asked as asked
from polydata.auditing.subject import Severity, Subject
from polydata.exports.gallery import tie_twins
from polydata.images.hashes import near_hashes
from polydata.splits.alike import MOST_PAIRED
from polydata.splits.evidence import Evidence
from polydata.task import Task

TASK = Task.load()
HASHES = ("0000000000000000", "0000000000000001", "ffff000000000000", "ff0f0000ff000000")
PICTURES = st.lists(st.tuples(st.sampled_from(HASHES), st.sampled_from([*TASK.labels[:2], None])), max_size=40)


def subject(pictures: list[tuple[str, str | None]]) -> Subject:
    names = [f"{number:064x}" for number in range(len(pictures))]
    phash = {name: picture[0] for name, picture in zip(names, pictures, strict=True)}
    facts = {name: {"file_name": name, "paper": "p"} for name in names}
    evidence = Evidence(papers={}, figures={}, references={}, phash=phash, facts=facts)
    labels = {name: picture[1] for name, picture in zip(names, pictures, strict=True) if picture[1]}
    return Subject(TASK, evidence, dict.fromkeys(names, "g"), labels, {}, (), (), (), lambda _: Path())


@given(PICTURES)
@settings(max_examples=150, deadline=None)
def test_list_count_and_gallery_agree(pictures: list[tuple[str, str | None]]) -> None:
    of = subject(pictures)
    phash, near = of.evidence.phash, set(near_hashes(of.evidence.phash.values()))
    alike = [
        (a, b)
        for a, b in combinations(of.images, 2)
        if phash[a] == phash[b] or tuple(sorted((phash[a], phash[b]))) in near
    ]
    report = asked(of, [sides.near_duplicate])
    found = report.findings[0] if report.findings else None
    items = found.items if found else ()
    pairs = [(item["a_image"], item["b_image"]) for item in items]
    assert len(set(pairs)) == len(pairs) == (found.count if found else 0)
    assert set(pairs) <= set(alike) and bool(pairs) == bool(alike)
    differing = [pair for pair in alike if len({of.labels.get(one) for one in pair} - {None}) == 2]
    if max(map(list(phash.values()).count, HASHES)) <= MOST_PAIRED:
        assert set(pairs) == set(alike)
        entries: list[dict[str, Any]] = [{"sha": i, "label": of.labels.get(i)} for i in of.images]
        rows, settled = [{"phash": phash[i], "image_sha256": i} for i in of.images], differing[1:]
        tie_twins(entries, rows, (), {*settled, *((b, a) for a, b in settled)})
        twins = {of.images[n] for n, entry in enumerate(entries) if entry["twins"]}
        assert twins == {one for pair in pairs for one in pair}
        assert sum(len(entry["apart"]) for entry in entries) == 2 * len(differing[:1])
    if found:
        assert f"{found.count} pair" in found.message
        assert (found.severity is Severity.ERROR) == bool(differing)
        first = [
            item["a_label"] != item["b_label"] and None not in (item["a_label"], item["b_label"]) for item in items
        ]
        assert first == sorted(first, reverse=True)
        rows, more = error_rows(report), not_named(report)
        if differing:
            left = found.count - len(rows)
            assert len(rows) == min(NAMED, found.count)
            assert more == ([f"near-duplicate: and {left} more: --json lists all"] if left else [])


def test_pairs_called_two_pictures_hide_no_other_of_a_large_group() -> None:
    """Of more than a dozen under one hash a chain is listed; one link of it being settled settles no other pair."""
    of = subject([(HASHES[0], TASK.labels[n % 2]) for n in range(14)])
    (found,) = asked(of, [sides.near_duplicate]).findings
    differing = {(i["a_image"], i["b_image"]) for i in found.items if i["a_label"] != i["b_label"]}
    both = differing | {(b, a) for a, b in differing}
    (again,) = asked(replace(of, distinct=frozenset(both)), [sides.near_duplicate]).findings
    assert found.severity is again.severity is Severity.ERROR
    left = {(i["a_image"], i["b_image"]) for i in again.items if i["a_label"] != i["b_label"]}
    assert left and not left & both
