"""Text lines of a page put in order: fragments joined, prose told from labels, running heads found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from polydata.extraction.document.lines import Line
from polydata.extraction.document.page import PageContent
from polydata.text.figure_labels import is_label_alone, read_label
from polydata.types import Box

LONG_WORD = re.compile(r"[^\W\d_]{4}")
"""What running text has in each line."""
PAGE_NUMBER = re.compile(r"^[0-9]{1,6}$")
LINE_NUMBER = re.compile(r"^(\d{1,4})(?:\s+(?=\S)|$)")
FEWEST_NUMBERS = 5
"""Lines that a manuscript numbers on a page at least."""


def _level(a: Line, b: Line) -> bool:
    """Whether two lines stand on one line of writing."""
    shared = min(a.box.y1, b.box.y1) - max(a.box.y0, b.box.y0)
    return shared > 0.6 * min(a.box.height, b.box.height) and abs(a.baseline - b.baseline) < 0.45 * max(a.size, b.size)


def _joinable(left: Line, right: Line) -> bool:
    gap = right.box.x0 - left.box.x1
    size = min(left.size, right.size)
    near = 1.6 if left.block == right.block else 0.9
    limit = 2.5 if len(left.text) < 30 and is_label_alone(left.text) else near
    if not -0.5 * size < gap < limit * size:
        return False
    return gap < 0.6 * size or len(left.text) < 12 or not _is_labelled(right.text)  # two captions side by side


def _is_labelled(text: str) -> bool:
    """Whether a text begins with a label and a sign after it."""
    label = read_label(text)
    return label is not None and text[label.end : label.end + 1] in tuple(".:|")


def without_line_numbers(page: PageContent) -> PageContent:
    """The page without the numbers of a manuscript's lines, whether they stand in lines of their own or begin them.

    They go up by the same step, one or five, from line to line, and nothing that is written stands before them.
    """
    upright = sorted((line for line in page.lines if line.upright), key=lambda line: line.baseline)
    numbered = [(line, match) for line in upright if (match := LINE_NUMBER.match(line.text))]
    if len(numbered) < FEWEST_NUMBERS:
        return page
    alone = [line for line, match in numbered if match.end() == len(line.text)]
    written = [line.box.x0 for line in upright if line.words >= 2]
    if written and len(alone) >= FEWEST_NUMBERS:
        edge = sorted(line.box.x1 for line in alone)[len(alone) // 2]
        column = [line for line in alone if abs(line.box.x1 - edge) < line.size]
        if _counts([int(line.text) for line in column]) and edge < min(written) + 2:
            rest = tuple(line for line in page.lines if line not in column)
            return replace(page, lines=rest, numbers=tuple(column))
    begun = [(line, match) for line, match in numbered if match.end() < len(line.text)]
    if 2 * len(begun) > len(written) and _counts([int(match[1]) for _, match in begun]):
        cut = {line: _beheaded(line, match.end()) for line, match in begun}
        return replace(page, lines=tuple(cut.get(line, line) for line in page.lines))
    return page


def _counts(numbers: Sequence[int]) -> bool:
    """Whether numbers nearly always go up by one, or by five."""
    steps = Counter(b - a for a, b in pairwise(numbers))
    step, often = steps.most_common(1)[0] if steps else (0, 0)
    return len(numbers) >= FEWEST_NUMBERS and step in (1, 5) and often >= 0.8 * (len(numbers) - 1)


def _beheaded(line: Line, start: int) -> Line:
    """A line without what stands before a sign of it."""
    x0 = line.box.x0 + line.box.width * start / len(line.text)
    return replace(line, text=line.text[start:], box=Box(x0, line.box.y0, line.box.x1, line.box.y1))


def join_fragments(page: PageContent) -> PageContent:
    """Join pieces of one line that the file stores apart (words of an OCR layer, a caption and its label).

    Upright lines only; the page's lines are sorted from top to bottom, then left to right.
    """
    page = without_line_numbers(page)
    upright = sorted((line for line in page.lines if line.upright), key=lambda line: line.box.x0)
    reach = 0.45 * max((line.size for line in upright), default=0.0) + 0.01  # as far as baselines of one line may lie
    joined: list[Line] = []
    by_height: dict[int, list[int]] = {}
    for line in upright:
        step = int(line.baseline // reach)
        near = (index for one in (step - 1, step, step + 1) for index in by_height.get(one, ()))
        level = sorted(near, reverse=True)
        partner = next((i for i in level if _level(joined[i], line) and _joinable(joined[i], line)), None)
        if partner is None:
            by_height.setdefault(step, []).append(len(joined))
            joined.append(line)
            continue
        left = joined[partner]
        longer = left if len(left.text) >= len(line.text) else line
        joined[partner] = replace(
            left,
            box=left.box.union(line.box),
            text=f"{left.text} {line.text}",
            size=longer.size,
            font=longer.font,
            baseline=longer.baseline,
        )
        if longer is line:
            by_height.setdefault(step, []).append(partner)
    rest = [line for line in page.lines if not line.upright]
    return replace(page, lines=tuple(sorted([*joined, *rest], key=lambda line: (line.box.y0, line.box.x0))))


def same_column(a: Line, b: Line) -> bool:
    """Whether two lines share at least half of the narrower one's width."""
    shared = min(a.box.x1, b.box.x1) - max(a.box.x0, b.box.x0)
    return shared > 0.5 * min(a.box.width, b.box.width)


