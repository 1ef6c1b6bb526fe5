"""Which panel of its figure a record speaks of: letters, words, ratios and scales, as a probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from rapidfuzz import fuzz

from polydata.records.evidence import FigureEvidence, PanelEvidence, RecordEvidence, words_of
from polydata.records.match_figures import chances, contradicts

NAMED_LETTER, SAID_LETTER, OTHER_LETTER = 5.0, 3.0, -6.0
LACKING_LETTER = -3.0
TELLING_WORDS = 4.0
TOLD_IN_TEXT = 1.0
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
    told = words_of(record.text[:MAX_TEXT]) - figure.stem_words
    for weigh, words in ((TELLING_WORDS, said), (TOLD_IN_TEXT, told)):
        for panel_id, share in _told_apart(words, own).items():
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


def _told_apart(words: frozenset[str], own: Mapping[str, frozenset[str]]) -> dict[str, float]:
    """-0.5 to 0.5 for each panel by the words that some panels have and others lack.

    Words of panels are often the same but for one (``before`` and ``after annealing``), which hardly changes how
    alike they are as wholes.
    """
    theirs = {panel: its for panel, its in own.items() if its}
    if len(theirs) < 2:
        return {}
    every: Sequence[frozenset[str]] = list(theirs.values())
    telling = frozenset[str]().union(*every) - every[0].intersection(*every)
    mine = words & telling
    if not mine:
        return {}
    return {
        panel: sum((word in mine) == (word in its) for word in telling) / len(telling) - 0.5
        for panel, its in theirs.items()
    }
