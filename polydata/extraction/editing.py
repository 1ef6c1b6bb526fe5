"""A user's corrections of what extraction found: made, kept over every later reading, taken back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from polydata import ids
from polydata.catalogue.by_hand import edits_of, write_edits
from polydata.catalogue.lookup import InPdf, find_in_pdf
from polydata.catalogue.papers import Corrections, load_paper, save_corrected
from polydata.catalogue.session import Session
from polydata.choices import Kind
from polydata.edits import Correction, Edit, Place, Target
from polydata.errors import InputError, UsageError
from polydata.extraction.amend import Amended, amend_paper, needs_pdf
from polydata.extraction.bars import lost
from polydata.extraction.document.lines import clean_text
from polydata.extraction.places import CERTAIN, figure_at, panel_at
from polydata.extraction.pool import Readers
from polydata.extraction.workflow import editor, read_anew
from polydata.files.find import path_from_text
from polydata.ids import sha256_file
from polydata.text.caption_scales import parse_length
from polydata.text.captions import split_caption
from polydata.types import Box, Failure, Paper

LONGEST = {"caption": 10_000, "label": 100}
"""Characters of what a user may give."""

NO_BAR = "none"
BAR_HINT = "Say it as in --bar '5 µm' --bar-px 120, or --bar none where the picture has no scale bar."
BOX_HINT = "Give it in points from the top left of the page: --box 50,80,300,260"


@dataclass(frozen=True)
class Edited:
    """What a correction did.

    Attributes:
        edit_id: of the correction, by which it can be undone.
        paper_id: of its paper.
        target: ``figure`` or ``panel``.
        result: id of the figure or panel as it is now; None where it was deleted.
        moved: ids of panels that have another id now, each with the new one.
        panels: how many the figure had, and has now.
        note: what the user may want to do next about it; empty for nothing.
    """

    edit_id: str
    paper_id: str
    target: Literal["figure", "panel"]
    result: str | None
    moved: dict[str, str]
    panels: tuple[int, int]
    note: str


def parse_box(text: str) -> Box:
    """A box from ``X0,Y0,X1,Y1``, in points from the top left of the page.

    Raises:
        UsageError: if these are not four numbers, or not the corners of a box.
    """
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
        if not all(map(math.isfinite, (x0, y0, x1, y1))):
            raise ValueError
        return Box(x0, y0, x1, y1)
    except ValueError:
        raise UsageError(f"{text!r} is no box: four numbers are needed, X0 < X1 and Y0 < Y1.", BOX_HINT) from None


def correction(
    *,
    page: int | None = None,
    box: str | None = None,
    caption: str | None = None,
    label: str | None = None,
    kind: str | None = None,
    delete: bool = False,
    bar: str | None = None,
    bar_px: float | None = None,
) -> Correction:
    """What a user sets right, checked; None leaves a thing as it is.

    Args:
        page: 1-based.
        box: ``X0,Y0,X1,Y1`` in points.
        caption, label: empty to take it away; control characters become spaces.
        kind: one of ``Kind``.
        delete: nothing else may be said then.
        bar: value of a panel's scale bar (``5 µm``), or ``none``.
        bar_px: its length in pixels of the stored picture.

    Raises:
        UsageError: if nothing is to be changed, or a value means nothing.
    """
    asked = Correction(
        page=page,
        box=parse_box(box) if box is not None else None,
        caption=None if caption is None else plain_text("caption", caption),
        label=None if label is None else plain_text("label", label),
        kind=_kind(kind),
        delete=delete,
        bar=None if bar is None else _length(bar),
        bar_px=bar_px,
    )
    if bar_px is not None and (asked.bar in (None, NO_BAR) or not 0 < bar_px < math.inf):
        raise UsageError("A length in pixels is above 0 and goes with a bar's value.", BAR_HINT)
    if page is not None and page < 1:
        raise UsageError(f"There is no page {page}.", "Pages count from 1.")
    if not asked.asked:
        raise UsageError("Nothing is to be changed.", "Say what: --box, --caption, --label, --kind, --bar or --delete.")
    if delete and len(asked.asked) > 1:
        raise UsageError("What is deleted cannot be changed as well.", "Give --delete alone.")
    return asked


def plain_text(what: Literal["caption", "label"], value: str) -> str:
    """What a user gives, control characters and all white space made single spaces.

    Args:
        what: is given.
        value: what was said.

    Raises:
        UsageError: if it is too long.
    """
    plain = clean_text(value.encode(errors="replace").decode())
    if len(plain) > LONGEST[what]:
        raise UsageError(f"The {what} has {len(plain)} characters; the limit is {LONGEST[what]}.", "Shorten it.")
    return plain


def _length(text: str) -> str:
    """The value of a scale bar in its plain form; ``none`` for no bar."""
    if text.strip().lower() == NO_BAR:
        return NO_BAR
    length = parse_length(text)
    if length is None:
        raise UsageError(f"{text!r} is no length of a scale bar.", BAR_HINT)
    return f"{length[0]:g} {length[1]}"


def _kind(word: str | None) -> str | None:
    if word is not None and word not in list(Kind):
        raise UsageError(f"There is no kind {word!r}.", f"Kinds are {', '.join(Kind)}.")
    return None if word is None else str(Kind(word))


def edit(session: Session, what: Target, identifier: str, wanted: Correction) -> Edited:
    """Correct a figure or panel, delete it, or add one that extraction missed.

    A figure's new box or page has its picture cut and taken apart into panels anew; a panel stays within its figure.

    Args:
        session: open for writing.
        what: is corrected.
        identifier: of the figure or panel, for a new figure of the paper, for a new panel of its figure; or the
            beginning of it.
        wanted: from ``correction``; for a new figure with page and box, for a new panel with a box. Without a caption,
            that of a figure's label is taken where it is listed among the captions without a figure, and that of a
            panel's letter from the caption of its figure.

    Raises:
        InputError: if there is nothing of that id, or the PDF is needed and cannot be read any more.
        UsageError: if the box does not lie on its page, what is new is there already, or the correction cannot be
            made otherwise.
    """
    kind: Literal["paper", "figure", "panel"] = (
        "paper" if what == "new figure" else "figure" if what == "new panel" else what
    )
    target = find_in_pdf(session.catalogue, kind, identifier)
    paper = load_paper(session.catalogue, str(target.paper_id))
    place = _new_place(paper, wanted) if what == "new figure" else _place_of(paper, target.identifier)
    if wanted.bar is not None:
        wanted = _measured(paper, place, wanted)
    if what == "new panel":
        place = _new_panel_place(paper, place, wanted)
    with editor(session) as by:
        made = correct(session, by, target, paper, [(what, place, wanted)])
    return Edited(
        edit_id=made.edits[0].edit_id,
        paper_id=ids.paper_id(paper.sha256),
        target="panel" if what in ("panel", "new panel") else "figure",
        result=made.results[0],
        moved={old: new for old, new in made.moved.items() if old != new},
        panels=(_panels_there(paper, place), _panels_there(made.paper, made.edits[0].place, made.results[0])),
        note=_note(made, wanted),
    )


def _measured(paper: Paper, place: Place, wanted: Correction) -> Correction:
    """A correction of a scale bar with the time, for of several of one picture the last counts, and the resolution."""
    wanted = replace(wanted, bar_said=datetime.now(UTC).isoformat(timespec="microseconds"))
    figure = figure_at(paper, place)
    panel = panel_at(figure, place) if figure else None
    if panel is None or wanted.bar_px is None:
        return wanted
    longest = max(panel.image.width, panel.image.height)
    if wanted.bar_px > longest:
        size = f"{panel.image.width} x {panel.image.height}"
        raise UsageError(f"The bar cannot be {wanted.bar_px:g} pixels long: the picture has {size}.", BAR_HINT)
    return replace(wanted, px_per_pt=panel.image.width / panel.box.width)


def correct(
    session: Session, by: Readers, target: InPdf, paper: Paper, asked: Sequence[tuple[Target, Place, Correction]]
) -> Amended:
    """Make corrections of one paper together: all of them, or none.

    Args:
        session: open for writing.
        by: from ``workflow.editor``.
        target: something in the paper, with its PDF.
        paper: as it is in the catalogue.
        asked: what is corrected, where it stands, and what is wanted; each builds on those before it.

    Raises:
        InputError: if the PDF is needed and cannot be read any more.
        UsageError: if one of them cannot be made.
    """
    earlier = edits_of(session.catalogue, paper.sha256)
    number = max((one.number for one in earlier), default=0)
    edits = tuple(Edit(paper.sha256, n, *one) for n, one in enumerate(asked, start=number + 1))
    path = _pdf(target) if needs_pdf(edits) else path_from_text(target.path or "")
    made = by.do(amend_paper, path, paper, edits)
    if isinstance(made, Failure):
        raise InputError(f"{made.detail}.", "Nothing was changed.")
    stale = next((one.stale for one in made.edits if one.stale), None)
    if stale:
        raise UsageError(f"This cannot be done: {stale}.", "Nothing was changed.")
    recut = any(target == "figure" and not wanted.delete for target, _, wanted in asked)
    gone = lost(paper, made.paper, made.moved, earlier) if recut else []
    save_corrected(session.catalogue, made.paper, Corrections((*gone, *made.edits), moved=made.moved))
    return replace(made, gone=tuple(gone))


def _panels_there(paper: Paper, place: Place, figure_id: str | None = None) -> int:
    """How many panels the figure of a place has; none where none stands there, or it was made a figure of that id."""
    named = (one for one in paper.figures if ids.figure_id(paper.sha256, one.page, one.box) == figure_id)
    figure = next(named, None) or figure_at(paper, place)
    return len(figure.panels) if figure else 0


def _place_of(paper: Paper, identifier: str) -> Place:
    """Where the figure or panel of that id stands."""
    for figure in paper.figures:
        place = Place(figure.page, figure.label, figure.box)
        if identifier == ids.figure_id(paper.sha256, figure.page, figure.box):
            return place
        for panel in figure.panels:
            if identifier == ids.panel_id(paper.sha256, figure.page, figure.box, panel.box):
                return replace(place, panel_label=panel.label, panel_box=panel.box)
    raise InputError(f"{identifier} does not belong to its page any more.", "Read its paper with --again.")


def _new_place(paper: Paper, wanted: Correction) -> Place:
    """Where a new figure is to stand, if none stands there."""
    if wanted.page is None or wanted.box is None or wanted.delete:
        raise UsageError("A new figure needs its page and box.", BOX_HINT.replace("--box", "--page 3 --box"))
    place = Place(wanted.page, wanted.label or None, wanted.box)
    there = figure_at(paper, place)
    if there is not None:
        there_id = ids.figure_id(paper.sha256, there.page, there.box)
        raise UsageError(
            f"{there.label or 'A figure'} stands there on page {there.page} already.",
            f"Correct it: polydata edit figure {there_id}",
        )
    return place


def _new_panel_place(paper: Paper, place: Place, wanted: Correction) -> Place:
    """Where a new panel of the figure at a place is to stand, if none stands there."""
    if wanted.box is None or wanted.delete:
        raise UsageError("A new panel needs its box.", BOX_HINT)
    place = replace(place, panel_label=wanted.label or None, panel_box=wanted.box)
    figure = figure_at(paper, place)
    for panel in figure.panels if figure else ():
        if panel.box.iou(wanted.box) >= CERTAIN:
            there_id = ids.panel_id(paper.sha256, place.page, place.box, panel.box)
            raise UsageError("A panel stands there already.", f"Correct it: polydata edit panel {there_id}")
    return place


def undo(session: Session, identifier: str) -> tuple[str, tuple[str, ...], bool]:
    """Take a correction back: its paper is read anew, with the others.

    One that is not in force, or whose paper is not in the catalogue, changes nothing and is only forgotten.

    Args:
        session: open for writing.
        identifier: of the correction, or the beginning of it.

    Returns:
        Its id, other corrections that could not be made again, each with its reason, and whether it was of a scale
        bar alone.

    Raises:
        InputError: if there is no such correction, or the PDF cannot be read any more.
    """
    target = find_in_pdf(session.catalogue, "edit", identifier)
    its = edits_of(session.catalogue, target.sha256) if target.sha256 else ()
    meant = next((edit for edit in its if edit.edit_id == target.identifier), None)
    bar = meant is not None and set(meant.changes.asked) <= {"bar", "bar_px"}
    if target.sha256 is None or meant is None or meant.stale is not None:
        with session.catalogue.transaction():
            write_edits(session.catalogue, (), undone=target.identifier)
        return target.identifier, (), bar
    path = _pdf(target)
    return target.identifier, read_anew(session, path, target.sha256, target.identifier), bar


def _note(made: Amended, wanted: Correction) -> str:
    """Which bars by hand a new cut left behind; whether a figure's new caption names other panels than there are."""
    if made.gone:
        names = ", ".join(one.edit_id for one in made.gone)
        return f"scale bars by hand that are no longer in force, for no panel took the place of theirs: {names}"
    if "panel" in made.edits[0].target or wanted.caption is None or wanted.box is not None:
        return ""
    for figure in made.paper.figures:
        if ids.figure_id(made.paper.sha256, figure.page, figure.box) == made.results[0]:
            count, parts = len(figure.panels), len(split_caption(figure.caption or "").panels)
            box = ",".join(f"{value:g}" for value in figure.box.as_list())
            if parts and parts != count:
                return f"the caption names {parts} panels, the figure has {count}; --box {box} takes it apart anew"
    return ""


def _pdf(target: InPdf) -> Path:
    """The PDF of a paper, which must be there and have the bytes that were read."""
    path = path_from_text(target.path or "")
    try:
        same = path.is_file() and sha256_file(path) == target.sha256
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Nothing was changed.") from error
    if not path.is_file():
        raise InputError(
            f"The PDF {path} is not there any more, and this needs it.",
            "Put it back, or say where it lies now: polydata extract PATH",
        )
    if not same:
        raise InputError(
            f"The PDF {path} holds other bytes than when it was read, and this needs those.",
            "Put the former file back, or read the new one as another paper: polydata extract PATH",
        )
    return path
