"""How far people agree: chance-corrected agreement, what most say, and what a model of their errors makes of it.

Everything here works on plain answers; nothing knows where they come from.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

TIE = 0.01
"""Two answers whose probabilities differ by less are a tie."""
MIN_ANSWERS = 3
"""Where fewer people answered and differ, nobody can tell who is right, whatever a model says."""


@dataclass(frozen=True)
class Answer:
    """What somebody says of an image."""

    item: str
    annotator: str
    choice: str


@dataclass(frozen=True)
class Consensus:
    """What answers come to.

    Attributes:
        choice: None for a tie.
        probability: of the most probable answer, 0 to 1.
        answers: number of answers.
        disputed: whether they differ.
    """

    choice: str | None
    probability: float
    answers: int
    disputed: bool


@dataclass(frozen=True)
class Pair:
    """How two annotators agree on the images that both answered.

    Attributes:
        images: number of them.
        agreement: share on which they say the same; None without an image.
        kappa: Cohen's; None where it has no meaning: no image, or both said one and the same word throughout.
    """

    first: str
    second: str
    images: int
    agreement: float | None
    kappa: float | None


def by_item(answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    """Answers of each image."""
    found: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        found[answer.item].append(answer)
    return dict(found)


def fleiss_kappa(ratings: Sequence[Sequence[str]]) -> float | None:
    """Fleiss' kappa of the answers on each image, whoever gave them.

    Args:
        ratings: the answers, image by image. Images with fewer than two are left out. Where images have different
            numbers of answers, each image counts the same in the observed agreement and each answer the same in the
            agreement expected by chance; with equal numbers this is Fleiss' own formula.

    Returns:
        1 for full agreement, 0 for what chance gives; None where it has no meaning: nothing to compare, or one and
        the same word throughout.
    """
    counts = [Counter(given) for given in ratings if len(given) > 1]
    if not counts:
        return None
    observed = math.fsum(
        sum(n * (n - 1) for n in c.values()) / (c.total() * (c.total() - 1)) for c in counts
    ) / len(counts)  # fmt: skip
    totals = Counter[str]()
    for count in counts:
        totals.update(count)
    if len(totals) == 1:
        return None
    chance = math.fsum((n / totals.total()) ** 2 for n in totals.values())
    return (observed - chance) / (1 - chance)


def cohen_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's unweighted kappa of two annotators' answers on the same images; None where it has no meaning."""
    if len({word for pair in pairs for word in pair}) < 2:
        return None
    from sklearn.metrics import cohen_kappa_score

    first, second = zip(*pairs, strict=True)
    value = float(cohen_kappa_score(first, second))
    return value if math.isfinite(value) else None


def pairwise(answers: Sequence[Answer]) -> list[Pair]:
    """Every two annotators, in alphabetical order; each may have one answer an image."""
    given: dict[str, dict[str, str]] = defaultdict(dict)
    for answer in answers:
        given[answer.annotator][answer.item] = answer.choice
    found = []
    for first, second in combinations(sorted(given), 2):
        both = [(given[first][i], given[second][i]) for i in sorted(given[first].keys() & given[second].keys())]
        share = sum(a == b for a, b in both) / len(both) if both else None
        found.append(Pair(first, second, len(both), share, cohen_kappa(both)))
    return found


def majority(choices: Sequence[str]) -> str | None:
    """The answer of most; None where several lead."""
    leading = Counter(choices).most_common(2)
    if not leading or (len(leading) > 1 and leading[0][1] == leading[1][1]):
        return None
    return leading[0][0]


def dawid_skene(answers: Sequence[Answer]) -> dict[str, Consensus]:
    """Consensus of each image by Dawid and Skene's model: who errs in which way is learned from all answers.

    Where all who answered agree, their word stands. Where they differ, it takes three answers or more and a clear
    lead; otherwise there is no choice.

    Args:
        answers: one of each annotator an image.
    """
    if not answers:
        return {}
    import pandas as pd
    from crowdkit.aggregation.classification.dawid_skene import DawidSkene

    frame = pd.DataFrame([(a.item, a.annotator, a.choice) for a in answers], columns=["task", "worker", "label"])
    frame = frame.sort_values(["task", "worker"], ignore_index=True)  # its sums depend on the order in the last digits
    chances = DawidSkene(n_iter=200).fit_predict_proba(frame).to_dict("index")
    found = {}
    for item, given in sorted(by_item(answers).items()):
        chance = {str(word): float(value) for word, value in chances[item].items()}
        best, *others = sorted(chance, key=lambda word: (-chance[word], word))
        disputed = len({a.choice for a in given}) > 1
        clear = len(given) >= MIN_ANSWERS and all(chance[best] - chance[word] >= TIE for word in others)
        choice = (best if clear else None) if disputed else given[0].choice
        found[item] = Consensus(choice, round(chance[choice or best], 4), len(given), disputed)
    return found


def confusion(pairs: Sequence[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """How often each answer was given where the truth was which: truth -> answer -> number."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for truth, answer in pairs:
        table[truth][answer] += 1
    return {truth: dict(sorted(count.items())) for truth, count in sorted(table.items())}


def scores(pairs: Sequence[tuple[str, str]], positive: str) -> dict[str, float | None]:
    """Accuracy, precision, recall, specificity and F1, 0 to 1; None for a value without meaning (0 / 0).

    Args:
        pairs: truth and answer of each image.
        positive: the class that precision, recall and F1 speak of; all others together are the negative one.
    """
    hits = Counter((truth == positive, answer == positive) for truth, answer in pairs)
    tp, fp, fn, tn = hits[True, True], hits[False, True], hits[True, False], hits[False, False]
    return {
        "accuracy": _ratio(sum(truth == answer for truth, answer in pairs), len(pairs)),
        "precision": _ratio(tp, tp + fp),
        "recall": _ratio(tp, tp + fn),
        "specificity": _ratio(tn, tn + fp),
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
    }


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def mean_scores(several: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """Mean of each score over those for which it has a meaning."""
    names = list(several[0]) if several else []
    known = {name: [v for one in several if (v := one[name]) is not None] for name in names}
    return {name: math.fsum(values) / len(values) if values else None for name, values in known.items()}