def paragraphs(lines: Iterable[Line], unlike: float = 0.2) -> list[list[Line]]:
    """Upright lines gathered into runs of the same column, size and spacing, each from top to bottom.

    ``unlike`` is by which share the font size may differ from line to line.
    """
    runs: list[list[Line]] = []
    for line in sorted((one for one in lines if one.upright), key=lambda one: (one.baseline, one.box.x0)):
        for run in reversed(runs):
            last = run[-1]
            step = line.baseline - last.baseline
            size = max(last.size, line.size)
            if (
                0.5 * size < step < 1.9 * size
                and same_column(last, line)
                and abs(last.size - line.size) < unlike * size
            ):
                run.append(line)
                break
        else:
            runs.append([line])
    return runs


def is_prose(run: Sequence[Line]) -> bool:
    """Whether a run of lines is running text and not writing within a figure or table."""
    words = sum(line.words for line in run)
    if len(run) == 1:  # a row of formulae or abbreviations stands along an axis
        return words >= 8 and len(LONG_WORD.findall(run[0].text)) >= 2
    widths = sorted(line.box.width for line in run)
    return words >= 10 and words / len(run) >= 4 and widths[len(run) // 2] > 9 * run[0].size


@dataclass(frozen=True)
class TextLayer:
    """The lines of a page by what they are.

    Attributes:
        prose: running text; nothing of a figure lies under or beyond it.
        labels: short writing, perhaps part of a figure.
        furniture: running heads and page numbers.
    """

    prose: tuple[Line, ...]
    labels: tuple[Line, ...]
    furniture: tuple[Line, ...]


def _in_margin(line: Line, page: PageContent) -> bool:
    return line.box.y1 < 0.13 * page.box.height or line.box.y0 > 0.91 * page.box.height


def _print_of(line: Line, page: PageContent) -> str:
    """What stays the same of a running head from page to page: its words, or by how much a page number is ahead.

    A caption keeps its number: those of a supplement begin alike on every page.
    """
    if PAGE_NUMBER.match(line.text):
        return f"number {int(line.text) - page.number}"
    if label := read_label(line.text):
        return f"{label.word} {label.number} {line.text[label.end :]}"
    return re.sub(r"[\d\W_]+", " ", line.text).strip().lower()


def furniture_prints(pages: Sequence[PageContent]) -> frozenset[str]:
    """What stands in the margin of at least two pages: texts without their numbers, and numbers that count pages."""
    seen: Counter[str] = Counter()
    for page in pages:
        seen.update({_print_of(line, page) for line in page.lines if _in_margin(line, page)})
    return frozenset(text for text, count in seen.items() if count >= 2 and len(text) > 3)


def is_furniture(line: Line, page: PageContent, prints: frozenset[str]) -> bool:
    """Whether a line is a running head, a page number or a copyright line in the margin."""
    if not _in_margin(line, page):
        return False
    edge = line.box.y1 < 0.06 * page.box.height or line.box.y0 > 0.95 * page.box.height
    return edge or repeats(line, page, prints)


def repeats(line: Line, page: PageContent, prints: frozenset[str]) -> bool:
    """Whether a line in the margin stands there on other pages too."""
    return _in_margin(line, page) and _print_of(line, page) in prints


def split_text(page: PageContent, captions: frozenset[Line], prints: frozenset[str]) -> TextLayer:
    """Sort a page's lines (those of captions left out) into prose, labels and furniture."""
    rest = [line for line in page.lines if line not in captions]
    furniture = [line for line in rest if is_furniture(line, page, prints)]
    rest = [line for line in rest if line not in furniture]
    furniture += page.numbers
    pictures = [image.box for image in page.images]
    inside = [line for line in rest if any(line.box.share_inside(box) > 0.8 for box in pictures)]
    prose: list[Line] = []
    labels: list[Line] = [line for line in rest if not line.upright and line not in inside]
    outside = [line for line in rest if line not in inside]
    for run in paragraphs(outside, unlike=0.4 if page.scanned else 0.2):  # an OCR layer's sizes waver
        whole = is_prose(run)
        for line in run:  # a table's footnote runs on from its rows: long lines are prose by themselves
            (prose if whole or is_prose([line]) else labels).append(line)
    return TextLayer(tuple(prose), tuple(labels), tuple(furniture))


def text_columns(layers: Sequence[TextLayer], pages: Sequence[PageContent]) -> tuple[tuple[float, float], ...]:
    """From where to where the columns of running text reach, those narrower than 0.6 of the page only.

    An edge pair counts as a column where at least one in twenty lines of prose keeps to it.
    """
    seen: Counter[tuple[int, int]] = Counter()
    for layer, page in zip(layers, pages, strict=True):
        for line in layer.prose:
            if line.box.width < 0.6 * page.box.width:
                seen[round(line.box.x0 / 6), round(line.box.x1 / 6)] += 1
    enough = 0.05 * sum(len(layer.prose) for layer in layers)
    return tuple((6.0 * x0, 6.0 * x1) for (x0, x1), count in seen.most_common(8) if count >= max(3, enough))


def line_spacing(pages: Sequence[PageContent]) -> float:
    """From baseline to baseline of running text, in units of its size; 1.2 where there is none. At most 3."""
    seen: Counter[float] = Counter()
    for page in pages:
        long = [line for line in page.lines if line.upright and line.words >= 6]
        for one, other in pairwise(sorted(long, key=lambda line: (round(line.box.x0 / 20), line.baseline))):
            step = (other.baseline - one.baseline) / max(one.size, 1.0)
            if 0.9 < step < 3.0:
                seen[round(step, 1)] += 1
    return seen.most_common(1)[0][0] if seen else 1.2
