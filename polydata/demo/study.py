"""What the generated papers are about: blends, series of micrographs, and how well their components mix.

The root of every sample is a continuous number, ``unlike``: 0 for components that mix, 1 for components that
separate into coarse, high-contrast domains. It depends on the polymers, on the agent's content or the ratio,
and on chance; the label is what a reader who judges it with a small error would say. The morphology follows
the same number with scatter of its own, so that samples near the boundary cannot be told apart for certain.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from polydata.resources import TEMPLATES
from polydata.simulation.phasefield import Quench
from polydata.task import Task

BOUNDS = (0.42, 0.55)
"""Below the first ``unlike`` is judged positive, above the second negative, partial in between."""
JUDGEMENT_SD = 0.03
STYLES = ("grid", "objects", "touching", "column")
RATIOS = ((90, 10), (80, 20), (70, 30), (60, 40), (50, 50), (40, 60), (30, 70), (20, 80))


WORDS: dict[str, Any] = tomllib.loads((TEMPLATES / "demo.toml").read_text(encoding="utf-8"))
"""Names and sentences of the generated papers, by what they are."""
JOURNALS = [(journal["name"], journal["short"]) for journal in WORDS["journals"]]
Item = TypeVar("Item")


def pick(items: Sequence[Item], rng: np.random.Generator) -> Item:
    """One of the items at random."""
    return items[int(rng.integers(len(items)))]


@dataclass(frozen=True)
class Pair:
    """Two polymers that are blended, with what is added to make them mix."""

    first: str
    second: str
    agents: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """A blend that was looked at.

    Attributes:
        ratio: parts of the two polymers by weight, together 100.
        agent: content of the compatibiliser in wt%.
        minutes: of mixing.
        unlike: 0 for components that mix, 1 for such as separate coarsely.
        label: what a reader says.
        quench: how the simulation makes it.
    """

    ratio: tuple[int, int]
    agent: float
    minutes: int
    unlike: float
    label: str
    quench: Quench


@dataclass(frozen=True)
class Series:
    """The samples of one figure, in the order of its panels.

    Attributes:
        stem: words of the caption that all panels share.
        parts: words for each panel.
    """

    stem: str
    parts: tuple[str, ...]
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Reference:
    """Where a paper was published; ``doi`` is of the prefix that is set aside for tests."""

    title: str
    authors: tuple[str, ...]
    journal: str
    journal_short: str
    volume: int
    issue: int
    first_page: int
    year: int
    doi: str

    def pages(self, count: int) -> str:
        """``101-108`` for a paper of that many pages."""
        return f"{self.first_page}-{self.first_page + count - 1}"


@dataclass(frozen=True)
class Study:
    """One paper to be made."""

    index: int
    pair: Pair
    agent: str
    blending: str
    reference: Reference
    style: str
    series: tuple[Series, ...]


def quench_of(unlike: float, ratio: tuple[int, int], rng: np.random.Generator) -> Quench:
    """The simulation's parameters for a blend: contrast and coarseness grow with ``unlike``, each with scatter."""
    contrast = np.clip(unlike + rng.normal(0, 0.13), 0.02, 1.0)
    coarse = np.clip(unlike + rng.normal(0, 0.18), 0.0, 1.0)
    fraction = float(np.clip(ratio[1] / 100 + rng.normal(0, 0.02), 0.14, 0.86))
    return Quench(depth=float(0.7 * contrast**2.2 + 0.0008), fraction=fraction, time=float(15 * 250**coarse))


def judge(unlike: float, task: Task, rng: np.random.Generator) -> str:
    """The label a reader gives who judges with a small error."""
    seen = unlike + rng.normal(0, JUDGEMENT_SD)
    return task.positive if seen < BOUNDS[0] else task.negative if seen > BOUNDS[1] else task.partial


def plan(papers: int, seed: int, task: Task) -> list[Study]:
    """All papers of a corpus; the same for the same arguments."""
    rng = np.random.default_rng([seed, 1])
    pairs = _cycled([Pair(**pair) for pair in WORDS["pairs"]], papers, rng)
    bases = rng.permutation(np.linspace(-0.13, 0.13, papers)) if papers > 1 else np.zeros(1)
    styles = _cycled(STYLES, papers, rng)
    times: dict[str, int] = {}
    studies = []
    for index in range(papers):
        pair = pairs[index]
        agent = pick(pair.agents, rng)
        series = _all_series(pair, agent, float(bases[index]), task, rng)
        reference = _reference(index, pair, agent, rng)
        times[reference.title] = times.get(reference.title, 0) + 1
        if times[reference.title] > 1:
            reference = replace(reference, title=f"{reference.title}, part {times[reference.title]}")
        blending = pick(WORDS["blending"], rng)
        studies.append(Study(index, pair, agent, blending, reference, styles[index], series))
    return studies


