"""Corrections by hand made on what was read of a paper; the pictures of new boxes are cut out of its PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from polydata import ids
from polydata.choices import Kind
from polydata.edits import SAME, Correction, Edit, Spot, successors
from polydata.errors import UsageError
from polydata.extraction.bars import BY_HAND, carried, lost, resolution, same_bar, with_bar
from polydata.extraction.document.open import opened
from polydata.extraction.figures.assign import LocatedFigure
from polydata.extraction.figures.captions import Caption
from polydata.extraction.panels.render import render
from polydata.extraction.paper import Press, cut_figure, print_panel, told
from polydata.extraction.places import CERTAIN, figure_at, panel_at
from polydata.images.picture import ImageStore
from polydata.text.captions import split_caption
from polydata.text.figure_labels import read_label
from polydata.text.mentions import find_mentions
from polydata.types import Box, Figure, ImageInfo, Leftover, Panel, Paper
from polydata.vision.kind import kind_of
from polydata.vision.measures import measure
from polydata.vision.micrograph import picture_odds
from polydata.workspace import ExtractSettings

OFF_FIGURE = 1.0
"""Points that a panel may reach out of its figure; they are cut off."""

OFF_PAGE = 2.0
"""Points that a box may reach out of its page; they are cut off."""

LEAST = 8.0
"""Points that each side of a box has at least."""


class Unfit(UsageError):
    """A correction that cannot be made on this paper as it was read."""


@dataclass(frozen=True)
class Amended:
    """A paper with its corrections.

    Attributes:
        paper: as corrected.
        edits: the corrections in their order, each with the reason why it could not be made, if there is one.
        results: id of the figure or panel that each correction left; None where it is deleted or was not made.
        moved: ids of panels, each with that of the panel which took its place.
        gone: earlier corrections that these ended, with the reason.
    """

    paper: Paper
    edits: tuple[Edit, ...]
    results: tuple[str | None, ...]
    moved: dict[str, str]
    gone: tuple[Edit, ...] = ()


def needs_pdf(edits: Sequence[Edit]) -> bool:
    """Whether pictures have to be cut anew for any of the corrections."""
    return any(edit.changes.box is not None or edit.changes.page is not None for edit in edits)


def amend(paper: Paper, edits: Sequence[Edit], cutter: Cutter | None) -> Amended:
    """Make corrections one after the other; one that does not find its target leaves the paper as it is.

    Args:
        paper: as read, or with earlier corrections made.
        edits: of this paper, in the order in which they were made.
        cutter: None will do where ``needs_pdf`` says no.
    """
    made: list[Edit] = []
    results: list[str | None] = []
    moved: dict[str, str] = {}
    for edit in edits:
        try:
            before, (paper, result, now) = paper, _made(paper, edit, cutter)
        except Unfit as error:
            made.append(replace(edit, stale=error.message))
            results.append(None)
        else:
            if edit.target == "figure" and not edit.changes.delete:
                gone = {one.edit_id: one for one in lost(before, paper, now, made)}
                made = [gone.get(one.edit_id, one) for one in made]
            made.append(replace(edit, stale=None))
            results.append(result)
            moved = {**now, **{old: now.get(new, new) for old, new in moved.items()}}
    return Amended(paper, tuple(made), tuple(results), moved)


_Outcome = tuple[Paper, str | None, dict[str, str]]
"""A paper, the id of what was corrected, and what became of its panels."""


def _made(paper: Paper, edit: Edit, cutter: Cutter | None) -> _Outcome:
    place, changes = edit.place, edit.changes
    old = figure_at(paper, place)
    if edit.target == "new figure":  # where a later reading found it too, that is corrected by what the user said
        figure = old or Figure(place.page, place.box, None, None, None, "by-hand", 1.0, 0, ())
        return _put(paper, old, _corrected(paper, figure, changes, cutter))
    if old is None:
        raise Unfit(f"no figure stands there on page {place.page} any more")
    if edit.target == "panel":
        return _panel_edit(paper, old, edit, cutter)
    if edit.target == "new panel":
        return _new_panel(paper, old, edit, cutter)
    if changes.delete:
        return _with(paper, old, None), None, {}
    return _put(paper, old, _corrected(paper, old, changes, cutter))


def _corrected(paper: Paper, old: Figure, changes: Correction, cutter: Cutter | None) -> Figure:
    """A figure with changes; a new box or page has its picture cut and taken apart anew."""
    caption = old.caption if changes.caption is None else changes.caption or None
    label = old.label if changes.label is None else changes.label or None
    if changes.caption and changes.label is None and (read := read_label(changes.caption)):
        label = read.text
    if caption is None and changes.caption is None and label:  # the words may be among the captions without a figure
        lonely = {one.text for one in _lonely(paper, label) if one.text}
        caption = lonely.pop() if len(lonely) == 1 else None
    kind = None if changes.kind is None else Kind(changes.kind)
    if changes.box is None and changes.page is None:
        new = replace(old, label=label, caption=caption, panels=_retold(old, caption))
    else:
        assert cutter is not None
        new = cutter.figure(changes.page or old.page, changes.box or old.box, label, caption, kind)
    if kind is None:
        return new
    panels = new.panels if kind == Kind.MIXED else tuple(replace(panel, kind=kind) for panel in new.panels)
    return replace(new, kind=kind, panels=panels)


def _retold(figure: Figure, caption: str | None) -> tuple[Panel, ...]:
    """The panels of a figure with what another caption says of each; words that a user gave to a panel stay."""
    before, after = dict(split_caption(figure.caption or "").panels), split_caption(caption or "")
    words, panels = dict(after.panels), figure.panels
    if len(panels) == len(words) > 1 and not any(panel.label for panel in panels):
        panels = tuple(replace(one, label=label) for one, label in zip(panels, after.labels, strict=True))
    return tuple(
        _spoken(
            replace(one, caption=words.get(one.label or ""))
            if one.caption == before.get(one.label or "") or one.caption is None
            else one,
            replace(figure, caption=caption),
        )
        for one in panels
    )


def _spoken(panel: Panel, figure: Figure) -> Panel:
    """A panel with what is said of it; words by hand, which the figure's caption lacks, are read on their own."""
    caption, own, scale = figure.caption, panel.caption, panel.scale
    panel = told(panel, caption, split_caption(caption or "").stem or None, lone=panel.box == figure.box)
    if scale is not None and scale.method == BY_HAND:
        panel = replace(panel, scale=scale)
    if own and own not in (caption or ""):
        return replace(panel, mentions=(*panel.mentions, *find_mentions(own)))
    return panel


