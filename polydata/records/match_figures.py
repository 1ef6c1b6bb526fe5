"""Which figure and which of its panels a record speaks of, as probabilities."""

from __future__ import annotations

import math
from array import array
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby

import numpy as np
from rapidfuzz import fuzz

from polydata.records.evidence import FigureEvidence, PanelEvidence, RecordEvidence, words_of
from polydata.records.on_disk import OnDisk

HIT = 0.9
"""How often a word of a record's caption stands in the caption of its figure: captions are shortened and misread."""
UNSAID, MOST_UNSAID = math.log(1 - HIT), 4
"""For a word of a figure's stem that a record leaves out; not more than so many count: long captions are often cut."""
STEM_DAMPING, PART_DAMPING, PARTS_DAMPING, SIDE_DAMPING = 0.5, 0.5, 0.25, 0.25
SAME_STEM, VERBATIM = 2.0, 2.0
"""For the same stem, and for a caption that stands whole in the figure's; both of so many letters at least:"""
SHORTEST = 20
CONTRADICTED = -3.0
"""For numbers of which the figure says others."""
UNREAD_LETTER = -1.0
"""For a letter that no panel of the figure with the record's own number has: not every letter is read."""
OTHER_TECHNIQUE = -5.0
TECHNIQUES = (
    frozenset(("sem", "sems", "fesem", "esem", "scanning")),
    frozenset(("tem", "tems", "hrtem", "transmission")),
    frozenset(("optical", "pom", "plm", "polarized", "polarised")),
    frozenset(("afm",)),
)
NO_FIGURE = 0.05
"""How often the figure of a record is not among those of its paper that were read."""
NO_MICROGRAPH = 4.0
OTHER_KINDS = frozenset(("plot", "spectrum", "scheme"))
RAREST, MOST_FIGURES = 6, 200
"""Words of a caption by which its figure is looked for among all papers, and how many figures are weighed then."""
NEAR = 88.0
"""Words of six letters and more that are alike by so much (of 100) are the same, misread."""


class Captions:
    """The figures of all papers in little memory, and how rare each word is among their captions.

    Args:
        figures: all that were read, those of a paper one after the other.
    """

    def __init__(self, figures: Iterable[FigureEvidence]) -> None:
        self._papers = OnDisk[tuple[FigureEvidence, ...]](
            lambda its: [figure.plain() for figure in its], lambda said: tuple(map(FigureEvidence.of_plain, said))
        )
        self._starts, self._ids = array("I"), list[str]()
        self._holding: dict[str, array[int]] = defaultdict(lambda: array("I"))
        self._counts: Counter[str] = Counter()
        hashes = array("q")  # of each caption: those that are repeated count once
        place = 0
        for paper_id, its in groupby(figures, key=lambda figure: figure.paper_id):
            self._starts.append(place)
            self._ids.append(paper_id)
            here = tuple(its)
            self._papers.put(paper_id, here)
            for figure in here:
                for word in figure.words:
                    self._holding[word].append(place)
                self._counts.update(figure.words)
                hashes.append(hash(figure.whole))
                place += 1
        # The last of those that are alike counts: its place is the first one from the end.
        counting = place - 1 - np.unique(np.asarray(hashes)[::-1], return_index=True)[1]
        for repeated in np.setdiff1d(np.arange(place), counting).tolist():
            self._counts.subtract(self._at(repeated).words)
        self._size = len(counting)
        self._holding.default_factory = None

    def of_paper(self, paper_id: str) -> tuple[FigureEvidence, ...]:
        """The figures of a paper, in their order."""
        return self._papers.get(paper_id, ())

    def _at(self, place: int) -> FigureEvidence:
        paper = bisect(self._starts, place) - 1
        return self.of_paper(self._ids[paper])[place - self._starts[paper]]

    def likely(self, record: RecordEvidence) -> list[FigureEvidence]:
        """Figures of any paper that share the rarest words of a record's caption, at most some hundreds."""
        rare = sorted((w for w in record.words if self._counts[w]), key=lambda w: (self.share(w), w))[:RAREST]
        shared = Counter(place for word in rare for place in self._holding[word])
        ranked = sorted(shared.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_FIGURES]
        return [self._at(place) for place, count in ranked if count >= min(2, len(rare))]

    def share(self, word: str) -> float:
        """In what part of the captions a word stands."""
        return (self._counts[word] + 1) / (self._size + 2)

    def weight(self, record: RecordEvidence, figure: FigureEvidence) -> float:
        """Log-odds that a record's caption is that of a figure rather than of any other one."""
        if not record.words:
            return self._side_weight(record, figure)
        stem = record.stem_words or record.words
        unsaid = len(figure.stem_words - record.words)
        total = STEM_DAMPING * (self._hits(stem, figure.words, figure.squeezed) + UNSAID * min(unsaid, MOST_UNSAID))
        total += self._part_weight(record, figure)
        if min(len(record.squeezed_stem), len(figure.squeezed_stem)) >= SHORTEST:
            total += SAME_STEM * (record.squeezed_stem == figure.squeezed_stem)
        if len(record.squeezed) >= SHORTEST:
            total += VERBATIM * (record.squeezed in figure.squeezed)
        if contradicts(record.stem_words, figure.stem_words):
            total += CONTRADICTED
        if _other_technique(record.words, figure.words):
            total += OTHER_TECHNIQUE
        return total + self._side_weight(record, figure)

    def _hits(self, words: frozenset[str], theirs: frozenset[str], squeezed: str) -> float:
        """Log-odds by which of these words are among those of a caption."""
        total = 0.0
        for word in sorted(words):  # in one order, or the last digit would change from run to run
            share = self.share(word)
            if _stands(word, theirs, squeezed):
                total += max(0.0, math.log(HIT / share))
            else:
                total += math.log((1 - HIT) / max(1 - share, 1 - HIT))
        return total

    def _part_weight(self, record: RecordEvidence, figure: FigureEvidence) -> float:
        """By the words on single panels; a figure whose panels have no words of their own is not judged by them."""
        theirs = {words for panel in figure.panels if (words := panel.words - figure.stem_words)}
        if not theirs:
            return 0.0
        mine = record.own_words - record.stem_words
        if not mine:
            several = record.words - record.stem_words if record.stem_words else frozenset[str]()
            return PARTS_DAMPING * self._hits(several, figure.words, figure.squeezed)
        fitting = [words for words in theirs if not contradicts(mine - figure.stem_words, words)]
        if not fitting:
            return CONTRADICTED
        return PART_DAMPING * max(
            self._hits(mine, words | figure.stem_words, figure.squeezed) + UNSAID * min(len(words - mine), MOST_UNSAID)
            for words in fitting
        )

    def _side_weight(self, record: RecordEvidence, figure: FigureEvidence) -> float:
        side = record.side & figure.words
        return SIDE_DAMPING * sum(max(0.0, math.log(HIT / self.share(word))) for word in sorted(side))


