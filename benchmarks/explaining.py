"""Whether maps of explanations say what models use, and what print has to do with answers.

    explaining.py RUN [--images N]

Of N test images of the run, drawn at random (seeded), by the models that had not seen their papers: the fifth of the
cells that speaks most for the answer is covered, then the fifth that speaks most against it, and three times a fifth
drawn at random. How much less the answer is preferred is told as means with 95 % intervals over papers (bootstrap), and
so is the difference of the first from the third. Of images with print: its share of what speaks for the answer over its
share of the area, which is 1 where print says as much as any other part and was to be 2 at most.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from shown import show

from polymodel.api import open_run
from polymodel.evaluation.aggregate import together
from polymodel.prediction.ensemble import open_answers
from polymodel.prediction.explain import covered, explain, preference
from polymodel.prediction.predict import Images
from polymodel.runs.run import PartKey, Run

SHARE, DRAWS = 0.2, 3


def over_papers(values: NDArray[np.float64], groups: NDArray[np.str_], statistic: str = "mean") -> str:
    """The statistic and its 95 % interval by drawing papers with replacement."""
    rng, names = np.random.default_rng(0), np.unique(groups)
    of = getattr(np, statistic)
    drawn = [
        of(np.concatenate([values[groups == name] for name in rng.choice(names, len(names))])) for _ in range(2000)
    ]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return f"{of(values):.3f} [{low:.3f}, {high:.3f}]"


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--images", type=int, default=30)
    asked = parser.parse_args(words)
    run, rng = open_run(asked.run), np.random.default_rng(0)
    facts, _ = together(run)
    chosen = facts.iloc[np.sort(rng.permutation(len(facts))[: asked.images])]
    paths: Images = [run.image_root / path for path in chosen["path"]]
    found = explain(run, paths)
    answers = open_answers(run, "cpu")
    falls = []
    for one, group in zip(found.done, chosen["group"], strict=True):
        own = [k for k, key in enumerate(answers.keys) if group not in _learned(run, key)]
        order, count = np.argsort(one.map, axis=None), max(1, round(SHARE * one.map.size))
        sets = [order[-count:], order[:count], *(rng.permutation(one.map.size)[:count] for _ in range(DRAWS))]
        shown = [~np.isin(np.arange(one.map.size), cells).reshape(one.map.shape) for cells in sets]
        preferred = preference(run, one.prediction)
        values = [
            float(preferred @ answers.only(own).answer(answers.preparation.render(picture, None).views))
            for picture in (one.shown, *(covered(one.shown, pattern) for pattern in shown))
        ]
        most, least, *drawn = (values[0] - value for value in values[1:])
        falls.append((most, least, float(np.mean(drawn))))
    most, least, drawn = np.array(falls).T
    groups = chosen["group"].to_numpy(dtype=np.str_)
    told = {
        "logits lost, a fifth of the cells covered that speaks most for the answer": over_papers(most, groups),
        "the fifth that speaks most against it": over_papers(least, groups),
        "a fifth at random": over_papers(drawn, groups),
        "most for it less at random": over_papers(most - drawn, groups),
        "images where most for it loses more than at random": f"{int((most > drawn).sum())} of {len(falls)}",
    }
    ratios = [(one.printed.ratio, group) for one, group in zip(found.done, groups, strict=True)
              if one.printed and one.printed.ratio is not None]  # fmt: skip
    shares, theirs = np.array([ratio for ratio, _ in ratios]), np.array([group for _, group in ratios])
    told[f"print's share of the map over its share of the area, median of {len(ratios)} images"] = over_papers(
        shares, theirs, "median"
    )
    pairs = [
        (one.prediction.row(), one.printed.without.row()) for one in found.done if one.printed and one.printed.without
    ]
    other = sum(before["label"] != after["label"] for before, after in pairs)
    told["another label with all print covered"] = f"{other} of {len(pairs)}"
    rows = [{"what": what, "measured": measured} for what, measured in told.items()]
    show("explaining", rows, f"{len(falls)} test images of {len(set(groups))} papers, intervals of 95 % over papers.")


def _learned(run: Run, key: PartKey) -> set[str]:
    frame = run.predictions(key)
    return set(frame.loc[frame["side"] != "test", "group"])


if __name__ == "__main__":
    main()