def _panel_edit(paper: Paper, figure: Figure, edit: Edit, cutter: Cutter | None) -> _Outcome:
    changes, name = edit.changes, figure.label or "the figure"
    old = panel_at(figure, edit.place)
    if old is None:
        raise Unfit(f"{name} on page {figure.page} has no such panel any more")
    index = figure.panels.index(old)
    others = figure.panels[:index] + figure.panels[index + 1 :]
    if changes.delete:
        if not others:
            raise Unfit(f"it is the only panel of {name} on page {figure.page}: delete the figure")
        return _with(paper, figure, replace(figure, panels=others)), None, {}
    new = _relabelled(old, figure, changes)
    if changes.box is not None:
        assert cutter is not None
        box = _within(changes.box, figure)
        if any(box.rounded() == other.box.rounded() for other in others):
            raise Unfit(f"another panel of {name} on page {figure.page} has this box")
        image, kind = cutter.panel(figure, box)
        new = same_bar(replace(new, box=box, image=image, kind=kind), resolution(old))
    if changes.bar is not None:
        new = with_bar(new, changes)
    if changes.kind is not None:
        new = replace(new, kind=Kind(changes.kind))
    panels = (*figure.panels[:index], _spoken(new, figure), *figure.panels[index + 1 :])
    before, after = (ids.panel_id(paper.sha256, figure.page, figure.box, one.box) for one in (old, new))
    return _with(paper, figure, replace(figure, panels=panels)), after, {before: after} if before != after else {}


def _new_panel(paper: Paper, figure: Figure, edit: Edit, cutter: Cutter | None) -> _Outcome:
    """A panel that extraction missed; where a later reading found it too, that is corrected by what the user said."""
    place = edit.place
    assert cutter is not None
    assert place.panel_box is not None
    box = _within(place.panel_box, figure)
    if any(one.box.iou(box) >= CERTAIN for one in figure.panels):
        return _panel_edit(paper, figure, edit, cutter)
    image, kind = cutter.panel(figure, box)
    new = _relabelled(Panel(box, None, None, None, image, kind), figure, edit.changes)
    if edit.changes.kind is not None:
        new = replace(new, kind=Kind(edit.changes.kind))
    panels = (*figure.panels, _spoken(new, figure))
    result = ids.panel_id(paper.sha256, figure.page, figure.box, box)
    return _with(paper, figure, replace(figure, panels=panels)), result, {}


def _relabelled(panel: Panel, figure: Figure, changes: Correction) -> Panel:
    """A panel with another label and its words: those given, or those of the caption for that label."""
    label = panel.label if changes.label is None else changes.label or None
    words = dict(split_caption(figure.caption or "").panels)
    caption = panel.caption
    if changes.caption is not None:
        caption = changes.caption or None
    elif label != panel.label and caption == words.get(panel.label or ""):
        caption = words.get(label or "")
    return replace(panel, label=label, caption=caption)


def _within(box: Box, figure: Figure) -> Box:
    """A panel's box cut to its figure."""
    whole = figure.box
    if (
        min(box.x0 - whole.x0, box.y0 - whole.y0) < -OFF_FIGURE
        or max(box.x1 - whole.x1, box.y1 - whole.y1) > OFF_FIGURE
        or box.share_inside(whole) < SAME
    ):
        corners = ",".join(f"{value:g}" for value in whole.as_list())
        raise Unfit(f"the box reaches out of its figure, whose box is {corners}")
    return Box(max(box.x0, whole.x0), max(box.y0, whole.y0), min(box.x1, whole.x1), min(box.y1, whole.y1))