def contradicts(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether both say numbers and some of mine are others."""
    one, other = (frozenset(word for word in words if word[0].isdigit()) for words in (mine, theirs))
    return bool(one and other) and not one <= other


def _other_technique(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether both name microscopes and none in common."""
    one, other = ({place for place, its in enumerate(TECHNIQUES) if its & words} for words in (mine, theirs))
    return bool(one and other) and not one & other


def _stands(word: str, theirs: frozenset[str], squeezed: str) -> bool:
    if word in theirs:
        return True
    if len(word) < 6 or not word.isalpha():
        return False
    return word in squeezed or any(
        abs(len(word) - len(other)) < 3 and other.isalpha() and fuzz.ratio(word, other) >= NEAR for other in theirs
    )


def at_key(record: RecordEvidence, figure: FigureEvidence) -> bool:
    """Whether page and figure of the record are the figure's: its label, or its rank on the page."""
    page, name = record.place
    if page is None or name is None or page != figure.page:
        return False
    number = "".join(c for c in name if c.isdigit()).lstrip("0")
    return number != "" and number in (figure.label, str(figure.rank))


def _place_weight(record: RecordEvidence, figure: FigureEvidence) -> float:
    """Log-odds by what the record says of page and label; labels in captions may be another edition's."""
    weight = 0.0
    if record.named and figure.label:
        weight += 4.0 if record.named == figure.label else -4.0
    elif record.quoted and figure.label:
        weight += 1.5 if record.quoted.lstrip("0") == figure.label else -0.5
    if record.place[0] is not None and record.place[0] == figure.page:
        weight += 0.5
    if at_key(record, figure):
        weight += 0.5
    letters = {panel.letter for panel in figure.panels} - {None}
    if record.letters and letters:
        unread = UNREAD_LETTER if record.named and record.named == figure.label else CONTRADICTED
        weight += 0.5 if letters & set(record.letters) else unread
    if figure.kind in OTHER_KINDS:
        weight -= NO_MICROGRAPH
    return weight


def figure_chances(
    records: Sequence[RecordEvidence], figures: Sequence[FigureEvidence], captions: Captions
) -> dict[str, dict[str, float]]:
    """How likely each figure of a paper is that of each of its records: record id -> figure id -> 0 to 1.

    The rest to 1 is for a figure that was not read. Records that name the same place belong together: the mean of
    their weights counts as much as each one's own.
    """
    weights = {
        r.record_id: {f.figure_id: captions.weight(r, f) + _place_weight(r, f) for f in figures} for r in records
    }
    groups: dict[object, list[str]] = defaultdict(list)
    for record in records:
        groups[record.place if None not in record.place else record.record_id].append(record.record_id)
    shown = sum(f.kind not in OTHER_KINDS for f in figures)
    found = {}
    for group in groups.values():
        shared = {f.figure_id: sum(weights[r][f.figure_id] for r in group) / len(group) for f in figures}
        for record_id in group:
            both = {figure: (weights[record_id][figure] + mean) / 2 for figure, mean in shared.items()}
            found[record_id] = chances(both, shown)
    return found


def chances(weights: Mapping[str, float], choices: int, nothing: float = NO_FIGURE) -> dict[str, float]:
    """Log-odds of things as probabilities; what is left to 1 is for none of them.

    Args:
        weights: log-odds against chance.
        choices: among how many one would choose by chance.
        nothing: the probability that it is none of them, before anything is known.
    """
    prior = math.log((1 - nothing) / max(1, choices))
    odds = {key: math.exp(min(50.0, weight + prior)) for key, weight in weights.items()}
    total = nothing + sum(odds[key] for key in sorted(odds))
    return {key: value / total for key, value in odds.items()}


NAMED_LETTER, SAID_LETTER, OTHER_LETTER = 5.0, 3.0, -6.0
LACKING_LETTER = -3.0
DISTINCT_WORDS = 4.0
WORDS_IN_TEXT = 1.0
OTHER_NUMBERS = -2.0
SAME_SCALE, OTHER_SCALE = 1.0, -2.0
NO_PANEL = 0.05
"""How often the panel of a record is not among those of its figure that were read."""
MAX_TEXT = 5000


def panel_chances(record: RecordEvidence, figure: FigureEvidence) -> dict[str, float]:
    """How likely each panel of a figure is the record's, given that the figure is; the rest to 1 is for none."""
    weights = {panel.panel_id: _weight(record, panel) for panel in figure.panels}
    own = {panel.panel_id: panel.words for panel in figure.panels}
    # Words that all panels share tell nothing of one, though they may stand in another's own words by chance.
    said = record.own_words or words_of(record.own) - figure.stem_words
    in_text = words_of(record.text[:MAX_TEXT]) - figure.stem_words
    for weigh, words in ((DISTINCT_WORDS, said), (WORDS_IN_TEXT, in_text)):
        for panel_id, share in _distinct(words, own).items():
            weights[panel_id] += weigh * share
    return chances(weights, len(figure.panels), NO_PANEL)


def _weight(record: RecordEvidence, panel: PanelEvidence) -> float:
    weight = 0.0
    if record.letters and panel.letter:
        weight += NAMED_LETTER if panel.letter in record.letters else OTHER_LETTER
    elif record.letter and panel.letter:
        weight += SAID_LETTER if record.letter == panel.letter else OTHER_LETTER
    elif record.part_letters and panel.letter and panel.letter not in record.part_letters:
        weight += LACKING_LETTER
    if record.own and panel.own:
        weight += 4 * (_alike(record.own, panel.own) - 0.5)
    if contradicts(record.own_words, panel.words):
        weight += OTHER_NUMBERS
    if record.ratios and panel.ratios:
        weight += 1.5 if record.ratios & panel.ratios else -1.5
    if record.scale_um and panel.scales_um:
        near = any(abs(record.scale_um - s) <= 0.02 * s for s in panel.scales_um)
        weight += SAME_SCALE if near else OTHER_SCALE
    return weight


@lru_cache(maxsize=100_000)
def _alike(one: str, other: str) -> float:
    """0 to 1; a text that is wholly in the other counts for nearly the same when it is long enough."""
    whole = fuzz.ratio(one, other) / 100
    if min(len(one), len(other)) >= 25:
        whole = max(whole, 0.95 * fuzz.partial_ratio(one, other) / 100)
    return whole


def _distinct(words: frozenset[str], own: Mapping[str, frozenset[str]]) -> dict[str, float]:
    """-0.5 to 0.5 for each panel by the words that some panels have and others lack.

    Words of panels are often the same but for one (``before`` and ``after annealing``), which hardly changes how
    alike they are as wholes.
    """
    theirs = {panel: its for panel, its in own.items() if its}
    if len(theirs) < 2:
        return {}
    every: Sequence[frozenset[str]] = list(theirs.values())
    distinct = frozenset[str]().union(*every) - every[0].intersection(*every)
    mine = words & distinct
    if not mine:
        return {}
    return {
        panel: sum((word in mine) == (word in its) for word in distinct) / len(distinct) - 0.5
        for panel, its in theirs.items()
    }