def _cycled(items: Sequence[Item], count: int, rng: np.random.Generator) -> list[Item]:
    """``count`` items in random order, each as often as any other, give or take one."""
    out: list[Item] = []
    while len(out) < count:
        out += [items[int(i)] for i in rng.permutation(len(items))]
    return out[:count]


def _reference(index: int, pair: Pair, agent: str, rng: np.random.Generator) -> Reference:
    journal, short = pick(JOURNALS, rng)
    people = rng.choice(len(WORDS["surnames"]), size=int(rng.integers(2, 5)), replace=False)
    letters = rng.choice(list(WORDS["initials"]), size=len(people))
    year, volume = int(rng.integers(1998, 2023)), int(rng.integers(8, 90))
    return Reference(
        title=pick(WORDS["titles"], rng).format(a=pair.first, b=pair.second, agent=agent),
        authors=tuple(f"{WORDS['surnames'][int(p)]}, {letter}." for p, letter in zip(people, letters, strict=True)),
        journal=journal,
        journal_short=short,
        volume=volume,
        issue=int(rng.integers(1, 13)),
        first_page=int(rng.integers(20, 1800)),
        year=year,
        doi=f"10.5555/blend.{year}.{index + 1:04d}",
    )


def _all_series(pair: Pair, agent: str, base: float, task: Task, rng: np.random.Generator) -> tuple[Series, ...]:
    """Two to four figures of together about ten panels; rising and falling series alternate."""
    sizes = pick([(4, 6), (3, 4, 3), (2, 4, 4), (1, 4, 6), (3, 6), (2, 3, 1, 4), (4, 4, 2), (6, 4)], rng)
    rising = bool(rng.random() < 0.5)
    return tuple(
        _series(size, rising ^ bool(number % 2), pair, agent, base=base, task=task, rng=rng)
        for number, size in enumerate(sizes)
    )


def _series(
    size: int, upwards: bool, pair: Pair, agent: str, *, base: float, task: Task, rng: np.random.Generator
) -> Series:
    kind = ("agent", "ratio", "time")[int(rng.choice(3, p=[0.55, 0.3, 0.15]))]
    ratio = pick(RATIOS, rng)
    steps = np.linspace(-1, 1, size) if size > 1 else rng.uniform(-1, 1, 1)
    top = float(rng.choice([4, 5, 6, 8, 10]))
    ratios, contents, minutes = [ratio] * size, [float(rng.choice([0, 2, 3]))] * size, [8] * size
    if kind == "agent":
        contents = [round(float(c) * 2) / 2 for c in np.linspace(0, top, size)] if size > 1 else [round(top / 2)]
    elif kind == "ratio":
        ratios = [RATIOS[i] for i in np.linspace(0, len(RATIOS) - 1, size).round().astype(int)]
        steps = steps * float(rng.choice([-1, 1]))  # which end mixes depends on the pair
    else:
        minutes = [int(m) for m in np.linspace(2, 2 + 3 * size, size)]
    unlike = np.clip(0.48 + base - 0.36 * steps + rng.normal(0, 0.1, size), 0, 1)
    samples = [
        Sample(ratios[i], contents[i], minutes[i], float(unlike[i]), judge(float(unlike[i]), task, rng),
               quench_of(float(unlike[i]), ratios[i], rng))
        for i in range(size)
    ]  # fmt: skip
    a, b = pair.first, pair.second
    whole = {
        "agent": f"{a}/{b} {ratio[0]}/{ratio[1]} blends with {agent}",
        "ratio": f"{a}/{b} blends with {contents[0]:g} wt% {agent}" if contents[0] else f"{a}/{b} blends",
        "time": f"{a}/{b} {ratio[0]}/{ratio[1]} blends after different mixing times",
    }[kind]
    parts = {
        "agent": [f"{c:g} wt% {agent}" if c else f"{a}/{b} without {agent}" for c in contents],
        "ratio": [f"{a}/{b} {x}/{y}" for x, y in ratios],
        "time": [f"{m} min" for m in minutes],
    }[kind]
    order = list(range(size)) if upwards else list(range(size - 1, -1, -1))
    if rng.random() < 0.3:
        order = [int(i) for i in rng.permutation(size)]
    stem = pick(WORDS["common_stems"], rng).format(what=whole)
    return Series(stem, tuple(parts[i] for i in order), tuple(samples[i] for i in order))