def _put(paper: Paper, old: Figure | None, new: Figure) -> _Outcome:
    """A paper with a corrected or new figure, and what becomes of its panels."""
    identifier = ids.figure_id(paper.sha256, new.page, new.box)
    for other in paper.figures:
        if other is not old and ids.figure_id(paper.sha256, other.page, other.box) == identifier:
            raise Unfit(f"another figure of page {new.page} has this box")
    moved = successors(_spots(paper, old), _spots(paper, new)) if old else {}
    new = carried(paper, old, new, moved) if old else new
    return _with(paper, old, new), identifier, moved


def _spots(paper: Paper, figure: Figure) -> dict[str, Spot]:
    """Panels of one figure, as if figures and pages had no part in where they stand."""
    return {
        ids.panel_id(paper.sha256, figure.page, figure.box, panel.box): Spot(
            1, "", panel.label, panel.box, panel.image.sha256
        )
        for panel in figure.panels
    }


def _with(paper: Paper, old: Figure | None, new: Figure | None) -> Paper:
    """A paper with one figure in the place of another, in page order; its leftovers without what the figure has now."""
    figures = [one for one in paper.figures if one is not old]
    leftovers = paper.leftovers
    if new is not None:
        figures.append(new)
        own = _lonely(paper, new.label) if new.caption else []
        leftovers = tuple(one for one in leftovers if one not in own and not _shown(one, new))
    figures.sort(key=lambda one: (one.page, one.box.y0, one.box.x0))
    return replace(paper, figures=tuple(figures), leftovers=leftovers)


def _lonely(paper: Paper, label: str | None) -> list[Leftover]:
    """Captions of that label without a figure."""
    found = [one for one in paper.leftovers if one.what == "caption-without-figure"]
    return [one for one in found if label is not None and _plain(one.label) == _plain(label)]


def _plain(label: str | None) -> str:
    """A label for comparison: ``Fig. 3`` and ``figure 3`` are one."""
    word, _, number = " ".join((label or "").lower().replace(".", " ").split()).partition(" ")
    return f"{'figure' if word == 'fig' else word} {number}"


def _shown(leftover: Leftover, figure: Figure) -> bool:
    """Whether a picture that had no caption is this figure."""
    picture = leftover.what == "figure-without-caption" and leftover.page == figure.page
    return picture and leftover.box.share_inside(figure.box) > CERTAIN


class Cutter:
    """Cuts figures and panels out of a PDF as extraction does.

    Args:
        press: of the document.
    """

    def __init__(self, press: Press) -> None:
        self._press = press

    def figure(self, page: int, box: Box, label: str | None, caption: str | None, kind: Kind | None) -> Figure:
        """A figure of that box, taken apart into panels; ``kind`` None tells it by the picture.

        Raises:
            Unfit: if there is no such page, or the box does not lie on it.
        """
        box = self._on(page, box)
        words = None
        if caption is not None:
            read = read_label(caption) or read_label(label or "")
            words = Caption(page, label or "", read.word if read else "figure", "", caption, box, (), 0.0)
        figure = cut_figure(self._press, LocatedFigure(page, box, words, None, 1.0), kind)
        return replace(figure, label=label, method="by-hand")

    def panel(self, figure: Figure, box: Box) -> tuple[ImageInfo, Kind]:
        """The stored picture of a box within a figure, and what it shows."""
        box = self._on(figure.page, box)
        sheet, content = self._press.page(figure.page)
        drawn = render(sheet, content.read(figure.box), figure.dpi)
        kind = figure.kind or Kind.MIXED
        pixels = drawn.crop(box)
        alone = kind_of(picture_odds(pixels)[0], measure(pixels), figure.caption)
        return print_panel(self._press, figure.page, drawn, box, kind=kind, alone=alone)

    def _on(self, page: int, box: Box) -> Box:
        """A box cut to its page, as the page is read."""
        if not 1 <= page <= (pages := self._press.document.page_count):
            raise Unfit(f"there is no page {page}: the PDF has {pages}")
        if min(box.width, box.height) < LEAST:
            raise Unfit(f"the box is smaller than {LEAST:g} points", "Boxes are in points, 1/72 inch.")
        content = self._press.page(page)[1]
        sheet = content.shown(content.box)
        outside = min(box.x0, box.y0) < -OFF_PAGE or box.x1 > sheet.x1 + OFF_PAGE or box.y1 > sheet.y1 + OFF_PAGE
        if outside:
            raise Unfit(f"the box reaches out of page {page}, which has {sheet.x1:g} x {sheet.y1:g} points")
        return content.read(Box(max(box.x0, 0.0), max(box.y0, 0.0), min(box.x1, sheet.x1), min(box.y1, sheet.y1)))


def amend_paper(path: Path, store: ImageStore, limits: ExtractSettings, paper: Paper, edits: Sequence[Edit]) -> Amended:
    """Make corrections; what a worker runs. The PDF is opened only where pictures have to be cut.

    Raises:
        ExtractionFailure: as ``document.open.opened``.
    """
    if not needs_pdf(edits):
        return amend(paper, edits, None)
    with opened(path, limits, paper.sha256) as (document, _):
        return amend(paper, edits, Cutter(Press(document, store, None)))
